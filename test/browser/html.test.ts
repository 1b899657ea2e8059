import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { render } from '../../src/report/render.js'
import * as documents from '../report/documents.js'
import { pages, plannedQueries, withText } from '../report/shown-documents.js'
import { hasChromium, show, startBrowser } from '../support/browser.js'
import { needing } from '../support/needs.js'
import { horizontalOverflow, lowContrast, tabStops } from './page-checks.js'
import type { Result } from '../../src/result/results.js'

const test = needing('chromium', hasChromium)

let browser: Browser

beforeAll(async () => {
  if (hasChromium) browser = await startBrowser()
})
afterAll(async () => {
  if (hasChromium) await browser.close()
})

async function source(result: Result): Promise<string> {
  return render(result, 'html', documents.narrow)
}

describe.each(pages)('%s', (_, result) => {
  test('complains of nothing, fits narrow and broad, and every text stands out from what is behind it', async () => {
    await using shown = await show(browser, await source(result))
    for (const width of [320, 400, 700, 800, 1000, 1600]) {
      await shown.page.setViewportSize({ width, height: 900 })
      expect([width, await shown.page.evaluate(horizontalOverflow)]).toEqual([width, []])
    }
    await openAll(shown.page)
    for (const colorScheme of ['light', 'dark'] as const) {
      await shown.page.emulateMedia({ colorScheme })
      expect([colorScheme, await shown.page.evaluate(lowContrast)]).toEqual([colorScheme, []])
    }
    expect(shown.complaints).toEqual([])
  })

  test('the keyboard reaches and works whatever can be clicked', async () => {
    await using shown = await show(browser, await source(result), { width: 1000 })
    const { page } = shown
    // A folded block comes into the order when it is open.
    await openAll(page)
    const expected = await page.evaluate(tabStops)
    const reached: number[] = []
    for (let press = 0; press < expected.length; press++) {
      await page.keyboard.press('Tab')
      reached.push(await page.evaluate(() => Number(document.activeElement?.getAttribute('data-stop') ?? -1)))
    }
    expect(reached).toEqual(expected)
  })

  test('on paper everything is open and fits', async () => {
    // 186 mm of an A4 page at 96 dots an inch.
    await using shown = await show(browser, await source(result), { width: 703, media: 'print', scheme: 'dark' })
    const { page } = shown
    expect(await page.evaluate(horizontalOverflow)).toEqual([])
    const folded = await page.evaluate(() =>
      [...document.querySelectorAll('details > :not(summary)')]
        .filter((element) => element.getBoundingClientRect().height === 0 || !element.checkVisibility())
        .map((element) => element.outerHTML.slice(0, 80)),
    )
    expect(folded).toEqual([])
    // Ink is dark, paper is white, whatever the screen likes.
    expect(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)).toBe('rgb(255, 255, 255)')
    expect((await page.pdf({ format: 'A4' })).subarray(0, 5).toString()).toBe('%PDF-')
  })

  test('a screen reader is told what each table and drawing is', async () => {
    await using shown = await show(browser, await source(result), { width: 400 })
    const { page } = shown
    await openAll(page)
    const counts = await page.evaluate(() => ({
      tables: document.querySelectorAll('table').length,
      charts: document.querySelectorAll('.chart').length,
    }))
    const tables = page.getByRole('table')
    expect(await tables.count()).toBe(counts.tables)
    for (const table of await tables.all()) expect(await table.getAttribute('aria-label')).toMatch(/\S/)
    // As cards on a narrow screen it is a table still.
    if (counts.tables > 0) expect(await page.getByRole('columnheader').count()).toBeGreaterThan(0)
    const charts = page.locator('.chart > ul')
    expect(await charts.count()).toBe(counts.charts)
    for (const chart of await charts.all()) {
      const told = await chart.ariaSnapshot()
      expect(told).toMatch(/^- '?list "[^"]+"'?:\n {2}- '?listitem/)
    }
    await expectOneHeading(page)
  })
})

test.each(pages)('%s: names and queries of any length break, and nothing sticks out', async (_, result) => {
  const long = `select ${Array.from({ length: 200 }, (_one, at) => `column_${at}`).join(', ')} ${'q'.repeat(500)}`
  await using shown = await show(browser, await source(withText(result, long)), { width: 320 })
  await openAll(shown.page)
  for (const width of [320, 1000]) {
    await shown.page.setViewportSize({ width, height: 900 })
    expect([width, await shown.page.evaluate(horizontalOverflow)]).toEqual([width, []])
  }
})

test('a fold opens and closes with Enter', async () => {
  await using shown = await show(browser, await source(plannedQueries(documents.applyDocument)))
  const { page } = shown
  const fold = page.locator('details.queryplan').first()
  const open = () => fold.evaluate((element) => element.hasAttribute('open'))
  expect(await open()).toBe(false)
  await fold.locator('summary').first().focus()
  await page.keyboard.press('Enter')
  expect(await open()).toBe(true)
  expect(await fold.getByText('Seq Scan jobs').first().isVisible()).toBe(true)
  await page.keyboard.press('Space')
  expect(await open()).toBe(false)
})

test('a chart is drawn where its numbers say, not only in its attributes', async () => {
  await using shown = await show(browser, await source(documents.applyFailed))
  const bars = await shown.page
    .locator('ul[aria-label="Where the time of the steps went"] svg.plot')
    .evaluateAll((plots) =>
      plots.slice(0, -1).map((plot) => {
        const all = plot.getBoundingClientRect()
        return [...plot.querySelectorAll('rect')].map((bar) => {
          const box = bar.getBoundingClientRect()
          return [Math.round(((box.left - all.left) / all.width) * 100), Math.round((box.width / all.width) * 100)]
        })
      }),
    )
  // 4.123 s, of it 1.210 s waiting, then 2.1 s that failed: 6.223 s in all.
  expect(bars).toEqual([
    [
      [0, 19],
      [19, 47],
    ],
    [[66, 34]],
  ])
})

async function openAll(page: Page): Promise<void> {
  await page.evaluate(() => {
    for (const fold of document.querySelectorAll('details')) fold.open = true
  })
}

async function expectOneHeading(page: Page): Promise<void> {
  expect(await page.getByRole('heading', { level: 1 }).count()).toBe(1)
  expect(await page.getByRole('main').count()).toBe(1)
}
