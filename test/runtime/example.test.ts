import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import postgres from 'postgres'
import { expect } from 'vitest'
import { needing } from '../support/needs.js'
import { ownServer } from '../support/server.js'

/*
 * examples/fastify as it is, on its own packages (npm install --prefix examples/fastify), but for its patience, which is the default here: a machine that is busy with
 * other tests may take longer than 2 s to give a connection, and every failure is to be the server's restart.
 */
const folder = join(import.meta.dirname, '..', '..', 'examples', 'fastify')

needing('packages of examples/fastify', existsSync(join(folder, 'node_modules', 'fastify')))(
  'the example: requests while the server is restarted; errors only while it is away, no audit row lost, order kept, budget held',
  async () => {
    await using place = await copied()
    await using server = await ownServer({ max_connections: '40' })
    const admin = postgres(server.url, { max: 1, onnotice: () => undefined })
    // process_max of its file: the server refuses one connection more.
    await admin.unsafe(`create role app login password 'x' connection limit 12;
      create table tenants (id text primary key, schema text);
      create table user_accounts (user_id text primary key, tenant_id text, role text default 'clerk');
      create table audit_log (id uuid primary key, actor text, what jsonb, seq bigserial);
      insert into tenants select 't' || n, 's' || n from generate_series(1, 6) n;
      insert into user_accounts select 'u' || n, 't' || n from generate_series(1, 6) n;
      ${[1, 2, 3, 4, 5, 6].map((n) => `create schema s${n} authorization app; create table s${n}.orders (id serial primary key, total int); alter table s${n}.orders owner to app;`).join('\n')}
      grant select, insert on all tables in schema public to app; grant usage on all sequences in schema public to app`)
    const url = new URL(server.url)
    ;[url.username, url.password] = ['app', 'x']
    const child = spawn(process.execPath, ['server.js'], {
      cwd: place.path,
      env: { PATH: process.env['PATH'], DATABASE_URL: url.href, PORT: '0' },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [line] = await once(child.stdout, 'data')
    const address = String(line).trim()
    const codes = new Map<number, number>()
    let going = true
    const users = Array.from({ length: 12 }, async (_, at) => {
      while (going) {
        const answer = await fetch(`${address}/orders`, {
          method: 'POST',
          headers: { 'x-user': `u${(at % 6) + 1}`, 'content-type': 'application/json' },
          body: JSON.stringify({ total: at }),
        })
        await answer.arrayBuffer()
        codes.set(answer.status, (codes.get(answer.status) ?? 0) + 1)
        await pause(1)
      }
    })
    const made = () => codes.get(201) ?? 0
    const failures = () => [...codes].reduce((sum, [code, times]) => (code === 201 ? sum : sum + times), 0)
    // However slow the machine is: while requests are answered, more will be.
    const until = async (so: () => boolean) => untilQuiet(so, () => made() + failures())
    await until(() => made() > 300)
    expect(failures()).toBe(0)
    await server.stop('fast')
    await until(() => failures() > 0)
    await server.start()
    const back = made()
    await until(() => made() > back + 50)
    const away = failures()
    await until(() => made() > back + 600)
    going = false
    await Promise.all(users)
    expect(failures() - away).toBe(0)
    expect((await fetch(`${address}/orders`, { headers: { 'x-user': 'nobody' } })).status).toBe(403)
    const health = await (await fetch(`${address}/health`)).json()
    expect(health).toMatchObject({ pools: { process_max: 12 }, audit: { failed: 0, dropped: 0 } })
    child.kill('SIGTERM')
    expect(await once(child, 'exit')).toEqual([0, null])
    const after = postgres(server.url, { max: 1 })
    const [rows] = await after`select count(*)::int as rows from audit_log`
    expect(rows).toEqual({ rows: made() })
    const disorder = await after`select actor from (
      select actor, (what->>'order')::int as at, lag((what->>'order')::int) over (partition by actor order by seq) as before from audit_log
    ) r where before > at + 2`
    expect(disorder).toEqual([])
    expect(await after`select pid from pg_stat_activity where usename = 'app'`).toEqual([])
    await Promise.all([after.end(), admin.end({ timeout: 1 })])
  },
  300_000,
)

/** Throws when it has not come and nothing has been counted for a minute. */
async function untilQuiet(so: () => boolean, counted: () => number): Promise<void> {
  let [last, since] = [counted(), performance.now()]
  while (!so()) {
    if (counted() !== last) [last, since] = [counted(), performance.now()]
    if (performance.now() - since > 60_000) throw new Error('it never came')
    await pause(5)
  }
}

async function copied(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'perfdb-example-'))
  for (const name of ['server.js', 'package.json']) await cp(join(folder, name), join(path, name))
  await symlink(join(folder, 'node_modules'), join(path, 'node_modules'))
  const pools = await readFile(join(folder, 'app.pools.yaml'), 'utf8')
  expect(pools).toContain('acquire_timeout: 2s')
  await writeFile(join(path, 'app.pools.yaml'), pools.replace('acquire_timeout: 2s', 'acquire_timeout: 10s'))
  return { path, [Symbol.asyncDispose]: async () => rm(path, { recursive: true }) }
}
