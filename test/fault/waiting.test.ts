import { expect, test } from 'vitest'
import type { RunEvent } from '../../src/build/events.js'
import { apply, blockersOf, plan, warnings } from '../support/apply.js'
import { lookAt } from '../../src/build/look.js'
import { connectTo } from '../support/connect.js'
import { testDatabase, type TestDatabase } from '../support/database.js'
import { openTransaction, snapshot, writer } from '../support/leftover.js'
import { profileOf } from '../support/profile.js'
import { testRole } from '../support/roles.js'
import { gatedTable, inPhase, invalidIndexes, openGate, slowIndex, until } from '../support/slow.js'

const tables =
  'create table t (a int, b int); create table other (a int); insert into t select n, n from generate_series(1, 100) n;'

test('fault 16: readers, and writers of other tables, are not waited for', async () => {
  await using db = await testDatabase(tables)
  await using reader = await openTransaction(db.sql, 'begin', 'select count(*) from t')
  await using other = await openTransaction(db.sql, 'begin', 'insert into other values (1)')
  const { result, events } = await apply(db.url, await profileOf(['{ name: i, table: t, keys: [a] }']), {
    maxWaitMs: 5000,
  })
  expect(result.exit_code).toBe(0)
  expect(blockersOf(events)).toEqual([])
  await Promise.all([reader.end(), other.end()])
})

test('fault 16: the snapshot of the very look at a build is nobody that it waits for', async () => {
  await using db = await testDatabase(tables)
  await using watchdog = await connectTo(db.url, 'watchdog')
  const look = await watchdog.rolledBack({ readOnly: true, isolation: 'repeatable read' }, async () => {
    await watchdog.query('select 1')
    const building = db.sql.reserve().then(async (connection) => {
      const [own] = await connection`select pg_backend_pid() as pid`
      void connection`create index concurrently i on t (a) where a > 0`.finally(() => connection.release())
      return Number(own?.['pid'])
    })
    const pid = await building
    await until(
      'the wait',
      async () => (await db.sql`select from pg_locks where pid = ${pid} and not granted`).length > 0,
    )
    const [blocked] = await db.sql`select ${watchdog.pid} = any (pg_blocking_pids(${pid})) as waits`
    expect(blocked).toEqual({ waits: true })
    return lookAt(watchdog, pid)
  })
  expect(look).toMatchObject({ waits: false, blockers: null, phase: 'waiting for old snapshots' })
})

test.each([
  ['a writer of the table', 'waiting for writers before build', ['begin', 'insert into t values (0)']],
  [
    'an open cursor',
    'waiting for old snapshots',
    ['begin', 'declare c cursor for select a from other', 'fetch 1 from c'],
  ],
])('fault 16: %s is named while it is waited for', async (_, phase, statements) => {
  await using db = await testDatabase(tables)
  await using holder = await openTransaction(db.sql, ...statements)
  const seen: RunEvent[] = []
  const running = apply(db.url, await profileOf(['{ name: i, table: t, keys: [a] }']), {
    onEvent: (event) => seen.push(event),
  })
  await until('the blocker is told', () => blockersOf(seen).length > 0)
  await holder.end()
  expect((await running).result.exit_code).toBe(0)
  expect(blockersOf(seen)[0]).toMatch(new RegExp(`^${phase}: pid ${holder.pid}, .*, user postgres, .*, for \\d+ s: `))
  expect(blockersOf(seen)[0]).toContain(statements.at(-1))
})

test('fault 17: the phases of a build are told as they come, with their part done', async () => {
  await using db = await testDatabase(gatedTable)
  await using holder = await snapshot(db.sql)
  const seen: RunEvent[] = []
  const running = apply(db.url, await profileOf([slowIndex]), { onEvent: (event) => seen.push(event) })
  await until('the scan is told', () => seen.some(({ type }) => type === 'step-progress'))
  await openGate(db.sql)
  await until('the build waits', () => blockersOf(seen).length > 0)
  await holder.end()
  const progress = (await running).events.filter((event) => event.type === 'step-progress')
  expect([...new Set(progress.map((event) => event.phase))]).toEqual([
    'building index: scanning table',
    'waiting for old snapshots',
  ])
  expect(progress[0]?.percent).toBeTypeOf('number')
})

