import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import postgres from 'postgres'
import { inRounds, median } from './rounds.js'
import { withServer } from './server.js'

/** What perfdb/runtime costs beside postgres.js alone, and what its cache and its audit queue are worth. */
export async function runtime({ quick }) {
  const { open } = await import('../dist/runtime.mjs')
  return withServer(0, async ({ url, sql: admin }) => {
    await admin.unsafe(`create table user_accounts (user_id text primary key, tenant_id text);
      insert into user_accounts select 'u' || n, 't' || n from generate_series(1, 1000) n;
      create table tenants (id text primary key, schema text);
      insert into tenants select 't' || n, 'public' from generate_series(1, 1000) n;
      create table audit_log (id uuid primary key default gen_random_uuid(), actor text, what jsonb)`)
    const file = {
      version: 1,
      servers: { main: { url } },
      tenants: [
        {
          registry: { url, sql: 'select id, schema from tenants', server: 'main' },
          lookup: 'select tenant_id from user_accounts where user_id = $1',
          notify: 'tenant_changed',
        },
      ],
      services: {
        api: {
          server: 'main',
          process_max: 20,
          pool: { max: 4, per_tenant: true },
          audit: { workers: 2, own_connections: true, queue: 100_000, table: 'audit_log', id_column: 'id' },
        },
      },
    }
    const app = await open({ file, service: 'api' })
    const bare = postgres(url, { max: 4 })
    const { sql } = await app.tenant('u1')
    const rounds = quick ? 5 : 31
    try {
      const rows = []
      const goal = (name, value, atMost) => rows.push([name, value, atMost])
      for (const together of [1, 4, 64]) {
        const each = (on) => async () => perQuery(on, together, quick ? 600 : 2000)
        const contenders = { bare: each(bare), runtime: each(sql) }
        await inRounds(3, contenders)
        const taken = await inRounds(rounds, contenders)
        const cpu = await inRounds(rounds, { bare: spent(contenders.bare), runtime: spent(contenders.runtime) })
        const work = median(cpu.runtime.map((time, at) => time / cpu.bare[at]))
        const ratio = median(taken.runtime.map((time, at) => time / taken.bare[at]))
        const times = `${(median(taken.bare) * 1000).toFixed(1)} and ${(median(taken.runtime) * 1000).toFixed(1)} us, ${ratio.toFixed(3)} x, ${work.toFixed(3)} x processor time of the application`
        goal(`select 1, ${together} at once on 4 connections: bare, tenant.sql`, times, together > 4 ? '' : '1.05 x')
      }
      const look = async (count, before) => {
        const started = performance.now()
        for (let at = 0; at < count; at += 1) {
          before?.()
          await app.tenant('u1')
        }
        return ((performance.now() - started) / count) * 1000
      }
      await look(50_000)
      const cached = median(await times(rounds, async () => look(20_000)))
      const uncached = median(await times(rounds, async () => look(100, () => app.forget('u1'))))
      goal('a look-up, cached', `${cached.toFixed(3)} us`, '1 us')
      goal(
        'a look-up, asked of the registry',
        `${uncached.toFixed(0)} us, ${(uncached / cached).toFixed(0)} x`,
        'over 1,000 x',
      )
      const count = quick ? 5000 : 20_000
      const singles = await elapsed(async () => {
        for (let at = 0; at < count / 20; at += 1)
          await bare`insert into audit_log (actor, what) values (${`a${at % 9}`}, ${bare.json({ at })})`
      })
      const single = count / 20 / singles
      const waits = []
      const written = app.health().audit.written
      const batches = await elapsed(async () => {
        for (let at = 0; at < count; at += 1) {
          const started = performance.now()
          await app.audit.write({ actor: `a${at % 9}`, what: { at } })
          waits.push((performance.now() - started) * 1000)
          if (at % 100 === 0) await new Promise((resolve) => setImmediate(resolve))
        }
        while (app.health().audit.written < written + count) await new Promise((resolve) => setTimeout(resolve, 1))
      })
      const p99 = waits.toSorted((one, other) => one - other)[Math.floor(count * 0.99)]
      goal(
        'audit rows a second: one insert each, the queue',
        `${(single * 1000).toFixed(0)} and ${((count / batches) * 1000).toFixed(0)}, ${(count / batches / single).toFixed(1)} x`,
        'over 10 x',
      )
      goal('p99 of audit.write', `${p99.toFixed(1)} us`, '50 us')
      const heaps = []
      for (let round = 0; round < 5; round += 1) {
        for (let user = 1; user <= (quick ? 200 : 1000); user += 1) {
          const tenant = await app.tenant(`u${user}`)
          await tenant.sql`select 1`
        }
        globalThis.gc?.()
        heaps.push((process.memoryUsage().heapUsed / 1e6).toFixed(1))
      }
      const forced = globalThis.gc === undefined ? ' (NODE_OPTIONS=--expose-gc collects before each)' : ''
      goal(`heap in MB after each of 5 rounds over ${quick ? 200 : 1000} tenants${forced}`, heaps.join(', '), 'flat')
      goal('loading: postgres alone, with perfdb/runtime', loading(quick ? 11 : 31), '3 ms more')
      return {
        title: 'perfdb/runtime',
        note: 'one after the other in turns; more at once than there are connections: postgres.js sends several queries down one connection, tenant.sql one',
        columns: ['', 'measured', 'at most'],
        rows,
      }
    } finally {
      await app.close()
      await bare.end()
    }
  })
}

async function perQuery(on, together, count) {
  const took = await elapsed(async () =>
    Promise.all(
      Array.from({ length: together }, async () => {
        for (let at = 0; at < count / together; at += 1) await on`select 1`
      }),
    ),
  )
  return took / count
}

/** Processor time of this process for it, in milliseconds: what neighbours do to the machine is not in it. */
function spent(work) {
  return async () => {
    const before = process.cpuUsage()
    await work()
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 1000
  }
}

async function elapsed(work) {
  const started = performance.now()
  await work()
  return performance.now() - started
}

async function times(count, work) {
  const all = []
  for (let at = 0; at < count; at += 1) all.push(await work())
  return all
}

function loading(count) {
  const cwd = fileURLToPath(new URL('..', import.meta.url))
  const load = (more) => {
    const text = `const s = performance.now(); await import('postgres'); ${more} console.log(performance.now() - s)`
    return Number(execFileSync(process.execPath, ['--input-type=module', '-e', text], { cwd, encoding: 'utf8' }))
  }
  const [alone, both] = [[], []]
  for (let at = 0; at < count; at += 1) {
    alone.push(load(''))
    both.push(load(`await import('./dist/runtime.mjs');`))
  }
  const more = median(both.map((time, at) => time - alone[at]))
  return `${median(alone).toFixed(1)} and ${median(both).toFixed(1)} ms, ${more.toFixed(1)} ms more`
}
