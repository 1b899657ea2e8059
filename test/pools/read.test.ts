import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { PerfdbError, type Problem } from '../../src/errors.js'
import { judge } from '../../src/pools/judge/judge.js'
import { budgets } from '../../src/pools/judge/budget.js'
import type { PoolsFile } from '../../src/pools/sums/model.js'
import { readPools } from '../../src/pools/file/read.js'
import { mergeEstates } from '../../src/pools/file/resolve.js'

async function read(
  files: Readonly<Record<string, string>>,
  environment: Readonly<Record<string, string>> = {},
): Promise<readonly PoolsFile[]> {
  const cwd = await mkdtemp(join(tmpdir(), 'perfdb-pools-'))
  try {
    await Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(cwd, name), text)))
    return await readPools(
      Object.keys(files).filter((name) => name.endsWith('.yaml')),
      { cwd, environment },
    )
  } finally {
    await rm(cwd, { recursive: true })
  }
}

async function problems(
  files: Readonly<Record<string, string>>,
  environment: Readonly<Record<string, string>> = {},
): Promise<readonly string[]> {
  const error = await read(files, environment).then(
    () => null,
    (cause: unknown) => cause,
  )
  if (!(error instanceof PerfdbError)) throw new Error('no PerfdbError', { cause: error })
  return error.problems.map(summary)
}

function summary({ code, place, message }: Problem): string {
  return `${code} ${place?.file}:${place?.line}:${place?.column} ${message}`
}

const main = 'version: 1\nservers:\n  main: { max_connections: 100 }\n'

test('every default is filled in', async () => {
  const [file] = await read({
    'a.yaml': `${main}services:
  web:
    server: main
    runtime: { kind: gunicorn, processes: 4, threads: 2 }
    instances: { desired: 2, max: 5 }
    deploy: { strategy: rolling }
    pool: { driver: sqlalchemy }
    load: { rate: 60/min, service_time: 50ms }
`,
  })
  expect(file?.services[0]).toMatchObject({
    runtime: { kind: 'gunicorn', processes: 4, threads: 2, scope: 'process' },
    instances: { desired: 2, max: 5 },
    deploy: {
      strategy: 'rolling',
      maxSurge: { percent: 25 },
      maxUnavailable: { percent: 25 },
      countTerminating: true,
      endsQuickly: false,
    },
    pool: { min: 0, max: 5, maxOverflow: 10, eager: false, acquireTimeoutMs: 30_000 },
    load: { ratePerSecond: 1, serviceTimeSeconds: 0.05 },
    place: { file: 'a.yaml', line: 5, column: 3 },
    poolPlace: { file: 'a.yaml', line: 10, column: 5 },
  })
})

test('a negative pool is refused at its place', async () => {
  const found = await problems({
    'a.yaml': `${main}services:\n  web:\n    server: main\n    pool: { min: -1, max: -5 }\n`,
  })
  expect(found).toEqual([
    expect.stringMatching(/^BAD_VALUE a\.yaml:7:18 services\.web\.pool\.min: must be at least 0, found -1/),
    expect.stringMatching(/^BAD_VALUE a\.yaml:7:27 services\.web\.pool\.max: must be at least 0, found -5/),
  ])
})

test.each([
  ['pool: { max: unlimited }', '7:13'],
  ['pool: { max: 0 }', '7:13'],
  ['pool: { driver: go }', '7:5'],
  ['pool: { driver: sqlalchemy, max_overflow: -1 }', '7:33'],
  ['role: app', '5:3'],
])('an unbounded pool is an error among the findings, and the rest is read: %s', async (pool, place) => {
  const [file] = await read({ 'a.yaml': `${main}services:\n  web:\n    server: main\n    ${pool}\n` })
  expect(file?.services).toHaveLength(1)
  expect(file?.findings).toMatchObject([{ code: 'UNBOUNDED_POOL', severity: 'error', service: 'web' }])
  const at = file?.findings[0]?.place
  expect(`${at?.line}:${at?.column}`).toBe(place)
})

test.each([
  ['pool: { min: 5, max: 2 }', 'BAD_VALUE a.yaml:7:13'],
  ['pool: { driver: psycopg2 }', 'BAD_VALUE a.yaml:7:5'],
  ['pool: { max: 5, acquire_timeout: 10 }', 'BAD_VALUE a.yaml:7:38'],
  ['pool: { maxx: 5 }', 'UNKNOWN_KEY a.yaml:7:13'],
])('a pool without a usable maximum is refused: %s', async (pool, expected) => {
  const found = await problems({ 'a.yaml': `${main}services:\n  web:\n    server: main\n    ${pool}\n` })
  expect(found).toEqual([expect.stringContaining(expected)])
})

