import { assert, asyncProperty } from 'fast-check'
import { expect, test } from 'vitest'
import { render } from '../../src/report/render.js'
import { sarifProblems } from '../support/sarif.js'
import { anyResult } from './arbitrary.js'
import type { Result } from '../../src/result/results.js'
import * as documents from './documents.js'

const valid: readonly (readonly [name: string, result: Result])[] = Object.entries(documents).flatMap(
  ([name, value]): readonly (readonly [string, Result])[] =>
    typeof value === 'object' && 'command' in value ? [[name, value]] : [],
)

test.each(valid)('%s is a log by the schema of SARIF 2.1.0', async (_, result) => {
  expect(sarifProblems(await render(result, 'sarif', documents.narrow))).toEqual([])
})

test('so is any result', async () => {
  await assert(
    asyncProperty(anyResult(), async (result) => {
      expect(sarifProblems(await render(result, 'sarif', documents.narrow))).toEqual([])
    }),
    { numRuns: 150 },
  )
})

test('the schema finds what is wrong', () => {
  const run = { tool: { driver: { name: 'x' } }, results: [{ message: {} }], surprise: 1 }
  expect(sarifProblems(JSON.stringify({ version: '2.1.0', runs: [run] })).length).toBeGreaterThan(1)
  expect(sarifProblems(JSON.stringify({ version: '2.0.0', runs: [] }))).toEqual([expect.stringContaining('/version')])
})
