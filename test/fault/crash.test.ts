import { expect, test } from 'vitest'
import postgres from 'postgres'
import type { RunEvent } from '../../src/build/events.js'
import { apply, plan, status, warnings } from '../support/apply.js'
import { perfdb, profileFolder } from '../support/command-line.js'
import { testDatabase, type TestDatabase } from '../support/database.js'
import { intercepted, once } from '../support/intercept.js'
import { flags, writer } from '../support/leftover.js'
import { profileOf } from '../support/profile.js'
import { ownServer } from '../support/server.js'
import {
  building,
  gatedTable,
  inPhase,
  invalidIndexes,
  openGate,
  slowIndex,
  slowTable,
  until,
} from '../support/slow.js'

const two = [slowIndex, '{ name: i_zother, table: t, keys: [b], where: b > 5 }']
const yaml = `version: 1\nprofile: test\nschema: public\nindexes:\n${two.map((line) => `  - ${line}`).join('\n')}\n`

function plainClient(url: string): postgres.Sql {
  return postgres(url, { max: 5, onnotice: () => undefined })
}

test.each(['immediate', 'fast'] as const)(
  'fault 6: a server that stops (%s) in a build and comes back is waited for, and what the build left is dropped',
  async (how) => {
    await using server = await ownServer()
    const before = plainClient(server.url)
    await before.unsafe(slowTable(200, 12))
    const profiles = await profileOf(two)
    const running = apply(server.url, profiles, { ledger: true })
    await until('the build', inPhase(before, 'building index'))
    await before.end({ timeout: 1 })
    await server.stop(how)
    await new Promise((resolve) => setTimeout(resolve, 1500))
    await server.start()
    const { result } = await running
    expect(result).toMatchObject({
      exit_code: 3,
      steps: [
        { index: 'i_slow', outcome: 'failed', state: 'missing', error: { code: 'CONNECTION_LOST' } },
        { index: 'i_zother', outcome: 'not_reached' },
      ],
    })
    const sql = plainClient(server.url)
    expect(await invalidIndexes(sql)).toEqual([])
    await sql.end({ timeout: 1 })
    expect((await status(server.url)).runs).toMatchObject([{ outcome: 'failed', failed: 1 }])
    expect((await apply(server.url, profiles)).result.exit_code).toBe(0)
    expect((await plan(server.url, profiles)).steps.map((step) => step.step)).toEqual(['keep', 'keep'])
  },
)

test('fault 6: a server that does not come back is told with the results so far, once the user has had enough', async () => {
  await using server = await ownServer()
  const sql = plainClient(server.url)
  await sql.unsafe(slowTable(200, 12))
  const abort = new AbortController()
  const running = apply(server.url, await profileOf(['{ name: a_first, table: t, keys: [a] }', slowIndex]), {
    ledger: true,
    signal: abort.signal,
    signalName: () => (abort.signal.aborted ? 'SIGINT' : undefined),
  })
  await until('the build', building(sql, 'i_slow'))
  await sql.end({ timeout: 1 })
  await server.stop('immediate')
  abort.abort()
  const { result } = await running
  expect(result).toMatchObject({ exit_code: 130, steps: [{ outcome: 'built' }, { outcome: 'failed' }] })
})

test('fault 71, 72: a crash right after a build loses neither the index nor the record of it', async () => {
  await using server = await ownServer()
  const sql = plainClient(server.url)
  await sql.unsafe(
    "alter database postgres set synchronous_commit = 'off'; create table t (a int); insert into t select generate_series(1, 5000)",
  )
  await sql.end({ timeout: 1 })
  const profiles = await profileOf(['{ name: i, table: t, keys: [a] }'])
  // The moment between the last word of the ledger and the end of the run.
  const connect = intercepted(
    server.url,
    once('watchdog', /^update "perfdb"."runs"/, async () => server.stop('immediate')),
  )
  const { result } = await apply(server.url, profiles, { connect, ledger: true })
  expect(result.steps).toMatchObject([{ outcome: 'built' }])
  await server.start()
  const after = plainClient(server.url)
  expect(await flags(after, 'i')).toBe('t/t/t')
  expect(await after`select state, outcome from perfdb.steps`).toEqual([{ state: 'done', outcome: 'built' }])
  await after.end({ timeout: 1 })
})

