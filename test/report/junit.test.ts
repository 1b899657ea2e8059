import { expect, test } from 'vitest'
import { render } from '../../src/report/render.js'
import * as documents from './documents.js'
import { all, parseMarkup, type Element } from './markup.js'
import type { Result } from '../../src/result/results.js'

async function junit(result: Result): Promise<Element> {
  const [root] = parseMarkup(await render(result, 'junit', documents.narrow)).children
  if (root === undefined) throw new Error('no root')
  return root
}

const cases: readonly (readonly [name: string, result: Result, failing: readonly string[]])[] = [
  ['plan', documents.planDocument, ['DIFFERS']],
  ['a plan with nothing to do', documents.nothingToDo, []],
  ['an empty plan', documents.emptyPlan, []],
  ['apply', documents.applyDocument, []],
  ['a failed apply', documents.applyFailed, ['QUERY_FAILED', 'HAZARD', 'EXPECTATION_MISSED', 'EXPECTATION_MISSED']],
  ['rollback', documents.rollbackDocument, []],
  ['verify', documents.verifyClean, []],
  ['explain', documents.explainDocument, ['EXPECTATION_MISSED', 'EXPECTATION_MISSED']],
  ['status', documents.statusDocument, []],
  ['check-pool', documents.poolDocument, ['POOL_SURGE']],
  ['an error', documents.errorDocument, ['NO_TABLE']],
  ['many errors', documents.manyErrors, ['NO_TABLE', 'UNKNOWN_KEY']],
]

test.each(cases)('%s: what fails fails with its code, and the sums are right', async (_, result, failing) => {
  const root = await junit(result)
  expect(root.name).toBe('testsuites')
  const [suite] = root.children
  expect(suite?.attributes['name']).toBe(`perfdb ${result.command}`)
  const failed = [...all(root, 'failure'), ...all(root, 'error')]
  expect(failed.map(({ attributes }) => String(attributes['type'])).toSorted()).toEqual([...failing].toSorted())
  for (const each of [root, suite]) {
    expect(each?.attributes['tests']).toBe(String(all(root, 'testcase').length))
    expect(each?.attributes['failures']).toBe(String(all(root, 'failure').length))
    expect(each?.attributes['errors']).toBe(String(all(root, 'error').length))
    expect(each?.attributes['skipped']).toBe(String(all(root, 'skipped').length))
  }
  // A suite without a testcase is read as a run that never was.
  expect(all(root, 'testcase').length).toBeGreaterThan(0)
})

test('verify: every index that is not as declared fails', async () => {
  const root = await junit(documents.verifyDocument)
  const drift = documents.verifyDocument.steps.filter((step) => step.step !== 'keep')
  const failed = all(root, 'testcase').filter(
    (each) => each.attributes['classname'] === 'perfdb.verify.steps' && all(each, 'failure').length > 0,
  )
  expect(failed).toHaveLength(drift.length)
})

test('an answer of no without any failure gets one: plan --exit-code', async () => {
  const root = await junit({ ...documents.nothingToDo, ok: false, exit_code: 1 })
  expect(all(root, 'failure').map(({ text }) => text)).toEqual(['perfdb plan answered no: exit code 1'])
})

test('times are seconds, of the step and of the run; detail, SQLSTATE and hint are in the text', async () => {
  const root = await junit(documents.applyFailed)
  expect(root.attributes['time']).toBe('9.812')
  const failed = all(root, 'testcase').find((each) => each.attributes['name']?.includes('email_unique'))
  expect(failed?.attributes).toMatchObject({ time: '2.100', classname: 'perfdb.apply.steps' })
  expect(failed?.text).toContain('detail: Key (lower(email))=(ada@example.com) is duplicated')
  expect(failed?.text).toContain('\nsqlstate: 23505\nhint: select lower(email)')
})

test('a place is file and line of the testcase', async () => {
  const [, second] = all(await junit(documents.manyErrors), 'testcase')
  expect(second?.attributes).toMatchObject({ file: 'profiles/job-shop.yaml', line: '31' })
})

test('text that XML cannot hold shows its code', async () => {
  const name = 'a\u0000b\u001b[2J<c>&"\'\ud800\uffff]]>'
  const source = await render(
    { ...documents.rollbackDocument, steps: [documents.stepOf('drop', name, 'jobs', { outcome: 'failed' })] },
    'junit',
    documents.narrow,
  )
  // XML 1.0, production 2 (Char), beside the line break.
  expect(source).not.toMatch(/[^\n\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u)
  expect(source).toContain('name="public.a\\u{0}b\\u{1b}[2J&lt;c&gt;&amp;&quot;&#39;')
  expect(source).not.toContain(']]>')
})
