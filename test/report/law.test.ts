import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  applyResult,
  errorResult,
  explainResult,
  planResult,
  statusResult,
  verifyResult,
} from '../../src/commands/result.js'
import { demoResult } from '../../src/commands/demo-result.js'
import { initResult } from '../../src/commands/init-result.js'
import { importResult } from '../../src/commands/import-result.js'
import { poolResult } from '../../src/commands/pool-result.js'
import { planSql } from '../../src/report/plan-sql.js'
import { isError, render } from '../../src/report/render.js'
import { widthOf } from '../../src/report/width.js'
import { anyResult } from './arbitrary.js'
import { narrow } from './documents.js'

const schemas = {
  plan: planResult,
  verify: verifyResult,
  apply: applyResult,
  rollback: applyResult,
  explain: explainResult,
  status: statusResult,
  'check-pool': poolResult,
  demo: demoResult,
  import: importResult,
  init: initResult,
}

test('law 8: JSON parses back equal and satisfies its schema', async () => {
  await fc.assert(
    fc.asyncProperty(anyResult(), async (result) => {
      const json = await render(result, 'json', narrow)
      expect(json.endsWith('}\n')).toBe(true)
      const parsed: unknown = JSON.parse(json)
      expect(parsed).toEqual(result)
      const schema = isError(result) ? errorResult : schemas[result.command]
      expect(schema.parse(parsed)).toEqual(result)
    }),
    { numRuns: 300 },
  )
})

test('law 8: text accepts every document, and no line is wider than the terminal', async () => {
  const layout = fc.record({
    width: fc.constantFrom(40, 60, 80, 120, 240),
    color: fc.constant(false),
    unicode: fc.boolean(),
    verbose: fc.boolean(),
  })
  await fc.assert(
    fc.asyncProperty(anyResult(), layout, async (result, layout) => {
      const text = await render(result, 'text', layout)
      expect(text.endsWith('\n')).toBe(true)
      // One expect for all lines: half a million of them took 20 s.
      const bad = text
        .slice(0, -1)
        .split('\n')
        .filter((line) => widthOf(line) > layout.width || /[\p{Cc}\p{Cf}]/u.test(line) || line !== line.trimEnd())
      expect(bad).toEqual([])
    }),
    { numRuns: 600 },
  )
})

test('law 8: colour is only escapes around the same text', async () => {
  await fc.assert(
    fc.asyncProperty(anyResult(), async (result) => {
      const painted = await render(result, 'text', { ...narrow, color: true })
      // eslint-disable-next-line no-control-regex
      expect(painted.replaceAll(/\u001b\[\d+m/g, '')).toBe(await render(result, 'text', narrow))
    }),
    { numRuns: 150 },
  )
})

test('law 8: markdown accepts every document; tables keep their columns, folds are closed', async () => {
  await fc.assert(
    fc.asyncProperty(anyResult(), async (result) => {
      const markdown = await render(result, 'markdown', narrow)
      expect(markdown.split('\n').filter((line) => line.startsWith('<details>')).length).toBe(
        markdown.split('\n').filter((line) => line === '</details>').length,
      )
      let columns = 0
      for (const line of markdown.split('\n')) {
        const pipes = line.startsWith('| ') ? line.replaceAll(/\\./g, '').split('|').length : 0
        if (columns > 0 && pipes > 0) expect(pipes, line).toBe(columns)
        columns = pipes
      }
    }),
    { numRuns: 300 },
  )
})

test('law 8: a plan as SQL holds nothing of a name outside comments and statements', async () => {
  await fc.assert(
    fc.asyncProperty(anyResult(), async (result) => {
      if (isError(result) || result.command !== 'plan') return
      const script = planSql({
        ...result,
        extensions: [],
        steps: result.steps.map((step) => ({ ...step, sql: ['select 1'] })),
      })
      const known =
        /^(--.*|select 1;|\\set ON_ERROR_STOP on|set \w+ = 0;||\s+\(.*|select declared.*|from \(values|\) as declared.*|left join .*|where .*)$/
      const names = script.indexOf('from (values')
      for (const line of (names < 0 ? script : script.slice(0, names)).split('\n')) expect(line).toMatch(known)
    }),
    { numRuns: 200 },
  )
})
