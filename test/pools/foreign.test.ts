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
