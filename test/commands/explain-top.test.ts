import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import postgres from 'postgres'
import { runExplain } from '../../src/commands/explain/explain.js'
import { topQueries } from '../../src/commands/explain/explain-top.js'
import type { EmbeddedServer } from '../../src/server/embedded/embedded.js'
import { repairedStatement } from '../../src/sql/statements/repair.js'
import { openSession } from '../measure/open-session.js'
import { shop } from '../measure/shop.js'
import { perfdbHere } from '../cli/perfdb.js'
import { profileFolder } from '../support/command-line.js'
import { testDatabase } from '../support/database.js'
import { startServer } from '../support/server.js'

const state: { server?: EmbeddedServer } = {}

beforeAll(async () => {
  state.server = await startServer({ shared_preload_libraries: 'pg_stat_statements' })
})

afterAll(async () => {
  await state.server?.[Symbol.asyncDispose]()
})

test('the first statements by calls, total time and blocks, measured with sampled values', async () => {
  const url = state.server?.url ?? ''
  const sql = postgres(url, { max: 1, onnotice: () => undefined })
  try {
    await sql.unsafe(shop)
    await sql.unsafe('create extension pg_stat_statements; select pg_stat_statements_reset()')
    for (let run = 0; run < 9; run += 1) await sql.unsafe(`select * from jobs where id = ${run}`)
    await sql.unsafe(
      `select count(*) from jobs a, jobs b where a.total = b.total and a.created_at > date '2024-01-01' + interval '2 day'`,
    )
    await sql.unsafe(
      `select extract(epoch from created_at) from jobs where created_at < timestamp '2024-01-02' limit 5`,
    )
    await sql.unsafe('select 1')
    await sql.unsafe(`insert into customers values (5000, 'x', 'y')`)
    await using session = await openSession(url)
    const byCalls = (await topQueries(session, 2, 'calls', false)).queries
    expect(byCalls[0]).toMatchObject({
      name: 'select * from jobs where id = $1',
      place: { file: 'pg_stat_statements', line: 1 },
    })
    const counted = (await topQueries(session, 2, 'calls', false)).counts?.get('select * from jobs where id = $1')
    expect(counted).toMatchObject({ calls: 9, rows: 8 })
    expect(counted?.share).toBeLessThan(1)
    expect((await topQueries(session, 1, 'total', false)).queries[0]?.sql).toBe(
      'select count(*) from jobs a, jobs b where a.total = b.total and a.created_at > cast($1 as date) + cast($2 as interval)',
    )
    const { queries: all, findings } = await topQueries(session, 50, 'io', false)
    expect(findings).toMatchObject([
      {
        code: 'NOT_MEASURED',
        message:
          '1 statement that changes data was passed over, the first of them insert into customers values ($1, $2, $3)',
      },
    ])
    expect(all).toHaveLength(3)
    // Ten calls of two roles are more than nine of one.
    await sql.unsafe('create role other; grant select on jobs to other')
    const ofMany = 'select count(*) from jobs where customer_id = 1'
    for (let run = 0; run < 5; run += 1) await sql.unsafe(ofMany)
    for (let run = 0; run < 8; run += 1) await sql.unsafe('select max(total) from jobs where customer_id = 1')
    await sql.unsafe('set role other')
    for (let run = 0; run < 5; run += 1) await sql.unsafe(ofMany)
    await sql.unsafe('reset role')
    expect((await topQueries(session, 1, 'calls', false)).queries[0]?.name).toContain('count(*)')
    const withWrites = await topQueries(session, 50, 'mean', true)
    expect(withWrites.findings).toEqual([])
    expect(withWrites.queries.map(({ name }) => name)).toContain('insert into customers values ($1, $2, $3)')
    const result = await runExplain(
      session,
      all.filter((query) => !query.sql?.includes('as date')),
      { samples: 3, allowWrites: false },
    )
    expect(result.queries.map(({ status }) => status)).toEqual(['measured', 'measured'])
  } finally {
    await sql.end({ timeout: 2 })
  }
})