test('fault 19: a wait for the table lock is a phase of its own, and a vain one leaves nothing', async () => {
  await using db = await testDatabase(tables)
  await using holder = await openTransaction(db.sql, 'begin', 'lock table t in share update exclusive mode')
  const { result, events } = await apply(db.url, await profileOf(['{ name: i, table: t, keys: [a] }']), {
    maxWaitMs: 900,
    retries: 0,
  })
  expect(blockersOf(events)[0]).toMatch(new RegExp(`^waiting for table lock: pid ${holder.pid}, `))
  expect(result.steps).toMatchObject([{ outcome: 'failed', error: { code: 'BLOCKED' } }])
})

test('fault 20: two declared on one table are built one after the other, and both after a build of somebody else', async () => {
  await using db = await testDatabase(gatedTable)
  const foreign = db.sql
    .unsafe('create index concurrently foreign_one on t (public.slow(a))')
    .then(() => 'built', String)
  await until('the other build', inPhase(db.sql, 'building index'))
  const profiles = await profileOf(['{ name: i, table: t, keys: [a] }', '{ name: j, table: t, keys: [b] }'])
  const seen: RunEvent[] = []
  const running = apply(db.url, profiles, { onEvent: (event) => seen.push(event) })
  await until('perfdb waits', () => blockersOf(seen).length > 0)
  await openGate(db.sql)
  const { result, events } = await running
  expect(await foreign).toBe('built')
  expect(result.steps.map((step) => step.outcome)).toEqual(['built', 'built'])
  expect(blockersOf(events)[0]).toMatch(/^waiting for another build: pid \d+ .* builds foreign_one on the same table$/)
  expect(warnings(events)).toEqual([])
  expect(await invalidIndexes(db.sql)).toEqual([])
})

test('fault 21: ANALYZE queued behind a build is told, and the build that it kills at its end is cleaned up and done again', async () => {
  await using db = await testDatabase(gatedTable)
  const seen: RunEvent[] = []
  const running = apply(db.url, await profileOf([slowIndex]), { onEvent: (event) => seen.push(event) })
  await until('the build', inPhase(db.sql, 'building index'))
  const analyzed = db.sql`analyze t`.execute()
  await until('perfdb tells it', () => warnings(seen).length > 0)
  // The one that comes to wait later is killed: the build.
  await until('ANALYZE has looked for a deadlock', async () => {
    const waits = await db.sql`select from pg_locks l join pg_database d on d.oid = l.database
      where d.datname = current_database() and l.waitstart < now() - 1.5 * current_setting('deadlock_timeout')::interval`
    return waits.length > 0
  })
  await openGate(db.sql)
  const { result, events } = await running
  await analyzed
  expect(result).toMatchObject({ exit_code: 0, steps: [{ outcome: 'built', state: 'valid' }] })
  const told = warnings(events)
  expect(told[0]).toMatch(/^queued behind the build of i_slow, .*: pid \d+, .*analyze t$/)
  expect(told[1]).toMatch(/deadlock detected; trying again \(1 of 2\)$/)
  expect(await invalidIndexes(db.sql)).toEqual([])
})

test('fault 21: cancel-waiter ends the statement that is queued, and the build goes on', async () => {
  await using db = await testDatabase(gatedTable)
  const running = apply(db.url, await profileOf([slowIndex]), { onQueue: 'cancel-waiter' })
  await until('the build', inPhase(db.sql, 'building index'))
  await expect(db.sql`analyze t`).rejects.toMatchObject({ code: '57014' })
  await openGate(db.sql)
  const { result, events } = await running
  expect(result).toMatchObject({ exit_code: 0, steps: [{ outcome: 'built' }] })
  expect(warnings(events)).toEqual([
    expect.stringMatching(/^queued behind the build of i_slow, .*analyze t \(cancel-waiter\)$/),
  ])
})

