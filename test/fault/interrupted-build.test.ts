import { expect, test } from 'vitest'
import { apply, plan } from '../support/apply.js'
import { testDatabase, type TestDatabase } from '../support/database.js'
import { profileOf } from '../support/profile.js'
import { inPhase, invalidIndexes, slowIndex, slowTable, until } from '../support/slow.js'

const phases = ['building index', 'waiting for writers before build', 'waiting for old snapshots'] as const

/** Somebody who makes the build stop in that phase until disposed. */
async function holding(db: TestDatabase, phase: (typeof phases)[number]): Promise<AsyncDisposable> {
  const connection = await db.sql.reserve()
  if (phase === 'waiting for writers before build')
    await connection`begin`.then(() => connection`insert into t values (0)`)
  if (phase === 'waiting for old snapshots')
    await connection`begin isolation level repeatable read`.then(() => connection`select 1`)
  return {
    async [Symbol.asyncDispose]() {
      await connection`rollback`.catch(() => undefined)
      connection.release()
    },
  }
}

test.each(phases)(
  'fault 2: a signal while %s cancels the build, drops what it left, and the next run finishes',
  async (phase) => {
    await using db = await testDatabase(slowTable(150, 10))
    const profiles = await profileOf([slowIndex, '{ name: i_zother, table: t, keys: [b], where: b > 5 }'])
    const abort = new AbortController()
    {
      await using holder = await holding(db, phase)
      const running = apply(db.url, profiles, {
        signal: abort.signal,
        signalName: () => (abort.signal.aborted ? 'SIGINT' : undefined),
      })
      await until(phase, inPhase(db.sql, phase))
      abort.abort()
      // A reader of the table lets the clean-up wait (fault 31): only a writer or a snapshot that began before does.
      await until('the build is cancelled', async () => !(await inPhase(db.sql, phase)()))
      if (phase.startsWith('waiting')) await holder[Symbol.asyncDispose]()
      const { result } = await running
      expect(result.exit_code).toBe(130)
      const outcomes = new Map(result.steps.map((step) => [step.index, step.outcome]))
      expect([...outcomes.values()].filter((outcome) => outcome === 'failed')).toHaveLength(1)
      expect(await invalidIndexes(db.sql)).toEqual([])
    }
    expect((await apply(db.url, profiles)).result.exit_code).toBe(0)
    expect((await plan(db.url, profiles)).steps.map((step) => step.step)).toEqual(['keep', 'keep'])
  },
)

test('fault 5: a terminated backend is told, its leftover is dropped, the rest is not reached, and the next run finishes', async () => {
  await using db = await testDatabase(slowTable(150, 10))
  const profiles = await profileOf([slowIndex, '{ name: i_zother, table: t, keys: [b], where: b > 5 }'])
  const running = apply(db.url, profiles)
  await until('build', inPhase(db.sql, 'building index'))
  await db.sql`select pg_terminate_backend(pid) from pg_stat_progress_create_index where datname = current_database()`
  const { result } = await running
  expect(result.exit_code).toBe(3)
  expect(result.steps).toMatchObject([
    { index: 'i_slow', outcome: 'failed', state: 'missing', error: { code: 'CONNECTION_LOST' } },
    { index: 'i_zother', outcome: 'not_reached' },
  ])
  expect(await invalidIndexes(db.sql)).toEqual([])
  expect((await apply(db.url, profiles)).result.exit_code).toBe(0)
})

test('fault 16: a build behind an old snapshot names pid, application, user, age and query, and ends well when it is gone', async () => {
  await using db = await testDatabase('create table t (a int); create table other (a int)')
  const profiles = await profileOf(['{ name: i, table: t, keys: [a] }'])
  await using holder = await holding(db, 'waiting for old snapshots')
  const blockers: string[] = []
  const running = apply(db.url, profiles, {
    onEvent: (event) => {
      if (event.type === 'step-progress' && event.blocker !== null) blockers.push(`${event.phase}: ${event.blocker}`)
    },
  })
  await until('a blocker is told', () => blockers.length > 0)
  await holder[Symbol.asyncDispose]()
  expect((await running).result.exit_code).toBe(0)
  expect(blockers[0]).toMatch(
    /^waiting for old snapshots: pid \d+, .*user postgres, idle in transaction, for \d+ s: select 1/,
  )
})

test('fault 4: a wait without progress ends after --max-wait, names who is in the way, and leaves nothing', async () => {
  await using db = await testDatabase('create table t (a int)')
  const profiles = await profileOf(['{ name: i, table: t, keys: [a] }'])
  const holder = await holding(db, 'waiting for old snapshots')
  const { result } = await apply(db.url, profiles, { maxWaitMs: 1500, retries: 0 })
  await holder[Symbol.asyncDispose]()
  expect(result.exit_code).toBe(3)
  expect(result.steps).toMatchObject([
    { outcome: 'failed', error: { code: 'BLOCKED', detail: expect.stringMatching(/it waited for pid \d+/) } },
  ])
  // DROP INDEX CONCURRENTLY of an invalid index does not wait for a snapshot that never touched the table.
  expect(await invalidIndexes(db.sql)).toEqual([])
})

test('fault 18: a prepared transaction in the way is named by its gid', async () => {
  await using db = await testDatabase('create table t (a int)')
  const profiles = await profileOf(['{ name: i, table: t, keys: [a] }'])
  const connection = await db.sql.reserve()
  await connection`begin`
  await connection`insert into t values (1)`
  await connection.unsafe(`prepare transaction 'gid of ${db.name}'`)
  connection.release()
  const { result } = await apply(db.url, profiles, { maxWaitMs: 1500, retries: 0 })
  await db.sql.unsafe(`rollback prepared 'gid of ${db.name}'`)
  expect(result.steps).toMatchObject([
    {
      outcome: 'failed',
      error: { code: 'BLOCKED', detail: expect.stringContaining(`prepared transaction gid of ${db.name}`) },
    },
  ])
})
