import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import postgres from 'postgres'
import { runExplain } from '../../src/commands/explain/explain.js'
import { readStatements } from '../../src/commands/explain/explain-statements.js'
import { explainResult } from '../../src/result/documents/result.js'
import { openSession } from '../measure/open-session.js'
import { shop } from '../measure/shop.js'
import { perfdbHere } from '../cli/perfdb.js'
import { ownServer, type OwnServer } from '../support/server.js'
import { until } from '../support/slow.js'

/** The server, with what dies with it. */
const state: { server?: OwnServer; folder?: string } = {}

beforeAll(async () => {
  state.server = await ownServer({ shared_preload_libraries: 'pg_stat_statements' })
  state.folder = await mkdtemp(join(tmpdir(), 'perfdb-since-'))
})

afterAll(async () => {
  await state.server?.[Symbol.asyncDispose]()
  await rm(state.folder ?? '', { recursive: true, force: true })
})

interface Shop extends AsyncDisposable {
  readonly url: string
  readonly sql: postgres.Sql
  readonly file: string
  /** Saves the snapshot of now. */
  readonly keep: () => Promise<readonly string[]>
  /** What happened since, as `CODE`s of findings, messages and names of queries. */
  readonly since: (top?: number, by?: 'total' | 'calls' | 'mean' | 'io') => ReturnType<typeof readStatements>
}

/** A database of its own with the shop and the extension; snapshots go to a file of its own. */
async function aShop(name: string, more = '', base = state.server?.url ?? ''): Promise<Shop> {
  const admin = postgres(base, { max: 1, onnotice: () => undefined })
  await admin.unsafe(`drop database if exists ${name} with (force)`)
  await admin.unsafe(`create database ${name}`)
  await admin.end({ timeout: 2 })
  const url = new URL(base)
  url.pathname = `/${name}`
  const sql = postgres(url.href, { max: 1, onnotice: () => undefined })
  await sql.unsafe(`create extension pg_stat_statements; ${shop} ${more}`)
  const file = join(state.folder ?? '', `${name}.json`)
  const read = async (options: Omit<Parameters<typeof readStatements>[1], 'allowWrites' | 'cwd'>) => {
    await using session = await openSession(url.href)
    return await readStatements(session, { ...options, allowWrites: false, cwd: '/' })
  }
  return {
    url: url.href,
    sql,
    file,
    keep: async () => (await read({ saveSnapshot: file })).findings.map(({ code }) => code),
    since: async (top, by) =>
      read({ since: file, ...(top === undefined ? {} : { top }), ...(by === undefined ? {} : { by }) }),
    [Symbol.asyncDispose]: async () => sql.end({ timeout: 2 }),
  }
}

const codes = ({ findings }: Awaited<ReturnType<typeof readStatements>>) => findings.map(({ code }) => code)

/** Pages of jobs, and a lookup for each row of them. */
async function loop(sql: postgres.Sql, pages: number): Promise<void> {
  for (let page = 0; page < pages; page += 1) {
    const jobs = await sql<
      { customer_id: number }[]
    >`select id, customer_id from jobs where id > ${page * 50} order by id limit 50`
    for (const { customer_id } of jobs) await sql`select * from customers where id = ${customer_id}`
  }
}

test('what was called since the snapshot is ranked by the difference, and measured', async () => {
  await using db = await aShop('ranked')
  for (let run = 0; run < 40; run += 1) await db.sql`select status, count(*) from jobs group by status`
  await db.sql`select count(*) from customers`
  expect(await db.keep()).toEqual(['SNAPSHOT'])
  await db.sql`select status, count(*) from jobs group by status`
  for (let run = 0; run < 9; run += 1) await db.sql`select * from customers where name = ${`customer ${run}`}`
  const result = await db.since(5, 'calls')
  expect(result.queries.map(({ name }) => name)).toEqual([
    'select * from customers where name = $1',
    'select status, count(*) from jobs group by status',
  ])
  expect(codes(result)).toEqual(['SINCE'])
  expect((await db.since(1, 'total')).queries.map(({ name }) => name)).toEqual([
    'select status, count(*) from jobs group by status',
  ])
  await using session = await openSession(db.url)
  const explained = await runExplain(session, result.queries, {
    samples: 3,
    allowWrites: false,
    findings: result.findings,
  })
  expect(explained.queries.map(({ status }) => status)).toEqual(['measured', 'measured'])
  expect(explained.findings.map(({ code }) => code)).toContain('SINCE')
  const text = await readFile(db.file, 'utf8')
  expect(text).not.toContain('select')
  expect(JSON.parse(text)).toMatchObject({ version: 1, database: 'ranked' })
})

test.each([
  ['linked by the names of columns', ''],
  ['linked by a foreign key', 'alter table jobs add foreign key (customer_id) references customers'],
])('a lookup for each row of a list is a suspicion: %s', async (_, more) => {
  await using db = await aShop('looped', more)
  await db.keep()
  await loop(db.sql, 6)
  const result = await db.since()
  expect(codes(result)).toEqual(['SINCE', 'N_PLUS_ONE'])
  expect(result.findings[1]).toMatchObject({ severity: 'warning', query: 'select * from customers where id = $1' })
  expect(result.findings[1]?.message).toMatch(
    /^select \* from customers where id = \$1 ran 300 times with 1\.0 rows each: once for each of the 300 rows that select id, customer_id from jobs where .* returned in 6 calls \(within 0 %\)/,
  )
  expect(result.findings[1]?.hint).toContain('id = any ($1)')
})

