import { expect, test } from 'vitest'
import { readForeign } from '../../src/pools/file/foreign.js'
import { foreignYaml } from '../../src/pools/file/foreign-write.js'
import { budgets } from '../../src/pools/judge/budget.js'
import { estateOf } from './written.js'

function written(files: Readonly<Record<string, string>>) {
  const parts = Object.entries(files).map(([name, text]) => readForeign(name, text))
  const { text, left } = foreignYaml(parts.flatMap((part) => part.known))
  return { text, left: [...parts.flatMap((part) => part.left), ...left] }
}

const peak = (text: string) => budgets(estateOf(text.replace('version: 1\n', '')))[0]?.declared.peak

test('a compose project with pgbouncer.ini: each number with its line', () => {
  const { text } = written({
    'docker-compose.yml': `services:
  db:
    image: postgres:16
    command: postgres -c max_connections=200
  web:
    image: acme/web
    environment:
      DATABASE_URL: postgres://app@db/app
      DB_POOL: \${DB_POOL:-7}
    deploy:
      replicas: 3
`,
    'pgbouncer.ini': `[databases]
app = host=db dbname=app pool_size=12
[pgbouncer]
pool_mode = transaction
max_client_conn = 300
; default_pool_size = 99
`,
  })
  expect(text).toContain('max_connections: 200 # docker-compose.yml:4')
  expect(text).toContain('max: 7 # docker-compose.yml:8')
  expect(text).toContain('max_client_conn: 300 # pgbouncer.ini:5')
  expect(text).not.toContain('99')
  expect(text).toMatch(/pool_size: 12 # pgbouncer\.ini:2/)
  expect(peak(text)).toBe(21)
})

test('a Deployment with its autoscaler: the maximum counts, and the rollout is that of the file', () => {
  const { text } = written({
    'web.yaml': `apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: 3
  strategy: { type: RollingUpdate, rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } }
  template: { spec: { containers: [{ name: web, env: [{ name: DB_POOL, value: "5" }] }] } }
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: { name: web }
spec: { scaleTargetRef: { kind: Deployment, name: web }, minReplicas: 3, maxReplicas: 8 }
`,
  })
  expect(text).toMatch(/desired: 3 # web\.yaml:5/)
  expect(text).toMatch(/max: 8 # web\.yaml:12/)
  expect(peak(text)).toBe(80)
})

test('Spring, Rails and Prisma; programs and templates are not executed', () => {
  const { text, left } = written({
    'application.properties': 'spring.application.name=orders\nspring.datasource.hikari.maximum-pool-size=15\n',
    'puma.rb': 'workers 4',
    'database.yml': 'production:\n  pool: <%= ENV["RAILS_MAX_THREADS"] %>\n',
    'schema.prisma': 'datasource db {\n  url = env("DATABASE_URL")\n}\n',
    'broken.yaml': 'a: [1, 2\n',
  })
  expect(text).toContain('max: 15 # application.properties:2')
  expect(left.join('\n')).toMatch(/puma\.rb: is a program/)
  expect(left.join('\n')).toMatch(/database\.yml: holds ERB/)
  expect(left.join('\n')).toMatch(/schema\.prisma:2: connection_limit/)
  expect(left.join('\n')).toMatch(/broken\.yaml:\d/)
  expect(written({ 'database.yml': 'production:\n  pool: 6\n' }).text).toContain('max: 6 # database.yml:2')
})

test('where a URL leads and what a command starts: through the pooler, with workers and threads; no password is copied', () => {
  const { text, left } = written({
    'docker-compose.yml': `services:
  db: { image: postgres:16 }
  pgb: { image: edoburu/pgbouncer }
  api:
    image: acme/api
    command: gunicorn -w 4 -k gthread --threads=8 app:app
    environment: { DATABASE_URL: "postgres://api:secret@pgb:6432/app", DB_POOL_SIZE: "10" }
  worker:
    image: acme/api
    command: [celery, -A, app, worker, --concurrency, "8"]
    environment: ["DATABASE_URL=postgresql+psycopg://worker:secret@db/app", DB_POOL_SIZE=5]
  mailer:
    image: acme/mailer
    command: ./start.sh -w 9
    environment: { DATABASE_URL: "$URL", DB_POOL_SIZE: "2" }
`,
    'pgbouncer.ini': `[databases]\napp = host=db dbname=app pool_size=25\n[pgbouncer]\npool_mode = transaction\n`,
  })
  const services = estateOf(text.replace('version: 1\n', '')).services
  expect(services).toMatchObject([
    { name: 'api', via: { kind: 'pooler', pooler: 'pgb' }, role: 'api', runtime: { processes: 4, threads: 8 } },
    { name: 'worker', via: { kind: 'direct' }, database: 'app', runtime: { kind: 'celery', processes: 8 } },
    { name: 'mailer', via: { kind: 'direct' }, runtime: { processes: 1 } },
  ])
  expect(left).toEqual([
    expect.stringContaining('mailer: whether it goes through the pooler'),
    expect.stringContaining('mailer: how many processes it runs: counted as one'),
  ])
  expect(text).not.toContain('secret')
})
