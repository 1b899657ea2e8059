import postgres from 'postgres'
import { expect, test } from 'vitest'
import { budgets } from '../../src/pools/judge/budget.js'
import { judge, verdictOf } from '../../src/pools/judge/judge.js'
import { readLive } from '../../src/pools/server/live.js'
import { connectionsOf, matched, patternsOn } from '../../src/pools/server/sessions.js'
import { connect } from '../../src/server/connect.js'
import { resolveTarget } from '../../src/server/target/target.js'
import { testDatabase, type TestDatabase } from '../support/database.js'
import { serverMajor } from '../support/major.js'
import { deployment, pool, server, service } from './builders.js'
import { allDemands } from '../../src/pools/sums/demand.js'

const once = { samples: 1, intervalMs: 0 }

/** Makes a role for the time of a test, named after its database so that tests do not meet. */
async function withRole(database: TestDatabase, attributes: string) {
  const name = `r_${database.name}`
  await database.sql.unsafe(`create role ${name} login password 'pw' ${attributes}`)
  const url = new URL(database.url)
  url.username = name
  url.password = 'pw'
  return {
    name,
    url: url.href,
    async [Symbol.asyncDispose]() {
      await database.sql.unsafe(`drop owned by ${name}`)
      await database.sql.unsafe(`drop role ${name}`)
    },
  }
}

async function look(url: string) {
  return connect(await resolveTarget({ url, environment: {}, home: '/nonexistent' }), 'look')
}

test('limits of the server, its roles and its databases', async () => {
  await using database = await testDatabase()
  await using role = await withRole(database, 'connection limit 7')
  await database.sql.unsafe(`alter database ${database.name} connection limit 9`)
  await using session = await look(database.url)
  const live = await readLive(session, once)
  expect(live).toMatchObject({ seesAll: true, user: 'postgres', inRecovery: false })
  expect(live.limits).toMatchObject({
    maxConnections: 200,
    superuserReserved: 3,
    reserved: 0,
    providerReserved: 0,
    source: 'live',
  })
  expect(live.roles[role.name]).toEqual({ kind: 'ordinary', connectionLimit: 7 })
  expect(live.roles['postgres']).toEqual({ kind: 'superuser', connectionLimit: null })
  expect(live.databases).toMatchObject({ [database.name]: 9, postgres: null })
  const hashMemMultiplier = serverMajor < 15 ? 1 : 2
  expect(live.memory).toMatchObject({ workMem: 4 * 1024 ** 2, sharedBuffers: 128 * 1024 ** 2, hashMemMultiplier })
})

test('a role with a limit fails though the server has room; what the database allows is judged too', async () => {
  await using database = await testDatabase()
  await using role = await withRole(database, 'connection limit 30')
  await database.sql.unsafe(`alter database ${database.name} connection limit 50`)
  await using session = await look(database.url)
  const live = await readLive(session, once)
  const one = { database: database.name, role: role.name }
  const written = deployment({
    services: [
      service({ ...one, name: 'a', pool: pool({ max: 25 }) }),
      service({ ...one, name: 'b', pool: pool({ max: 20 }) }),
    ],
  })
  const [budget] = budgets(written, new Map([['main', live]]))
  if (budget === undefined) throw new Error('no budget')
  const findings = judge(budget, written)
  expect(findings.filter((finding) => finding.severity === 'error')).toMatchObject([
    { code: 'ROLE_LIMIT', message: expect.stringContaining('may have 30 connections, a, b need 45') },
  ])
  expect(verdictOf(budget, findings)).toBe('FAIL')
})

test.skipIf(serverMajor < 16)('a member of pg_use_reserved_connections has more slots', async () => {
  await using database = await testDatabase()
  await using role = await withRole(database, 'in role pg_use_reserved_connections')
  await using session = await look(database.url)
  expect((await readLive(session, once)).roles[role.name]?.kind).toBe('reserved')
})

test('sessions are counted by role, database and application; its own is not', async () => {
  await using database = await testDatabase()
  const client = postgres(database.url, { max: 3, connection: { application_name: 'api' } })
  try {
    const held = await Promise.all([1, 2, 3].map(() => client.reserve()))
    await using session = await look(database.url)
    const live = await readLive(session, { samples: 2, intervalMs: 1 })
    held.forEach((one) => one.release())
    expect(live.samples).toHaveLength(2)
    const here = live.samples[0]?.groups.filter((group) => group.database === database.name) ?? []
    expect(here.find((group) => group.applicationName === 'api')).toMatchObject({
      role: 'postgres',
      connections: 3,
      hidden: 0,
    })
    expect(here.filter((group) => group.applicationName?.startsWith('perfdb'))).toEqual([])
    const written = deployment({
      services: [service({ database: database.name, role: 'postgres', applicationName: 'api' })],
    })
    const sample = { groups: here, authenticating: 0 }
    expect(matched(sample, patternsOn('main', allDemands(written), []))).toMatchObject({ managed: 3, hidden: 0 })
    expect(connectionsOf(sample)).toBeGreaterThanOrEqual(3)
  } finally {
    await client.end({ timeout: 2 })
  }
})

test('what a plain role may not see is counted, and makes the verdict unknown; pg_monitor sees it', async () => {
  await using database = await testDatabase()
  await using role = await withRole(database, '')
  const others = await Promise.all([1, 2].map(() => database.sql.reserve()))
  const verdictAs = async () => {
    await using session = await look(role.url)
    const live = await readLive(session, once)
    const written = deployment({
      servers: [server({ maxConnections: null })],
      services: [service({ database: database.name, role: 'postgres' })],
    })
    const [budget] = budgets(written, new Map([['main', live]]))
    if (budget === undefined) throw new Error('no budget')
    const findings = judge(budget, written)
    const here =
      live.samples[0]?.groups.filter((group) => group.database === database.name && group.role === 'postgres') ?? []
    const sum = (key: 'connections' | 'hidden') => here.reduce((total, group) => total + group[key], 0)
    return {
      connections: sum('connections'),
      hidden: sum('hidden'),
      verdict: verdictOf(budget, findings),
      hints: findings.filter((one) => one.code === 'HIDDEN_SESSIONS').map((one) => one.hint),
    }
  }
  const plain = await verdictAs()
  expect(plain).toMatchObject({ connections: 0, verdict: 'UNKNOWN', hints: [`grant pg_monitor to "${role.name}"`] })
  expect(plain.hidden).toBeGreaterThanOrEqual(2)
  await database.sql.unsafe(`grant pg_monitor to ${role.name}`)
  const monitor = await verdictAs()
  expect(monitor).toMatchObject({ hidden: 0, hints: [] })
  expect(monitor.connections).toBeGreaterThanOrEqual(2)
  expect(monitor.verdict).not.toBe('UNKNOWN')
  others.forEach((one) => one.release())
})
