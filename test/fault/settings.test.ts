import { expect, test } from 'vitest'
import { apply, plan, status } from '../support/apply.js'
import { testDatabase, type TestDatabase } from '../support/database.js'
import { intercepted, once } from '../support/intercept.js'
import { snapshot } from '../support/leftover.js'
import { profileOf } from '../support/profile.js'
import { testRole } from '../support/roles.js'
import { inPhase, slowIndex, slowTable, until } from '../support/slow.js'

/** What a role or a database may have been given by others, each of which would change what a build does. */
const hostile = {
  statement_timeout: '300ms',
  lock_timeout: '100ms',
  idle_session_timeout: '400ms',
  idle_in_transaction_session_timeout: '400ms',
  transaction_timeout: '400ms',
  datestyle: 'SQL, DMY',
  intervalstyle: 'sql_standard',
  timezone: 'Asia/Tokyo',
  search_path: 'trap, public',
  quote_all_identifiers: 'on',
  default_transaction_isolation: 'serializable',
  client_min_messages: 'error',
  synchronous_commit: 'off',
  standard_conforming_strings: 'off',
  extra_float_digits: '0',
  bytea_output: 'escape',
} as const

/** Sets what the server knows of these for the database; the new connections of perfdb meet it. */
async function hostileDatabase(db: TestDatabase, settings: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, value] of Object.entries(settings)) {
    const known = await db.sql`select 1 from pg_settings where lower(name) = ${name}`
    const text = name === 'search_path' ? value : `'${value}'`
    if (known.length > 0) await db.sql.unsafe(`alter database ${db.name} set ${name} = ${text}`)
  }
}

test.each([
  ['3', 'statement_timeout'],
  ['29', 'transaction_timeout'],
] as const)('fault %s: %s of the database does not end a build that takes longer', async (_, name) => {
  await using db = await testDatabase(slowTable(100, 12))
  await hostileDatabase(db, { [name]: hostile[name] })
  const { result } = await apply(db.url, await profileOf([slowIndex]))
  expect(result).toMatchObject({ exit_code: 0, steps: [{ outcome: 'built', state: 'valid' }] })
  expect(result.steps[0]?.duration_ms).toBeGreaterThan(1000)
})

test('fault 30: idle_session_timeout of the database does not end the session that holds the run lock', async () => {
  await using db = await testDatabase('create table t (a int)')
  await hostileDatabase(db, { idle_session_timeout: hostile.idle_session_timeout })
  const idle = once(
    'watchdog',
    /^insert into "perfdb"."runs"/,
    () => new Promise((resolve) => setTimeout(resolve, 1200)),
  )
  const { result } = await apply(db.url, await profileOf(['{ name: i, table: t, keys: [a] }']), {
    connect: intercepted(db.url, idle),
    ledger: true,
  })
  expect(result).toMatchObject({ exit_code: 0, steps: [{ outcome: 'built' }] })
})

test('fault 4: lock_timeout of the role does not throw away a build that waits at its end', async () => {
  await using db = await testDatabase('create table t (a int)')
  await using role = await testRole(db, 'superuser')
  await db.sql.unsafe(`alter role ${role.name} set lock_timeout = '100ms'`)
  await using holder = await snapshot(db.sql)
  const running = apply(role.url, await profileOf(['{ name: i, table: t, keys: [a] }']), { retries: 0 })
  await until('the build waits', inPhase(db.sql, 'waiting for old snapshots'))
  await new Promise((resolve) => setTimeout(resolve, 500))
  await holder.end()
  expect((await running).result).toMatchObject({ exit_code: 0, steps: [{ outcome: 'built' }] })
})

test('fault 70: with every hostile setting at once the build is right, and the next plan is all keep', async () => {
  await using db = await testDatabase(`${slowTable(60, 12)}
    create schema trap; create table trap.t (a int, b int, c text); create function trap.lower(text) returns text language sql immutable as 'select null::text';`)
  await hostileDatabase(db, hostile)
  const profiles = await profileOf([
    slowIndex,
    '{ name: i_lower, table: t, keys: [{ expression: lower(c) }, { column: a, order: desc }], where: b > 0 }',
  ])
  const { result } = await apply(db.url, profiles, { ledger: true })
  expect(result.exit_code).toBe(0)
  expect((await plan(db.url, profiles)).steps.map((step) => step.step)).toEqual(['keep', 'keep'])
  expect(await db.sql`select tablename, indexdef from pg_indexes where indexname = 'i_lower'`).toEqual([
    {
      tablename: 't',
      indexdef: 'CREATE INDEX i_lower ON public.t USING btree (lower(c), a DESC) WHERE (b > 0)',
    },
  ])
})

test('fault 57: day and month of the ledger are not exchanged', async () => {
  await using db = await testDatabase('create table t (a int)')
  await hostileDatabase(db, hostile)
  const profiles = await profileOf(['{ name: i, table: t, keys: [a] }'])
  await apply(db.url, profiles, { ledger: true })
  // A day that is a month too: exchanged it would come out as 3 May, and nobody would notice.
  await db.sql`update perfdb.runs set started_at = '2026-03-05 10:00:00+00', finished_at = '2026-03-05 10:00:01.5+00'`
  expect((await status(db.url)).runs).toMatchObject([
    { started_at: '2026-03-05T10:00:00.000Z', finished_at: '2026-03-05T10:00:01.500Z' },
  ])
})

test('fault 71: what a build and the ledger commit is on disk: synchronous_commit is on in both sessions', async () => {
  await using db = await testDatabase('create table t (a int)')
  await hostileDatabase(db, hostile)
  const seen = new Map<string, string>()
  const connect = intercepted(db.url, async (role, text, session) => {
    if (seen.has(role) || !/create index concurrently|insert into "perfdb"/.test(text)) return
    seen.set(role, 'asked')
    const [row] = await session.query<{ value: string }>(
      "select pg_catalog.current_setting('synchronous_commit') as value",
    )
    seen.set(role, row?.value ?? '')
  })
  const { result } = await apply(db.url, await profileOf(['{ name: i, table: t, keys: [a] }']), {
    connect,
    ledger: true,
  })
  expect(result.exit_code).toBe(0)
  expect(Object.fromEntries(seen)).toEqual({ ddl: 'on', watchdog: 'on' })
})

test('fault 65: a database that is read-only by default is refused before anything is tried, with the command that changes it', async () => {
  await using db = await testDatabase('create table t (a int)')
  await hostileDatabase(db, { default_transaction_read_only: 'on' })
  await expect(apply(db.url, await profileOf(['{ name: i, table: t, keys: [a] }']))).rejects.toMatchObject({
    code: 'READ_ONLY',
    hint: expect.stringContaining('reset default_transaction_read_only'),
  })
  expect((await plan(db.url, await profileOf(['{ name: i, table: t, keys: [a] }']))).steps).toMatchObject([
    { step: 'create' },
  ])
})
