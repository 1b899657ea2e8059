import postgres from 'postgres'
import { expect, test } from 'vitest'
import { runCheckPool, type CheckPoolOptions } from '../../src/commands/pool/check-pool.js'
import { poolResult } from '../../src/result/documents/pool-result.js'
import { watchPools } from '../../src/commands/pool/pool-watch.js'
import type { Deployment } from '../../src/pools/sums/model.js'
import { deployment, instances, pool, server, service } from '../pools/builders.js'
import { connectTo } from '../support/connect.js'
import { testDatabase } from '../support/database.js'
import { ownServer } from '../support/server.js'

const quick = { samples: 2, intervalMs: 1 }

async function check(written: Deployment, options: Partial<CheckPoolOptions> = {}) {
  const result = await runCheckPool([{ ...written, file: 'test.pools.yaml', findings: [] }], {
    offline: false,
    failOn: 'fail',
    environment: {},
    sampling: quick,
    ...options,
  })
  return poolResult.parse(JSON.parse(JSON.stringify(result)))
}

function given(url: string, explicit: boolean): NonNullable<CheckPoolOptions['given']> {
  return { explicit, connect: async () => connectTo(url, 'look') }
}

const open = server({ maxConnections: null })

test('--url stands for the one server without a url, and for the one server at all', async () => {
  await using database = await testDatabase()
  const one = await check(deployment({ servers: [open] }), { given: given(database.url, false) })
  expect(one.servers[0]).toMatchObject({ max_connections: 200, limits_from: 'live' })
  expect(one.offline).toBe(false)
  const own = server({ url: 'postgres://127.0.0.1:1/nowhere' })
  const two = await check(deployment({ servers: [own, { ...open, name: 'other' }] }), {
    given: given(database.url, true),
  })
  expect(two.servers.map((each) => each.limits_from)).toEqual(['file', 'live'])
  const flag = await check(deployment({ servers: [own] }), { given: given(database.url, true) })
  expect(flag.servers[0]?.limits_from).toBe('live')
  const variable = await check(deployment({ servers: [own] }), { given: given(database.url, false) })
  expect(variable).toMatchObject({ verdict: 'UNKNOWN', exit_code: 1 })
})

test('--url that could be several servers is refused with their names; a variable of the environment is not', async () => {
  const several = deployment({ servers: [server({ name: 'eu' }), server({ name: 'us' })] })
  const refused: unknown = await check(several, { given: given('postgres://x', true) }).catch((error: unknown) => error)
  expect(refused).toMatchObject({ code: 'BAD_OPTION', message: '--url could be any of the servers eu, us' })
  const result = await check(several, { given: given('postgres://x', false) })
  expect(result).toMatchObject({ verdict: 'UNKNOWN', exit_code: 1, offline: true })
  expect(result.findings).toMatchObject([
    { code: 'NOT_ASKED', message: expect.stringContaining('eu, us were not asked') },
  ])
})

test('without any url nothing passes; with --offline the numbers of the file count, and it needs no word', async () => {
  const over = deployment({ services: [service({ instances: instances(20) })] })
  expect(await check(over)).toMatchObject({ verdict: 'FAIL', exit_code: 1, offline: true })
  const fits = await check(deployment({ services: [service()] }))
  expect(fits).toMatchObject({ verdict: 'UNKNOWN', exit_code: 1 })
  expect(fits.findings.map((one) => one.code)).toEqual(['NOT_ASKED'])
  expect(await check(deployment({ services: [service()] }), { offline: true })).toMatchObject({
    exit_code: 0,
    findings: [],
  })
})

test('two names of one server are one, and their pools add up', async () => {
  await using database = await testDatabase()
  const here = { url: database.url, maxConnections: null, otherConnections: 4 }
  const one = (name: string, to: string) =>
    service({ name, server: to, database: database.name, role: 'postgres', pool: pool({ max: 70 }) })
  const result = await check(
    deployment({
      servers: [
        server({ ...here, name: 'a' }),
        server({ ...here, name: 'b', url: `${database.url}?connect_timeout=9` }),
      ],
      services: [one('x', 'a'), one('y', 'b')],
    }),
  )
  expect(result.servers).toMatchObject([{ name: 'a', declared: { peak: 148 } }])
  expect(result.findings.find((each) => each.code === 'SAME_SERVER')?.message).toContain('b and a are one server')
})

