import type {
  ApplyResult,
  ErrorResult,
  ExplainResult,
  PlanResult,
  ResultMeasurement,
  ResultQuery,
  ResultStep,
  StatusResult,
  VerifyResult,
} from '../../src/result/documents/result.js'
import type { PoolResult } from '../../src/result/documents/pool-result.js'
import type { Layout } from '../../src/report/block/layout.js'

/** Documents as the commands return them, for the golden texts. */
export const narrow: Layout = { width: 80, color: false, unicode: true, verbose: false }
export const broad: Layout = { ...narrow, width: 200 }

const server = { version: '18.4', version_num: 180_004, database: 'shop', user: 'app', host: 'db.example', port: 5432 }
const base = { perfdb: '0.1.0', ok: true, exit_code: 0, server }
// 63 bytes each: Latin, umlauts (two bytes), ideographs (three bytes, two columns), marks that take no column.
export const longNames = [
  'idx_orders_customer_region_status_created_at_where_not_deleted1',
  'ü'.repeat(31) + 'x',
  '索引'.repeat(10) + '名',
  'กำ'.repeat(10) + 'abc',
]

export function stepOf(
  step: ResultStep['step'],
  index: string,
  table: string,
  rest: Partial<ResultStep> = {},
): ResultStep {
  return { step, index, table, schema: 'public', reason: reasons[step], sql: [], hazards: [], ...rest }
}

const reasons: Record<ResultStep['step'], string> = {
  keep: 'valid and as declared',
  create: 'no index of that name',
  rebuild: 'the index is not valid',
  reindex: 'asked for: rebuilt where it stands',
  building: 'session 4711 builds it',
  replace: 'the existing index has keys (status), declared are (status, created_at desc)',
  adopt: 'idx_old_name has the same definition',
  drop: 'declared absent',
}

function kept(number: number): ResultStep[] {
  return Array.from({ length: number }, (_, at) =>
    stepOf('keep', `idx_kept_${at + 1}`, 'jobs', { table_rows: 12_345, table_bytes: 3_456_789, size_bytes: 456_789 }),
  )
}

export const planDocument: PlanResult = {
  ...base,
  command: 'plan',
  profiles: ['job-shop'],
  extensions: [],
  fingerprint: 'f'.repeat(64),
  steps: [
    stepOf('create', 'idx_jobs_status_created_at', 'jobs', {
      table_rows: 1_234_567,
      table_bytes: 241_234_567,
      sql: [
        'create index concurrently "idx_jobs_status_created_at" on "public"."jobs" using btree ("status", "created_at" desc nulls last)',
      ],
      hazards: [
        { code: 'LARGE_BUILD', message: 'the build reads 230 MB and writes about 40 MB, more than --max-size 100MB' },
      ],
    }),
    stepOf('replace', 'idx_customers_email_lower', 'customers', {
      table_rows: 80_000,
      table_bytes: 12_900_000,
      sql: [
        'create unique index concurrently "idx_customers_email_lower_perfdb" on "public"."customers" using btree (lower("email")) where "email" is not null',
        'drop index concurrently "public"."idx_customers_email_lower"',
        'alter index "public"."idx_customers_email_lower_perfdb" rename to "idx_customers_email_lower"',
      ],
      hazards: [
        { code: 'REPLACE', message: 'the existing index goes away' },
        { code: 'UNIQUE_BUILD', message: 'fails when there are duplicates, and writers wait for its check' },
      ],
    }),
    stepOf('rebuild', longNames[0] ?? '', 'orders', {
      table_rows: 512,
      table_bytes: 81_920,
      sql: ['drop index concurrently "public"."x"', 'create index concurrently "x" on "public"."orders" ("a")'],
    }),
    stepOf('adopt', 'idx_parts_number', 'parts', {
      table_rows: -1,
      table_bytes: 0,
      hazards: [{ code: 'RENAME', message: 'idx_old_name gets the declared name' }],
      sql: ['alter index "public"."idx_old_name" rename to "idx_parts_number"'],
    }),
    stepOf('drop', 'idx_jobs_old', 'jobs', {
      table_rows: 1_234_567,
      table_bytes: 241_234_567,
      hazards: [{ code: 'DROP', message: 'idx_jobs_old was read 12 times since 2025-01-01' }],
      sql: ['drop index concurrently "public"."idx_jobs_old"'],
    }),
    stepOf('building', 'idx_jobs_due', 'jobs', { table_rows: 1_234_567, table_bytes: 241_234_567 }),
    ...kept(28),
  ],
  findings: [
    {
      code: 'DIFFERS',
      severity: 'error',
      index: 'idx_customers_email_lower',
      table: 'customers',
      message: 'the existing index has keys (status), declared are (status, created_at desc)',
      hint: 'perfdb apply --allow REPLACE',
      place: { file: 'profiles/job-shop.yaml', line: 14, column: 5 },
    },
    {
      code: 'REDUNDANT',
      severity: 'warning',
      index: 'idx_jobs_status',
      table: 'jobs',
      message: 'idx_jobs_status is a prefix of idx_jobs_status_created_at',
      hint: 'drop index concurrently public.idx_jobs_status;',
    },
    {
      code: 'UNDECLARED',
      severity: 'info',
      index: 'jobs_legacy_idx',
      table: 'jobs',
      message: 'on the table, in no profile',
    },
  ],
}

