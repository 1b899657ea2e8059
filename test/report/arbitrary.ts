import * as fc from 'fast-check'
import { compareResult } from '../../src/result/compare-result.js'
import { configResult } from '../../src/result/config-result.js'
import { demoResult } from '../../src/result/demo-result.js'
import { doctorResult } from '../../src/result/doctor-result.js'
import { fleetResult } from '../../src/result/fleet-result.js'
import { importResult } from '../../src/result/import-result.js'
import { initResult } from '../../src/result/init-result.js'
import { poolResult } from '../../src/result/pool-result.js'
import {
  applyResult,
  errorResult,
  explainResult,
  planResult,
  statusResult,
  verifyResult,
} from '../../src/result/result.js'
import type { Result } from '../../src/result/results.js'
import { statisticsResult } from '../../src/result/statistics-result.js'
import { z } from '../../src/yaml/schema.js'

/*
 * Documents of every command with any text, any numbers and any of the optional members, made from their schemas: what is added to a document
 * is fed to every law.
 */

// Names with everything that was ever trouble in a terminal or in markdown, and any other text.
const text = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      'idx_jobs_status',
      'x'.repeat(63),
      'ü'.repeat(31),
      '索引'.repeat(10),
      'กำ'.repeat(10),
      'a|b`c',
      'a|b',
      'a\\|b',
      '\u001b[2J',
      'a\nb\tc',
      '👩‍💻👍🏽',
      '\u202e',
      '',
      'a'.repeat(300),
      'word '.repeat(60),
      '\ud800',
      '"',
      '\u{f0000}\u{f0001}',
    ),
  },
  { weight: 3, arbitrary: fc.string({ unit: 'binary', maxLength: 100 }) },
)
const number = fc
  .oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.double({ min: 0, max: 1e7, noNaN: true }),
    fc.constantFrom(0, -1, 999.5, 1023.6, 59_950),
  )
  // JSON knows no negative zero.
  .map((value) => value + 0)
const int = fc.oneof(fc.maxSafeInteger(), fc.nat({ max: 500 }))

const leaves: ReadonlyMap<unknown, fc.Arbitrary<unknown>> = new Map<unknown, fc.Arbitrary<unknown>>([
  ['integer', int],
  ['number', number],
  ['boolean', fc.boolean()],
  ['null', fc.constant(null)],
])

type JsonSchema = z.core.JSONSchema.BaseSchema

