import { afterAll, beforeAll, expect, test } from 'vitest'
import { existsSync } from 'node:fs'
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import { runExplain } from '../../src/commands/explain/explain.js'
import { makePlan } from '../../src/commands/apply/make-plan.js'
import { runPlanCommand } from '../../src/commands/apply/plan.js'
import { explainResult, planResult, type PlanResult } from '../../src/result/documents/result.js'
import type { HazardCode } from '../../src/codes/hazard-codes.js'
import type { Profile } from '../../src/profile/profile.js'
import { openSession } from '../measure/open-session.js'
import { shop } from '../measure/shop.js'
import { pgbouncer, postgres15, type Outside } from '../pools/outside.js'
import { connectTo } from '../support/connect.js'
import { testDatabase } from '../support/database.js'
import { needing } from '../support/needs.js'
import { profileOf } from '../support/profile.js'
import { onServer } from '../support/server.js'
import type { Planned } from '../../src/commands/shared/planned.js'

const hypopg = existsSync('/usr/share/postgresql/15/extension/hypopg.control')
const withHypoPg = needing('PostgreSQL 15 of Debian with postgresql-15-hypopg', hypopg)

const withPooler = needing('postgresql-15-hypopg and PgBouncer', hypopg && existsSync('/usr/sbin/pgbouncer'))

const planOptions = { allow: new Set<HazardCode>(), prune: false, maxWaitMs: 600_000, maxSizeBytes: 50 * 1024 ** 3 }

async function planned(url: string, profiles: readonly Profile[]): Promise<PlanResult> {
  await using session = await connectTo(url, 'ddl')
  const result = await runPlanCommand(session, profiles, {
    ...planOptions,
    exitCode: false,
    whatIf: { connect: async () => openSession(url) },
  })
  expect(planResult.parse(JSON.parse(JSON.stringify(result)))).toEqual(result)
  return result
}

async function plannedOn(place: string, profiles: readonly Profile[]): Promise<Planned> {
  await using session = await connectTo(place, 'look')
  return await makePlan(session, profiles, planOptions)
}

let outside: Outside | undefined
let url = ''

/** Debian's server with the extension in a schema that is on nobody's search_path. */
beforeAll(async () => {
  if (!hypopg) return
  outside = await postgres15({})
  url = `postgres://postgres@127.0.0.1:${outside.port}/postgres`
  await rowsOf(
    `${shop}
     create schema "Odd Schema"; create extension hypopg schema "Odd Schema";
     create schema works; create table works.jobs (like public.jobs); insert into works.jobs select * from public.jobs;
     create function works.half(n int) returns int immutable language sql return n / 2;
     create table parts (id int not null, at date not null) partition by range (at);
     create table parts_1 partition of parts for values from ('2024-01-01') to ('2025-01-01');
     create table parts_2 partition of parts for values from ('2025-01-01') to ('2026-01-01');
     insert into parts select n, '2024-01-01'::date + n % 700 from generate_series(1, 40000) n;
     create table small (id int); insert into small select generate_series(1, 10);
     create table docs (id int, doc jsonb); insert into docs select n, '{}' from generate_series(1, 20000) n;
     analyze;`,
  )
})

afterAll(async () => outside?.[Symbol.asyncDispose]())

async function rowsOf(text: string): Promise<readonly Record<string, unknown>[]> {
  return onServer(url, async (sql) => [...(await sql.unsafe(text))])
}