test('fault 72: a crash between a build and its record: status tells of the run, and the next apply takes the index as it is', async () => {
  await using server = await ownServer()
  const sql = plainClient(server.url)
  await sql.unsafe('create table t (a int, b int)')
  await sql.end({ timeout: 1 })
  const profiles = await profileOf(['{ name: i, table: t, keys: [a] }'])
  const connect = intercepted(
    server.url,
    once('watchdog', /^update "perfdb"."steps"/, async () => server.stop('immediate')),
  )
  const { result, events } = await apply(server.url, profiles, { connect, ledger: true })
  expect(result).toMatchObject({ steps: [{ outcome: 'built' }] })
  expect(warnings(events)).toContainEqual(expect.stringMatching(/^the ledger could not be written/))
  await server.start()
  expect((await status(server.url)).findings).toMatchObject([{ code: 'INTERRUPTED', severity: 'warning' }])
  const next = await apply(server.url, profiles, { ledger: true })
  expect(next.result).toMatchObject({ exit_code: 0, steps: [{ outcome: 'kept' }] })
  expect(warnings(next.events)).toContainEqual(expect.stringMatching(/^run 1 began and never ended/))
  // Told once.
  expect((await status(server.url)).findings).toEqual([])
  expect((await status(server.url)).runs).toMatchObject([{ run: 1, outcome: 'interrupted' }])
})

test('fault 7: perfdb is killed in a build: its backend ends by itself, and the same command again heals', async () => {
  await using db = await testDatabase(slowTable(400, 20))
  await using files = await profileFolder(yaml.replace(two[1] ?? '', '{ name: b_first, table: t, keys: [b] }'))
  const killed = perfdb(db.url, files.folder, 'apply', files.profile)
  await until('the build', building(db.sql, 'i_slow'))
  killed.child.kill('SIGKILL')
  expect((await killed.ended).signal).toBe('SIGKILL')
  await until('its backend ends', async () => (await builders(db)) === 0)
  // Not because it was done.
  expect(await flags(db.sql, 'i_slow')).toBe('f/f/t')
  await db.sql.unsafe(
    'create or replace function public.slow(int) returns int language sql immutable as $$ select $1 $$',
  )
  const again = await perfdb(db.url, files.folder, 'apply', files.profile, '--format', 'json').ended
  expect(again.stderr).toMatch(/run 1 began and never ended; it was at i_slow/)
  expect(JSON.parse(again.stdout)).toMatchObject({
    exit_code: 0,
    steps: [
      { index: 'b_first', outcome: 'kept' },
      { index: 'i_slow', step: 'rebuild', outcome: 'rebuilt' },
    ],
    findings: [{ code: 'INTERRUPTED', severity: 'warning' }],
  })
  expect(await invalidIndexes(db.sql)).toEqual([])
  expect((await status(db.url)).runs.map((run) => run.outcome)).toEqual(['done', 'interrupted'])
})

