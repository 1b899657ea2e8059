import { yamlKey } from '../../text/yaml-key.js'
import type { Fact, Known } from './foreign-facts.js'

/**
 * A pools file from what was read: every number with its source as a comment. A name that several files know is one thing; a service of unknown
 * name joins the only one that there is. Services without a server take the only one.
 */
export function foreignYaml(all: readonly Known[]): { readonly text: string; readonly left: readonly string[] } {
  const things = merged(all)
  const servers = things.filter(({ kind }) => kind === 'servers')
  const poolers = things.filter(({ kind }) => kind === 'poolers')
  const services = things.filter(({ kind }) => kind === 'services')
  const home = servers[0]?.name ?? 'main'
  const left: string[] = []
  const lines = ['version: 1', 'kind: pools', 'servers:']
  if (servers.length === 0) {
    left.push('no server was found: main with max_connections 100 is a guess')
    lines.push('  main:', "    max_connections: 100 # a guess: PostgreSQL's default; or url: ${DATABASE_URL}")
  }
  for (const { name, facts } of servers) lines.push(`  ${yamlKey(name)}:`, ...nested(facts, '    '))
  if (services.length > 0) lines.push('services:')
  for (const { name, facts, host } of services) {
    const via = poolers.find((one) => one.name === host?.name)
    const at = servers.find((one) => one.name === host?.name)?.name ?? home
    lines.push(`  ${yamlKey(name)}:`, `    server: ${yamlKey(at)}`)
    if (via !== undefined && host !== undefined) lines.push(`    via: ${yamlKey(via.name)} # ${host.source}`)
    lines.push(...nested(facts, '    '))
    if (via === undefined && at !== host?.name && poolers.length > 0)
      left.push(`${name}: whether it goes through the pooler: write via where it does`)
    if (via === undefined && at !== host?.name && servers.length > 1)
      left.push(`${name}: which of ${servers.length} servers it uses: ${at} is a guess`)
    if (!facts.some(({ key }) => runtimeKeys.has(key)))
      left.push(`${name}: how many processes it runs: counted as one; write runtime: { kind: ..., processes: ... }`)
    if (facts.some(({ key }) => key.startsWith('pool.'))) continue
    lines.push('    # pool: { max: ... } # no size was found in any file')
    left.push(`${name}: no pool size was found`)
  }
  if (poolers.length > 0) lines.push('poolers:')
  for (const { name, facts } of poolers) lines.push(`  ${yamlKey(name)}:`, ...nested(facts, '    '))
  return { text: `${lines.join('\n')}\n`, left }
}

/** Any of these says how many processes an instance has. */
const runtimeKeys = new Set(['runtime.workers', 'runtime.concurrency', 'runtime.processes'])

/** The first fact of a key counts. The only pgbouncer.ini is that of the only PgBouncer of a compose project, whatever that is called. */
function merged(read: readonly Known[]): readonly Known[] {
  const containers = new Set(
    read.flatMap(({ kind, name, facts }) => (kind === 'poolers' && facts.length === 1 ? [name] : [])),
  )
  const [container] = containers.size === 1 ? containers : []
  const all = read.map((one) => (one.kind === 'poolers' && container !== undefined ? { ...one, name: container } : one))
  const services = new Set(all.flatMap(({ kind, name }) => (kind === 'services' && name !== 'app' ? [name] : [])))
  const [only] = services.size === 1 ? services : []
  const made = new Map<string, Omit<Known, 'facts'> & { readonly facts: Map<string, Fact> }>()
  for (const { kind, name: written, facts, host } of all) {
    const name = kind === 'services' && written === 'app' ? (only ?? written) : written
    const key = `${kind} ${name}`
    const thing = made.get(key) ?? { kind, name, facts: new Map<string, Fact>(), ...(host && { host }) }
    for (const fact of facts) if (!thing.facts.has(fact.key)) thing.facts.set(fact.key, fact)
    made.set(key, thing)
  }
  return [...made.values()].map(({ facts, ...thing }) => ({ ...thing, facts: [...facts.values()] }))
}

/** `pool.max: 5` as nested keys, those of one parent together. */
function nested(facts: readonly Fact[], indent: string): readonly string[] {
  const parents = new Map<string, Fact[]>()
  const lines: string[] = []
  for (const fact of facts) {
    const [, parent, rest] = /^([^.]+)\.(.+)$/.exec(fact.key) ?? []
    if (parent === undefined || rest === undefined)
      lines.push(`${indent}${yamlKey(fact.key)}: ${scalar(fact.value)} # ${fact.source}`)
    else parents.set(parent, [...(parents.get(parent) ?? []), { ...fact, key: rest }])
  }
  // An autoscaler's maximum without a number of replicas: as they usually run is then 1 or more.
  for (const [parent, own] of parents) {
    const complete =
      parent === 'instances' && own.every(({ key }) => key !== 'desired')
        ? [{ key: 'desired', value: 1, source: 'no replicas are written' }, ...own]
        : own
    lines.push(`${indent}${yamlKey(parent)}:`, ...nested(complete, `${indent}  `))
  }
  return lines
}

function scalar(value: string | number): string {
  return typeof value === 'number' ? String(value) : yamlKey(value)
}