export const nothingToDo: PlanResult = {
  ...base,
  command: 'plan',
  profiles: ['job-shop'],
  extensions: [],
  fingerprint: 'f'.repeat(64),
  steps: kept(31),
  findings: [],
}
export const emptyPlan: PlanResult = { ...nothingToDo, profiles: [], steps: [] }

/** 300 indexes to create, in two schemas, and the long names. */
export const longPlan: PlanResult = {
  ...nothingToDo,
  steps: [
    ...longNames.map((name) =>
      stepOf('create', name, name, { schema: 'Odd Schema', table_rows: 3, table_bytes: 8192 }),
    ),
    ...Array.from({ length: 300 }, (_, at) =>
      stepOf('create', `idx_tenant_${at + 1}_orders`, 'orders', { table_rows: at * 1000, table_bytes: at * 81_920 }),
    ),
  ],
}

export const verifyDocument: VerifyResult = {
  ...base,
  command: 'verify',
  ok: false,
  exit_code: 1,
  profiles: ['job-shop'],
  steps: planDocument.steps,
  findings: planDocument.findings,
}
export const verifyClean: VerifyResult = {
  ...base,
  command: 'verify',
  profiles: ['job-shop'],
  steps: kept(31),
  findings: [],
}

function measurement(median: number, hit: number, indexes: readonly string[]): ResultMeasurement {
  return {
    samples: 30,
    execution_ms: { median, low: median * 0.95, high: median * 1.07 },
    planning_ms: 0.21,
    buffers: { hit, read: 0, temp: hit > 10_000 ? 812 : 0 },
    rows: 50,
    indexes: [...indexes],
    plan_signature: 'abc',
  }
}

