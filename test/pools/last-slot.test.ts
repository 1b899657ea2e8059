import postgres from 'postgres'
import { expect, test } from 'vitest'
import { readLive } from '../../src/pools/server/live.js'
import type { Session } from '../../src/server/session/session.js'
import { connectTo } from '../support/connect.js'
import { startServer } from '../support/server.js'

/** The session, but before its n-th look at the sessions something happens. */
function disturbed(session: Session, look: number, happens: () => Promise<void>): Session {
  let looks = 0
  return {
    ...session,
    async query(text, parameters) {
      if (text.includes('backend_type')) looks += 1
      if (text.includes('backend_type') && looks === look) await happens()
      return session.query(text, parameters)
    },
  }
}

test(
  'a look ends as soon as it holds the last slot of the server, its role or its database',
  { timeout: 60_000 },
  async () => {
    await using embedded = await startServer({ max_connections: '12', superuser_reserved_connections: '3' })
    const admin = postgres(embedded.url, { max: 1, onnotice: () => undefined })
    await admin.unsafe(`create role app login password 'pw' in role pg_monitor;
    create role few login password 'pw' connection limit 2 in role pg_monitor`)
    await admin.unsafe('create database small connection limit 2')
    await admin.end({ timeout: 2 })
    const clients: postgres.Sql[] = []
    const as = (role: string, database = 'postgres') => `postgres://${role}:pw@127.0.0.1:${embedded.port}/${database}`
    const fill = async (count: number, url: string) => {
      const sql = postgres(url, { max: count, idle_timeout: 0 })
      clients.push(sql)
      await Promise.all(Array.from({ length: count }, async () => sql.reserve()))
    }
    const looksAs = async (url: string, look = 0, happens = async () => {}) => {
      await using session = await connectTo(url, 'look')
      return (await readLive(disturbed(session, look, happens), { samples: 5, intervalMs: 1 })).samples.length
    }
    try {
      expect(await looksAs(as('few'))).toBe(5)
      await fill(1, as('few'))
      expect(await looksAs(as('few'))).toBe(1)
      expect(await looksAs(as('app', 'small'))).toBe(5)
      await fill(1, as('app', 'small'))
      expect(await looksAs(as('app', 'small'))).toBe(1)
      expect(await looksAs(as('app'))).toBe(5)
      // Eight of nine are taken from the third look on.
      expect(await looksAs(as('app'), 3, async () => fill(6, as('app')))).toBe(3)
    } finally {
      await Promise.all(clients.map(async (sql) => sql.end({ timeout: 1 })))
    }
  },
)
