import { expect, test } from 'vitest'
import { PerfdbError } from '../../src/errors.js'
import type { Role } from '../../src/server/session/pin.js'
import type { Session } from '../../src/server/session/session.js'
import { apply, plan, status, warnings } from '../support/apply.js'
import { connectTo } from '../support/connect.js'
import { testDatabase, type TestDatabase } from '../support/database.js'
import { intercepted, once } from '../support/intercept.js'
import { profileOf } from '../support/profile.js'
import { proxyBefore } from '../support/network.js'
import { gatedTable, inPhase, invalidIndexes, openGate, slowIndex, slowTable, until } from '../support/slow.js'

const tables = 'create table t (a int, b int); insert into t select n, n from generate_series(1, 100) n;'
const two = ['{ name: i, table: t, keys: [a] }', '{ name: j, table: t, keys: [b] }']

/** Of many: its watchdog is opened when a statement lasts. */
const tenant = { run: 'f-20260131120000-1a2b3c', tenant: 'one', wave: 1 }

async function terminated(db: TestDatabase, pid: number): Promise<void> {
  await db.sql`select pg_terminate_backend(${pid}, 5000)`
}

test('fault 51: a backend that builds is ended between two steps: the run stops with its results, and the next one finishes', async () => {
  await using db = await testDatabase(tables)
  const profiles = await profileOf(two)
  const connect = intercepted(
    db.url,
    once('ddl', /^create index concurrently "j"/, async (session) => terminated(db, session.pid)),
  )
  const { result } = await apply(db.url, profiles, { connect, ledger: true })
  expect(result).toMatchObject({
    exit_code: 3,
    steps: [
      { index: 'i', outcome: 'built' },
      { index: 'j', outcome: 'failed', state: 'missing', error: { code: 'CONNECTION_LOST', sqlstate: '57P01' } },
    ],
  })
  expect((await status(db.url)).runs).toMatchObject([{ outcome: 'failed', built: 1, failed: 1 }])
  expect((await apply(db.url, profiles)).result).toMatchObject({
    exit_code: 0,
    steps: [{ outcome: 'kept' }, { outcome: 'built' }],
  })
})

test('fault 52: a session that lost the run lock starts nothing more', async () => {
  await using db = await testDatabase(tables)
  let building: Session | undefined
  const connect = intercepted(db.url, async (role, text, session) => {
    if (role === 'ddl') building = session
    // The look before the first build.
    if (role !== 'watchdog' || !/"lockPid"/.test(text)) return
    await building?.query('select pg_catalog.pg_advisory_unlock_all()')
  })
  const { result } = await apply(db.url, await profileOf(two), { connect })
  expect(result).toMatchObject({ exit_code: 3, steps: [{ outcome: 'failed' }, { outcome: 'not_reached' }] })
  expect(result.steps[0]?.error?.message).toMatch(/run lock/)
  expect(await db.sql`select 1 from pg_indexes where tablename = 't'`).toHaveLength(0)
})

test.each([
  ['before a build', /pg_advisory|pg_locks/],
  ['between a build and its check', /pg_get_indexdef/],
  ['before the ledger is written', /^update "perfdb"."steps"/],
] as const)('fault 51: a watchdog whose backend is ended %s is replaced, and the run goes on', async (_, moment) => {
  await using db = await testDatabase(tables)
  const profiles = await profileOf(two)
  const connect = intercepted(
    db.url,
    once('watchdog', moment, async (session) => terminated(db, session.pid)),
  )
  const { result } = await apply(db.url, profiles, { connect, ledger: true })
  expect(result.steps.map((step) => step.outcome)).toEqual(['built', 'built'])
  expect(result.exit_code).toBe(0)
  expect((await status(db.url)).runs).toMatchObject([{ outcome: 'done', built: 2 }])
})

test.each([
  ['of one database', undefined],
  ['of a tenant', tenant],
])('fault 51: a watchdog %s that is ended during a build goes on watching', async (_, fleet) => {
  await using db = await testDatabase(gatedTable)
  let phasesAfter = 0
  let ended = false
  const running = apply(db.url, await profileOf([slowIndex]), {
    fleet,
    onEvent: (event) => {
      if (ended && event.type === 'step-progress') phasesAfter += 1
    },
  })
  await until('the build', inPhase(db.sql, 'building index'))
  await until('its watchdog', async () => {
    const rows = await db.sql`select pg_terminate_backend(pid, 5000) from pg_stat_activity
      where datname = current_database() and application_name = 'perfdb watchdog'`
    return rows.length > 0
  })
  ended = true
  await until('it is watched again', () => phasesAfter > 0)
  await openGate(db.sql)
  const { result, events } = await running
  expect(result.exit_code).toBe(0)
  expect(warnings(events)).toEqual([])
})

test('fault 54: behind a connection that falls silent the build goes on, and its end is found by another connection', async () => {
  await using db = await testDatabase(slowTable(150, 12))
  await using proxy = await proxyBefore(db.url)
  const profiles = await profileOf([slowIndex, '{ name: i_zother, table: t, keys: [b], where: b > 5 }'])
  const running = apply(proxy.url, profiles)
  await until('the build', inPhase(db.sql, 'building index'))
  proxy.silence()
  const { result } = await running
  expect(result.steps.find((step) => step.index === 'i_slow')).toMatchObject({ outcome: 'built', state: 'valid' })
  // The backend that nobody hears any more would keep the run lock until its keepalive ends it.
  expect((await apply(db.url, profiles)).result.exit_code).toBe(0)
  expect((await plan(db.url, profiles)).steps.map((step) => step.step)).toEqual(['keep', 'keep'])
})

test('a build of a tenant that no session can be had to watch is ended, and leaves nothing', async () => {
  await using db = await testDatabase(slowTable(400, 12))
  const connect = async (role: Role) => {
    if (role === 'watchdog') throw new PerfdbError('CONNECTION_REFUSED', 'no second one')
    return connectTo(db.url, role)
  }
  const { result } = await apply(db.url, await profileOf([slowIndex]), { connect, fleet: tenant, ledger: true })
  expect(result).toMatchObject({
    exit_code: 3,
    steps: [{ outcome: 'failed', state: 'missing', error: { code: 'CONNECTION_REFUSED', detail: 'no second one' } }],
  })
  expect(await invalidIndexes(db.sql)).toEqual([])
  expect((await status(db.url)).runs).toMatchObject([{ outcome: 'failed' }])
})

test.each([
  ['of one database', undefined],
  ['of a tenant', tenant],
])(
  'fault 54: a connection %s that is reset ends the build within seconds; what it left is dropped',
  async (_, fleet) => {
    await using db = await testDatabase(slowTable(400, 12))
    await using proxy = await proxyBefore(db.url)
    const profiles = await profileOf([slowIndex])
    const running = apply(proxy.url, profiles, { fleet })
    await until('the build', inPhase(db.sql, 'building index'))
    proxy.cut()
    const { result } = await running
    expect(result).toMatchObject({
      exit_code: 3,
      steps: [{ outcome: 'failed', state: 'missing', error: { code: 'CONNECTION_LOST' } }],
    })
    expect(await invalidIndexes(db.sql)).toEqual([])
  },
)
