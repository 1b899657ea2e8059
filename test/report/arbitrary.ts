import { tenantOutcomes } from '../../src/result/fleet-result.js'
import type { Result } from '../../src/result/results.js'
import * as fc from 'fast-check'

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
const flag = fc.boolean()
const few = <T>(one: fc.Arbitrary<T>, maxLength = 4) => fc.array(one, { maxLength })

const place = fc.record({ file: text, line: int, column: int })
const severity = fc.constantFrom('error' as const, 'warning' as const, 'info' as const)
const finding = fc.record(
  { code: text, severity, message: text, index: text, table: text, query: text, hint: text, place },
  { requiredKeys: ['code', 'severity', 'message'] },
)
const errorFields = fc.record(
  { code: text, message: text, detail: text, hint: text, sqlstate: text, place },
  { requiredKeys: ['code', 'message'] },
)
const outcome = fc.constantFrom(
  'kept' as const,
  'built' as const,
  'rebuilt' as const,
  'replaced' as const,
  'renamed' as const,
  'dropped' as const,
  'waited' as const,
  'failed' as const,
  'refused' as const,
  'not_reached' as const,
)
const step = fc.record(
  {
    step: fc.constantFrom(
      'keep' as const,
      'create' as const,
      'rebuild' as const,
      'building' as const,
      'replace' as const,
      'adopt' as const,
      'drop' as const,
    ),
    index: text,
    table: text,
    schema: text,
    reason: text,
    sql: few(text),
    hazards: few(fc.record({ code: text, message: text }), 2),
    table_rows: number,
    table_bytes: number,
    outcome,
    duration_ms: number,
    waited_ms: number,
    size_bytes: number,
    state: fc.constantFrom('valid' as const, 'invalid' as const, 'missing' as const, 'building' as const),
    error: errorFields,
  },
  { requiredKeys: ['step', 'index', 'table', 'schema', 'reason', 'sql', 'hazards'] },
)
const interval = fc.record({ median: number, low: number, high: number })
const planNode = fc.record(
  {
    depth: fc.oneof(fc.nat({ max: 5 }), int),
    node: text,
    estimated_rows: number,
    rows: number,
    loops: number,
    self_ms: number,
    buffers: number,
    conditions: few(text, 2),
  },
  { requiredKeys: ['depth', 'node', 'estimated_rows', 'rows', 'loops', 'self_ms', 'buffers'] },
)
const measurement = fc.record(
  {
    samples: int,
    execution_ms: interval,
    planning_ms: number,
    buffers: fc.record({ hit: number, read: number, temp: number }),
    rows: number,
    indexes: few(text),
    plan_signature: text,
    query_plan: few(planNode, 6),
  },
  { requiredKeys: ['samples', 'execution_ms', 'planning_ms', 'buffers', 'rows', 'indexes', 'plan_signature'] },
)
const query = fc.record(
  {
    name: text,
    status: fc.constantFrom('measured' as const, 'not_measured' as const, 'refused' as const, 'failed' as const),
    findings: few(finding),
    expectations: few(fc.record({ expect: text, met: flag, actual: text })),
    params: text,
    reason: text,
    verdict: fc.constantFrom('faster' as const, 'same' as const, 'slower' as const, 'inconclusive' as const),
    speedup: interval,
    before: measurement,
    after: measurement,
  },
  { requiredKeys: ['name', 'status', 'findings', 'expectations'] },
)
const variant = fc.record(
  {
    name: text,
    statements: int,
    server_ms: interval,
    elapsed_ms: interval,
    pipelined_ms: interval,
    concurrent_ms: interval,
    connections: int,
  },
  { requiredKeys: ['name', 'statements', 'server_ms', 'elapsed_ms'] },
)
const answer = fc.constantFrom(
  'same_rows' as const,
  'same_values' as const,
  'other_rows' as const,
  'not_comparable' as const,
)
const comparison = fc.record(
  {
    query: text,
    round_trip_ms: number,
    variants: few(variant),
    rows: few(
      fc.record(
        { variant: text, against: text, answer, reason: text },
        { requiredKeys: ['variant', 'against', 'answer'] },
      ),
    ),
    not_concurrent: text,
    message: text,
  },
  { requiredKeys: ['query', 'round_trip_ms', 'variants', 'message'] },
)
const whatIfStatus = fc.constantFrom(
  'would_be_used' as const,
  'would_not_be_used' as const,
  'exists' as const,
  'not_judged' as const,
)
const twin = fc.record(
  {
    version: text,
    equal: fc.option(int),
    of: int,
    near: few(fc.record({ query: text, params: text, difference: text }, { requiredKeys: ['query', 'difference'] })),
    differ: few(fc.record({ query: text, params: text, difference: text }, { requiredKeys: ['query', 'difference'] })),
    gaps: few(text),
  },
  { requiredKeys: ['version', 'equal', 'of'] },
)
const whatIf = fc.record(
  {
    available: flag,
    engine: fc.constantFrom('twin' as const, 'hypopg' as const),
    twin,
    version: text,
    reason: text,
    queries: few(
      fc.record(
        {
          name: text,
          params: text,
          statement: text,
          cost_before: number,
          cost_after: number,
          would_use: few(text),
        },
        { requiredKeys: ['name', 'cost_before', 'cost_after', 'would_use'] },
      ),
    ),
    not_planned: few(
      fc.record({ name: text, params: text, statement: text, reason: text }, { requiredKeys: ['name', 'reason'] }),
    ),
    indexes: few(
      fc.record(
        { name: text, table: text, status: whatIfStatus, reason: text, queries: few(text), size_bytes: number },
        { requiredKeys: ['name', 'table', 'status', 'queries'] },
      ),
    ),
  },
  { requiredKeys: ['available', 'queries', 'not_planned', 'indexes'] },
)
const server = fc.record({ version: text, version_num: int, database: text, user: text, host: text, port: int })

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
  return fc.oneof(plan, verify, apply, explain, status, pool, demo, init, config, doctor, fleet, statistics, failure)
}

/** The same and that of import, whose text is the profile that it holds: any width, any character. */
export function anyDocument(): fc.Arbitrary<Result> {
  return fc.oneof({ weight: 9, arbitrary: anyResult() }, { weight: 1, arbitrary: imported })
}
