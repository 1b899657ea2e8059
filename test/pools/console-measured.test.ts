import postgres from 'postgres'
import { expect, test } from 'vitest'
import { readConsole, consoleShows } from '../../src/pools/server/console.js'
import { askConsole } from '../../src/server/admin-console.js'
import { resolveTarget } from '../../src/server/target/target.js'
import { testDatabase } from '../support/database.js'
import { pgbouncer, withoutPgbouncer } from './outside.js'

const clients = 40

test.skipIf(withoutPgbouncer).each([5, 10])(
  'what 40 clients wait for one of %i server connections is what they measure themselves',
  { timeout: 120_000 },
  async (size) => {
    await using database = await testDatabase()
    const role = `load_${size}_${database.name}`
    await database.sql.unsafe(`create role ${role} login password 'pw'`)
    const { hostname, port } = new URL(database.url)
    await using pooling = await pgbouncer(
      [`a = host=${hostname} port=${port} dbname=${database.name}`],
      ['pool_mode = transaction', `default_pool_size = ${size}`],
      [[role, 'pw']],
    )
    const target = await resolveTarget({
      url: `postgres://admin@127.0.0.1:${pooling.port}/pgbouncer`,
      environment: {},
      home: '/nonexistent',
    })
    const connections = Array.from({ length: clients }, () =>
      postgres(`postgres://${role}:pw@127.0.0.1:${pooling.port}/a`, { max: 1, prepare: false, fetch_types: false }),
    )
    try {
      await Promise.all(connections.map(async (sql) => sql`select 1`))
      const started = performance.now()
      const { STATS: rows = [] } = await askConsole(target, ['STATS'])
      const waits: number[] = []
      // So many transactions of each, one after another: what waits is what the pool cannot serve.
      await Promise.all(
        connections.map(async (sql) => {
          for (let turn = 0; turn < 6; turn += 1) {
            const sent = Date.now()
            // The server is on this machine: what its answer waits for in a busy client is no wait for a connection.
            const [row] = await sql<
              { at: number }[]
            >`select extract(epoch from clock_timestamp())::float8 * 1000 as at, pg_sleep(0.06)`
            waits.push((row?.at ?? 0) - sent)
          }
        }),
      )
      const answers = await askConsole(target, consoleShows)
      const live = readConsole(answers, { rows, seconds: (performance.now() - started) / 1000 })
      const measured = live.databases.find((one) => one.name === 'a')
      const service = (measured?.load?.serviceTimeSeconds ?? 0) * 1000
      const told = (measured?.meanWaitSeconds ?? 0) * 1000
      const waited = waits.reduce((sum, ms) => sum + ms, 0) / waits.length
      expect(service).toBeGreaterThan(59)
      expect(Math.abs(told / waited - 1)).toBeLessThan(0.2)
      expect((measured?.load?.ratePerSecond ?? 0) * (service / 1000)).toBeLessThanOrEqual(size * 1.02)
    } finally {
      await Promise.all(connections.map(async (sql) => sql.end({ timeout: 1 })))
    }
  },
)