withHypoPg('plan --what-if: which index each query would use, at which cost, and nothing is built', async () => {
  const profiles = await profileOf(
    [
      '{ name: by_customer, table: jobs, keys: [customer_id], for: [lookup] }',
      '{ name: useless, table: jobs, keys: [created_at], with: { fillfactor: 90 } }',
      '{ name: jobs_pkey, table: jobs, keys: [id], unique: true }',
    ],
    `queries:
  - name: lookup
    sql: select * from jobs where customer_id = $1
    params: { hot: [7], other: [9] }
  - { name: sampled, sql: select * from jobs where customer_id = $1 }
  - { name: all, sql: select count(*) from jobs }
  - { name: write, sql: update jobs set total = 1 where customer_id = 5 }
  - { name: gone, sql: select * from nowhere }
  - { name: unbound, sql: 'select * from jobs where customer_id = $1 and id = $2', params: [1] }
  - name: variants
    params: [7]
    variants:
      two: ['select 1 from jobs where customer_id = $1', select count(*) from customers]
      one: select (select count(*) from jobs where customer_id = 7), (select count(*) from customers)
`,
  )
  const indexes = 'select indexrelid::int from pg_index order by 1'
  const before = await rowsOf(indexes)
  const { what_if: found, findings, exit_code, steps } = await planned(url, profiles)
  expect(await rowsOf(indexes)).toEqual(before)
  expect(await rowsOf('select total from jobs where customer_id = 5 and total = 1')).toEqual([])
  expect(exit_code).toBe(0)
  expect(findings.filter(({ code }) => code === 'NO_HYPOPG')).toEqual([])
  expect(found).toMatchObject({ available: true, version: expect.stringMatching(/^\d/) })
  expect(
    found?.queries.map(({ name, params, statement, would_use }) => [name, params ?? statement ?? '', would_use]),
  ).toEqual([
    ['lookup', 'hot', ['by_customer']],
    ['lookup', 'other', ['by_customer']],
    ['sampled', 'common', ['by_customer']],
    ['sampled', 'rare', ['by_customer']],
    ['all', '', []],
    ['write', '', ['by_customer']],
    ['variants', 'default', ['by_customer']],
    ['variants', 'two 2', []],
    ['variants', 'one', ['by_customer']],
  ])
  for (const { cost_before, cost_after, would_use } of found?.queries ?? []) {
    if (would_use.length === 0) expect(cost_after).toBe(cost_before)
    else expect(cost_after).toBeLessThan(cost_before)
  }
  expect(found?.not_planned).toEqual([
    { name: 'gone', reason: expect.stringContaining('"nowhere" does not exist') },
    { name: 'unbound', params: 'default', reason: 'the query has 2 parameters, params give (default) 1' },
  ])
  expect(found?.indexes).toEqual([
    {
      name: 'by_customer',
      table: 'public.jobs',
      status: 'would_be_used',
      queries: ['lookup', 'sampled', 'write', 'variants'],
      // One number for one index, wherever it stands.
      size_bytes: steps.find(({ index }) => index === 'by_customer')?.predicted_bytes ?? 0,
    },
    { name: 'jobs_pkey', table: 'public.jobs', status: 'exists', queries: [] },
    expect.objectContaining({
      name: 'useless',
      status: 'would_not_be_used',
      reason: 'no query plan takes it; 2 queries could not be planned',
    }),
  ])
})

withHypoPg('each index that HypoPG cannot judge says so, and leaves the others judged', async () => {
  const profiles = await profileOf(
    [
      '{ name: a_gin, table: docs, method: gin, keys: [doc] }',
      '{ name: b_small, table: small, keys: [id] }',
      '{ name: c_parts, table: parts, keys: [id] }',
      '{ name: d_brin, table: jobs, method: brin, keys: [created_at], with: { pages_per_range: 4 } }',
      '{ name: e_hash, table: docs, method: hash, keys: [id] }',
      `{ name: f_parts, table: parts, keys: [at], where: "id > 39990.0" }`,
    ],
    `queries:
  - { name: doc, sql: "select * from docs where doc @> '{\\"a\\": 1}'" }
  - { name: id, sql: select * from docs where id = 7 }
  - { name: small, sql: select * from small where id = 7 }
  - { name: part, sql: select * from parts where id = 7 }
  - { name: late, sql: "select * from jobs where created_at > '2024-01-14 20:00'" }
  - { name: last, sql: "select * from parts where at = '2024-05-05' and id > 39995.0" }
`,
  )
  const { what_if: found } = await planned(url, profiles)
  const told = new Map(found?.indexes.map(({ name, status, reason }) => [name, [status, reason]]))
  expect(Object.fromEntries(told)).toEqual({
    a_gin: ['not_judged', 'HypoPG cannot judge it: access method "gin" is not supported'],
    b_small: ['not_judged', expect.stringMatching(/^small has 10 rows: /)],
    c_parts: ['would_be_used', undefined],
    d_brin: ['would_be_used', undefined],
    e_hash: ['would_be_used', undefined],
    f_parts: ['not_judged', 'HypoPG compares its expressions word for word'],
  })
})