test('fault 7: what the orphan of a killed perfdb still builds is neither dropped nor built beside, and is taken when it is done', async () => {
  await using db = await testDatabase('create table t (a int)')
  await using files = await profileFolder(
    'version: 1\nprofile: test\nschema: public\nindexes:\n  - { name: i, table: t, keys: [a] }\n',
  )
  await using holder = await writer(db.sql, 'insert into t values (1)')
  const killed = perfdb(db.url, files.folder, 'apply', files.profile, '--on-disconnect', 'finish')
  await until('the build', inPhase(db.sql, 'waiting for writers before build'))
  killed.child.kill('SIGKILL')
  await killed.ended
  const refused = await perfdb(db.url, files.folder, 'apply', files.profile, '--format', 'json').ended
  expect(refused.code).toBe(2)
  expect(JSON.parse(refused.stdout)).toMatchObject({ error: { code: 'LOCK_HELD' } })
  const again = perfdb(db.url, files.folder, 'apply', files.profile, '--lock-wait', '60s', '--format', 'json')
  await holder.end()
  expect(JSON.parse((await again.ended).stdout)).toMatchObject({
    exit_code: 0,
    steps: [{ index: 'i', outcome: 'kept' }],
    // Who built it was not there any more to do that.
    analyzed: [{ table: 'public.t', ok: true }],
  })
})

async function builders(db: TestDatabase): Promise<number> {
  return (
    await db.sql`select 1 from pg_stat_activity where datname = current_database() and application_name = 'perfdb ddl'`
  ).length
}

test('fault 7: what another session builds is waited for, never dropped or built again', async () => {
  await using db = await testDatabase(gatedTable)
  const foreign = db.sql
    .unsafe('create index concurrently i_slow on t (a) where public.slow(a) > 0')
    .then(() => 'built', String)
  await until('the other build', inPhase(db.sql, 'building index'))
  const [before] = await db.sql`select 'i_slow'::regclass::oid as oid`
  const seen: RunEvent[] = []
  const running = apply(db.url, await profileOf([slowIndex]), { onEvent: (event) => seen.push(event) })
  await until('perfdb waits', () => seen.some(({ type }) => type === 'step-progress'))
  await openGate(db.sql)
  const { result } = await running
  expect(await foreign).toBe('built')
  expect(result).toMatchObject({ exit_code: 0, steps: [{ step: 'building', outcome: 'waited', state: 'valid' }] })
  expect(await db.sql`select 'i_slow'::regclass::oid as oid`).toEqual([before])
})

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('fault 2: %s to the command line cancels the build, cleans up and exits %i', async (signal, code) => {
  await using db = await testDatabase(slowTable(400, 20))
  await using files = await profileFolder(yaml)
  const running = perfdb(db.url, files.folder, 'apply', files.profile, '--format', 'json')
  await until('the build', inPhase(db.sql, 'building index'))
  running.child.kill(signal)
  const ended = await running.ended
  expect(ended.code).toBe(code)
  expect(JSON.parse(ended.stdout)).toMatchObject({
    exit_code: code,
    steps: [{ outcome: 'failed', state: 'missing' }, { outcome: 'not_reached' }],
  })
  expect(await invalidIndexes(db.sql)).toEqual([])
  expect((await status(db.url)).runs).toMatchObject([{ outcome: 'interrupted' }])
})

test('fault 2: a second signal ends perfdb at once, and says what is left and how to mend it', async () => {
  await using db = await testDatabase(slowTable(400, 20))
  await using files = await profileFolder(yaml)
  const holder = await db.sql.reserve()
  const running = perfdb(db.url, files.folder, 'apply', files.profile)
  await until('the build', inPhase(db.sql, 'building index'))
  // A reader lets the clean-up wait (fault 31).
  await holder.unsafe('begin; lock table t in access share mode')
  running.child.kill('SIGINT')
  await until(
    'the clean-up waits',
    async () =>
      (
        await db.sql`select 1 from pg_stat_activity where query like '%drop index concurrently%' and wait_event_type = 'Lock' and datname = current_database()`
      ).length > 0,
  )
  // One that comes within 50 ms of the first is taken for its echo.
  const again = setInterval(() => running.child.kill('SIGINT'), 100)
  const ended = await running.ended
  clearInterval(again)
  await holder.unsafe('rollback')
  holder.release()
  expect(ended.signal).toBe('SIGINT')
  expect(ended.stderr).toMatch(/i_slow on public\.t may be left invalid: .*perfdb apply heals it/)
})