function documentsOf<Document extends Result>(schema: z.ZodType<Document>): fc.Arbitrary<Document> {
  return valuesOf(z.toJSONSchema(schema)).map((value) => schema.parse(value))
const about = { perfdb: text, ok: flag, exit_code: int, server, started_at: text, duration_ms: number }
const profiles = few(text)
const plan = fc.record(
  {
    ...about,
    command: fc.constant('plan' as const),
    profiles,
    steps: few(step, 12),
    findings: few(finding),
    extensions: fc.array(text, { maxLength: 2 }),
    fingerprint: text,
    what_if: whatIf,
  },
  {
    requiredKeys: [
      'perfdb',
      'ok',
      'exit_code',
      'command',
      'profiles',
      'steps',
      'extensions',
      'findings',
      'fingerprint',
    ],
  },
)
const verify = fc.record(
  { ...about, command: fc.constant('verify' as const), profiles, steps: few(step, 12), findings: few(finding) },
  { requiredKeys: ['perfdb', 'ok', 'exit_code', 'command', 'profiles', 'steps', 'findings'] },
)
const analyzed = fc.record(
  { table: text, ok: flag, duration_ms: number, message: text },
  { requiredKeys: ['table', 'ok', 'duration_ms'] },
)
const price = fc.record(
  {
    index: text,
    table: text,
    schema: text,
    verdict: fc.constantFrom('pays' as const, 'does_not_pay' as const, 'cannot_say' as const),
    reason: text,
    queries: fc.array(text, { maxLength: 2 }),
    size_bytes: number,
    build_ms: number,
    wal_bytes: number,
    wal_shared: flag,
  },
  { requiredKeys: ['index', 'table', 'schema', 'verdict', 'reason', 'queries'] },
)
const writeSide = fc.record({ execution_ms: interval, buffers: number, wal_records: number, wal_bytes: number })
const writeCost = fc.record(
  { query: text, params: text, table: text, indexes: int, before: writeSide, after: writeSide },
  { requiredKeys: ['query', 'table', 'indexes', 'before', 'after'] },
)
const apply = fc.record(
  {
    ...about,
    command: fc.constantFrom('apply' as const, 'rollback' as const),
    run: fc.option(int),
    profiles,
    steps: few(step, 12),
    analyzed: few(analyzed),
    queries: few(query),
    comparisons: few(comparison, 2),
    prices: few(price),
    write_costs: few(writeCost, 2),
    findings: few(finding),
    error: errorFields,
  },
  {
    requiredKeys: [
      'perfdb',
      'ok',
      'exit_code',
      'command',
      'run',
      'profiles',
      'steps',
      'analyzed',
      'queries',
      'comparisons',
      'findings',
    ],
  },
)
const explain = fc.record(
  {
    ...about,
    command: fc.constant('explain' as const),
    queries: few(query),
    comparisons: few(comparison, 2),
    findings: few(finding),
    twin,
    what_if: whatIf,
  },
  { requiredKeys: ['perfdb', 'ok', 'exit_code', 'command', 'queries', 'comparisons', 'findings'] },
)
const run = fc.record({
  run: int,
  command: text,
  started_at: text,
  finished_at: fc.option(text),
  outcome: text,
  built: int,
  dropped: int,
  failed: int,
  user: text,
})
const build = fc.record({
  pid: int,
  table: text,
  index: fc.option(text),
  phase: text,
  percent: fc.option(number),
  age_ms: number,
  user: fc.option(text),
  application_name: text,
  blockers: few(text, 2),
})
const status = fc.record(
  {
    ...about,
    command: fc.constant('status' as const),
    ledger: flag,
    runs: few(run),
    builds: few(build),
    findings: few(finding),
  },
  { requiredKeys: ['perfdb', 'ok', 'exit_code', 'command', 'ledger', 'runs', 'builds', 'findings'] },
)
const poolVerdict = fc.constantFrom('OK' as const, 'WARN' as const, 'FAIL' as const, 'UNKNOWN' as const)
const poolLine = fc.record(
  {
    name: text,
    kind: fc.constantFrom('service' as const, 'pooler' as const),
    via: text,
    steady: int,
    peak: int,
    warm: int,
    nominal: int,
    sum: text,
    queue: fc.record({
      pools: int,
      connections: int,
      utilization: number,
      waits: number,
      p99_wait_ms: fc.option(number),
    }),
  },
  { requiredKeys: ['name', 'kind', 'steady', 'peak', 'warm', 'nominal', 'sum'] },
)
const poolServer = fc.record(
  {
    name: text,
    verdict: poolVerdict,
    max_connections: fc.option(int),
    reserved: fc.option(int),
    available: fc.option(int),
    limits_from: fc.constantFrom('live' as const, 'file' as const, 'provider' as const, 'unknown' as const),
    version: text,
    declared: fc.record({ steady: int, peak: int }),
    unmanaged: fc.option(int),
    perfdb: int,
    live: fc.option(int),
    hidden: int,
    headroom: fc.option(int),
    services: few(poolLine),
    limits: few(
      fc.record({
        kind: fc.constantFrom('role' as const, 'database' as const),
        name: text,
        limit: int,
        peak: int,
        services: few(text),
      }),
    ),
    waterfall: few(fc.record({ label: text, connections: int, total: flag })),
    tenants: few(fc.record({ service: text, count: int, each: int, ids: few(text) })),
    recommendations: few(text),
    changes: few(
      fc.record({
        name: text,
        change: fc.constantFrom('pool.max' as const, 'instances.max' as const, 'default_pool_size' as const),
        now: int,
        largest: fc.option(int),
        place: fc.record({ file: text, line: int, column: int }),
      }),
    ),
    sessions: few(
      fc.record({
        role: text,
        database: text,
        application_name: fc.option(text),
        connections: int,
        busy: int,
        hidden: int,
        services: few(text, 2),
      }),
    ),
    load: few(fc.record({ database: text, erlangs: number, transactions_per_second: number, seconds: number })),
    before: fc.record({ peak: int, headroom: fc.option(int), verdict: poolVerdict }),
  },
  {
    requiredKeys: [
      'name',
      'verdict',
      'max_connections',
      'reserved',
      'available',
      'limits_from',
      'declared',
      'unmanaged',
      'perfdb',
      'live',
      'hidden',
      'headroom',
      'services',
      'limits',
      'waterfall',
      'recommendations',
    ],
  },
)
const pool = fc.record({
  perfdb: text,
  ok: flag,
  exit_code: int,
  command: fc.constant('check-pool' as const),
  files: few(text),
  offline: flag,
  verdict: poolVerdict,
  servers: few(poolServer, 3),
  findings: few(finding),
})
const demo = fc.record({
  perfdb: text,
  ok: flag,
  exit_code: int,
  command: fc.constant('demo' as const),
  duration_ms: number,
  scale: number,
  load_ms: number,
  rows: fc.dictionary(fc.constantFrom('jobs', 'customers', '<b>'), int, { maxKeys: 3 }),
  claims: few(
    fc.record(
      {
        claim: text,
        reported_before: text,
        reported_after: text,
        query: text,
        params: text,
        before_ms: number,
        after_ms: number,
        speedup: number,
        verdict: text,
      },
      { requiredKeys: ['claim', 'reported_before', 'reported_after', 'query'] },
    ),
  ),
  notes: few(text, 2),
  apply: apply.map((result) => ({ ...result, command: 'apply' as const })),
  verify,
  pools: pool,
  report: text,
})
const init = fc.record({
  perfdb: text,
  ok: flag,
  exit_code: int,
  command: fc.constant('init' as const),
  files: few(text),
})
const doctor = fc.record({
  perfdb: text,
  ok: flag,
  exit_code: int,
  command: fc.constant('doctor' as const),
  checks: few(
    fc.record({ code: text, ok: flag, message: text, hint: text }, { requiredKeys: ['code', 'ok', 'message'] }),
  ),
})
const config = fc.record({
  perfdb: text,
  ok: flag,
  exit_code: int,
  command: fc.constant('config' as const),
  file: fc.option(text),
  environment: fc.option(text),
  environments: few(text),
  settings: few(
    fc.record(
      {
        key: fc.constantFrom('url' as const, 'allow' as const, 'max_wait' as const),
        value: fc.oneof(text, int, flag, few(text), fc.constant(null)),
        source: fc.constantFrom('flag' as const, 'variable' as const, 'environment' as const, 'file' as const),
        name: text,
        environment: text,
        place,
        note: text,
      },
      { requiredKeys: ['key', 'value', 'source'] },
    ),
  ),
})
const imported = fc.record({
  perfdb: text,
  ok: flag,
  exit_code: int,
  command: fc.constant('import' as const),
  source: fc.option(text),
  file: fc.option(text),
  // As text it is printed as it is.
  profile: text.map((yaml) => `${yaml}\n`),
  notes: few(
    fc.record({
      code: fc.constantFrom('CONSTRAINT' as const, 'UNNAMED' as const, 'NOTHING_FOUND' as const),
      message: text,
      indexes: few(text),
    }),
  ),
  counts: fc.record({
    tables: int,
    indexes: int,
    imported: int,
    constraint: int,
    attached: int,
    extension: int,
    invalid: int,
    not_declarable: int,
  }),
})
const tenantOutcome = fc.constantFrom(...tenantOutcomes)
const tenantStep = fc.record(
  {
    step: fc.constantFrom('keep' as const, 'create' as const, 'rebuild' as const, 'drop' as const),
    schema: text,
    index: text,
    table: text,
    outcome,
    hazards: few(text),
    error: errorFields,
  },
  { requiredKeys: ['step', 'schema', 'index', 'table'] },
)
const labels = fc.dictionary(
  text.filter((name) => name !== '__proto__'),
  text,
  { maxKeys: 2, noNullPrototype: true },
)
const fleet = fc.record({
  perfdb: text,
  command: fc.constantFrom('plan' as const, 'apply' as const, 'verify' as const, 'status' as const),
  ok: flag,
  exit_code: int,
  started_at: fc.constant('2026-01-01T00:00:00Z'),
  duration_ms: number,
  tenants: few(
    fc.record(
      {
        id: text,
        labels,
        server: text,
        outcome: tenantOutcome,
        exit_code: int,
        group: fc.nat({ max: 4 }),
        wave: int,
        steps: few(tenantStep),
        findings: few(finding),
        verdicts: few(fc.record({ query: text, verdict: text, speedup: number })),
        error: errorFields,
        duration_ms: number,
      },
      { requiredKeys: ['id', 'labels', 'server', 'outcome', 'exit_code', 'group', 'wave', 'duration_ms'] },
    ),
  ),
  groups: few(
    fc.record(
      {
        tenants: int,
        first: text,
        ids: few(text),
        outcome: tenantOutcome,
        exit_code: int,
        code: text,
        reason: text,
        steps: few(tenantStep),
      },
      { requiredKeys: ['tenants', 'first', 'ids', 'outcome', 'exit_code', 'reason', 'steps'] },
    ),
  ),
  waves: few(
    fc.record(
      { number: int, tenants: int, begun: int, not_in_order: int, stopped: text },
      { requiredKeys: ['number', 'tenants', 'begun', 'not_in_order'] },
    ),
  ),
  counts: fc.record({ total: int, to_do: int, failed: int }),
  findings: few(finding),
})
const advise = fc.record(
  {
    ...about,
    command: fc.constant('advise' as const),
    advice: few(
      fc.record(
        {
          index: fc.record({ name: text, schema: text, table: text, definition: text, sql: text, yaml: text }),
          serves: few(
            fc.record(
              { query: text, params: text, cost_before: number, cost_after: number },
              { requiredKeys: ['query', 'cost_before', 'cost_after'] },
            ),
          ),
          size_bytes: number,
          size_guessed: fc.constant(true as const),
          share: number,
          tried: fc.constantFrom('twin' as const, 'hypopg' as const, 'build' as const),
          why: text,
          writes: fc.record({ inserted: number, updated: number, hot_updated: number, deleted: number }),
          rejected: few(fc.record({ definition: text, share: number, size_bytes: number })),
        },
        { requiredKeys: ['index', 'serves', 'size_bytes', 'share', 'tried', 'why', 'rejected'] },
      ),
    ),
    queries: int,
    cost: fc.record({ before: number, after: number }),
    tried: int,
    not_judged: few(fc.record({ query: text, params: text, reason: text }, { requiredKeys: ['query', 'reason'] })),
    twin,
    file: text,
    findings: few(finding),
  },
  {
    requiredKeys: [
      'perfdb',
      'ok',
      'exit_code',
      'command',
      'advice',
      'queries',
      'cost',
      'tried',
      'not_judged',
      'twin',
      'findings',
    ],
  },
)
const statistics = fc.record(
  {
    ...about,
    command: fc.constant('statistics' as const),
    file: text,
    file_bytes: number,
    values: fc.constantFrom('kept' as const, 'left out' as const, 'some left out' as const),
    counts: fc.record({ tables: int, indexes: int, columns: int, ends: int }),
    size_bytes: number,
    findings: few(finding),
  },
  {
    requiredKeys: [
      'perfdb',
      'ok',
      'exit_code',
      'command',
      'file',
      'file_bytes',
      'values',
      'counts',
      'size_bytes',
      'findings',
    ],
  },
)
const failure = fc.record({
  perfdb: text,
  ok: flag,
  exit_code: int,
  command: text,
  error: fc.record(
    { code: text, message: text, detail: text, hint: text, sqlstate: text, place, problems: few(errorFields) },
    { requiredKeys: ['code', 'message'] },
  ),
})

/** Documents of every command with any text, any numbers and any of the optional members. */
export function anyResult(): fc.Arbitrary<Result> {
  return fc.oneof(
    plan,
    verify,
    apply,
    explain,
    status,
    pool,
    demo,
    init,
    config,
    doctor,
    fleet,
    statistics,
    advise,
    failure,
  )
}

function valuesOf(schema: JsonSchema | boolean | undefined): fc.Arbitrary<unknown> {
  if (typeof schema !== 'object') return text
  if (schema.const !== undefined) return fc.constant(schema.const)
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum)
  const either = schema.anyOf ?? schema.oneOf
  if (either !== undefined) return fc.oneof(...either.map(valuesOf))
  const { type } = schema
  if (Array.isArray(type)) return fc.oneof(...type.map((one) => valuesOf({ ...schema, type: one })))
  if (type === 'object') return objectsOf(schema)
  if (type === 'array')
    return fc.array(valuesOf(Array.isArray(schema.items) ? schema.items[0] : schema.items), { maxLength: 4 })
  return leaves.get(type) ?? text
}

