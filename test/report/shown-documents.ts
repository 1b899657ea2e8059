import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DemoResult } from '../../src/result/documents/demo-result.js'
import type { ApplyResult, ResultMeasurement, ResultPlanNode } from '../../src/result/documents/result.js'
import type { LoadResult, LoadSide, LoadStep } from '../../src/result/documents/load-result.js'
import { isError, isFleet, type Result } from '../../src/result/results.js'
import { resultSchemas } from '../../src/result/schemas.js'
import * as documents from './documents.js'

/* Documents for the tests that look at pages. */

const before: readonly ResultPlanNode[] = [
  { depth: 0, node: 'Limit', estimated_rows: 50, rows: 50, loops: 1, self_ms: 0.1, buffers: 61 },
  {
    depth: 1,
    node: 'Sort',
    estimated_rows: 60,
    rows: 50,
    loops: 1,
    self_ms: 2,
    buffers: 61,
    conditions: ['Sort Key: created_at DESC'],
  },
  {
    depth: 2,
    node: 'Seq Scan jobs',
    estimated_rows: 60,
    rows: 50,
    loops: 2,
    self_ms: 9,
    buffers: 61,
    conditions: ['Filter: (status = $1)'],
  },
]
const after: readonly ResultPlanNode[] = [
  { depth: 0, node: 'Limit', estimated_rows: 50, rows: 50, loops: 1, self_ms: 0.02, buffers: 4 },
  {
    depth: 1,
    node: 'Index Scan jobs using idx_jobs_status_created_at',
    estimated_rows: 60,
    rows: 50,
    loops: 1,
    self_ms: 0.1,
    buffers: 4,
  },
]

/** The run with query plans for its queries. */
export function plannedQueries(result: ApplyResult): ApplyResult {
  const planned = (measurement: ResultMeasurement, nodes: readonly ResultPlanNode[]) => ({
    ...measurement,
    query_plan: [...nodes],
  })
  return {
    ...result,
    queries: result.queries.map((query) => ({
      ...query,
      ...(query.before === undefined ? {} : { before: planned(query.before, before) }),
      ...(query.after === undefined ? {} : { after: planned(query.after, after) }),
    })),
  }
}

/** The document with this text wherever its schema takes any: a server, a file or a user could have written it. */
export function withText(result: Result, text: string): Result {
  const schemas = { ...resultSchemas, rollback: resultSchemas.apply }
  const schema = isError(result) ? schemas.error : isFleet(result) ? schemas.fleet : schemas[result.command]
  const copy = structuredClone(result)
  const free = new Map<string, boolean>()
  const visit = (value: unknown, path: string): void => {
    if (typeof value !== 'object' || value === null) return
    for (const [key, each] of Object.entries(value)) {
      const place = `${path}/${Array.isArray(value) ? '*' : key}`
      if (typeof each !== 'string') {
        visit(each, place)
        continue
      }
      if (free.get(place) !== false) Reflect.set(value, key, text)
      if (!free.has(place)) free.set(place, schema.safeParse(copy).success)
      if (free.get(place) === false) Reflect.set(value, key, each)
    }
  }
  visit(copy, '')
  return copy
}

const hostile = `</style><script>alert(1)</script><img src=http://example.com/x onerror=alert(2)>${'long_'.repeat(40)}`

/** Names that are markup, and longer than any column. */
export const hostileApply: ApplyResult = {
  ...plannedQueries(documents.applyFailed),
  steps: documents.applyFailed.steps.map((step) => ({ ...step, index: hostile, table: hostile, sql: [hostile] })),
  queries: plannedQueries(documents.applyFailed).queries.map((query) => ({ ...query, name: hostile })),
  findings: [
    {
      code: 'MISSING',
      severity: 'error',
      message: hostile,
      hint: hostile,
      place: { file: hostile, line: 1, column: 1 },
    },
  ],
}