withHypoPg('expressions and predicates are those that the planner simplifies them to', async () => {
  const profiles = await profileOf(
    [
      '{ name: a_expression, table: jobs, keys: [{ expression: total + 1 }] }',
      '{ name: b_partial, table: jobs, keys: [customer_id], where: total > 19000 }',
      '{ name: c_both, table: jobs, keys: [customer_id, { expression: upper(status) }, { expression: id % 7 }], where: total < 900 }',
      '{ name: d_cover, table: jobs, keys: [customer_id], include: [status], unique: true, where: total = 77 }',
      '{ name: half, table: works.jobs, keys: [{ expression: half(id) }] }',
    ],
    `queries:
  - { name: sum, sql: select * from jobs where total + 1 = 5 }
  - { name: high, sql: select * from jobs where customer_id = 5 and total > 19500 }
  - { name: low, sql: "select * from jobs where customer_id = 5 and upper(status) = 'RARE' and id % 7 = 1 and total < 100" }
  - { name: cover, sql: select status from jobs where customer_id = 78 and total = 77 }
  - { name: half, sql: select * from works.jobs where works.half(id) = 5 }
`,
  )
  const { what_if: found } = await planned(url, profiles)
  expect(found?.queries.map(({ name, would_use }) => [name, would_use])).toEqual([
    ['sum', ['a_expression']],
    ['high', ['b_partial']],
    ['low', ['c_both']],
    ['cover', ['d_cover']],
    ['half', ['half']],
  ])
})

withHypoPg(
  'explain --what-if measures, and says what the planner would choose; no hypothetical index stays',
  async () => {
    const profiles = await profileOf(
      ['{ name: by_customer, table: jobs, keys: [customer_id] }'],
      'queries:\n  - { name: lookup, sql: select * from jobs where customer_id = 7 }\n',
    )
    const whatIf = await plannedOn(url, profiles)
    await using session = await openSession(url)
    const queries = profiles.flatMap((profile) => profile.queries)
    const result = await runExplain(session, queries, { samples: 3, allowWrites: false, whatIf })
    expect(explainResult.parse(JSON.parse(JSON.stringify(result)))).toEqual(result)
    expect(result.queries[0]).toMatchObject({ status: 'measured', after: { indexes: [] } })
    // The hint is of the whole query: with the column beside the key that it reads.
    expect(result.queries[0]?.findings.find(({ code }) => code === 'SEQ_SCAN')?.hint).toMatch(
      /create index on public\.jobs \(customer_id\) \(tried by HypoPG: the cost of the query falls from \d+ to \d+\)$/,
    )
    expect(result.what_if?.queries).toMatchObject([{ name: 'lookup', would_use: ['by_customer'] }])
    expect(await session.query('select 1 from "Odd Schema".hypopg_list_indexes')).toEqual([])
  },
)

withHypoPg('a stopped what-if ends at once and leaves no hypothetical index', async () => {
  const profiles = await profileOf(
    ['{ name: by_customer, table: jobs, keys: [customer_id] }'],
    'queries:\n  - { name: lookup, sql: select * from jobs where customer_id = 7 }\n',
  )
  const controller = new AbortController()
  await using session = await openSession(url)
  const query = session.query.bind(session)
  const opened = Object.defineProperty(session, 'query', {
    value: async <Row>(text: string, parameters?: Parameters<typeof session.query>[1]) => {
      const rows = await query<Row>(text, parameters)
      if (text.includes('hypopg_create_index')) controller.abort()
      return rows
    },
  })
  await using ddl = await connectTo(url, 'ddl')
  const kept = Object.assign(Object.create(opened), { async [Symbol.asyncDispose]() {} })
  const running = runPlanCommand(ddl, profiles, {
    ...planOptions,
    exitCode: false,
    whatIf: { connect: async () => kept, signal: controller.signal },
  })
  await expect(running).rejects.toMatchObject({ code: 'INTERRUPTED' })
  expect(await query('select 1 from "Odd Schema".hypopg_list_indexes')).toEqual([])
})

withPooler('behind a pooler in transaction mode no backend keeps a hypothetical index', async () => {
  const { port } = new URL(url)
  await using pooler = await pgbouncer(
    [`postgres = host=127.0.0.1 port=${port} pool_size=1`],
    ['pool_mode = transaction'],
    [['postgres', '']],
  )
  const front = `postgres://postgres@127.0.0.1:${pooler.port}/postgres`
  const profiles = await profileOf(
    [
      '{ name: by_customer, table: jobs, keys: [customer_id] }',
      '{ name: by_doc, table: docs, method: gin, keys: [doc] }',
    ],
    `queries:
  - { name: lookup, sql: select * from jobs where customer_id = 7 }
  - { name: gone, sql: select * from nowhere }
`,
  )
  const whatIf = await plannedOn(url, profiles)
  await using session = await openSession(front)
  expect(session.pooled).toBe(true)
  const queries = profiles.flatMap((profile) => profile.queries)
  const result = await runExplain(session, queries, { samples: 3, allowWrites: false, whatIf })
  expect(result.what_if).toMatchObject({
    queries: [{ name: 'lookup', would_use: ['by_customer'] }],
    not_planned: [{ name: 'gone' }],
    indexes: [
      { name: 'by_doc', status: 'not_judged' },
      { name: 'by_customer', status: 'would_be_used' },
    ],
  })
  expect(await session.query('select 1 from "Odd Schema".hypopg_list_indexes')).toEqual([])
})

