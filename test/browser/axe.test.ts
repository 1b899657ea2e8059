import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { HtmlValidate } from 'html-validate'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect } from 'vitest'
import { render } from '../../src/report/render.js'
import * as documents from '../report/documents.js'
import { pages } from '../report/shown-documents.js'
import { hasChromium, show, startBrowser } from '../support/browser.js'
import { needing } from '../support/needs.js'

const test = needing('chromium', hasChromium)

let browser: Browser
let axe = ''

beforeAll(async () => {
  if (!hasChromium) return
  browser = await startBrowser()
  axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
})
afterAll(async () => {
  if (hasChromium) await browser.close()
})

// Colours do not depend on the width, nor the order of things on the colours: two looks see what four did.
const looks = [
  { scheme: 'light', width: 1600 },
  { scheme: 'dark', width: 400 },
] as const

test.each(pages)(
  '%s: axe-core finds nothing, best practice included, light and broad, dark and narrow',
  async (_, result) => {
    const text = await render(result, 'html', documents.narrow)
    for (const look of looks) {
      await using shown = await show(browser, text, look)
      await shown.page.evaluate(() => document.querySelectorAll('details').forEach((one) => (one.open = true)))
      await shown.page.evaluate(axe)
      const { violations, incomplete } = await shown.page.evaluate(async () => {
        const found = await (globalThis as unknown as { axe: { run: () => Promise<AxeResults> } }).axe.run()
        const told = (all: AxeResults['violations']) =>
          all.map(({ id, nodes }) => `${id}: ${nodes[0]?.html.slice(0, 160)}`)
        return { violations: told(found.violations), incomplete: told(found.incomplete) }
      })
      expect([look, violations]).toEqual([look, []])
      expect(incomplete.filter((one) => !one.startsWith('color-contrast'))).toEqual([])
    }
  },
)

interface AxeResults {
  readonly violations: readonly { readonly id: string; readonly nodes: readonly { readonly html: string }[] }[]
  readonly incomplete: AxeResults['violations']
}

test.each(pages)('%s: the HTML is valid', async (_, result) => {
  const validator = new HtmlValidate({ extends: ['html-validate:standard'] })
  const report = await validator.validateString(await render(result, 'html', documents.narrow))
  const said = report.results.flatMap(({ messages }) =>
    messages.map(({ ruleId, message, line, column }) => `${line}:${column} ${ruleId}: ${message}`),
  )
  expect([...new Set(said)]).toEqual([])
})