const measured = { status: 'measured' } as const
const queries: ResultQuery[] = [
  {
    ...measured,
    name: 'jobs-by-status',
    params: 'hot',
    verdict: 'faster',
    speedup: { median: 52.3, low: 48.1, high: 57.2 },
    before: measurement(214.2, 12_345, []),
    after: measurement(4.1, 61, ['idx_jobs_status_created_at']),
    findings: [],
    expectations: [{ expect: 'speedup at least 3', met: true, actual: '48' }],
  },
  {
    ...measured,
    name: 'customer-by-email',
    params: 'default',
    verdict: 'faster',
    speedup: { median: 3712, low: 3400, high: 4123 },
    before: measurement(74.24, 1580, []),
    after: measurement(0.02, 4, ['idx_customers_email_lower']),
    findings: [],
    expectations: [],
  },
  {
    ...measured,
    name: 'late-jobs-of-a-customer-with-parts-and-operations',
    verdict: 'slower',
    speedup: { median: 0.912, low: 0.881, high: 0.952 },
    before: measurement(1830, 4100, ['idx_jobs_due']),
    after: measurement(2006, 4100, ['idx_jobs_due']),
    findings: [
      {
        code: 'SPILL',
        severity: 'warning',
        message: 'the sort wrote 6.3 MB to disk',
        hint: "set work_mem = '16MB' for this role: alter role app set work_mem = '16MB';",
      },
    ],
    expectations: [
      { expect: 'time at most 500 ms', met: false, actual: '2.0 s' },
      { expect: 'no SPILL', met: false, actual: 'SPILL' },
    ],
  },
  {
    name: 'archive',
    status: 'refused',
    reason: 'it changes data: --allow WRITE_QUERY',
    findings: [],
    expectations: [],
  },
]

export const applyDocument: ApplyResult = {
  ...base,
  command: 'apply',
  run: 17,
  duration_ms: 9812,
  profiles: ['job-shop'],
  steps: [
    stepOf('create', 'idx_jobs_status_created_at', 'jobs', {
      outcome: 'built',
      duration_ms: 4123,
      waited_ms: 1210,
      size_bytes: 41_234_567,
      state: 'valid',
    }),
    stepOf('rebuild', 'idx_customers_email_lower', 'customers', {
      outcome: 'rebuilt',
      duration_ms: 812,
      waited_ms: 3,
      size_bytes: 2_345_678,
      state: 'valid',
    }),
    ...kept(29).map((step) => ({ ...step, outcome: 'kept' as const })),
  ],
  analyzed: [
    { table: 'jobs', ok: true, duration_ms: 812 },
    { table: 'customers', ok: true, duration_ms: 91 },
  ],
  queries: queries.slice(0, 2),
  comparisons: [],
  findings: [
    {
      code: 'NOT_USED',
      severity: 'warning',
      index: 'idx_jobs_due',
      message: 'no declared query chose idx_jobs_due',
      hint: 'remove it from the profile, or declare the query that needs it',
    },
  ],
}

export const applyFailed: ApplyResult = {
  ...applyDocument,
  ok: false,
  exit_code: 3,
  steps: [
    ...applyDocument.steps.slice(0, 1),
    stepOf('create', 'idx_customers_email_unique', 'customers', {
      outcome: 'failed',
      duration_ms: 2100,
      state: 'invalid',
      sql: ['create unique index concurrently "idx_customers_email_unique" on "public"."customers" (lower("email"))'],
      error: {
        code: 'QUERY_FAILED',
        message: 'could not create unique index "idx_customers_email_unique"',
        detail:
          'Key (lower(email))=(ada@example.com) is duplicated. 3 keys have duplicates: ada@example.com (2), grace@example.com (4), alan@example.com (2)',
        hint: 'select lower(email), count(*) from public.customers group by 1 having count(*) > 1;',
        sqlstate: '23505',
      },
    }),
    stepOf('replace', 'idx_parts_number', 'parts', {
      outcome: 'refused',
      hazards: [{ code: 'REPLACE', message: 'the existing index goes away' }],
    }),
    stepOf('create', 'idx_operations_job', 'operations', { outcome: 'not_reached' }),
  ],
  queries,
  analyzed: [{ table: 'jobs', ok: false, duration_ms: 3, message: 'canceling statement due to lock timeout' }],
}

export const rollbackDocument: ApplyResult = {
  ...base,
  command: 'rollback',
  run: 18,
  duration_ms: 312,
  profiles: [],
  steps: [stepOf('drop', 'idx_jobs_status_created_at', 'jobs', { outcome: 'dropped', duration_ms: 41 })],
  analyzed: [],
  queries: [],
  comparisons: [],
  findings: [],
}

