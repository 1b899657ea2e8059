import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { folder } from '../cli/perfdb.js'
import { postgres15 } from '../pools/outside.js'
import { apply, warnings } from '../support/apply.js'
import { needing } from '../support/needs.js'
import { profileOf } from '../support/profile.js'
import { onServer, ownServer, standbyOf } from '../support/server.js'
import { until } from '../support/slow.js'

const profile = profileOf(['{ name: i, table: t, keys: [a] }'])

/** Standbys tell where they are when something arrives, and as often as wal_receiver_status_interval says. */
async function behind(url: string, ms: number): Promise<void> {
  await onServer(url, async (sql) =>
    until('the lag', async () => {
      await sql`insert into t values (1)`
      const rows = await sql`select from pg_stat_replication where replay_lag > ${`${ms}ms`}::interval`
      return rows.length > 0
    }),
  )
}

test('--max-lag starts no build while a replica is further behind, and builds once it has caught up', async () => {
  await using primary = await ownServer({ wal_receiver_status_interval: '1s' })
  await onServer(primary.url, async (sql) => sql`create table t (a int)`)
  await using standby = await standbyOf(primary)
  await onServer(standby.url, async (sql) => sql`select pg_wal_replay_pause()`)
  await behind(primary.url, 1000)
  const early = await apply(primary.url, await profile, { maxLagMs: 500, maxWaitMs: 0 })
  expect(early.result).toMatchObject({
    exit_code: 1,
    error: { code: 'NOT_STARTED', message: expect.stringMatching(/replica .+ is \d+ s behind, more than --max-lag$/) },
  })
  await onServer(standby.url, async (sql) => sql`select pg_wal_replay_resume()`)
  const { result } = await apply(primary.url, await profile, { maxLagMs: 500 })
  expect(result.steps).toMatchObject([{ outcome: 'built' }])
})

needing('PostgreSQL 15', existsSync('/usr/lib/postgresql/15/bin/pg_receivewal'))(
  '--max-lag does not wait for what receives WAL and replays none, as pg_receivewal does',
  async () => {
    await using server = await postgres15({})
    await using where = await folder({})
    const url = `postgres://postgres@127.0.0.1:${server.port}/postgres`
    await onServer(url, async (sql) => sql`create table t (a int)`)
    const to = [
      '-h',
      '127.0.0.1',
      '-p',
      String(server.port),
      '-U',
      'postgres',
      '-D',
      where.path,
      '-s',
      '1',
      '--no-sync',
    ]
    const receiver = spawn('/usr/lib/postgresql/15/bin/pg_receivewal', to, { stdio: 'ignore' })
    try {
      await behind(url, 1000)
      const { result, events } = await apply(url, await profile, { maxLagMs: 500, maxWaitMs: 0 })
      expect(result.steps).toMatchObject([{ outcome: 'built' }])
      expect(warnings(events)).toEqual([])
    } finally {
      receiver.kill()
      await once(receiver, 'exit')
    }
  },
)
