import { expect, test } from 'vitest'
import { budgets } from '../../src/pools/judge/budget.js'
import { judge, verdictOf } from '../../src/pools/judge/judge.js'
import { judgeService } from '../../src/pools/judge/judge-service.js'
import { estateOf } from './written.js'

const services = (text: string) => estateOf(`servers: { main: { max_connections: 100 } }\nservices:\n  web: ${text}\n`)

/** Peak of the only server, its verdict and the codes that made it. */
function judged(text: string) {
  const deployment = estateOf(text)
  const [budget] = budgets(deployment)
  if (budget === undefined) throw new Error('no server')
  const findings = judge(budget, deployment)
  return {
    peak: budget.total.peak,
    verdict: verdictOf(budget, findings),
    codes: findings.filter((one) => one.severity !== 'info').map((one) => one.code),
    findings,
  }
}

const still = 'deploy: { strategy: recreate }'

test.each([
  [
    '{ server: main, runtime: { kind: celery, processes: 8 }, instances: 3, pool: { max: 5, max_overflow: 10 }, STILL }',
    24,
  ],
  ['{ server: main, runtime: { kind: celery, concurrency: 8 }, pool: { max: 5, max_overflow: 10 }, STILL }', 8],
  ['{ server: main, runtime: { kind: celery, worker_class: gevent, concurrency: 100 }, pool: { max: 5 }, STILL }', 5],
  ['{ server: main, runtime: { kind: sidekiq, concurrency: 10 }, pool: { max: 12 }, STILL }', 10],
  ['{ server: main, runtime: { kind: sidekiq }, pool: { max: 12 }, STILL }', 5],
  ['{ server: main, runtime: { kind: puma, workers: 2, threads: 3 }, pool: { driver: rails }, STILL }', 6],
  ['{ server: main, runtime: { kind: puma }, pool: { max: 20 }, STILL }', 5],
  ['{ server: main, runtime: { kind: gunicorn, workers: 4, worker_class: sync }, pool: { max: 5 }, STILL }', 4],
  [
    '{ server: main, runtime: { kind: gunicorn, workers: 4, worker_class: gthread, threads: 2 }, pool: { max: 5 }, STILL }',
    8,
  ],
  ['{ server: main, runtime: { kind: gunicorn, workers: 4 }, pool: { max: 5 }, STILL }', 4],
  ['{ server: main, runtime: { kind: gunicorn, workers: 4, threads: 3 }, pool: { max: 5 }, STILL }', 12],
  ['{ server: main, runtime: { kind: gunicorn, workers: 4, worker_class: uvicorn }, pool: { max: 5 }, STILL }', 20],
  ['{ server: main, runtime: { kind: gunicorn, workers: 4, worker_class: gevent }, pool: { max: 5 }, STILL }', 20],
  ['{ server: main, runtime: { kind: gunicorn, workers: 2 }, pool: { driver: asyncpg }, STILL }', 20],
  ['{ server: main, runtime: { kind: uvicorn, workers: 4 }, pool: { max: 5 }, STILL }', 20],
  ['{ server: main, runtime: { kind: php-fpm, processes: 30 }, STILL }', 30],
  ['{ server: main, runtime: { kind: lambda, max_concurrency: 40 }, pool: { driver: pg } }', 40],
  ['{ server: main, runtime: { processes: 2, threads: 3 }, pool: { max: 5 }, STILL }', 6],
  ['{ server: main, pool: { driver: npgsql }, STILL }', 100],
])('a runtime brings its own default: %s', (text, peak) => {
  expect(budgets(services(text.replace('STILL', still)))[0]?.total.peak).toBe(peak)
})

test('children for each processor, and nobody says how many: the verdict is unknown', () => {
  expect(services('{ server: main, runtime: { kind: celery }, pool: { max: 5 } }').findings).toMatchObject([
    { code: 'RUNTIME_UNKNOWN', severity: 'warning', hint: 'runtime.concurrency: 8' },
  ])
})

test('more threads than connections: a warning, an error where they give up before one comes free', () => {
  const short = (more: string) => {
    const [web] = services(
      `{ server: main, runtime: { kind: sidekiq, concurrency: 10 }, pool: { max: 6${more} }, load: { rate: 1/s, service_time: 8s } }`,
    ).services
    return web === undefined ? [] : judgeService(web, []).filter((one) => one.code === 'POOL_SHORT')
  }
  expect(short('')).toMatchObject([{ severity: 'warning', hint: 'pool.max: 10, or runtime.threads: 6' }])
  expect(short(', driver: activerecord')).toMatchObject([{ severity: 'error' }])
  expect(short(', acquire_timeout: 10s')).toMatchObject([{ severity: 'warning' }])
})

const behind = (pooler: string, service = '') => `
servers: { main: { max_connections: 200 } }
services:
  web: { server: main, database: app, role: app, via: pg, instances: 30, pool: { max: 10${service} }, ${still} }
poolers:
  pg: ${pooler}
`

test.each([
  ['{ kind: rds-proxy }', 200, 'FAIL', ['POOL_OVER']],
  ['{ kind: rds-proxy, max_connections_percent: 40 }', 80, 'OK', []],
  ['{ kind: pgbouncer, pool_mode: transaction, max_client_conn: 500 }', 20, 'OK', []],
  ['{ kind: pgcat, pool_mode: transaction, pool_size: 30 }', 30, 'OK', []],
  ['{ kind: odyssey, pool_mode: transaction, pool_size: 30 }', 30, 'OK', []],
  ['{ kind: odyssey, pool_mode: transaction, max_db_connections: 50 }', 50, 'OK', []],
  ['{ kind: pgpool, num_init_children: 40, max_pool: 2 }', 40, 'FAIL', ['POOLER_SESSION', 'POOLER_CLIENTS']],
  ['{ kind: supavisor, pool_mode: transaction, default_pool_size: 15, max_client_conn: 400 }', 15, 'OK', []],
])('a pooler of its kind, never a PgBouncer: %s', (pooler, peak, verdict, codes) => {
  expect(judged(behind(pooler))).toMatchObject({ peak, verdict, codes })
})

test('what a kind leaves open is unknown, and counted as its clients', () => {
  const open = judged(behind('{ kind: supavisor, pool_mode: transaction, max_client_conn: 400 }'))
  expect(open.findings[0]).toMatchObject({ code: 'POOL_OVER' })
  expect(open.peak).toBe(300)
  const small = judged(behind('{ kind: pgcat, pool_size: 10 }'))
  expect(small).toMatchObject({ peak: 10, verdict: 'UNKNOWN', codes: ['POOLER_UNKNOWN'] })
  expect(small.findings.find((one) => one.code === 'POOLER_UNKNOWN')?.message).toContain('pool_mode is not declared')
})

test('prepared statements and session state pin the connections of RDS Proxy', () => {
  const pinned = judged(behind('{ kind: rds-proxy, max_connections_percent: 40 }', ', session_state: [settings]'))
  expect(pinned).toMatchObject({ verdict: 'FAIL', codes: ['POOLER_PINNED'] })
  expect(pinned.findings.find((one) => one.code === 'POOLER_PINNED')?.message).toContain('300 clients holds')
  expect(judged(behind('{ kind: rds-proxy, max_connections_percent: 40 }', ', driver: asyncpg')).codes).toEqual([
    'POOLER_PINNED',
  ])
})

test('a setting of another kind is refused', () => {
  expect(() => estateOf(behind('{ kind: pgbouncer, max_connections_percent: 50 }'))).toThrow('no setting of pgbouncer')
})
