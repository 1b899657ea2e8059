import type { PlainDocument } from '../../yaml/document/plain-documents.js'
import { commandFacts, hostOf } from './foreign-command.js'
import type { Fact, Foreign, Known } from './foreign-facts.js'

/** A docker-compose project, a Deployment or StatefulSet, a HorizontalPodAutoscaler, or a database.yml of Rails, by its keys. */
export function composeOrDeployments(file: string, document: PlainDocument): Foreign {
  const { value } = document
  const kind = member(value, 'kind')
  if (kind === 'List') return { known: [], left: [`${file}: a List: write its members as documents of their own`] }
  if (kind === 'Deployment' || kind === 'StatefulSet') return deployment(file, document)
  if (kind === 'HorizontalPodAutoscaler') return autoscaler(file, document)
  if (typeof kind === 'string') return { known: [], left: [] }
  if (isRecord(member(value, 'services'))) return compose(file, document)
  return railsDatabases(file, document)
}

/** Environment variables that set pools, by many conventions, and the keys that they are. */
const variables: Readonly<Record<string, string>> = {
  WEB_CONCURRENCY: 'runtime.workers',
  RAILS_MAX_THREADS: 'runtime.threads',
  PUMA_MAX_THREADS: 'runtime.threads',
  SIDEKIQ_CONCURRENCY: 'runtime.concurrency',
  CELERY_CONCURRENCY: 'runtime.concurrency',
  DB_POOL: 'pool.max',
  DB_POOL_SIZE: 'pool.max',
  DB_POOL_MAX: 'pool.max',
  DATABASE_POOL_SIZE: 'pool.max',
  POOL_SIZE: 'pool.max',
  DB_MAX_OVERFLOW: 'pool.max_overflow',
  SPRING_DATASOURCE_HIKARI_MAXIMUM_POOL_SIZE: 'pool.max',
  SPRING_DATASOURCE_HIKARI_MAXIMUMPOOLSIZE: 'pool.max',
}

function deployment(file: string, { value, lineOf }: PlainDocument): Foreign {
  const name = textOf(member(value, 'metadata', 'name'), 'app')
  const source = (...path: (string | number)[]) => `${file}:${lineOf(path)}`
  const facts: Fact[] = []
  const replicas = member(value, 'spec', 'replicas')
  if (typeof replicas === 'number')
    facts.push({ key: 'instances.desired', value: replicas, source: source('spec', 'replicas') })
  const strategy = member(value, 'spec', 'strategy', 'type')
  if (strategy === 'Recreate')
    facts.push({ key: 'deploy.strategy', value: 'recreate', source: source('spec', 'strategy', 'type') })
  else facts.push({ key: 'deploy.strategy', value: 'rolling', source: `${file}:${lineOf(['spec'])}` })
  for (const [written, key] of [
    ['maxSurge', 'deploy.max_surge'],
    ['maxUnavailable', 'deploy.max_unavailable'],
  ] as const) {
    const share = member(value, 'spec', 'strategy', 'rollingUpdate', written)
    if (strategy !== 'Recreate' && (typeof share === 'number' || typeof share === 'string'))
      facts.push({ key, value: share, source: source('spec', 'strategy', 'rollingUpdate', written) })
  }
  const containers = member(value, 'spec', 'template', 'spec', 'containers')
  const left: string[] = []
  let home: Home | null = null
  for (const [at, container] of list(containers).entries()) {
    const path = ['spec', 'template', 'spec', 'containers', at]
    for (const [index, one] of list(member(container, 'env')).entries()) {
      facts.push(...variable(textOf(member(one, 'name')), member(one, 'value'), source(...path, 'env', index)))
      home ??= homeOf(member(one, 'value'), source(...path, 'env', index))
    }
    const command = [member(container, 'command'), member(container, 'args')]
    facts.push(...(commandFacts(command, source(...path)) ?? []))
    if (member(container, 'envFrom') !== undefined)
      left.push(`${source(...path, 'envFrom')}: variables from a ConfigMap or Secret`)
  }
  return { known: [{ kind: 'services', name, ...withHome(facts, home) }], left }
}

function autoscaler(file: string, { value, lineOf }: PlainDocument): Foreign {
  const name = textOf(member(value, 'spec', 'scaleTargetRef', 'name'), 'app')
  const most = member(value, 'spec', 'maxReplicas')
  if (typeof most !== 'number') return { known: [], left: [`${file}: no maxReplicas`] }
  const facts = [{ key: 'instances.max', value: most, source: `${file}:${lineOf(['spec', 'maxReplicas'])}` }]
  return { known: [{ kind: 'services', name, facts }], left: [] }
}

