import { expect, test } from 'vitest'
import { openLedger } from '../../src/ledger/records/history.js'
import { runLockKey } from '../../src/server/session/lock.js'
import { apply, status } from '../support/apply.js'
import { connectTo } from '../support/connect.js'
import { testDatabase } from '../support/database.js'
import { intercepted } from '../support/intercept.js'
import { olderLedger } from '../support/ledger.js'
import { profileOf } from '../support/profile.js'

const table = 'create table t (a int, b int); insert into t select n, n from generate_series(1, 50) n;'

test('fault 72: a step is in the ledger before its first statement, and done in it after the last', async () => {
  await using db = await testDatabase(table)
  const seen: unknown[] = []
  const connect = intercepted(db.url, async (role, text) => {
    if (role === 'ddl' && text.startsWith('create index concurrently'))
      seen.push(
        (await db.sql`select number, state, index_name from perfdb.steps order by number`).map((row) =>
          Object.values(row),
        ),
      )
  })
  const profiles = await profileOf(['{ name: i, table: t, keys: [a] }', '{ name: j, table: t, keys: [b] }'])
  expect((await apply(db.url, profiles, { connect, ledger: true })).result.exit_code).toBe(0)
  expect(seen).toEqual([
    [[1, 'started', 'i']],
    [
      [1, 'done', 'i'],
      [2, 'started', 'j'],
    ],
  ])
})

test('fault 72: an index that the ledger calls done and that is not there is missing all the same', async () => {
  await using db = await testDatabase(table)
  const profiles = await profileOf(['{ name: i, table: t, keys: [a] }'])
  await apply(db.url, profiles, { ledger: true })
  await db.sql`drop index i`
  expect((await apply(db.url, profiles, { ledger: true })).result.steps).toMatchObject([
    { step: 'create', outcome: 'built' },
  ])
})

test('fault 73: five runs at once in a new database: one builds, the others wait and find nothing to do', async () => {
  await using db = await testDatabase(table)
  const profiles = await profileOf(['{ name: i, table: t, keys: [a] }', '{ name: j, table: t, keys: [b] }'])
  const runs = await Promise.all(
    Array.from({ length: 5 }, () => apply(db.url, profiles, { ledger: true, lockWaitMs: 30_000 })),
  )
  expect(runs.map(({ result }) => result.exit_code)).toEqual([0, 0, 0, 0, 0])
  const outcomes = runs.map(({ result }) => result.steps.map((step) => step.outcome).join())
  expect(outcomes.toSorted()).toEqual(['built,built', ...Array<string>(4).fill('kept,kept')])
  expect((await status(db.url)).runs).toHaveLength(1)
})

test('fault 73: the ledger is made by several at once without an error', async () => {
  await using db = await testDatabase()
  const sessions = await Promise.all(Array.from({ length: 5 }, () => connectTo(db.url, 'ledger')))
  try {
    await Promise.all(sessions.map((session) => openLedger(session)))
    expect(await db.sql`select name from perfdb.migrations`).toHaveLength(4)
    // And brought up to date from that of an older version.
    await olderLedger(db.sql)
    await Promise.all(sessions.map((session) => openLedger(session)))
    expect(await db.sql`select name from perfdb.migrations`).toHaveLength(4)
  } finally {
    await Promise.all(sessions.map((session) => session[Symbol.asyncDispose]()))
  }
})

test('fault 74: locks of other tools are no locks of perfdb', async () => {
  await using db = await testDatabase(table)
  const [space, key] = runLockKey
  const other = await db.sql.reserve()
  // The same numbers in the form of one bigint, another lock of the same space, and what migrators use.
  await other`select pg_advisory_lock(${String((BigInt(space) << 32n) + BigInt(key))}::bigint), pg_advisory_lock(${space}, ${key + 1}), pg_advisory_lock(72707369), pg_advisory_lock(1)`
  const { result } = await apply(db.url, await profileOf(['{ name: i, table: t, keys: [a] }']))
  other.release()
  expect(result.exit_code).toBe(0)
})

test('fault 72: a run is not called interrupted while its session lives', async () => {
  await using db = await testDatabase()
  await using session = await connectTo(db.url, 'ledger')
  const ledger = await openLedger(session)
  const run = await ledger.startRun({
    command: 'apply',
    perfdbVersion: '0',
    profiles: [],
    profileNames: [],
    fingerprint: '',
    backendPid: session.pid,
  })
  expect((await status(db.url)).findings).toEqual([])
  expect((await status(db.url)).runs).toMatchObject([{ run, outcome: 'not finished' }])
})