const loadStep = (rate: number, slower: number): LoadStep => ({
  offered: rate,
  users: null,
  achieved: rate * 0.98,
  seconds: 10,
  latency_ms: { p50: 2 * slower, p95: 9 * slower, p99: 30 * slower, max: 41 * slower },
  p95_of_seconds_ms: { low: 7 * slower, high: 12 * slower },
  curve: [0.1, 0.5, 0.9, 0.99, 1].map((share) => ({ share, ms: slower / (1.02 - share) })),
  wait_ms: { p50: 0.01, p95: slower },
  due: rate * 10,
  success: slower > 1 ? 0.97 : 1,
  errors: slower > 1 ? { '57014': 3 } : {},
  late: 2,
  skipped: 1,
  connections_busy: 3.2,
  saturated: slower > 1,
  cut_short: false,
  server: {
    queries: slower > 1 ? null : [{ query: hostile, calls: 1234, mean_ms: 0.42, rows: 10, blocks_read: 0.1 }],
    waits:
      slower > 1
        ? null
        : [
            { wait: null, share: 0.75 },
            { wait: 'IO: DataFileRead', share: 0.25 },
          ],
  },
  unmet: slower > 1 ? ['p95 900 ms, expected 50 ms'] : [],
})
const loadSide = (slower: number): LoadSide => ({
  steps: [20, 100, 100, 20].map((rate) => loadStep(rate, slower)),
  knee: null,
})

/** An apply with --ramp, and a search by itself. */
const rampDocument: ApplyResult = { ...documents.applyDocument, load: { before: loadSide(100), after: loadSide(1) } }
const loadDocument: LoadResult = {
  perfdb: '0.2.0',
  ok: false,
  exit_code: 1,
  command: 'load',
  server: { host: '127.0.0.1:5432', database: 'shop', version: '18.1' },
  mix: [
    { query: 'jobs-by-status', share: 0.75 },
    { query: hostile, share: 0.25 },
  ],
  committed: [hostile],
  connections: 16,
  service: 'web',
  pools: 4,
  threads: 2,
  duration_ms: 10_000,
  timeout_ms: 2000,
  think_ms: null,
  unmet: ['no step answered 200/s with all else fulfilled; the most was 98/s'],
  load: { after: { ...loadSide(1), knee: { limit_ms: 50, rate: 100, refuted: 120, confirmed: true } } },
}

export const demoDocument: DemoResult = {
  perfdb: '0.1.0',
  ok: true,
  exit_code: 0,
  command: 'demo',
  shop: 'job shop',
  duration_ms: 45_000,
  scale: 0.1,
  load_ms: 1_200,
  rows: { customers: 20_000, jobs: 30_000 },
  claims: [
    {
      claim: 'jobs by status',
      reported_before: '30 ms',
      reported_after: '8 ms',
      query: 'jobs-by-status',
      before_ms: 25,
      after_ms: 0.02,
      speedup: 1250,
      verdict: 'faster',
    },
  ],
  notes: ['jobs by status: a page of the newest is found in the index'],
  apply: plannedQueries(documents.applyDocument),
  verify: documents.verifyClean,
  pools: documents.poolDocument,
  report: 'perfdb-report.html',
}

/** What a command printed on a server, in test/fixtures/documents. */
function printed(name: keyof typeof resultSchemas): readonly [name: string, result: Result] {
  const file = join(import.meta.dirname, '../fixtures/documents', `${name}.json`)
  return [name, resultSchemas[name].parse(JSON.parse(readFileSync(file, 'utf8')))]
}

/** Every kind of page, by a name for tests. */
export const pages: readonly (readonly [name: string, result: Result])[] = [
  ['plan', documents.planDocument],
  // More rows than a page leaves unfolded, which are 20: the 300 of the document would be laid out like these.
  ['long plan', { ...documents.longPlan, steps: documents.longPlan.steps.slice(0, 30) }],
  ['verify', documents.verifyDocument],
  ['apply', plannedQueries(documents.applyDocument)],
  ['failed apply', documents.applyFailed],
  ['apply with hostile names', hostileApply],
  ['explain', documents.explainDocument],
  ['check-pool', documents.poolDocument],
  ['check-pool of several servers', documents.poolsDocument],
  ['apply with a ramp', rampDocument],
  ['load', loadDocument],
  ['demo', demoDocument],
  ['error', documents.manyErrors],
  ...(['fleet', 'advise', 'history', 'status', 'statistics', 'doctor'] as const).map(printed),
]
