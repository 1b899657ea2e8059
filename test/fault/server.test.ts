import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import postgres from 'postgres'
import { expect, test } from 'vitest'
import { apply, plan, verify } from '../support/apply.js'
import { flags } from '../support/leftover.js'
import { needing } from '../support/needs.js'
import { profileOf } from '../support/profile.js'
import { ownServer } from '../support/server.js'
import { mayMount, smallDisk } from '../support/small-disk.js'
import { until } from '../support/slow.js'

const one = ['{ name: i, table: t, keys: [a] }']

test('fault 65: a standby is refused for apply, although its advisory lock could be had, and verified all the same', async () => {
  await using server = await ownServer()
  const before = postgres(server.url, { max: 1, onnotice: () => undefined })
  await before.unsafe(
    'create table t (a int, b int); create index i on t (a); create index j on t (b) where lower(b::text) > $$x$$',
  )
  await before.end()
  await server.stop('fast')
  await writeFile(join(server.data, 'standby.signal'), '')
  await server.start()
  const profiles = await profileOf([...one, '{ name: j, table: t, keys: [b], where: "lower( b::text ) > \'x\'" }'])
  await expect(apply(server.url, profiles)).rejects.toMatchObject({ code: 'STANDBY' })
  // No temporary table can be made there: definitions are compared in another way.
  expect((await verify(server.url, profiles)).exit_code).toBe(0)
  const more = await profileOf([...one, '{ name: k, table: t, keys: [b, a] }'])
  expect((await plan(server.url, more)).steps.map((step) => [step.index, step.step])).toEqual([
    ['i', 'keep'],
    ['k', 'create'],
  ])
  await rm(join(server.data, 'standby.signal'))
})

needing('right to mount a tmpfs', mayMount())(
  'fault 66: a disk that is full ends the build, and is free again afterwards',
  async () => {
    await using server = await ownServer()
    await using disk = smallDisk(3, server.owner)
    const sql = postgres(server.url, { max: 2, onnotice: () => undefined })
    await sql.unsafe(`create tablespace small location '${disk.folder}'`)
    await sql.unsafe('create table t (a text); insert into t select md5(n::text) from generate_series(1, 100000) n')
    const before = await disk.freeBytes()
    const profiles = await profileOf(['{ name: i, table: t, keys: [a], tablespace: small }'])
    const { result } = await apply(server.url, profiles)
    expect(result).toMatchObject({
      exit_code: 3,
      steps: [{ outcome: 'failed', state: 'missing', error: { code: 'BUILD_FAILED', sqlstate: '53100' } }],
    })
    // The files of a dropped index are emptied at once and removed at the next checkpoint.
    await sql`checkpoint`
    await until('the space is free', async () => (await disk.freeBytes()) > before - 200_000)
    expect(await flags(sql, 'i')).toBe(undefined)
    await sql`drop tablespace small`
    await sql.end()
  },
)

test('fault 26: an autovacuum in the way gives way by itself', async () => {
  await using server = await ownServer({ autovacuum_naptime: '1s', deadlock_timeout: '200ms' })
  const sql = postgres(server.url, { max: 2, onnotice: () => undefined })
  await sql.unsafe(`create table t (a int) with (autovacuum_vacuum_threshold = 1, autovacuum_vacuum_scale_factor = 0,
      autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1);
    insert into t select generate_series(1, 100000); delete from t where a % 2 = 0`)
  await until(
    'autovacuum is at the table',
    async () => (await sql`select 1 from pg_stat_activity where query like 'autovacuum: VACUUM%public.t%'`).length > 0,
  )
  expect((await apply(server.url, await profileOf(one))).result).toMatchObject({
    exit_code: 0,
    steps: [{ outcome: 'built' }],
  })
  await sql.end()
})
