import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { sample } from 'fast-check'
import { marked } from 'marked'
import { expect, test } from 'vitest'
import { render } from '../../src/report/render.js'
import { isError, type Result } from '../../src/result/results.js'
import { z } from '../../src/yaml/schema.js'
import { needing } from '../support/needs.js'
import { anyResult } from './arbitrary.js'
import * as documents from './documents.js'
import { all, parseMarkup } from './markup.js'
import { hostileApply } from './shown-documents.js'

/* What perfdb's reports say to programs that others wrote for such reports. */

const results: readonly Result[] = [
  documents.planDocument,
  documents.longPlan,
  documents.verifyDocument,
  documents.applyFailed,
  documents.explainDocument,
  documents.poolDocument,
  documents.manyErrors,
  hostileApply,
  ...sample(anyResult(), { numRuns: 60, seed: 7 }),
]

// The reader gives null for an empty text, which only documents made at random have.
const text = z.string().nullable()
const detail = z.looseObject({ type: text, message: text })
const suites = z.looseObject({
  tests: z.number(),
  failures: z.number(),
  errors: z.number(),
  testsuite: z.array(
    z.looseObject({
      name: z.string(),
      testcase: z.array(
        z.looseObject({
          name: text,
          classname: text,
          failure: z.array(detail).optional(),
          error: z.array(detail).optional(),
        }),
      ),
    }),
  ),
})

test('JUnit: a reader finds every testcase, its name, and each failure once', async () => {
  const texts = await Promise.all(results.map(async (result) => render(result, 'junit', documents.narrow)))
  const reader = fileURLToPath(new URL('../support/read-junit.js', import.meta.url))
  const said = execFileSync(process.execPath, [reader], { input: JSON.stringify(texts), encoding: 'utf8' })
  const read = z.array(suites).parse(JSON.parse(said))
  for (const [at, one] of read.entries()) {
    const cases = one.testsuite.flatMap(({ testcase }) => testcase)
    const written = all(parseMarkup(texts[at] ?? ''), 'testcase')
    const failed = cases.filter(({ failure }) => failure !== undefined)
    expect(cases.map(({ name }) => name ?? '')).toEqual(written.map(({ attributes }) => attributes['name']))
    expect([one.tests, one.failures]).toEqual([cases.length, failed.length])
    expect(one.errors).toBe(cases.filter(({ error }) => error !== undefined).length)
    expect(cases.every(({ failure = [], error = [] }) => failure.length + error.length <= 1)).toBe(true)
    // No two of a suite have one name: readers keep the last.
    for (const { testcase } of one.testsuite)
      expect(new Set(testcase.map(({ classname, name }) => `${classname} ${name}`)).size).toBe(testcase.length)
  }
})

const ours = 'h3 p table thead tbody tr th td code strong em ul li pre details summary br'.split(' ')

test('markdown: a renderer of GitHub’s dialect shows every index by its name, in whole tables, and no element of anybody else', async () => {
  for (const result of results) {
    const rendered = marked.parse(await render(result, 'markdown', documents.narrow), { gfm: true, async: false })
    // An address in a text becomes a link to itself; nothing stands behind another text.
    const html = rendered.replaceAll(/<a href="(?:mailto:|http:\/\/)?([^"]*)">\1<\/a>/g, '$1')
    const elements = [...html.matchAll(/<([a-z][\w-]*)/gi)].map(([, name = '']) => name)
    expect(elements.filter((name) => !ours.includes(name))).toEqual([])
    // A line that is no row of its table any more is a paragraph with pipes.
    expect(html).not.toMatch(/<p>\|/)
    if (isError(result) || result.command !== 'plan' || !('steps' in result)) continue
    const shown = html.replaceAll(/<[^>]*>/g, '').replaceAll(/&(#?\w+);/g, (_, name: string) => entity(name))
    for (const { index, step } of result.steps)
      if (step !== 'keep' && /^[\w$ ]+$/.test(index)) expect(shown).toContain(index)
  }
})

function entity(name: string): string {
  const named: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"' }
  return name.startsWith('#') ? String.fromCodePoint(Number(name.slice(1))) : (named[name] ?? '')
}

const promtool = ['/usr/local/bin/promtool', '/usr/bin/promtool'].find((path) => existsSync(path))

needing('promtool', promtool !== undefined)('Prometheus: promtool takes the metrics without a complaint', async () => {
  const pools = results.filter((result) => result.command === 'check-pool' && !isError(result))
  expect(pools.length).toBeGreaterThan(2)
  for (const result of pools) {
    const input = await render(result, 'prometheus', documents.narrow)
    expect(execFileSync(promtool ?? '', ['check', 'metrics'], { input, encoding: 'utf8' })).toBe('')
  }
})
