import postgres from 'postgres'
import { expect, test } from 'vitest'
import { runCheckPool } from '../../src/commands/pool/check-pool.js'
import { poolResult, type PoolResult } from '../../src/result/documents/pool-result.js'
import type { Deployment, PoolsFile } from '../../src/pools/sums/model.js'
import { readPools } from '../../src/pools/file/read.js'
import { render } from '../../src/report/render.js'
import { deployment, instances, pool, server, service } from '../pools/builders.js'
import { ownServer, startServer } from '../support/server.js'

const root = new URL('../..', import.meta.url).pathname
const once = { samples: 1, intervalMs: 0 }

async function profile(name: string): Promise<PoolResult> {
  const files = await readPools([`profiles/${name}.pools.yaml`], { cwd: root, environment: {} })
  return checked(await runCheckPool(files, { offline: true, failOn: 'fail', environment: {} }))
}

/** The document as the JSON that is printed. */
function checked(result: PoolResult): PoolResult {
  return poolResult.parse(JSON.parse(JSON.stringify(result)))
}

function file(written: Partial<Deployment>): PoolsFile {
  return { ...deployment(written), file: 'test.pools.yaml', findings: [] }
}

function codes(result: PoolResult, ...severities: readonly string[]): readonly string[] {
  return result.findings
    .filter((one) => severities.length === 0 || severities.includes(one.severity))
    .map((one) => one.code)
}

test('the job shop: 96 of 97 as written, 192 of 97 as it runs', async () => {
  const result = await profile('job-shop')
  expect(result).toMatchObject({ ok: false, exit_code: 1, command: 'check-pool', verdict: 'FAIL' })
  expect(result.servers).toMatchObject([
    {
      name: 'as-written',
      verdict: 'WARN',
      max_connections: 100,
      reserved: 3,
      available: 97,
      declared: { steady: 96, peak: 96 },
      live: null,
      headroom: 1,
      services: [{ sum: '4 instances x pool 24 shared = 96, 32 opened at boot' }],
      recommendations: ['web-as-written: pool.max 19 (now 24)', 'web-as-written: instances.max 3 (now 4)'],
    },
    {
      name: 'as-it-runs',
      verdict: 'FAIL',
      available: 97,
      declared: { steady: 192, peak: 192 },
      headroom: -95,
      services: [{ warm: 64, sum: '2 instances x 4 gunicorn workers x own pool 8..24 = 192, 64 opened at boot' }],
    },
  ])
  expect(codes(result, 'error', 'warning')).toEqual(['POOL_NEAR', 'POOL_OVER', 'POLICY_PER_PROCESS'])
  for (const finding of result.findings)
    expect(finding.place).toMatchObject({ file: 'profiles/job-shop.pools.yaml', line: expect.any(Number) })
})

test('in a pipeline the line that breaks the budget is annotated', async () => {
  const text = await render(await profile('job-shop'), 'github', {
    width: 80,
    color: false,
    verbose: false,
    unicode: true,
  })
  const [first = ''] = text.split('\n')
  expect(first).toContain('::error file=profiles/job-shop.pools.yaml,line=32,col=39,title=perfdb POOL_OVER::')
  expect(first).toContain('Most by web-as-it-runs: 2 instances x 4 gunicorn workers x own pool 8..24 = 192')
  expect(first).toContain('%0Ahint: web-as-it-runs: pool.max 9 (now 24)')
})

test('the other teams: HTTP holds nothing, a rollout doubles, a pool for each tenant multiplies', async () => {
  const pam = await profile('pam')
  expect(pam).toMatchObject({
    exit_code: 0,
    verdict: 'WARN',
    servers: [{ declared: { peak: 10 }, max_connections: 90 }, { declared: { steady: 40, peak: 80 } }],
  })
  const oms = await profile('oms')
  expect(oms).toMatchObject({ exit_code: 1, servers: [{ declared: { steady: 83, peak: 163 }, available: 97 }] })
  expect(codes(oms, 'error')).toEqual(['POOL_SURGE'])
  const fleet = await profile('fleet')
  expect(fleet).toMatchObject({
    exit_code: 1,
    servers: [{ declared: { peak: 0 } }, { declared: { peak: 2400 }, available: 157 }],
  })
  expect(codes(fleet, 'error')).toEqual(['AUDIT_UNBOUNDED', 'POOL_OVER', 'ROLE_LIMIT'])
})

test('a warning passes unless it was asked to fail', async () => {
  const near = [file({ services: [service({ instances: instances(4), pool: pool({ max: 24 }) })] })]
  const options = { offline: true, environment: {} }
  expect(await runCheckPool(near, { ...options, failOn: 'fail' })).toMatchObject({
    verdict: 'WARN',
    ok: true,
    exit_code: 0,
  })
  expect(await runCheckPool(near, { ...options, failOn: 'warn' })).toMatchObject({
    verdict: 'WARN',
    ok: false,
    exit_code: 1,
  })
})