test('without HypoPG a finding says what to paste, and the plan is made all the same', async () => {
  await using database = await testDatabase(shop)
  const profiles = await profileOf(
    [
      '{ name: by_customer, table: jobs, keys: [customer_id] }',
      '{ name: jobs_pkey, table: jobs, keys: [id], unique: true }',
    ],
    'queries:\n  - { name: lookup, sql: select * from jobs where customer_id = 7 }\n',
  )
  const result = await planned(database.url, profiles)
  expect(result.steps.map(({ step }) => step)).toEqual(['create', 'keep'])
  expect(result.exit_code).toBe(0)
  expect(result.findings.filter(({ code }) => code === 'NO_HYPOPG')).toEqual([
    {
      code: 'NO_HYPOPG',
      severity: 'warning',
      message: 'no what-if: the server has no files of the extension HypoPG',
      hint: expect.stringMatching(/postgresql-\d+-hypopg .* create extension hypopg$/),
    },
  ])
  expect(result.what_if).toEqual({
    available: false,
    reason: 'the server has no files of the extension HypoPG',
    queries: [],
    not_planned: [],
    indexes: [
      {
        name: 'by_customer',
        table: 'public.jobs',
        status: 'not_judged',
        reason: 'the server has no files of the extension HypoPG',
        queries: [],
      },
      { name: 'jobs_pkey', table: 'public.jobs', status: 'exists', queries: [] },
    ],
  })
})

withHypoPg('where its files are and the extension is not created, the hint is the statement alone', async () => {
  await rowsOf('create database without')
  const other = url.replace(/postgres$/, 'without')
  const sql = postgres(other, { max: 1, onnotice: () => undefined })
  await sql.unsafe('create table t (a int)')
  await sql.end({ timeout: 2 })
  const result = await planned(other, await profileOf(['{ name: by_a, table: t, keys: [a] }']))
  expect(result.findings).toContainEqual({
    code: 'NO_HYPOPG',
    severity: 'warning',
    message: 'no what-if: HypoPG is not installed in the database without',
    hint: 'create extension hypopg',
  })
})

withHypoPg('neither HypoPG nor the planner is asked what would run code of a role without rights', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'perfdb-test-'))
  await chmod(folder, 0o777)
  await rowsOf(`create role without_rights; create schema trap authorization without_rights; set role without_rights; set search_path = trap;
    create function caught() returns void language plpgsql as $$ begin
      if (select rolsuper from pg_roles where rolname = current_user) then copy (select 1) to '${folder}/caught'; end if; end $$;
    create function evil(what text) returns text immutable language plpgsql as $$ begin perform trap.caught(); return what; end $$;
    create table t (id int, v text); insert into t select n, 'v' || n from generate_series(1, 20000) n;
    create index i on t ((v || trap.evil('const')));
    reset role; create table public.plain (id int, v text); insert into public.plain select n, 'v' || n from generate_series(1, 20000) n; analyze public.plain`)
  try {
    const [profile] = await profileOf(
      [
        '{ name: on_trap, table: trap.t, keys: [id] }',
        `{ name: by_trap, table: trap.t, keys: [{ expression: "v || trap.evil('const')" }, id] }`,
        '{ name: on_plain, table: plain, keys: [id] }',
      ],
      `queries:
  - { name: reads_trap, sql: select * from trap.t where id = 5 }
  - { name: calls_trap, sql: "select * from plain where v = trap.evil('x')" }
  - { name: reads_plain, sql: select * from plain where id = 5 }
`,
    )
    const { what_if: found } = await planned(url, profile === undefined ? [] : [profile])
    const foreign = 'would run trap.evil(text) of without_rights'
    expect(found?.indexes).toMatchObject([
      { name: 'on_plain', status: 'would_be_used' },
      { name: 'on_trap', status: 'not_judged', reason: expect.stringContaining(foreign) },
      { name: 'by_trap', status: 'not_judged', reason: expect.stringContaining(foreign) },
    ])
    expect(found?.not_planned).toMatchObject([
      { name: 'reads_trap', reason: expect.stringContaining(foreign) },
      { name: 'calls_trap', reason: expect.stringContaining(foreign) },
    ])
    expect(await readdir(folder)).toEqual([])
    await rowsOf('explain select * from trap.t where id = 5')
    expect(await readdir(folder)).toEqual(['caught'])
  } finally {
    await rowsOf('drop table public.plain; drop owned by without_rights cascade; drop role without_rights')
    await rm(folder, { recursive: true })
  }
})
