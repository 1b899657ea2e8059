/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/* Run inside a page: each is handed over as its own text, and so uses nothing from outside. */

/** Elements that stick out of the page to the right, unless something above them scrolls. */
export function horizontalOverflow(): string[] {
  const width = document.documentElement.clientWidth
  const wide = document.documentElement.scrollWidth > width ? [`page ${document.documentElement.scrollWidth}`] : []
  const out = [...document.body.querySelectorAll('*')].filter((element) => {
    if (
      element.closest('thead') !== null &&
      getComputedStyle(element.closest('thead') ?? element).position === 'absolute'
    )
      return false
    return element.getBoundingClientRect().right > width + 1
  })
  return [...wide, ...out.map((element) => `${element.tagName} ${(element.textContent ?? '').slice(0, 40)}`)]
}

/** Texts with less contrast than 4.5 to 1 to the colour behind them (WCAG 2.1, 1.4.3). */
export function lowContrast(): string[] {
  const parts = (color: string) => [...color.matchAll(/[\d.]+/g)].map(([number]) => Number(number))
  const luminance = (color: readonly number[]) =>
    [0.2126, 0.7152, 0.0722].reduce((sum, weight, at) => {
      const value = (color[at] ?? 0) / 255
      return sum + weight * (value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)
    }, 0)
  const behind = (element: Element | null): readonly number[] => {
    if (element === null) return [255, 255, 255]
    const color = parts(getComputedStyle(element).backgroundColor)
    return color[3] === 0 ? behind(element.parentElement) : color
  }
  const found: string[] = []
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  while (walker.nextNode()) {
    const text = (walker.currentNode.textContent ?? '').trim()
    const element = walker.currentNode.parentElement
    if (text === '' || element === null || !element.checkVisibility()) continue
    const style = getComputedStyle(element)
    const ink = luminance(parts(element.namespaceURI?.endsWith('svg') === true ? style.fill : style.color))
    const paper = luminance(behind(element))
    const contrast = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05)
    if (contrast < 4.5) found.push(`${contrast.toFixed(2)} ${text.slice(0, 40)}`)
  }
  return found
}

/** Numbers everything that can be clicked or scrolled by keyboard, in the order of the page. */
export function tabStops(): number[] {
  const stops = [...document.querySelectorAll('a[href], summary, pre[tabindex]')].filter((element) =>
    element.checkVisibility(),
  )
  for (const [at, stop] of stops.entries()) stop.setAttribute('data-stop', String(at))
  return stops.map((_, at) => at)
}