export const explainDocument: ExplainResult = {
  ...base,
  command: 'explain',
  ok: false,
  exit_code: 1,
  duration_ms: 31_200,
  queries: queries.map(({ before: _before, speedup: _speedup, verdict: _verdict, ...query }) => query),
  comparisons: [
    {
      query: 'dashboard-stats',
      round_trip_ms: 0.06,
      variants: [
        {
          name: 'four-queries',
          statements: 4,
          server_ms: { median: 12.1, low: 11.8, high: 12.6 },
          elapsed_ms: { median: 13.6, low: 13.1, high: 14.2 },
        },
        {
          name: 'one-cte',
          statements: 1,
          server_ms: { median: 11.2, low: 10.9, high: 11.7 },
          elapsed_ms: { median: 11.4, low: 11, high: 11.9 },
        },
      ],
      message: 'one statement saves 3 round trips of 0.06 ms; the server does the same work',
    },
  ],
  findings: [],
}

export const statusDocument: StatusResult = {
  ...base,
  command: 'status',
  ledger: true,
  runs: [
    {
      run: 18,
      command: 'rollback',
      started_at: '2025-03-01T03:04:05.123Z',
      finished_at: '2025-03-01T03:04:06.000Z',
      outcome: 'done',
      built: 0,
      dropped: 1,
      failed: 0,
      user: 'app',
    },
    {
      run: 17,
      command: 'apply',
      started_at: '2025-03-01T02:00:00.000Z',
      finished_at: null,
      outcome: 'unfinished',
      built: 18,
      dropped: 0,
      failed: 1,
      user: 'app',
    },
  ],
  builds: [
    {
      pid: 4711,
      table: 'public.jobs',
      index: 'idx_jobs_due',
      phase: 'waiting for writers before build',
      percent: 33.4,
      age_ms: 754_000,
      user: 'app',
      application_name: 'perfdb',
      blockers: [
        "pid 4242 (psql, alice, idle in transaction for 12 min): update jobs set status = 'done' where id = 12",
      ],
    },
  ],
  findings: [],
}
export const statusEmpty: StatusResult = {
  ...base,
  command: 'status',
  ledger: false,
  runs: [],
  builds: [],
  findings: [],
}

