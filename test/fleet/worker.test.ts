import type { ChildProcess } from 'node:child_process'
import { Writable } from 'node:stream'
import postgres from 'postgres'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { endLostSessions, markSession } from '../../src/commands/fleet/takeover.js'
import { openQueue, jobId } from '../../src/queue/boss.js'
import { queueDatabase } from '../../src/queue/database.js'
import { fleetResult } from '../../src/result/documents/fleet-result.js'
import { openQueueConnection } from '../../src/server/queue-connection.js'
import { resolveTarget } from '../../src/server/target/target.js'
import { build, ended, folder, start, type Ended } from '../cli/perfdb.js'
import { connectTo } from '../support/connect.js'
import { testDatabase } from '../support/database.js'
import { failureOf } from '../support/failure.js'
import { testRole } from '../support/roles.js'
import { ownServer, type OwnServer } from '../support/server.js'
import { until } from '../support/slow.js'
import { profile, shop, tenantDatabases, type TenantDatabases } from './tenants.js'

let queue: OwnServer

beforeAll(async () => {
  ;[queue] = await Promise.all([ownServer(), build()])
})

afterAll(async () => {
  await queue[Symbol.asyncDispose]()
})

interface Worker extends AsyncDisposable {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  /** Resolves when a line that it wrote fits. */
  said(pattern: RegExp): Promise<void>
}

function worker(cwd: string, args: readonly string[]): Worker {
  const child = start(['worker', 'p.yaml', '--tenants-file', 't.csv', '--format', 'jsonl', ...args], { cwd })
  let text = ''
  const waiting = new Set<() => void>()
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      for (const look of waiting) look()
    })
  const output = ended(child)
  return {
    child,
    ended: output,
    said: async (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => (pattern.test(text) ? resolve() : undefined)
        waiting.add(look)
        void output.then((end) => reject(new Error(`ended before it said ${pattern}: ${end.stderr}`)))
        look()
      }),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await output
    },
  }
}

/** Resolves when a line of its progress fits; rejects when it ends before. */
async function says(child: ChildProcess, pattern: RegExp): Promise<void> {
  let text = ''
  return new Promise((resolve, reject) => {
    child.stderr?.on('data', (chunk: Buffer) => pattern.test((text += chunk.toString())) && resolve())
    child.once('close', () => reject(new Error(`ended before it said ${pattern}: ${text}`)))
  })
}