test('a pooler whose pools nothing bounds is an error, one behind a limit is not', async () => {
  const pgb = (more: string) => ({
    'a.yaml': `${main}services:\n  web: { server: main, database: app, role: app, via: pgb, pool: { max: 5 } }\npoolers:\n  pgb: { kind: pgbouncer, default_pool_size: 0${more} }\n`,
  })
  const unbounded = mergeEstates(await read(pgb('')))
  expect(budgets(unbounded).flatMap((budget) => judge(budget, unbounded))).toMatchObject([
    { code: 'POOLER_UNBOUNDED', severity: 'error', place: { line: 7, column: 3 } },
  ])
  const files = await read(pgb(', max_db_connections: 40'))
  expect(budgets(mergeEstates(files))[0]?.total.peak).toBe(40)
})

test('all problems of all files are told at once', async () => {
  const found = await problems({
    'a.yaml': `${main}services:\n  web: { server: main, pool: { max: -1 } }\n  api: { server: main, pool: { max: 5 }, instances: { desired: 3, max: 2 } }\n`,
    'b.yaml': 'version: 2\n',
    'c.yaml': `${main}services:\n  one: { pool: { max: 1 } }\n  two: { server: main, pool: { driver: go } }\n`,
  })
  expect(found.map((one) => one.split(' ').slice(0, 2).join(' '))).toEqual([
    'BAD_VALUE a.yaml:5:37',
    'BAD_VALUE b.yaml:1:10',
    'BAD_VALUE c.yaml:5:3',
  ])
})

test('unknown names are refused', async () => {
  const found = await problems({
    'a.yaml': `version: 1
servers:
  main: { max_connections: 100, roles: { app: { connection_limit: 30 } } }
services:
  a: { server: mian, pool: { max: 1 } }
  b: { server: main, via: pgb, pool: { max: 1 } }
`,
  })
  expect(found).toEqual([
    'UNKNOWN_REFERENCE a.yaml:5:3 a: no server "mian"',
    'UNKNOWN_REFERENCE a.yaml:6:3 b: no pooler "pgb"',
  ])
  const inner = await problems({
    'a.yaml': `version: 1
servers:
  main: { max_connections: 100, roles: { app: { connection_limit: 30 } } }
services:
  a: { server: main, role: other, pool: { max: 1 } }
  b: { server: main, database: nowhere, via: pgb, pool: { max: 1 } }
  c: { server: main, pool: { max: 1, per_tenant: true } }
poolers:
  pgb: { kind: pgbouncer, databases: { app: { server: main } }, max_db_connections: { billing: 5 }, max_user_connections: { ghost: 5 } }
`,
  })
  expect(inner).toEqual([
    'UNKNOWN_REFERENCE a.yaml:5:3 a: no role "other"',
    'UNKNOWN_REFERENCE a.yaml:6:3 b: no database of pgb "nowhere"',
    'UNKNOWN_REFERENCE a.yaml:7:3 c: per_tenant, but no tenants are declared',
    'UNKNOWN_REFERENCE a.yaml:9:3 pgb.max_db_connections: no database "billing"',
    'UNKNOWN_REFERENCE a.yaml:9:3 pgb.max_user_connections: no role "ghost"',
  ])
})

test('a url is kept as written, set or not; other variables are read', async () => {
  const text = 'version: 1\nservers:\n  main:\n    url: ${MAIN_URL}\n    max_connections: ${MAX}\n'
  const [file] = await read({ 'a.yaml': text }, { MAX: '50', MAIN_URL: 'postgres://app:secret@db/app' })
  expect(file?.servers[0]).toMatchObject({ url: '${MAIN_URL}', maxConnections: 50 })
  expect(await problems({ 'a.yaml': text })).toEqual([
    'MISSING_ENVIRONMENT a.yaml:5:22 the environment variable MAX is not set',
  ])
})

test('a password in the file is told without being shown', async () => {
  const [file] = await read({
    'a.yaml':
      'version: 1\nservers:\n  main: { url: "postgres://app:hunter2@db/app" }\n  other: { url: "postgres://app:${PW}@db/app" }\n',
  })
  expect(file?.findings).toMatchObject([{ code: 'LITERAL_PASSWORD', place: { line: 3, column: 3 } }])
  expect(JSON.stringify(file?.findings)).not.toContain('hunter2')
})

