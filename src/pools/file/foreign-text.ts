import type { Fact, Foreign } from './foreign-facts.js'

/** A line `key = value` of a section, with its number from 1. */
interface Setting {
  readonly section: string
  readonly key: string
  readonly value: string
  readonly line: number
}

function settings(text: string): readonly Setting[] {
  let section = ''
  return text.split(/\r?\n/).flatMap((line, at): readonly Setting[] => {
    section = /^\s*\[([^\]]+)\]/.exec(line)?.[1] ?? section
    const [, key, value] = /^\s*([^;#=:[\]\s][^=:]*?)\s*[=:]\s*(.*?)\s*$/.exec(line) ?? []
    return key === undefined || value === undefined ? [] : [{ section, key, value, line: at + 1 }]
  })
}

const poolerNumbers = new Set([
  'max_client_conn',
  'default_pool_size',
  'min_pool_size',
  'reserve_pool_size',
  'max_db_connections',
  'max_user_connections',
  'max_prepared_statements',
])

/** https://www.pgbouncer.org/config.html */
export function pgbouncerIni(file: string, text: string): Foreign {
  const left: string[] = []
  const facts: Fact[] = [{ key: 'kind', value: 'pgbouncer', source: file }]
  const servers = new Map<string, number>()
  for (const { section, key, value, line } of settings(text)) {
    const source = `${file}:${line}`
    if (section === 'pgbouncer' && poolerNumbers.has(key) && /^\d+$/.test(value))
      facts.push({ key, value: Number(value), source })
    else if (section === 'pgbouncer' && key === 'pool_mode') facts.push({ key, value, source })
    else if (section === 'pgbouncer' && key === 'query_wait_timeout')
      facts.push({ key, value: `${Number.parseFloat(value)}s`, source })
    else if (section === 'databases') {
      const part = (name: string) => new RegExp(`(?:^|\\s)${name}=(\\S+)`).exec(value)?.[1]
      const server = part('host') ?? 'main'
      servers.set(server, line)
      facts.push({ key: `databases.${key}.server`, value: server, source })
      for (const [name, to] of [
        ['dbname', 'database'],
        ['user', 'user'],
      ] as const) {
        const written = part(name)
        if (written !== undefined) facts.push({ key: `databases.${key}.${to}`, value: written, source })
      }
      for (const name of ['pool_size', 'reserve_pool']) {
        const written = part(name)
        const to = name === 'pool_size' ? name : 'reserve_pool_size'
        if (written !== undefined) facts.push({ key: `databases.${key}.${to}`, value: Number(written), source })
      }
    } else if (section === 'users') left.push(`${source}: settings of the user ${key}`)
  }
  return {
    known: [
      { kind: 'poolers', name: 'pgbouncer', facts },
      ...[...servers].map(([name, line]) => ({
        kind: 'servers' as const,
        name,
        facts: [
          { key: 'max_connections', value: 100, source: `${file}:${line} names it; 100 is PostgreSQL's default` },
        ],
      })),
    ],
    left,
  }
}

const hikari = /^spring\.datasource\.hikari\.(maximum-?pool-?size|minimum-?idle|connection-?timeout)$/i

/** HikariCP of Spring Boot. Times are milliseconds. */
export function properties(file: string, text: string): Foreign {
  const all = settings(text)
  const name = all.find(({ key }) => key === 'spring.application.name')?.value ?? 'app'
  const facts = all.flatMap(({ key, value, line }): readonly Fact[] => {
    const [, what = ''] = hikari.exec(key) ?? []
    const source = `${file}:${line}`
    if (!/^\d+$/.test(value)) return []
    if (/^max/i.test(what)) return [{ key: 'pool.max', value: Number(value), source }]
    if (/^min/i.test(what)) return [{ key: 'pool.min', value: Number(value), source }]
    return what === '' ? [] : [{ key: 'pool.acquire_timeout', value: `${value}ms`, source }]
  })
  if (!all.some(({ key }) => key.startsWith('spring.datasource')))
    return { known: [], left: [`${file}: no spring.datasource in it`] }
  return {
    known: [
      {
        kind: 'services',
        name,
        facts: [
          { key: 'runtime.kind', value: 'jvm', source: file },
          { key: 'pool.driver', value: 'hikaricp', source: file },
          ...facts,
        ],
      },
    ],
    left: [],
  }
}

/** The pool of Prisma stands in its url: `connection_limit` of a url that is written out, else it is by processors. */
export function prismaSchema(file: string, text: string): Foreign {
  const lines = text.split(/\r?\n/)
  const at = lines.findIndex((line) => /^\s*url\s*=/.test(line))
  const [, limit] = /connection_limit=(\d+)/.exec(lines[at] ?? '') ?? []
  if (limit === undefined)
    return {
      known: [],
      left: [
        `${file}:${at + 1}: connection_limit of the url is not known here; without it Prisma takes processors x 2 + 1`,
      ],
    }
  const source = `${file}:${at + 1}`
  const facts = [
    { key: 'pool.driver', value: 'prisma', source },
    { key: 'pool.max', value: Number(limit), source },
  ]
  return { known: [{ kind: 'services', name: 'app', facts }], left: [] }
}
