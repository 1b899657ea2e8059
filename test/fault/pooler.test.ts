import { expect } from 'vitest'
import postgres from 'postgres'
import { connect } from '../../src/server/connect.js'
import { resolveTarget } from '../../src/server/target/target.js'
import { apply, plan, verify } from '../support/apply.js'
import { connectTo } from '../support/connect.js'
import { testDatabase } from '../support/database.js'
import { flags } from '../support/leftover.js'
import { needing } from '../support/needs.js'
import { pgbouncerBefore, pgbouncerProgram } from '../support/pgbouncer.js'
import { profileOf } from '../support/profile.js'

const test = needing('PgBouncer', pgbouncerProgram !== undefined)
const table = 'create table t (a int, b text); insert into t select n, n from generate_series(1, 500) n;'
const one = ['{ name: i, table: t, keys: [{ expression: lower(b) }], where: a > 5 }']
const modes = ['transaction', 'session', 'statement'] as const

test.each(modes)(
  'fault 58, 60: apply behind PgBouncer in %s mode is refused before anything is done, and no lock is left',
  async (mode) => {
    await using db = await testDatabase(table)
    await using pooler = await pgbouncerBefore(db.url, mode)
    await expect(apply(pooler.url, await profileOf(one), { ledger: true })).rejects.toMatchObject({
      code: 'POOLER',
      hint: expect.stringContaining('PERFDB_DIRECT_URL'),
    })
    expect(await flags(db.sql, 'i')).toBe(undefined)
    expect(await db.sql`select to_regnamespace('perfdb')::text as ledger`).toEqual([{ ledger: null }])
    expect(
      await db.sql`select 1 from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())`,
    ).toHaveLength(0)
  },
)

test.each(['transaction', 'session'] as const)(
  'fault 58, 63: what only looks works behind PgBouncer in %s mode',
  async (mode) => {
    await using db = await testDatabase(table)
    await using pooler = await pgbouncerBefore(db.url, mode)
    const profiles = await profileOf(one)
    expect((await verify(pooler.url, profiles)).findings).toMatchObject([{ code: 'MISSING', index: 'i' }])
    await apply(db.url, profiles)
    expect(await verify(pooler.url, profiles)).toMatchObject({ exit_code: 0, steps: [{ step: 'keep' }] })
    expect((await plan(pooler.url, profiles)).steps).toMatchObject([{ step: 'keep' }])
  },
)

test('fault 63: statement mode, which allows no transaction, is named as what stands in the way', async () => {
  await using db = await testDatabase(table)
  await using pooler = await pgbouncerBefore(db.url, 'statement')
  await expect(verify(pooler.url, await profileOf(one))).rejects.toMatchObject({
    code: 'POOLER',
    detail: expect.stringContaining('statement pooling mode'),
  })
})

test('fault 59: no setting of perfdb stays on a server connection that somebody else uses next', async () => {
  await using db = await testDatabase(table)
  await using pooler = await pgbouncerBefore(db.url, 'transaction', ['server_reset_query ='])
  await using other = client(pooler.url)
  const settings = `select name, setting from pg_settings where source = 'session' order by name`
  const before = await other.sql.unsafe(settings)
  const profiles = await profileOf(one)
  await verify(pooler.url, profiles)
  await using session = await connectTo(pooler.url, 'measure')
  await session.rolledBack({ readOnly: true, statementTimeoutMs: 77, set: { enable_seqscan: 'off' } }, () =>
    session.query('select count(*) from public.t'),
  )
  for (let look = 0; look < 4; look += 1) expect(await other.sql.unsafe(settings)).toEqual(before)
})

test('fault 61: a startup parameter that PgBouncer refuses is told with the way out', async () => {
  await using db = await testDatabase(table)
  await using pooler = await pgbouncerBefore(db.url, 'transaction')
  const target = await resolveTarget({
    url: pooler.url,
    environment: { PGOPTIONS: '-c statement_timeout=5s' },
    home: '/',
  })
  await expect(connect(target, 'look')).rejects.toMatchObject({
    code: 'SETTING_REFUSED',
    message: expect.stringContaining('unsupported startup parameter'),
    hint: expect.stringContaining('PERFDB_DIRECT_URL'),
  })
})

test('fault 61: one that PgBouncer silently ignores is found out where it matters: settings are read back', async () => {
  await using db = await testDatabase(table)
  await using pooler = await pgbouncerBefore(db.url, 'transaction', ['ignore_startup_parameters = options,search_path'])
  const target = await resolveTarget({
    url: pooler.url,
    environment: { PGOPTIONS: '-c statement_timeout=5s' },
    home: '/',
  })
  await using session = await connect(target, 'look')
  expect(await session.query("select current_setting('statement_timeout') as value")).toEqual([{ value: '0' }])
})

test('fault 62: forty looks at once through two server connections all get their answer', async () => {
  await using db = await testDatabase(table)
  await using pooler = await pgbouncerBefore(db.url, 'transaction')
  const profiles = await profileOf(one)
  const answers = await Promise.all(Array.from({ length: 10 }, () => verify(pooler.url, profiles)))
  expect(answers.map((answer) => answer.exit_code)).toEqual(Array<number>(10).fill(1))
  await using session = await connectTo(pooler.url, 'look')
  const rows = await Promise.all(
    Array.from({ length: 30 }, (_, n) =>
      connectTo(pooler.url, 'look').then(async (one) => {
        await using looker = one
        return await looker.query('select $1::int as n', [n])
      }),
    ),
  )
  expect(rows).toHaveLength(30)
  expect(session.pooled).toBe(true)
})

function client(url: string): AsyncDisposable & { readonly sql: postgres.Sql } {
  const sql = postgres(url, { max: 1, prepare: false, onnotice: () => undefined })
  return { sql, [Symbol.asyncDispose]: () => sql.end({ timeout: 1 }) }
}
