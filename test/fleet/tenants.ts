import { randomBytes } from 'node:crypto'
import postgres from 'postgres'
import { inject } from 'vitest'

/** What each tenant of a test has. */
export const shop = `create table jobs (id int primary key, status text, owner int);
  insert into jobs select n, 's' || n % 5, n % 10 from generate_series(1, 200) n; analyze jobs`
/** Two indexes of it. */
export const profile = `version: 1
indexes:
  - { name: jobs_owner, table: jobs, keys: [owner] }
  - { name: jobs_status, table: jobs, keys: [status] }
`

/** Databases of one server that are all alike, by name; dropped when disposed. */
export interface TenantDatabases extends AsyncDisposable {
  readonly names: readonly string[]
  readonly url: (name: string) => string
  /** One statement in one of them. */
  readonly run: (name: string, statement: string) => Promise<readonly Record<string, unknown>[]>
  /** A list of them as CSV: `id,url,region`, ids as names without the prefix. */
  readonly csv: (names?: readonly string[]) => string
  readonly idOf: (name: string) => string
}

/** So many copies of a database in which the script was run. */
export async function tenantDatabases(count: number, script: string): Promise<TenantDatabases> {
  const base = process.env['PERFDB_TEST_URL'] ?? inject('serverUrl')
  const prefix = `f_${randomBytes(4).toString('hex')}`
  const url = (name: string) => {
    const own = new URL(base)
    own.pathname = `/${name}`
    return own.href
  }
  const run = async (name: string, statement: string) => {
    const sql = postgres(url(name), { max: 1, onnotice: () => undefined })
    try {
      return [...(await sql.unsafe(statement))]
    } finally {
      await sql.end({ timeout: 2 })
    }
  }
  const admin = postgres(base, { max: 4, onnotice: () => undefined })
  const template = `${prefix}_template`
  await admin.unsafe(`create database ${template}`)
  await run(template, script)
  const names = Array.from({ length: count }, (_, at) => `${prefix}_${String(at + 1).padStart(3, '0')}`)
  for (const name of names) await admin.unsafe(`create database ${name} template ${template}`)
  const idOf = (name: string) => `t-${name.slice(-3)}`
  return {
    names,
    url,
    run,
    idOf,
    csv: (chosen = names) =>
      ['id,url,region', ...chosen.map((name, at) => `${idOf(name)},${url(name)},${at % 2 === 0 ? 'eu' : 'us'}`)].join(
        '\n',
      ),
    async [Symbol.asyncDispose]() {
      for (const name of [...names, template]) await admin.unsafe(`drop database if exists ${name} with (force)`)
      await admin.end({ timeout: 2 })
    },
  }
}