function compose(file: string, { value, lineOf }: PlainDocument): Foreign {
  const known: Known[] = []
  for (const [name, one] of Object.entries(record(member(value, 'services')))) {
    const source = (...path: (string | number)[]) => `${file}:${lineOf(['services', name, ...path])}`
    const image = textOf(member(one, 'image'), '')
    if (/(^|\/)(postgres|postgis|timescaledb)[^/]*$/.test(image)) {
      const [, most] = /max_connections\s*=\s*(\d+)/.exec(JSON.stringify(member(one, 'command') ?? '')) ?? []
      const told = most === undefined ? `${source()} names no max_connections: PostgreSQL's default` : source('command')
      const fact = { key: 'max_connections', value: Number(most ?? 100), source: told }
      known.push({ kind: 'servers', name, facts: [fact] })
      continue
    }
    if (/bouncer/.test(image)) {
      known.push({ kind: 'poolers', name, facts: [{ key: 'kind', value: 'pgbouncer', source: source('image') }] })
      continue
    }
    if (/redis|nginx|traefik|memcached|rabbitmq/.test(image)) continue
    const environment = member(one, 'environment')
    const pairs = Array.isArray(environment)
      ? environment.map((text) => pair(textOf(text)))
      : Object.entries(record(environment))
    const facts: Fact[] = pairs.flatMap(([key, written]) => variable(key, written, source('environment')))
    const replicas = member(one, 'deploy', 'replicas') ?? member(one, 'scale')
    if (typeof replicas === 'number') facts.push({ key: 'instances', value: replicas, source: source('deploy') })
    facts.push({ key: 'deploy.platform', value: 'compose', source: source() })
    const command = [member(one, 'entrypoint'), member(one, 'command')]
    facts.push(...(commandFacts(command, source('command')) ?? []))
    const [home = null] = pairs.flatMap(([, written]) => homeOf(written, source('environment')) ?? [])
    if (pairs.some(([key, written]) => /DATABASE|POSTGRES|PG|DB_/.test(`${key}=${textOf(written)}`)))
      known.push({ kind: 'services', name, ...withHome(facts, home) })
  }
  return { known, left: [] }
}

function railsDatabases(file: string, { value, lineOf }: PlainDocument): Foreign {
  const production = member(value, 'production')
  const pool = member(production, 'pool') ?? member(production, 'max_connections')
  if (typeof pool !== 'number') return { known: [], left: [] }
  const source = `${file}:${lineOf(['production', 'pool'])}`
  const facts = [
    { key: 'pool.driver', value: 'activerecord', source },
    { key: 'pool.max', value: pool, source },
  ]
  return { known: [{ kind: 'services', name: 'app', facts }], left: [] }
}

/** `${NAME:-5}` of compose has a default; what is only a name is not known. */
function variable(name: string, written: unknown, source: string): readonly Fact[] {
  const [, limit] = /connection_limit=(\d+)/.exec(textOf(written)) ?? []
  if (limit !== undefined) return [{ key: 'pool.max', value: Number(limit), source }]
  const key = variables[name]
  const text = textOf(written).replace(/^\$\{\w+:-(\d+)\}$/, '$1')
  return key === undefined || !/^\d+$/.test(text) ? [] : [{ key, value: Number(text), source }]
}

interface Home extends NonNullable<ReturnType<typeof hostOf>> {
  readonly source: string
}

function homeOf(written: unknown, source: string): Home | null {
  const home = hostOf(textOf(written))
  return home === null ? null : { ...home, source }
}

/** Where it connects to, with the database and role that the same URL names; what its password is nobody hears. */
function withHome(facts: readonly Fact[], home: Home | null): Pick<Known, 'facts' | 'host'> {
  if (home === null) return { facts }
  const { host, source } = home
  const named = (['database', 'role'] as const).flatMap((key): readonly Fact[] => {
    const value = home[key]
    return value === null ? [] : [{ key, value, source }]
  })
  return { facts: [...named, ...facts], host: { name: host, source } }
}

function member(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce((at: unknown, key) => (isRecord(at) ? at[key] : undefined), value)
}

function textOf(value: unknown, otherwise = ''): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : otherwise
}

/** `NAME=value` of a list. */
function pair(text: string): readonly [string, unknown] {
  const at = text.indexOf('=')
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return isRecord(value) ? value : {}
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