test('fault 21: a queued statement of a role that may not be touched is told, and the build stays watched', async () => {
  await using db = await testDatabase(gatedTable)
  await using role = await testRole(db)
  await db.sql.unsafe(
    `alter table t owner to ${role.name}; grant create on schema public to ${role.name}; grant pg_monitor to ${role.name}`,
  )
  await using holder = await openTransaction(db.sql, 'begin', 'insert into t values (0)')
  const seen: RunEvent[] = []
  const running = apply(role.url, await profileOf(['{ name: i, table: t, keys: [a] }']), {
    onQueue: 'cancel-waiter',
    maxWaitMs: 5000,
    onEvent: (event) => seen.push(event),
  })
  await until('the build waits', inPhase(db.sql, 'waiting for writers'))
  const analyzed = db.sql`analyze t`.execute()
  const { result } = await running
  await Promise.all([holder.end(), analyzed])
  // Its patience is what the watchdog sees to; the writer is in the way of the clean-up too.
  expect(result.steps).toMatchObject([{ outcome: 'failed', error: { code: 'BLOCKED' } }])
  const [queued, refused, ...more] = warnings(seen)
  expect(queued).toMatch(/^queued behind the build of i, /)
  expect(refused).toMatch(/^the statement of pid \d+ could not be cancelled: /)
  expect(more).toEqual(['the invalid public.i could not be dropped: i waited 5 s without progress'])
})

test('fault 21: a policy for queued statements that the role would not see is told to do nothing', async () => {
  await using db = await testDatabase(tables)
  await using role = await testRole(db)
  await db.sql.unsafe(`alter table t owner to ${role.name}; grant create on schema public to ${role.name}`)
  const { result, events } = await apply(role.url, await profileOf(['{ name: i, table: t, keys: [a] }']), {
    onQueue: 'cancel-build',
  })
  expect(result.exit_code).toBe(0)
  expect(warnings(events)).toEqual([
    '--on-queue cancel-build does nothing about statements of other roles: to see them takes pg_monitor',
  ])
})

test('fault 21: cancel-build makes way for the statement that is queued, and builds again', async () => {
  await using db = await testDatabase(gatedTable)
  const running = apply(db.url, await profileOf([slowIndex]), { onQueue: 'cancel-build' })
  await until('the build', inPhase(db.sql, 'building index'))
  await db.sql`analyze t`
  await openGate(db.sql)
  const { result, events } = await running
  expect(result).toMatchObject({ exit_code: 0, steps: [{ outcome: 'built', state: 'valid' }] })
  expect(warnings(events)).toEqual([
    expect.stringMatching(/^queued behind the build of i_slow, .*analyze t \(cancel-build\)$/),
    expect.stringMatching(/made way for a statement queued behind it; trying again \(1 of 2\)$/),
  ])
  expect(await invalidIndexes(db.sql)).toEqual([])
})

test("fault 22: perfdb's own ANALYZE waits in small pieces and does not kill a build of somebody else", async () => {
  await using db = await testDatabase(`${tables} create table mine (a int)`)
  await using holder = await writer(db.sql, 'insert into t values (0)')
  const foreign = db.sql.unsafe('create index concurrently foreign_one on t (a)').then(() => 'built', String)
  await until('the other build waits', inPhase(db.sql, 'waiting for writers before build'))
  const running = apply(db.url, await profileOf(['{ name: i, table: mine, keys: [a] }'], 'analyze: [t]\n'))
  await until('ANALYZE waits', () => analyzeWaits(db))
  // Longer than deadlock_timeout: then it is the build that dies when it comes to wait for ANALYZE.
  await new Promise((resolve) => setTimeout(resolve, 1500))
  await holder.end()
  expect(await foreign).toBe('built')
  expect((await running).result).toMatchObject({
    exit_code: 0,
    analyzed: [
      { table: 'public.mine', ok: true },
      { table: 'public.t', ok: true },
    ],
  })
})

async function analyzeWaits(db: TestDatabase): Promise<boolean> {
  const rows = await db.sql`select 1 from pg_stat_activity where datname = current_database()
    and application_name = 'perfdb ddl' and query like '%analyze%' and wait_event_type = 'Lock'`
  return rows.length > 0
}

