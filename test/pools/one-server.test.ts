import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runCheckPool } from '../../src/commands/pool/check-pool.js'
import { budgets } from '../../src/pools/judge/budget.js'
import { readPools } from '../../src/pools/file/read.js'
import { mergeSameServers } from '../../src/pools/judge/same-server.js'
import { matched } from '../../src/pools/server/sessions.js'
import { renderPrometheus } from '../../src/report/machine/prometheus.js'
import { testDatabase } from '../support/database.js'
import { connectTo } from '../support/connect.js'
import { deployment, liveServer, server, service } from './builders.js'

/** check-pool of files by name, offline. */
async function check(files: Readonly<Record<string, string>>, whatIf: readonly string[] = []) {
  const cwd = await mkdtemp(join(tmpdir(), 'perfdb-pools-'))
  try {
    await Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(cwd, name), text)))
    const read = await readPools(Object.keys(files), { cwd, environment: {} })
    return await runCheckPool(read, { offline: true, failOn: 'fail', environment: {}, whatIf })
  } finally {
    await rm(cwd, { recursive: true })
  }
}

const head = 'version: 1\n'
const web = (max: number, name = 'web') =>
  `services:\n  ${name}: { server: main, role: app, deploy: { strategy: recreate }, pool: { max: ${max} } }\n`

test('two names with one url are one server without a look at it too', async () => {
  const result = await check({
    'a.pools.yaml': `${head}servers:
  main: { url: "postgres://\${DB}/app" }
  reports: { url: "postgres://reader@\${DB}/reports", max_connections: 100, memory: 4GB }
services:
  web: { server: main, deploy: { strategy: recreate }, pool: { max: 60 } }
  bi: { server: reports, deploy: { strategy: recreate }, pool: { max: 60 } }
`,
  })
  expect(result.servers).toMatchObject([{ name: 'main', max_connections: 100, declared: { peak: 120 } }])
  expect(result.verdict).toBe('FAIL')
  expect(result.findings.map((one) => one.code)).toContain('SAME_SERVER')
})

test('a server that two files describe is the sum of what they say', async () => {
  const main = (more: string) => `servers:\n  main: { url: "\${MAIN_URL}", ${more} }\n`
  const result = await check({
    'a.pools.yaml': head + main('other_connections: 4') + web(10),
    'b.pools.yaml':
      head +
      main('max_connections: 50, other_connections: 6, roles: { app: { connection_limit: 12 } }') +
      web(10, 'api'),
  })
  expect(result.servers).toMatchObject([{ max_connections: 50, declared: { peak: 26 } }])
  expect(result.findings).toMatchObject([{ code: 'ROLE_LIMIT', message: expect.stringContaining('need 20') }])
})

test('services of one name in two files stay two', async () => {
  const main = 'servers:\n  main: { url: "${MAIN_URL}", max_connections: 100 }\n'
  const files = { 'a.pools.yaml': head + main + web(10), 'b.pools.yaml': head + main + web(20) }
  const result = await check(files)
  expect(result.servers[0]?.services.map(({ name, peak }) => [name, peak])).toEqual([
    ['web (a.pools.yaml)', 10],
    ['web (b.pools.yaml)', 20],
  ])
  const series = renderPrometheus(result)
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.replace(/ [^ ]+$/, ''))
  expect(new Set(series).size).toBe(series.length)
  const changed = await check(files, ['web (b.pools.yaml).pool.max=30'])
  expect(changed.servers[0]?.declared.peak).toBe(40)
})

test('perfdb looking at a server under two names, or applying, is no stranger to itself', () => {
  const group = (applicationName: string, connections: number) =>
    ({ role: 'app', database: 'app', applicationName, connections, busy: 0, hidden: 0 }) as const
  const strangersOf = (...groups: readonly ReturnType<typeof group>[]) =>
    matched({ groups, authenticating: 0 }, [], new Map(), 3).unmanaged
  expect(strangersOf(group('perfdb look', 1), group('perfdb control', 1))).toBe(0)
  expect(strangersOf(group('perfdb look', 3), group('perfdb look', 2))).toBe(2)
  expect(strangersOf(group('perfdbish', 1))).toBe(1)
  const looked = { samples: [{ groups: [group('perfdb look', 1)], authenticating: 0 }] }
  const [budget] = budgets(deployment(), new Map([['main', liveServer(looked)]]))
  expect(budget).toMatchObject({ unmanaged: 0, perfdb: 3 })
})

test('one url is asked once, however many names it has', async () => {
  await using database = await testDatabase()
  let sessions = 0
  const written = deployment({
    servers: ['a', 'b', 'c'].map((name) => server({ name, url: database.url, maxConnections: null })),
    services: ['a', 'b', 'c'].map((name) => service({ name: `at-${name}`, server: name })),
  })
  const result = await runCheckPool([{ ...written, file: 'test.pools.yaml', findings: [] }], {
    offline: false,
    failOn: 'fail',
    environment: {},
    sampling: { samples: 1, intervalMs: 0 },
    connectTo: async (url) => {
      sessions += 1
      return connectTo(url, 'look')
    },
  })
  expect(sessions).toBe(1)
  expect(result.servers).toMatchObject([{ name: 'a', limits_from: 'live', declared: { peak: 30 } }])
})

test('the start of the postmaster tells servers apart, their system identifier where it may be read', () => {
  const two = deployment({ servers: [server({ name: 'a' }), server({ name: 'b' })] })
  const merged = (a: string, b: string) =>
    mergeSameServers(
      two,
      new Map([
        ['a', liveServer({ identity: a })],
        ['b', liveServer({ identity: b })],
      ]),
    ).deployment.servers.length
  expect(merged('7001/5432/17.5', '/5432/17.5')).toBe(1)
  expect(merged('7001/5432/17.5', '7002/5432/17.5')).toBe(2)
  expect(merged('7001/5432/17.5', '7001/5432/18.5')).toBe(2)
})