test('without a limit to compare with the answer is unknown, exit code 1', async () => {
  const result = await runCheckPool([file({ servers: [server({ maxConnections: null })], services: [service()] })], {
    offline: true,
    failOn: 'fail',
    environment: {},
  })
  expect(checked(result)).toMatchObject({
    verdict: 'UNKNOWN',
    exit_code: 1,
    servers: [{ max_connections: null, headroom: null, waterfall: [] }],
  })
  expect(codes(result)).toEqual(['LIMIT_UNKNOWN'])
})

test('a server that cannot be reached is unknown, a missing variable too, and no password is told', async () => {
  const servers = [
    server({ url: 'postgres://app:${SECRET}@127.0.0.1:1/app' }),
    server({ name: 'unset', url: '${NOT_SET}' }),
    server({ name: 'empty', url: '${EMPTY}' }),
  ]
  const result = await runCheckPool([file({ servers })], {
    offline: false,
    failOn: 'fail',
    environment: { SECRET: 'hunter2', EMPTY: ' ', DATABASE_URL: 'postgres://127.0.0.1:2/other' },
    sampling: once,
  })
  expect(checked(result)).toMatchObject({
    verdict: 'UNKNOWN',
    exit_code: 1,
    servers: [{ verdict: 'UNKNOWN' }, { verdict: 'UNKNOWN' }, { verdict: 'UNKNOWN' }],
  })
  expect(codes(result)).toEqual(['NOT_REACHED', 'NOT_REACHED', 'NOT_REACHED'])
  expect(result.findings[1]?.message).toContain('NOT_SET')
  expect(result.findings[2]?.message).toBe('empty: the environment variable EMPTY is empty')
  expect(JSON.stringify(result)).not.toContain('hunter2')
})

test('a live server: its limits count, its strangers are found', async () => {
  await using quiet = await ownServer({ max_connections: '200' })
  const sql = postgres(quiet.url, { max: 2 })
  await Promise.all([1, 2].map(() => sql.reserve()))
  const stranger = file({
    servers: [server({ url: quiet.url, maxConnections: 100 })],
    services: [
      service({ database: 'postgres', role: 'postgres', applicationName: 'not-this-one', pool: pool({ max: 20 }) }),
    ],
  })
  const result = checked(
    await runCheckPool([stranger], { offline: false, failOn: 'fail', environment: {}, sampling: once }),
  )
  await sql.end({ timeout: 0 })
  expect(result).toMatchObject({ verdict: 'WARN', exit_code: 0 })
  // postgres is a superuser: the reserve is its own.
  expect(result.servers[0]).toMatchObject({
    max_connections: 200,
    reserved: 3,
    available: 200,
    limits_from: 'live',
    declared: { peak: 20 },
    perfdb: 3,
    hidden: 0,
  })
  expect(result.servers[0]?.unmanaged).toBeGreaterThanOrEqual(2)
  expect(result.findings).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ code: 'SETTING_MISMATCH', hint: 'max_connections: 200' }),
      expect.objectContaining({
        code: 'UNDECLARED_CLIENTS',
        message: expect.stringContaining('2 of postgres on postgres (postgres.js)'),
      }),
    ]),
  )
})

test('a full server is the verdict, with the limit that was hit', async () => {
  await using full = await startServer({ max_connections: '5', superuser_reserved_connections: '3' })
  const { default: postgres } = await import('postgres')
  const admin = postgres(full.url, { max: 1, onnotice: () => undefined })
  await admin.unsafe(
    `create role app login password 'hunter2'; create role one login password 'hunter2' connection limit 0`,
  )
  await admin.unsafe('create database shut connection limit 0')
  const as = (user: string, name = 'postgres') => `postgres://${user}:hunter2@127.0.0.1:${full.port}/${name}`
  const app = postgres(as('app'), { max: 1 })
  await app`select 1`
  const look = async (url: string) => {
    const result = checked(
      await runCheckPool([file({ servers: [server({ url })], services: [service()] })], {
        offline: false,
        failOn: 'fail',
        environment: {},
        sampling: once,
      }),
    )
    expect(JSON.stringify(result)).not.toContain('hunter2')
    return [result.verdict, result.exit_code, ...codes(result, 'error')]
  }
  try {
    expect(await look(as('app'))).toEqual(['FAIL', 1, 'SERVER_FULL'])
    await app.end({ timeout: 2 })
    await expect.poll(() => look(as('one'))).toEqual(['FAIL', 1, 'ROLE_LIMIT'])
    expect(await look(as('app', 'shut'))).toEqual(['FAIL', 1, 'DATABASE_LIMIT'])
  } finally {
    await Promise.all([app.end({ timeout: 2 }), admin.end({ timeout: 2 })])
  }
})