test('--out saves the statements as a profile, --param gives values, and --since counts as --top does', async () => {
  const url = state.server?.url ?? ''
  await using files = await profileFolder('')
  const explain = async (...args: string[]) => {
    const { stdout } = await perfdbHere(['explain', '--format', 'json', '--samples', '1', ...args], {
      cwd: files.folder,
      environment: { PERFDB_URL: url },
    })
    const result: unknown = JSON.parse(stdout)
    return result
  }
  const sql = postgres(url, { max: 1, onnotice: () => undefined })
  try {
    await sql.unsafe(`create table letters as select n, chr(97 + n % 20) as c from generate_series(1, 2000) as g (n);
      create extension if not exists pg_stat_statements; select pg_stat_statements_reset()`)
    await explain('--save-snapshot', 'before.json')
    for (let run = 0; run < 3; run += 1) await sql.unsafe(`select n from letters where c = 'a' and n > ${run}`)
    const since = await explain('--since', 'before.json', '--out', 'slow.yaml')
    expect(since).toMatchObject({ exit_code: 0, queries: [{ calls: 3, rows: 300 }] })
    expect(since).toMatchObject({
      findings: expect.arrayContaining([expect.objectContaining({ code: 'PROFILE_SAVED' })]),
    })
    const profile = await readFile(join(files.folder, 'slow.yaml'), 'utf8')
    expect(profile).toMatch(/sql: select n from letters where c = \$1 and n > \$2\n {4}weight: 3\n/)
    expect(await explain('slow.yaml')).toMatchObject({ queries: [{ status: 'measured' }] })
    expect(await explain('--top', '1', '--out', 'slow.yaml')).toMatchObject({
      exit_code: 2,
      error: { code: 'FILE_EXISTS', hint: 'write over it: --force' },
    })
    expect(await explain('--top', '1', '--out', 'slow.yaml', '--force')).toMatchObject({ exit_code: 0 })
    const query = ['--query', 'select n from letters where c = $1 and n = any ($2)']
    expect(await explain(...query, '--param', 'b', '--param', '[1, 21, 41]')).toMatchObject({
      queries: [{ status: 'measured', after: { rows: 3 } }],
    })
    expect(await explain(...query, '--param', 'b')).toMatchObject({
      queries: [{ status: 'refused', reason: 'the query has 2 parameters, params give (default) 1' }],
    })
    expect(await explain('slow.yaml', '--param', 'b')).toMatchObject({ error: { code: 'BAD_OPTION' } })
    expect(await explain('slow.yaml', '--out', 'x.yaml')).toMatchObject({ error: { code: 'BAD_OPTION' } })
  } finally {
    await sql.end({ timeout: 2 })
  }
})

test('values that give about as many rows as a call did, and nothing of perfdb among the statements', async () => {
  const url = state.server?.url ?? ''
  const sql = postgres(url, { max: 1, onnotice: () => undefined })
  try {
    // 18,000 rows of a, 1,600 of b, 20 values of 20 rows each.
    await sql.unsafe(`create extension if not exists pg_stat_statements; create table skewed as select n, 'x' as f,
      case when n <= 18000 then 'a' when n <= 19600 then 'b' else 'c' || n % 20 end as c from generate_series(1, 20000) as g (n);
      analyze skewed; select pg_stat_statements_reset()`)
    for (let run = 0; run < 3; run += 1) await sql.unsafe(`select n from skewed where c = 'b'`)
    await using session = await openSession(url)
    const { queries, counts, findings } = await topQueries(session, 1, 'total', false)
    const result = await runExplain(session, queries, { samples: 1, allowWrites: false, counts, findings })
    const rows = result.queries.map(({ params, after }) => [params, after?.rows])
    expect(rows).toEqual([['near', 1600]])
    expect(result.findings.map(({ code }) => code)).not.toContain('VALUES_DIFFER')
    // Of a pattern, as much as gives about the 10 rows of a call by the estimate; eight letters would give half of the table.
    await sql.unsafe(`create table numbered as select n, 'J-2022-' || lpad(n::text, 5, '0') as number from generate_series(1, 20000) as g (n);
      analyze numbered; select pg_stat_statements_reset()`)
    for (let run = 0; run < 3; run += 1) await sql.unsafe(`select n from numbered where number like 'J-2022-0001%'`)
    const patterns = await topQueries(session, 1, 'total', false)
    const like = await runExplain(session, patterns.queries, {
      samples: 1,
      allowWrites: false,
      counts: patterns.counts,
    })
    expect(like.queries.map(({ params, after }) => [params, after?.rows])).toEqual([['near', 100]])
    await sql.unsafe('drop table numbered')
    // No value of the statistics is like those of the calls: what its rows say is not said.
    await sql.unsafe('select pg_stat_statements_reset()')
    for (let run = 0; run < 3; run += 1) await sql.unsafe(`select n from skewed where f like 'zz%'`)
    const other = await topQueries(session, 1, 'total', false)
    const differing = await runExplain(session, other.queries, { samples: 1, allowWrites: false, counts: other.counts })
    expect(differing.findings).toMatchObject([
      { code: 'VALUES_DIFFER', message: expect.stringContaining('a call gave 0 rows on average') },
    ])
    expect(differing.queries.flatMap((query) => query.findings).map(({ code }) => code)).not.toContain('SEQ_SCAN_OK')
    const own = await sql`select query from pg_stat_statements where query like '%perfdb%' and query not like '%own%'
      and dbid = (select oid from pg_database where datname = current_database())`
    expect(own.map(({ query }) => String(query)).filter((query) => !query.includes('pg_backend_pid'))).toEqual([])
  } finally {
    await sql.end({ timeout: 2 })
  }
})

test('a database without the extension', async () => {
  await using database = await testDatabase()
  await using session = await openSession(database.url)
  await expect(topQueries(session, 5, 'total', false)).rejects.toMatchObject({
    code: 'NO_EXTENSION',
    hint: "create extension pg_stat_statements, with shared_preload_libraries = 'pg_stat_statements'",
  })
})

test.each([
  ['select interval $1', 'select cast($1 as interval)'],
  ['select $3, interval $2 day to second, $3', 'select $1, cast($2 as interval day to second), $1'],
  ['select extract($1 from x), $2', 'select extract(epoch from x), $1'],
  ['select a from t where a in ($1 /*, ... */)', 'select a from t where a in ($1 /*, ... */)'],
  [`select '$9', date $1 from "interval $2"`, `select '$9', cast($1 as date) from "interval $2"`],
])('%s', (text, repaired) => {
  expect(repairedStatement(text)).toBe(repaired)
})
