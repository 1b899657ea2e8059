import { expect, test } from 'vitest'
import type { Comparison, ExplainResult, PlanResult } from '../../src/result/documents/result.js'
import type { ResultWhatIf } from '../../src/result/parts/what-if-result.js'
import { render } from '../../src/report/render.js'
import { broad, emptyPlan, narrow } from './documents.js'

const whatIf: ResultWhatIf = {
  available: true,
  version: '1.4.1',
  queries: [
    { name: 'jobs-by-status', params: 'hot', cost_before: 12_345.67, cost_after: 8.31, would_use: ['idx_status'] },
    { name: 'dashboard', statement: 'four 2', cost_before: 90, cost_after: 90, would_use: [] },
  ],
  not_planned: [{ name: 'gone', params: 'default', reason: 'relation "gone" does not exist' }],
  indexes: [
    {
      name: 'idx_status',
      table: 'public.jobs',
      status: 'would_be_used',
      queries: ['jobs-by-status'],
      size_bytes: 516_096,
    },
    { name: 'idx_doc', table: 'public.docs', status: 'not_judged', reason: 'no gin', queries: [] },
    {
      name: 'idx_due',
      table: 'public.jobs',
      status: 'would_not_be_used',
      reason: 'no query plan takes it',
      queries: [],
    },
    { name: 'jobs_pkey', table: 'public.jobs', status: 'exists', queries: [] },
  ],
}

const time = (median: number) => ({ median, low: median, high: median })
const comparison: Comparison = {
  query: 'dashboard',
  round_trip_ms: 2,
  variants: [
    {
      name: 'four',
      statements: 4,
      server_ms: time(12),
      elapsed_ms: time(20),
      pipelined_ms: time(14),
      concurrent_ms: time(6),
      connections: 4,
    },
    { name: 'one', statements: 1, server_ms: time(11), elapsed_ms: time(13) },
  ],
  rows: [
    { variant: 'one', against: 'four', answer: 'same_values', reason: 'in rows of another shape' },
    { variant: 'bad', against: 'four', answer: 'other_rows', reason: '5 rows against 7' },
    { variant: 'same', against: 'four', answer: 'same_rows' },
  ],
  message: 'one saves 3 round trips',
}

const plan: PlanResult = { ...emptyPlan, what_if: whatIf }
const explain: ExplainResult = {
  perfdb: '0.1.0',
  ok: true,
  exit_code: 0,
  command: 'explain',
  queries: [],
  comparisons: [comparison],
  findings: [],
  what_if: whatIf,
}

test('what if, as text', async () => {
  expect(await render(plan, 'text', broad)).toMatchInlineSnapshot(`
    "no indexes are declared: nothing to do

    PostgreSQL 18.4, database shop on db.example:5432 as app

    What if the declared indexes were there: estimated cost
    query                  cost now  cost then  would use
    ────────────────────  ─────────  ─────────  ────────────
    jobs-by-status (hot)  12,345.67       8.31  idx_status
    dashboard (four 2)           90         90  none of them

    Declared indexes that are not there yet
    index       the planner           size  for
    ──────────  ─────────────────  ───────  ──────────────────────
    idx_status  would be used      ~504 kB  jobs-by-status
    idx_doc     not judged                  no gin
    idx_due     would not be used           no query plan takes it

    Supposed by HypoPG 1.4.1: nothing was built, and no query run for it. Costs are estimates of the planner in its own unit, no times; sizes are guesses. perfdb apply builds the indexes and measures. 1
    declared index is there already.

    1 query not planned
    not planned: gone: relation "gone" does not exist

    Plan: nothing is declared.
    "
  `)
})

test('without HypoPG, and with nothing to suppose', async () => {
  const none = { ...whatIf, available: false, reason: 'the server has no files of the extension HypoPG' }
  expect(await render({ ...plan, what_if: none }, 'text', narrow)).toContain(
    'No what-if: the server has no files of the extension HypoPG.',
  )
  const kept = { ...whatIf, queries: [], indexes: whatIf.indexes.filter(({ status }) => status === 'exists') }
  expect(await render({ ...plan, what_if: kept }, 'text', narrow)).toContain('every declared index is there already')
  expect(await render(emptyPlan, 'text', narrow)).not.toMatch(/what.if/i)
})

test('variants with their ways and their rows, as text', async () => {
  const { what_if: _, ...without } = explain
  expect(await render(without, 'text', broad)).toMatchInlineSnapshot(`
    "no queries

    Variants of dashboard, one round trip 2.0 ms
    variant  statements  on the server        elapsed      pipelined                       concurrent
    ───────  ──────────  ─────────────  ─────────────  ─────────────  ───────────────────────────────
    four              4  12 ms (12-12)  20 ms (20-20)  14 ms (14-14)  6.0 ms (6.0-6.0), 4 connections
    one               1  11 ms (11-11)  13 ms (13-13)

    same values: one against four: in rows of another shape
    other rows: bad against four: 5 rows against 7
    same rows: same against four

    one saves 3 round trips

    Pipelined: all statements sent at once on one connection, one round trip in all. Concurrent: spread over connections, each of which counts against max_connections.
    "
  `)
})

test.each(['markdown', 'html'] as const)('both in %s', async (format) => {
  const page = await render(explain, format, narrow)
  for (const text of ['pipelined', 'concurrent', '4 connections', 'same values', 'other rows', '5 rows against 7'])
    expect(page).toContain(text)
  for (const text of ['would be used', 'not judged', '12,345.67', 'estimates of the planner', 'not planned'])
    expect(page).toContain(text)
})

test('a variant without several statements, and one connection alone', async () => {
  const [four, one] = comparison.variants
  if (four === undefined || one === undefined) throw new Error('no variants')
  const { concurrent_ms: _, connections: __, ...alone } = four
  const told = await render(
    { ...explain, comparisons: [{ ...comparison, variants: [alone, one], not_concurrent: 'too many clients' }] },
    'text',
    broad,
  )
  expect(told).not.toContain('concurrent  ')
  expect(told).toContain('Not measured over several connections: too many clients.')
})