test('tenants come from a CSV file, with quotes and a missing column told', async () => {
  const text =
    'version: 1\nservers:\n  main: { max_connections: 100 }\n  two: { max_connections: 100 }\ntenants:\n  - { ids_from: t.csv, server_column: where, database_column: db }\nservices:\n  api: { deploy: { strategy: recreate }, pool: { max: 5, per_tenant: true } }\n'
  const [file] = await read({ 'a.yaml': text, 't.csv': 'id,where,db\r\n"y, one",main,y1\r\ny2,two,y2\n\ny3,two,y3' })
  expect(file?.tenants.map(({ id, server, database }) => [id, server, database])).toEqual([
    ['y, one', 'main', 'y1'],
    ['y2', 'two', 'y2'],
    ['y3', 'two', 'y3'],
  ])
  expect(budgets(mergeEstates([file].filter((one) => one !== undefined))).map((one) => one.total.peak)).toEqual([5, 10])
  expect(await problems({ 'a.yaml': text, 't.csv': 'id,db\ny1,y1' })).toEqual([
    'BAD_VALUE t.csv:1:1 no column where in t.csv',
  ])
  expect(await problems({ 'a.yaml': text })).toEqual([expect.stringContaining('FILE_NOT_FOUND a.yaml:6:17')])
})

test('services of one team use the server that another file declares; equal names without a url stay apart', async () => {
  const service = (name: string) =>
    `services:\n  ${name}: { server: main, deploy: { strategy: recreate }, pool: { max: 5 } }\n`
  const shared = await read({
    'a.yaml': main,
    'b.yaml': `version: 1\n${service('b')}`,
    'c.yaml': `version: 1\n${service('c')}`,
  })
  expect(budgets(mergeEstates(shared)).map((one) => [one.server.name, one.total.peak])).toEqual([['main', 10]])
  const apart = await read({ 'a.yaml': main + service('a'), 'b.yaml': main + service('b') })
  expect(budgets(mergeEstates(apart)).map((one) => [one.server.name, one.total.peak])).toEqual([
    ['main (a.yaml)', 5],
    ['main (b.yaml)', 5],
  ])
  const same = 'version: 1\nservers:\n  main: { url: "postgres://db/app", max_connections: 100 }\n'
  const together = await read({ 'a.yaml': same + service('a'), 'b.yaml': same + service('b') })
  expect(budgets(mergeEstates(together)).map((one) => [one.server.name, one.total.peak])).toEqual([['main', 10]])
})

test('consoles of several replicas, written in any of the ways of YAML, stay out of the model', async () => {
  const consoles = [
    'admin_url: ["postgres://a:${PW}@one/pgbouncer", "${TWO}"]',
    'admin_url: [\n      "postgres://a:${PW}@one/pgbouncer",\n      "${TWO}" ]',
    'admin_url:\n      - "postgres://a:${PW}@one/pgbouncer"\n      - ${TWO}',
  ]
  for (const written of consoles) {
    const text = `${main}poolers:\n  pgb:\n    kind: pgbouncer\n    ${written}\n    default_pool_size: \${SIZE}\n`
    const [file] = await read({ 'a.yaml': text }, { PW: 'hunter2', SIZE: '7' })
    expect(file?.poolers[0]).toMatchObject({
      adminUrls: ['postgres://a:${PW}@one/pgbouncer', '${TWO}'],
      replicas: 2,
      defaultPoolSize: 7,
    })
  }
  const fewer = `${main}poolers:\n  pgb: { kind: pgbouncer, replicas: 1, admin_url: [a, b] }\n`
  expect(await problems({ 'a.yaml': fewer })).toEqual([
    'BAD_VALUE a.yaml:5:27 poolers.pgb: 2 consoles are named, but 1 replica',
  ])
})

test('work_mem of roles and databases, and parallel workers, as PostgreSQL has them by default', async () => {
  const [file] = await read({
    'a.yaml': `version: 1
servers:
  main:
    max_connections: 100
    settings: { shared_buffers: 1GB }
    roles: { bi: { work_mem: 256MB }, web: {} }
    databases: { app: { work_mem: 8MB }, small: { connection_limit: 3 } }
`,
  })
  expect(file?.servers[0]).toMatchObject({
    memorySettings: { workersPerGather: 2, parallelWorkers: 8 },
    roleSettings: [
      { role: 'bi', database: null, name: 'work_mem', value: '256MB' },
      { role: null, database: 'app', name: 'work_mem', value: '8MB' },
    ],
    databases: { small: 3 },
  })
  expect(file?.servers[0]?.databases).not.toHaveProperty('app')
})

test('users of a pooler with sizes and limits of their own', async () => {
  const [file] = await read({
    'a.yaml': `${main}poolers:
  pgb:
    kind: pgbouncer
    max_user_connections: 40
    users: { web: { pool_size: 5, max_user_connections: 9 }, bi: { reserve_pool_size: 0 } }
`,
  })
  expect(file?.poolers[0]).toMatchObject({
    users: { web: { poolSize: 5, reservePoolSize: null }, bi: { poolSize: null, reservePoolSize: 0 } },
    maxUserConnections: { '*': 40, web: 9 },
  })
})
