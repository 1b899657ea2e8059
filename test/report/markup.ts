/** An element of a page or of an XML document, as far as the tests need it. */
export interface Element {
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
  readonly children: Element[]
  /** Of the element and everything below it, entities resolved. */
  text: string
}

const empty = new Set(['wbr', 'meta', 'input', 'br', 'link', 'hr'])
const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" }
const tag = /^<(\/?)([a-zA-Z][\w-]*)((?:\s+[a-zA-Z][\w:-]*(?:="[^"<]*")?)*)\s*(\/?)>/

/**
 * Reads markup strictly: every element is closed in order, every attribute is in double quotes, no bare `<` or `&` stands in a text. Throws with
 * the place otherwise. The text of `<style>` is taken as it is.
 */
export function parseMarkup(source: string): Element {
  const root: Element = { name: '', attributes: {}, children: [], text: '' }
  const path = [root]
  let rest = source.replace(/^<!doctype html>\n|^<\?xml version="1\.0" encoding="UTF-8"\?>\n/, '')
  while (rest !== '') {
    const top = path.at(-1) ?? root
    if (!rest.startsWith('<') || top.name === 'style') {
      const end = rest.indexOf(top.name === 'style' ? '</style>' : '<')
      const text = end < 0 ? rest : rest.slice(0, end)
      const plain = top.name === 'style' ? text : resolved(text)
      for (const each of path) each.text += plain
      rest = rest.slice(text.length)
      if (top.name !== 'style') continue
    }
    const found = tag.exec(rest)
    if (found === null) throw new Error(`no element: ${rest.slice(0, 80)}`)
    const [whole, closing, name = '', listed = '', selfClosing] = found
    rest = rest.slice(whole.length)
    if (closing === '/') {
      const closed = path.pop()
      if (closed?.name !== name) throw new Error(`</${name}> closes <${closed?.name}>`)
      continue
    }
    const element: Element = { name, attributes: attributesOf(listed), children: [], text: '' }
    ;(path.at(-1) ?? root).children.push(element)
    if (selfClosing !== '/' && !empty.has(name)) path.push(element)
  }
  if (path.length !== 1) throw new Error(`<${path.at(-1)?.name}> is not closed`)
  return root
}

/** All elements of that name below, in the order of the document. */
export function all(element: Element, name: string): Element[] {
  return element.children.flatMap((child) => [...(child.name === name ? [child] : []), ...all(child, name)])
}

/** Elements that have the class. */
export function withClass(element: Element, name: string): Element[] {
  return element.children.flatMap((child) => [
    ...((child.attributes['class'] ?? '').split(' ').includes(name) ? [child] : []),
    ...withClass(child, name),
  ])
}

function attributesOf(listed: string): Record<string, string> {
  const found = [...listed.matchAll(/([\w:-]+)(?:="([^"]*)")?/g)].map(([, name = '', value = '']) => [
    name,
    resolved(value),
  ])
  const names = found.map(([name]) => name)
  if (new Set(names).size !== names.length) throw new Error(`an attribute twice: ${listed}`)
  return Object.fromEntries(found)
}

function resolved(text: string): string {
  if (/[<>]/.test(text)) throw new Error(`bare markup in ${text.slice(0, 80)}`)
  return text.replace(/&([^;\s]{0,8};?)/g, (whole, name: string) => {
    const character = entities[name.replace(/;$/, '')]
    if (character === undefined || !name.endsWith(';')) throw new Error(`bare ${whole} in ${text.slice(0, 80)}`)
    return character
  })
}