/** Somebody who writes to the table of a tenant: a build there goes on until `end`. */
async function writer(tenants: TenantDatabases, name: string) {
  const sql = postgres(tenants.url(name), { max: 1 })
  const writing = await sql.reserve()
  await writing`begin`
  await writing`insert into jobs values (1000, 'x', 1)`
  return {
    /** Resolves when a build waits for it. Throws when one of the processes ends before. */
    building: async (...processes: readonly Promise<Ended>[]) => {
      let over: Ended | undefined
      for (const process of processes) void process.then((end) => (over = end))
      const look = `select from pg_stat_progress_create_index where datname = current_database()`
      while ((await tenants.run(name, look)).length === 0) {
        if (over !== undefined) throw new Error(`ended before it built at ${name}: ${over.stdout}${over.stderr}`)
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    },
    end: async () => {
      await writing`commit`
      writing.release()
      await sql.end()
    },
  }
}

test('three workers, one killed and one hanging while they build, a queue that restarts: the third finishes, and who comes back does no harm', async () => {
  await using tenants = await tenantDatabases(3, shop)
  const [one = '', two = ''] = tenants.names
  const lost = `id,url\nt-lost,${tenants.url(one)}`
  await using where = await folder({ 'p.yaml': profile, 't.csv': tenants.csv(), 'lost.csv': lost })
  const writers = [await writer(tenants, one), await writer(tenants, two)] as const
  const args = ['--queue', queue.url]
  await using killed = worker(where.path, args)
  const apply = [
    'apply',
    'p.yaml',
    '--tenants-file',
    't.csv',
    '--format',
    'json',
    ...args,
    '--heartbeat',
    '10s',
    '--per-server',
    '10',
  ]
  const leading = ended(start(apply, { cwd: where.path }))
  await writers[0].building(killed.ended, leading)
  await using hanging = worker(where.path, args)
  await writers[1].building(killed.ended, hanging.ended, leading)
  // Another one of the same run, and what it says is the same.
  const second = start(apply, { cwd: where.path })
  const following = ended(second)
  await says(second, /is under way: following it/)
  killed.child.kill('SIGKILL')
  hanging.child.kill('SIGSTOP')
  for (const { end } of writers) await end()
  // One that nobody works for, and whose queue does not come back in time.
  const alone = ['apply', 'p.yaml', '--tenants-file', 'lost.csv', '--format', 'json', ...args]
  const impatient = start([...alone, '--queue-wait', '1s'], { cwd: where.path })
  const gaveUp = ended(impatient)
  await says(impatient, /waiting for workers/)
  await queue.stop('fast')
  const unknown = fleetResult.parse(JSON.parse((await gaveUp).stdout))
  expect(unknown).toMatchObject({ exit_code: 2, counts: { total: 1, not_looked: 1 } })
  expect(unknown.tenants[0]?.error).toMatchObject({ code: 'QUEUE_LOST', message: expect.stringContaining('for 1.0 s') })
  // Those that begin now wait for it as well.
  const never = await ended(start([...alone, '--queue-wait', '1s'], { cwd: where.path }))
  expect([never.code, never.stdout + never.stderr]).toEqual([2, expect.stringMatching(/QUEUE_LOST.*nothing was sent/s)])
  const waiting = start(alone, { cwd: where.path })
  const waited = ended(waiting)
  await says(waiting, /the queue does not answer, and is asked again/)
  await queue.start()
  await using third = worker(where.path, [...args, '--metrics', '0'])
  await third.said(/"tenant":/)
  await queue.stop('fast')
  await third.said(/the queue does not answer/)
  await queue.start()
  const [first, followed] = (await Promise.all([leading, following])).map(({ stdout, stderr }) =>
    fleetResult.parse(JSON.parse(stdout === '' ? stderr : stdout)),
  )
  expect(first).toMatchObject({ exit_code: 0, counts: { total: 3 } })
  expect(followed?.fleet_run).toBe(first?.fleet_run)
  expect(followed?.tenants.map(({ id, outcome }) => [id, outcome])).toEqual(
    first?.tenants.map(({ id, outcome }) => [id, outcome]),
  )
  // Its tenant is in no list of a worker: it was sent, and answered.
  expect(fleetResult.parse(JSON.parse((await waited).stdout)).tenants[0]?.error?.code).toBe('TENANT_GONE')
  hanging.child.kill('SIGCONT')
  await hanging.said(/another worker has it by now/)
  for (const { child } of [hanging, third]) child.kill('SIGTERM')
  expect((await Promise.all([hanging.ended, third.ended])).map(({ code }) => code)).toEqual([0, 0])
  const { stdout } = await third.ended
  const lines = stdout.split('\n').filter((line) => line.includes('"tenant_done"'))
  // Whether the other one had sent its own before the queue went is by the moment.
  const told = lines.flatMap((line) => /"tenant":"(t-\d+)"/.exec(line)?.[1] ?? [])
  expect(told.toSorted((a, b) => a.localeCompare(b))).toEqual(['t-001', 't-002', 't-003'])
  for (const name of tenants.names) {
    const [state] = await tenants.run(
      name,
      `select (select count(*)::int from pg_index where not indisvalid) as invalid,
       (select count(*)::int from pg_index where indrelid = 'jobs'::regclass) as indexes,
       (select count(*)::int from pg_stat_activity where datname = current_database() and application_name like 'perfdb%') as sessions`,
    )
    expect(state, name).toEqual({ invalid: 0, indexes: 3, sessions: 0 })
  }
}, 300_000)

test('a tenant server that crashes and a tenant that is gone are outcomes; a run of another version is refused', async () => {
  await using tenants = await tenantDatabases(2, shop)
  await using dying = await ownServer()
  const [one = ''] = tenants.names
  const listed = (ids: readonly string[]) => ['id,url', ...ids].join('\n')
  const known = [`t-001,${tenants.url(one)}`, `t-dying,${dying.url}`]
  await using where = await folder({
    'p.yaml': profile,
    't.csv': listed(known),
    'all.csv': listed([...known, `t-gone,${tenants.url(tenants.names[1] ?? '')}`]),
  })
  const doomed = postgres(dying.url, { max: 2, onnotice: () => undefined })
  await doomed.unsafe(shop)
  const writing = await doomed.reserve()
  await writing.unsafe(`begin; insert into jobs values (1000, 'x', 1)`)
  const { url } = queue
  await using only = worker(where.path, ['--queue', url, '--total', '6'])
  const apply = ['apply', 'p.yaml', '--tenants-file', 'all.csv', '--queue', url, '--format', 'json']
  const applied = ended(start(apply, { cwd: where.path }))
  while ((await doomed`select from pg_stat_progress_create_index`).length === 0)
    await new Promise((resolve) => setTimeout(resolve, 50))
  await dying.stop('immediate')
  await dying.start()
  const result = fleetResult.parse(JSON.parse((await applied).stdout))
  const [first, crashed, gone] = result.tenants
  expect([first?.outcome, gone?.outcome, gone?.error?.code]).toEqual(['done', 'not_looked', 'TENANT_GONE'])
  // By the moment: a build is gone on with on the server that is back, another statement is not. The worker lives on, as below.
  expect(['done', 'failed', 'not_looked']).toContain(crashed?.outcome)
  const target = await resolveTarget({ url, environment: {}, home: where.path })
  await using opened = await openQueue(
    queueDatabase(async () => openQueueConnection(target)),
    { heartbeatMs: 10_000, onError: () => undefined },
  )
  await opened.send(jobId('f-1', 't-001'), { perfdb: '9.9.9', run: 'f-1', tenant: 't-001' })
  const refusing = await only.ended
  expect(refusing.code).toBe(2)
  expect(refusing.stderr + refusing.stdout).toMatch(/WORKER_REFUSED.*perfdb 9\.9\.9.*perfdb \d+\.\d+\.\d+/s)
  expect(await opened.look(jobId('f-1', 't-001'))).toMatchObject({ state: 'retry' })
  await doomed.end({ timeout: 0 })
}, 300_000)

test('sessions of a lost worker are ended by who may; who may not, or cannot even see them, is told the statement', async () => {
  await using db = await testDatabase('')
  const key = '4711'
  await using hanging = await connectTo(db.url, 'look')
  await markSession(hanging, key)
  await using stranger = await testRole(db)
  await using seeing = await testRole(db, 'in role pg_read_all_stats')
  const options = { signal: new AbortController().signal, onWait: () => undefined, idleMs: 0 }
  const statement = `select pg_terminate_backend(${hanging.pid})`
  for (const [role, reason] of [
    [stranger, 'may not see'],
    [seeing, 'terminat'],
  ] as const) {
    await using session = await connectTo(role.url, 'look')
    expect(await failureOf(endLostSessions(session, key, options))).toMatchObject({
      code: 'TAKEOVER_REFUSED',
      detail: expect.stringContaining(reason),
      hint: expect.stringContaining(statement),
    })
  }
  expect(await hanging.query('select 1 as one')).toEqual([{ one: 1 }])
  // One whose worker was stopped within a message says `active` for ever.
  await db.sql`create table t (a int)`
  const within = postgres(db.url, { max: 1, onnotice: () => undefined })
  await within`select pg_advisory_lock_shared(${key}::int8)`
  const copying: unknown = await within`copy t from stdin`
  if (copying instanceof Writable) copying.on('error', () => undefined)
  const waiting = `select from pg_stat_activity where state = 'active' and wait_event = 'ClientRead'`
  await until('it waits for its client', async () => (await db.sql.unsafe(waiting)).length > 0)
  await using own = await connectTo(db.url, 'look')
  await endLostSessions(own, key, options)
  expect(await failureOf(hanging.query('select 1'))).toMatchObject({ code: 'CONNECTION_LOST' })
  await within.end({ timeout: 0 })
})