function objectsOf({ properties, required, additionalProperties }: JsonSchema): fc.Arbitrary<unknown> {
  if (properties === undefined) return fc.dictionary(text, valuesOf(additionalProperties), { maxKeys: 3 })
  // Lines to paste are not broken, however narrow the terminal.
  const members = Object.entries(properties).map(
    ([name, schema]) => [name, name === 'yaml' ? fc.constantFrom('', 'a:\n  \u202e: 1 ') : valuesOf(schema)] as const,
  )
  return fc.record(Object.fromEntries(members), { requiredKeys: required ?? [] })
}

const schemas = [
  planResult,
  verifyResult,
  applyResult,
  explainResult,
  statusResult,
  poolResult,
  demoResult,
  initResult,
  configResult,
  doctorResult,
  compareResult,
  fleetResult,
  statisticsResult,
  errorResult,
]

/** All but that of import, whose text is the profile that it holds. */
export function anyResult(): fc.Arbitrary<Result> {
  return fc.oneof(...schemas.map((schema) => documentsOf<Result>(schema)))
}

/** With that of import: any width, any character. */
export function anyDocument(): fc.Arbitrary<Result> {
  const imported = documentsOf(importResult).map((one) => ({ ...one, profile: `${one.profile}\n` }))
  return fc.oneof({ weight: 9, arbitrary: anyResult() }, { weight: 1, arbitrary: imported })
}
