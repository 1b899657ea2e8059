import { connect as dial, type Socket } from 'node:net'
import postgres from 'postgres'
import { describe, expect, test } from 'vitest'
import { runCheckPool } from '../../src/commands/pool/check-pool.js'
import { watchPools } from '../../src/commands/pool/pool-watch.js'
import { deployment, pool, server, service } from './builders.js'
import { postgres15, withoutPostgres15 } from './outside.js'
import { startServer } from '../support/server.js'

const slots = { max_connections: '12', superuser_reserved_connections: '3' }
const password = 'hunter2'

/** 12 connections, 9 of them for ordinary roles. */
const servers = [
  { version: '15', missing: withoutPostgres15, start: async () => withUrl(await postgres15(slots)) },
  {
    version: '18',
    missing: false,
    start: async () => {
      const embedded = await startServer(slots)
      return Object.assign(embedded, { admin: embedded.url })
    },
  },
]

function withUrl<One extends AsyncDisposable & { readonly port: number }>(one: One): One & { readonly admin: string } {
  return Object.assign(one, { admin: `postgres://postgres@127.0.0.1:${one.port}/postgres` })
}

describe.each(servers)('a server of version $version, filled to the brim', ({ missing, start }) => {
  test.skipIf(missing)('who holds the slots, and which limit it was', { timeout: 60_000 }, async () => {
    await using full = await start()
    const admin = postgres(full.admin, { max: 1, onnotice: () => undefined, idle_timeout: 0 })
    await admin.unsafe(`create role app login password '${password}' in role pg_monitor;
      create role few login password '${password}' connection limit 2 in role pg_monitor;
      create role plain login password '${password}'`)
    await admin.unsafe('create database small connection limit 1')
    const as = (role: string, database = 'postgres') =>
      `postgres://${role}:${password}@127.0.0.1:${full.port}/${database}`
    await admin.end({ timeout: 2 })
    const clients: postgres.Sql[] = []
    const fill = async (count: number, url: string) => {
      const sql = postgres(url, { max: count, connection: { application_name: 'web' }, idle_timeout: 0 })
      clients.push(sql)
      await Promise.all(Array.from({ length: count }, async () => sql.reserve()))
    }
    // A look that stayed for its samples would take an hour.
    const look = async (url: string, patience = 3_600_000) => {
      const written = deployment({
        servers: [server({ url, maxConnections: null })],
        services: [service({ database: 'postgres', applicationName: 'web', pool: pool({ max: 9 }) })],
      })
      const result = await runCheckPool([{ ...written, file: 'test.pools.yaml', findings: [] }], {
        offline: false,
        failOn: 'fail',
        environment: {},
        sampling: { samples: 2, intervalMs: patience },
      })
      expect(JSON.stringify(result)).not.toContain(password)
      const errors = result.findings.filter((one) => one.severity === 'error')
      return {
        result,
        code: result.exit_code,
        errors: errors.map((one) => one.code),
        text: errors.find((one) => one.code === 'SERVER_FULL')?.message,
        hint: errors.find((one) => one.code === 'SERVER_FULL')?.hint,
      }
    }
    try {
      await fill(2, as('few'))
      expect(await look(as('few'))).toMatchObject({ code: 1, errors: ['ROLE_LIMIT'] })
      await fill(1, as('app', 'small'))
      expect(await look(as('app', 'small'))).toMatchObject({ code: 1, errors: ['DATABASE_LIMIT'] })
      await fill(5, as('app'))
      const last = await look(as('app'))
      expect(last).toMatchObject({ code: 1, errors: expect.arrayContaining(['SERVER_FULL']) })
      expect(last.text).toContain('8 of the 9 slots of ordinary roles are taken; perfdb had the last one')
      expect(last.text).toContain(
        '5 of app on postgres (web), as web, idle; 2 of few on postgres (web), idle; 1 of app on small',
      )
      await fill(1, as('plain'))
      for (const role of ['app', 'plain']) {
        expect(await look(as(role))).toMatchObject({ code: 1, errors: ['SERVER_FULL'] })
        expect((await look(as(role))).text).toContain('cannot connect')
      }
      const seen = await look(full.admin, 1)
      expect(seen).toMatchObject({ code: 1, errors: expect.arrayContaining(['SERVER_FULL']) })
      expect(seen.text).toContain('all 9 slots of ordinary roles are taken. Held by 5 of app on postgres (web), as web')
      // The command of the hint is about those that nobody declared.
      const [, command = ''] = /; now: (select .*)$/.exec(seen.hint ?? '') ?? []
      expect(command).toContain("usename = 'few' and application_name = 'web' and state = 'idle'")
      expect(seen.result.servers[0]?.sessions).toMatchObject([
        { role: 'app', application_name: 'web', connections: 5, services: ['web'] },
        { role: 'few', connections: 2, services: [] },
        { connections: 1 },
        { connections: 1 },
      ])
      const watched = await watchPools(
        [{ ...deployment({ servers: [server({ url: as('app') })] }), file: 'test.pools.yaml', findings: [] }],
        {
          offline: false,
          failOn: 'fail',
          environment: {},
          intervalMs: 1,
          rounds: 2,
          signal: new AbortController().signal,
          signalName: () => undefined,
          onSample: () => undefined,
        },
      )
      expect(watched.samples).toMatchObject([
        { sessions: null, headroom: 0, verdict: 'FAIL' },
        { sessions: null, headroom: 0, verdict: 'FAIL' },
      ])
      expect(watched).toMatchObject({ exit_code: 1, verdict: 'FAIL' })
    } finally {
      await Promise.all(clients.map(async (sql) => sql.end({ timeout: 1 })))
    }
  })
})

test('logins that never finish hold slots, and 18 shows them', { timeout: 60_000 }, async () => {
  await using embedded = await startServer(slots)
  const sockets = await Promise.all([1, 2, 3].map(async () => stalledLogin(embedded.port)))
  try {
    const written = deployment({ servers: [server({ url: embedded.url, maxConnections: null })] })
    const result = await runCheckPool([{ ...written, file: 'test.pools.yaml', findings: [] }], {
      offline: false,
      failOn: 'fail',
      environment: {},
      sampling: { samples: 3, intervalMs: 50 },
    })
    expect(result.servers[0]).toMatchObject({ live: 3, unmanaged: 3 })
    expect(result.findings.find((one) => one.code === 'STALLED_LOGINS')?.message).toContain(
      '3 connections never finished to authenticate',
    )
    expect(result.findings.find((one) => one.code === 'UNDECLARED_CLIENTS')?.message).toContain(
      '3 still authenticating',
    )
  } finally {
    for (const socket of sockets) socket.destroy()
  }
})

/** Sends a startup packet (manual, "Message Formats") and never answers what the server asks for. */
async function stalledLogin(port: number): Promise<Socket> {
  const body = Buffer.from('user\0postgres\0database\0postgres\0\0')
  const head = Buffer.alloc(8)
  head.writeUInt32BE(body.length + 8, 0)
  head.writeUInt32BE(196_608, 4)
  const socket = dial(port, '127.0.0.1')
  socket.on('error', () => undefined)
  const asked = new Promise((resolve) => socket.once('data', resolve))
  socket.write(Buffer.concat([head, body]))
  await asked
  return socket
}