export const poolDocument: PoolResult = {
  perfdb: '0.1.0',
  ok: false,
  exit_code: 1,
  command: 'check-pool',
  files: ['profiles/shop.pools.yaml'],
  offline: false,
  verdict: 'FAIL',
  servers: [
    {
      name: 'primary',
      verdict: 'FAIL',
      max_connections: 100,
      reserved: 3,
      available: 97,
      limits_from: 'live',
      version: '18.4',
      declared: { steady: 84, peak: 126 },
      unmanaged: 4,
      perfdb: 3,
      live: 61,
      hidden: 2,
      headroom: -36,
      services: [
        {
          name: 'api',
          kind: 'service',
          steady: 80,
          peak: 120,
          warm: 20,
          nominal: 80,
          sum: '2 instances x 4 processes x (5 + 5 overflow) = 80; rollout 3 instances = 120',
          queue: { pools: 8, connections: 10, utilization: 0.82, waits: 0.41, p99_wait_ms: 41.2 },
        },
        {
          name: 'reports',
          kind: 'service',
          via: 'pgbouncer',
          steady: 0,
          peak: 0,
          warm: 0,
          nominal: 0,
          sum: 'clients of pgbouncer: 1 instance x 40 = 40',
          queue: { pools: 1, connections: 4, utilization: 1.2, waits: 1, p99_wait_ms: null },
        },
        {
          name: 'pgbouncer',
          kind: 'pooler',
          steady: 4,
          peak: 6,
          warm: 0,
          nominal: 6,
          sum: '1 replica x 2 pools x 3 = 6',
        },
      ],
      limits: [{ kind: 'role', name: 'app', limit: 100, peak: 126, services: ['api', 'pgbouncer'] }],
      waterfall: [
        { label: 'max_connections', connections: 100, total: false },
        { label: 'superuser_reserved_connections', connections: -3, total: false },
        { label: 'available', connections: 97, total: true },
        { label: 'sessions nobody declared', connections: -4, total: false },
        { label: 'perfdb', connections: -3, total: false },
        { label: 'api', connections: -80, total: false },
        { label: 'pgbouncer', connections: -4, total: false },
        { label: 'headroom, steady', connections: 6, total: true },
        { label: 'api, rollout', connections: -40, total: false },
        { label: 'pgbouncer, rollout', connections: -2, total: false },
        { label: 'headroom, peak', connections: -36, total: true },
      ],
      changes: [
        {
          name: 'api',
          change: 'pool.max',
          now: 5,
          largest: 1,
          place: { file: 'profiles/shop.pools.yaml', line: 21, column: 7 },
        },
        {
          name: 'api',
          change: 'instances.max',
          now: 2,
          largest: null,
          place: { file: 'profiles/shop.pools.yaml', line: 18, column: 5 },
        },
      ],
      recommendations: [
        'api: pool max 1 at most with max_overflow 5 (now 5)',
        'api: 1 instance at most with pool 5 (now 2)',
        'api: 14 connections in one shared pool keep 99 % of the waits under 100 ms',
      ],
      sessions: [
        {
          role: 'app',
          database: 'shop',
          application_name: 'api',
          connections: 55,
          busy: 12,
          hidden: 0,
          services: ['api'],
        },
        {
          role: 'bi',
          database: 'shop',
          application_name: null,
          connections: 4,
          busy: 0,
          hidden: 2,
          services: [],
        },
      ],
      load: [{ database: 'shop', erlangs: 8.25, transactions_per_second: 410, seconds: 4 }],
    },
  ],
  findings: [
    {
      code: 'POOL_SURGE',
      severity: 'error',
      server: 'primary',
      service: 'api',
      message: 'primary: 133 of 97 connections (137 %) during a rollout; steady it is 91',
      hint: 'api: pool max 1 at most with max_overflow 5 (now 5)',
      place: { file: 'profiles/shop.pools.yaml', line: 21, column: 7 },
    },
  ],
}
const [onlyServer] = poolDocument.servers
/** A second server whose limits nobody knows. */
export const poolsDocument: PoolResult = {
  ...poolDocument,
  offline: true,
  servers: [
    ...poolDocument.servers,
    ...(onlyServer === undefined
      ? []
      : [
          {
            ...onlyServer,
            name: 'replica',
            verdict: 'UNKNOWN' as const,
            max_connections: null,
            reserved: null,
            available: null,
            limits_from: 'unknown' as const,
            live: null,
            headroom: null,
            waterfall: [],
            limits: [],
            changes: [],
            recommendations: [],
            sessions: [],
          },
        ]),
  ],
}

export const errorDocument: ErrorResult = {
  perfdb: '0.1.0',
  ok: false,
  exit_code: 2,
  command: 'plan',
  error: {
    code: 'NO_TABLE',
    message: 'table public.job does not exist; did you mean public.jobs?',
    detail: 'idx_jobs_status_created_at is declared on it',
    hint: 'check the schema and the name, or the database that the URL names',
    sqlstate: '42P01',
    place: { file: 'profiles/job-shop.yaml', line: 12, column: 12 },
  },
}
export const manyErrors: ErrorResult = {
  ...errorDocument,
  error: {
    ...errorDocument.error,
    problems: [
      errorDocument.error,
      {
        code: 'UNKNOWN_KEY',
        message: 'unknown key "colums"; did you mean "columns"?',
        place: { file: 'profiles/job-shop.yaml', line: 31, column: 5 },
      },
    ],
  },
}