test('more sessions than a service may open are strangers, though they look like its own', async () => {
  await using quiet = await ownServer()
  const sql = postgres(quiet.url, { max: 4 })
  await Promise.all([1, 2, 3, 4].map(() => sql.reserve()))
  const written = deployment({
    servers: [server({ url: quiet.url, maxConnections: null })],
    services: [service({ name: 'web', database: 'postgres', role: 'postgres', pool: pool({ max: 3 }) })],
  })
  const result = await check(written)
  await sql.end({ timeout: 0 })
  const surplus = result.findings.find((one) => one.code === 'UNDECLARED_CLIENTS')
  expect(surplus?.message).toContain('1 of postgres on postgres (postgres.js), as web')
})

test('load comes from pg_stat_database where the file gives none', async () => {
  await using database = await testDatabase('create table t (a int); insert into t values (1)')
  let working = true
  const clients = [1, 2].map(() => postgres(database.url, { max: 1 }))
  const work = clients.map(async (sql) => {
    while (working) await sql.begin((inside) => inside`select pg_sleep(0.02) from t`)
  })
  const written = deployment({
    servers: [server({ url: database.url, maxConnections: null })],
    services: [service({ database: database.name, role: 'postgres', pool: pool({ max: 1 }), instances: instances(2) })],
  })
  try {
    const result = await check(written, { sampling: { samples: 4, intervalMs: 1000 } })
    const load = result.servers[0]?.load?.find((one) => one.database === database.name)
    // Two clients that do nothing but wait in a transaction: 2 erlangs, less what a busy machine takes.
    expect(load?.erlangs).toBeGreaterThan(0.5)
    expect(load?.erlangs).toBeLessThan(4)
    expect(result.servers[0]?.services[0]?.queue).toMatchObject({ pools: 2, connections: 1, measured: true })
    expect(result.findings.filter((one) => one.code === 'QUEUE_UNSTABLE' && one.severity === 'error')).toEqual([])
  } finally {
    working = false
    await Promise.all(work)
    await Promise.all(clients.map(async (sql) => sql.end({ timeout: 2 })))
  }
})

test('timeouts are told by role, as ALTER ROLE and ALTER DATABASE leave them', async () => {
  await using database = await testDatabase()
  const [safe, open] = [`safe_${database.name}`, `open_${database.name}`]
  await database.sql.unsafe(`create role ${safe} login; create role ${open} login;
    alter role ${safe} set statement_timeout = '30s'; alter role ${open} set statement_timeout = '30s';
    alter role ${open} in database ${database.name} set statement_timeout = 0;
    alter database ${database.name} set idle_in_transaction_session_timeout = '5min'`)
  try {
    const web = (role: string) => service({ name: role, role, database: database.name })
    const result = await check(
      deployment({ servers: [server({ url: database.url, maxConnections: null })], services: [web(safe), web(open)] }),
    )
    const about = result.findings.filter((one) => /TIMEOUT|IDLE/.test(one.code))
    expect(about).toMatchObject([{ code: 'NO_STATEMENT_TIMEOUT', hint: expect.stringContaining(open) }])
    expect(about[0]?.message).not.toContain(safe)
  } finally {
    await database.sql.unsafe(`drop role ${safe}; drop role ${open}`)
  }
})

