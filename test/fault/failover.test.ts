import postgres from 'postgres'
import { expect, test } from 'vitest'
import { connectTo } from '../support/connect.js'
import { apply, plan, status, verify } from '../support/apply.js'
import { flags } from '../support/leftover.js'
import { profileOf } from '../support/profile.js'
import { ownServer, standbyOf, type OwnServer } from '../support/server.js'
import { building, inPhase, invalidIndexes, slowIndex, slowTable, until } from '../support/slow.js'

const two = [slowIndex, '{ name: i_zother, table: t, keys: [b], where: b > 5 }']

test('fault 6: the server is killed (kill -9) in a build and started again: what the build left is dropped, the next apply builds', async () => {
  await using server = await ownServer()
  const before = plainClient(server.url)
  await before.unsafe(slowTable(200, 12))
  const profiles = await profileOf(two)
  const running = apply(server.url, profiles, { ledger: true })
  await until('the build', inPhase(before, 'building index'))
  await before.end({ timeout: 1 })
  await server.stop('killed')
  await server.start()
  expect((await running).result).toMatchObject({
    exit_code: 3,
    steps: [
      { index: 'i_slow', outcome: 'failed', state: 'missing', error: { code: 'CONNECTION_LOST' } },
      { index: 'i_zother', outcome: 'not_reached' },
    ],
  })
  await using after = client(server.url)
  expect(await invalidIndexes(after.sql)).toEqual([])
  expect((await apply(server.url, profiles, { ledger: true })).result.exit_code).toBe(0)
  expect(await verify(server.url, profiles)).toMatchObject({ exit_code: 0, findings: [] })
})

test('fault 6: a server that stops when its last session ends (smart) lets the build come to its end, and perfdb all its steps', async () => {
  await using server = await ownServer()
  const before = plainClient(server.url)
  await before.unsafe(slowTable(100, 10))
  const profiles = await profileOf(two)
  const running = apply(server.url, profiles, { ledger: true })
  await until('the build', inPhase(before, 'building index'))
  await before.end({ timeout: 1 })
  const stopped = server.stop('smart')
  expect((await running).result).toMatchObject({
    exit_code: 0,
    steps: [{ outcome: 'built' }, { outcome: 'built' }],
    analyzed: [{ ok: true }],
  })
  await stopped
  await server.start()
  await using after = client(server.url)
  expect([await flags(after.sql, 'i_slow'), await flags(after.sql, 'i_zother')]).toEqual(['t/t/t', 't/t/t'])
  expect((await status(server.url)).runs).toMatchObject([{ outcome: 'done', built: 2 }])
})

test('fault 6, 65: the primary fails in a build and a standby is promoted: the run goes there, drops what came over half-made, and the next one builds', async () => {
  await using primary = await ownServer()
  {
    await using arranging = client(primary.url)
    await arranging.sql.unsafe(slowTable(200, 12))
  }
  await using standby = await standbyOf(primary)
  const both = failoverUrl(primary, standby)
  const connect = (role: Parameters<typeof connectTo>[1]) => connectTo(both, role)
  const profiles = await profileOf(two)
  await using there = client(standby.url)
  const running = apply(primary.url, profiles, { connect, ledger: true })
  {
    await using here = client(primary.url)
    await until('the build', building(here.sql, 'i_slow'))
  }
  await until('its index is known to the standby', async () => (await flags(there.sql, 'i_slow')) === 'f/f/t')
  await primary.stop('immediate')
  await there.sql`select pg_promote()`
  expect((await running).result).toMatchObject({
    exit_code: 3,
    steps: [
      { index: 'i_slow', outcome: 'failed', state: 'missing', error: { code: 'CONNECTION_LOST' } },
      { outcome: 'not_reached' },
    ],
  })
  expect(await invalidIndexes(there.sql)).toEqual([])
  const next = await apply(standby.url, profiles, { connect, ledger: true })
  expect(next.result).toMatchObject({ exit_code: 0, steps: [{ outcome: 'built' }, { outcome: 'built' }] })
  expect((await plan(standby.url, profiles)).steps.map((step) => step.step)).toEqual(['keep', 'keep'])
})

test('fault 72: a failover that loses what was built last loses its record as well: plan goes by the catalog and builds again', async () => {
  await using primary = await ownServer()
  {
    await using arranging = client(primary.url)
    await arranging.sql.unsafe(
      'create table t (a int, b int); insert into t select n, n from generate_series(1, 100) n',
    )
  }
  await using standby = await standbyOf(primary)
  const profiles = await profileOf(['{ name: early, table: t, keys: [a] }', '{ name: late, table: t, keys: [b] }'])
  await apply(primary.url, await profileOf(['{ name: early, table: t, keys: [a] }']), { ledger: true })
  await using there = client(standby.url)
  await until('the first run has come over', async () => {
    const rows = await there.sql`select 1 from pg_class where relname = 'runs'`
    return rows.length > 0 && (await there.sql`select 1 from perfdb.runs where outcome = 'done'`).length > 0
  })
  await there.sql`alter system set primary_conninfo = ''`
  await there.sql`select pg_reload_conf()`
  await until('nothing comes over', async () => (await there.sql`select 1 from pg_stat_wal_receiver`).length === 0)
  expect((await apply(primary.url, profiles, { ledger: true })).result).toMatchObject({ exit_code: 0, run: 2 })
  await primary.stop('immediate')
  await there.sql`select pg_promote()`
  expect((await status(standby.url)).runs.map(({ run }) => run)).toEqual([1])
  expect((await verify(standby.url, profiles)).findings).toMatchObject([{ code: 'MISSING', index: 'late' }])
  const again = await apply(standby.url, profiles, { ledger: true })
  expect(again.result).toMatchObject({ exit_code: 0, steps: [{ outcome: 'kept' }, { outcome: 'built' }] })
  expect(again.result.run).toBeGreaterThan(1)
})

/** As libpq: the next host when the first does not answer or may not be written to. */
function failoverUrl(primary: OwnServer, standby: OwnServer): string {
  const { username, password } = new URL(primary.url)
  return `postgres://${username}:${password}@127.0.0.1:${primary.port},127.0.0.1:${standby.port}/postgres?target_session_attrs=read-write`
}

function plainClient(url: string): postgres.Sql {
  return postgres(url, { max: 3, onnotice: () => undefined })
}

function client(url: string): AsyncDisposable & { readonly sql: postgres.Sql } {
  const sql = plainClient(url)
  return { sql, [Symbol.asyncDispose]: () => sql.end({ timeout: 1 }) }
}