test('lines of each order: a lookup by a foreign key may give a few rows', async () => {
  await using db = await aShop(
    'lines',
    'create index on jobs (customer_id); alter table jobs add foreign key (customer_id) references customers',
  )
  await db.keep()
  const customers = await db.sql<{ id: number }[]>`select id from customers where id <= 100 order by name`
  // Of 20 jobs a customer those of one half.
  for (const { id } of customers) await db.sql`select id from jobs where customer_id = ${id} and id <= 10000 limit 8`
  expect(codes(await db.since())).toEqual(['SINCE', 'N_PLUS_ONE'])
})

test('the command line keeps a snapshot and tells what happened since', async () => {
  await using db = await aShop('spoken')
  const folder = state.folder ?? ''
  const kept = await perfdbHere(['explain', '--save-snapshot', 'now.json', '--quiet'], {
    cwd: folder,
    environment: { PERFDB_URL: db.url },
  })
  expect(kept).toMatchObject({ code: 0, stdout: expect.stringContaining('now.json holds the counters of') })
  await loop(db.sql, 2)
  const measured = ['explain', '--since', 'now.json', '--top', '1', '--by', 'calls', '--samples', '3']
  const { code, stdout, stderr } = await perfdbHere([...measured, '--format', 'json', '--quiet'], {
    cwd: folder,
    environment: { PERFDB_URL: db.url },
  })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const document = explainResult.parse(JSON.parse(stdout))
  expect(document.queries.map(({ name }) => name)).toEqual(['select * from customers where id = $1'])
  expect(document.findings.map((finding) => finding.code)).toContain('N_PLUS_ONE')
})

test('ordinary work raises no suspicion', async () => {
  await using db = await aShop(
    'ordinary',
    'create table machines (id int primary key, name text); insert into machines select n, n from generate_series(1, 500) n',
  )
  await db.keep()
  for (let run = 0; run < 200; run += 1) {
    await db.sql`select * from customers where id = ${1 + ((run * 7) % 1000)}`
    await db.sql`select * from jobs where id = ${1 + ((run * 13) % 20000)}`
    await db.sql`update jobs set note = 'n' where id = ${run}`
  }
  // As many lookups as the list below has rows, of a table that has nothing to do with jobs.
  for (let run = 0; run < 350; run += 1) await db.sql`select * from machines where id = ${1 + run}`
  // 350 rows of jobs against 200 lookups of customers; 200 rows of jobs, but one a call.
  for (let run = 0; run < 7; run += 1) await db.sql`select id, customer_id, total from jobs order by id limit 50`
  for (let run = 0; run < 4; run += 1) await db.sql`select id from machines order by name limit 45`
  expect(codes(await db.since())).toEqual(['SINCE', 'NOT_MEASURED'])
})

test('a reset, another database, another server, no snapshot', async () => {
  await using db = await aShop('resets')
  for (let run = 0; run < 9; run += 1) await db.sql`select count(*) from jobs`
  await db.keep()
  await db.sql`select pg_stat_statements_reset()`
  await db.sql`select count(*) from jobs`
  const reset = await db.since()
  expect(codes(reset)).toEqual(['SINCE', 'STATEMENTS_RESET'])
  expect(reset.queries.map(({ name }) => name)).toEqual(['select count(*) from jobs'])
  await using other = await aShop('another')
  await using session = await openSession(other.url)
  const read = async (file: string) => readStatements(session, { since: file, allowWrites: false, cwd: '/' })
  await expect(read(db.file)).rejects.toMatchObject({
    code: 'BAD_VALUE',
    message: expect.stringMatching(/of the database resets \(oid \d+\), this is another/),
  })
  await expect(read(join(state.folder ?? '', 'none.json'))).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' })
  await expect(read(import.meta.filename)).rejects.toMatchObject({ code: 'BAD_VALUE' })
})

test('statements thrown away because pg_stat_statements is full', async () => {
  await using server = await ownServer({
    shared_preload_libraries: 'pg_stat_statements',
    'pg_stat_statements.max': '100',
  })
  await using db = await aShop('evicted', '', server.url)
  await db.keep()
  for (let columns = 1; columns < 150; columns += 1)
    await db.sql.unsafe(`select ${'id, '.repeat(columns)}id from jobs where id = 1`)
  const result = await db.since()
  expect(codes(result)).toContain('STATEMENTS_EVICTED')
  expect(result.findings.find(({ code }) => code === 'STATEMENTS_EVICTED')?.hint).toContain('pg_stat_statements.max')
})

test('counters survive a restart and are lost in a crash', { timeout: 120_000 }, async () => {
  const { server } = state
  if (server === undefined) throw new Error('no server')
  await using db = await aShop('restarted')
  for (let run = 0; run < 20; run += 1) await db.sql`select count(*) from jobs`
  await db.keep()
  await db.sql.end({ timeout: 2 })
  await server.stop('fast')
  await server.start()
  const kept = await db.since()
  expect(codes(kept)).toEqual(['SINCE', 'SERVER_RESTARTED'])
  expect(kept.queries).toEqual([])
  const sql = postgres(db.url, { max: 1, onnotice: () => undefined })
  const [backend] = await sql<{ pid: number }[]>`select pg_backend_pid() as pid`
  // The postmaster ends all others then and makes shared memory anew.
  process.kill(backend?.pid ?? 0, 'SIGKILL')
  await until('the server is back', async () =>
    sql`select count(*) from jobs`.then(
      () => true,
      () => false,
    ),
  )
  await sql.end({ timeout: 2 })
  const lost = await db.since()
  expect(codes(lost)).toEqual(['SINCE', 'STATEMENTS_RESET', 'SERVER_RESTARTED'])
  expect(lost.queries.map(({ name }) => name)).toEqual(['select count(*) from jobs'])
})