test('work_mem of a role counts as ALTER ROLE leaves it', async () => {
  await using database = await testDatabase()
  const [plain, greedy] = [`plain_${database.name}`, `greedy_${database.name}`]
  await database.sql.unsafe(`create role ${plain} login; create role ${greedy} login;
    alter role ${greedy} set work_mem = '1GB'`)
  try {
    const memoryBytes = 4 * 1024 ** 3
    const found = async (role: string) => {
      const result = await check(
        deployment({
          servers: [server({ url: database.url, maxConnections: null, memoryBytes })],
          services: [service({ role, database: database.name, pool: pool({ max: 30 }) })],
        }),
      )
      return result.findings.filter((one) => one.code === 'MEMORY_OVER').map((one) => one.message)
    }
    expect(await found(plain)).toEqual([])
    expect(await found(greedy)).toEqual([
      expect.stringContaining(`30 of them are of role ${greedy} with a work_mem of 1024 MB`),
    ])
  } finally {
    await database.sql.unsafe(`drop role ${plain}; drop role ${greedy}`)
  }
})

test('--watch measures the load, and splits it by application', { timeout: 60_000 }, async () => {
  await using database = await testDatabase()
  await database.sql.unsafe('create table t (a int); insert into t values (1)')
  let working = true
  const clients = ['busy', 'idle'].map((name) =>
    postgres(database.url, { max: 2, connection: { application_name: name } }),
  )
  const [busy, idle] = clients
  const work = [1, 2].map(async () => {
    while (working) await busy?.begin((inside) => inside`select pg_sleep(0.02) from t`)
  })
  await idle?.unsafe('select 1')
  const controller = new AbortController()
  const role = { database: database.name, role: 'postgres' }
  const written = deployment({
    servers: [server({ url: database.url, maxConnections: null })],
    services: ['busy', 'idle'].map((name) => service({ ...role, name, applicationName: name, pool: pool({ max: 2 }) })),
  })
  const looks: (number | undefined)[] = []
  try {
    const result = await watchPools([{ ...written, file: 'test.pools.yaml', findings: [] }], {
      offline: false,
      failOn: 'fail',
      environment: {},
      intervalMs: 200,
      rounds: 250,
      signal: controller.signal,
      signalName: () => undefined,
      onSample: ({ erlangs }) => {
        looks.push(erlangs)
        // A busy backend counts its work once a second.
        if (looks.length >= 10 && looks.some((one) => (one ?? 0) > 0)) controller.abort()
      },
    })
    expect(looks[0]).toBeUndefined()
    expect(result.servers[0]?.load?.map((one) => one.database)).toContain(database.name)
    const queues = Object.fromEntries(result.servers[0]?.services.map((line) => [line.name, line.queue]) ?? [])
    expect(queues['busy']).toMatchObject({ measured: true })
    expect(queues['idle']).toBeUndefined()
    expect(result.findings.filter((one) => one.code === 'LOAD_UNKNOWN')).toEqual([])
  } finally {
    working = false
    await Promise.all(work)
    await Promise.all(clients.map(async (sql) => sql.end({ timeout: 2 })))
  }
})

test('--watch tells every look, and judges the worst of them', async () => {
  await using database = await testDatabase()
  const seen: (number | null)[] = []
  const held: postgres.ReservedSql[] = []
  const controller = new AbortController()
  const watching = (rounds: number, onSample: () => void) =>
    watchPools(
      [
        {
          ...deployment({ servers: [server({ url: database.url, maxConnections: null })] }),
          file: 'test.pools.yaml',
          findings: [],
        },
      ],
      {
        offline: false,
        failOn: 'fail',
        environment: {},
        intervalMs: 100,
        rounds,
        signal: controller.signal,
        signalName: () => (controller.signal.aborted ? 'SIGINT' : undefined),
        onSample: (sample) => {
          seen.push(sample.sessions)
          onSample()
        },
      },
    )
  const result = await watching(3, () => {
    void database.sql.reserve().then((one) => held.push(one))
  })
  expect(poolResult.parse(JSON.parse(JSON.stringify(result))).samples).toHaveLength(3)
  expect(result.servers[0]?.live).toBe(Math.max(...seen.map((count) => count ?? 0)))
  expect(result.exit_code).toBe(0)
  const stopped = await watching(Infinity, () => controller.abort())
  expect(stopped).toMatchObject({ exit_code: 130, samples: [{ verdict: 'OK' }] })
  held.forEach((one) => one.release())
})