test('fault 23: a second apply is refused while the first builds, or waits by asking again, and harms nothing', async () => {
  await using db = await testDatabase(gatedTable)
  const profiles = await profileOf([slowIndex])
  const first = apply(db.url, profiles)
  await until('the build', inPhase(db.sql, 'building index'))
  await expect(apply(db.url, profiles)).rejects.toMatchObject({
    code: 'LOCK_HELD',
    message: expect.stringMatching(/pid \d+$/),
    detail: expect.stringContaining('perfdb ddl'),
  })
  const seen: RunEvent[] = []
  const second = apply(db.url, profiles, { lockWaitMs: 30_000, onEvent: (event) => seen.push(event) })
  await until('the second waits', () => seen.some((event) => event.type === 'warning'))
  // It asks and lets go: a session that waits inside pg_advisory_lock holds a snapshot, and kills the build.
  for (let look = 0; look < 10; look += 1)
    expect(
      await db.sql`select pid from pg_locks join pg_database d on d.oid = database
      where locktype = 'advisory' and not granted and datname = current_database()`,
    ).toHaveLength(0)
  await openGate(db.sql)
  expect((await first).result.steps).toMatchObject([{ outcome: 'built' }])
  expect((await second).result.steps).toMatchObject([{ outcome: 'kept' }])
  expect(warnings(seen)).toHaveLength(1)
})

test('fault 24: while a build runs perfdb itself holds no transaction open', async () => {
  await using db = await testDatabase(gatedTable)
  const profiles = await profileOf([slowIndex], 'queries: [{ name: q, sql: select count(*) from t where b = 5 }]\n')
  const running = apply(db.url, profiles, { ledger: true, measure: true, samples: 3 })
  await until('the build', inPhase(db.sql, 'building index'))
  for (let look = 0; look < 20; look += 1) {
    const open = await db.sql`select application_name, state, query from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid() and application_name <> 'perfdb ddl'
        and state <> 'active' and (xact_start is not null or backend_xmin is not null)`
    expect([...open]).toEqual([])
  }
  await openGate(db.sql)
  expect((await running).result.exit_code).toBe(0)
})

test('fault 25: what the application asks for meanwhile is not held up by a build that waits', async () => {
  await using db = await testDatabase(tables)
  await using holder = await writer(db.sql, 'insert into t values (0)')
  const running = apply(db.url, await profileOf(['{ name: i, table: t, keys: [a] }']))
  await until('the build waits', inPhase(db.sql, 'waiting for writers before build'))
  await db.sql.begin(async (sql) => {
    await sql`set local lock_timeout = '2s'`
    await sql`insert into t values (1)`
    await sql`select count(*) from t`
    await sql`update t set b = 0 where a = 1`
  })
  await holder.end()
  expect((await running).result.exit_code).toBe(0)
})

test('fault 26: a VACUUM by hand is waited for, and named', async () => {
  await using db = await testDatabase(tables)
  // What VACUUM holds for as long as it runs.
  await using vacuum = await openTransaction(db.sql, 'begin', 'lock table t in share update exclusive mode')
  const seen: RunEvent[] = []
  const running = apply(db.url, await profileOf(['{ name: i, table: t, keys: [a] }']), {
    onEvent: (event) => seen.push(event),
  })
  await until('it is named', () => blockersOf(seen).some((text) => text.includes(`pid ${vacuum.pid}`)))
  await vacuum.end()
  expect((await running).result.exit_code).toBe(0)
})

test('fault 80: a measurement under way is only waited for', async () => {
  await using db = await testDatabase(tables)
  await using holder = await snapshot(db.sql)
  const seen: RunEvent[] = []
  const profiles = await profileOf(['{ name: i, table: t, keys: [a] }'])
  const running = apply(db.url, profiles, { onEvent: (event) => seen.push(event) })
  await until('the blocker is told', () => blockersOf(seen).length > 0)
  await holder.end()
  await running
  expect((await plan(db.url, profiles)).steps).toMatchObject([{ step: 'keep' }])
})
