import { randomBytes } from 'node:crypto'
import postgres from 'postgres'
import { inject } from 'vitest'
import { serverMajor } from './major.js'

/** A fresh database of the run's server, dropped when disposed; `sql` is a plain client for arranging and looking. */
export interface TestDatabase extends AsyncDisposable {
  readonly url: string
  readonly name: string
  readonly sql: postgres.Sql
}

/** Makes an empty database, with an optional script run in it. PERFDB_TEST_URL names another server than the embedded one; `server` one that the test has for itself. */
export async function testDatabase(script = '', server?: string): Promise<TestDatabase> {
  const base = server ?? process.env['PERFDB_TEST_URL'] ?? inject('serverUrl')
  const name = `t_${randomBytes(6).toString('hex')}`
  const own = server !== undefined
  await asAdmin(base, `create database ${name}${copied}`, own)
  const url = new URL(base)
  url.pathname = `/${name}`
  const sql = postgres(url.href, { max: 5, onnotice: () => undefined, idle_timeout: 20 })
  if (script !== '') await sql.unsafe(script)
  return {
    url: url.href,
    name,
    sql,
    async [Symbol.asyncDispose]() {
      await sql.end({ timeout: 2 })
      await asAdmin(base, `drop database ${name} with (force)`, own)
    },
  }
}

/** Half the work of writing each page to WAL; 14 knows no other way, nor the word. */
const copied = serverMajor < 15 || process.env['PERFDB_TEST_URL'] !== undefined ? '' : ' strategy file_copy'

/** Ends a script whose counters somebody reads next: from 15 on they are told at once, before that by a message that takes a moment. */
export const countsTold = `do $$ begin
  if current_setting('server_version_num')::int >= 150000 then perform pg_stat_force_next_flush(); else perform pg_sleep(1.5); end if;
end $$`

/** To the run's server, kept by each worker: to open a connection costs several times what it costs to make a database. */
const kept = new Map<string, postgres.Sql>()

async function asAdmin(url: string, statement: string, own: boolean): Promise<void> {
  const known = own ? undefined : kept.get(url)
  const sql = known ?? postgres(url, { max: 1, fetch_types: false, onnotice: () => undefined, idle_timeout: 20 })
  if (!own) kept.set(url, sql)
  try {
    await sql.unsafe(statement)
  } finally {
    if (own) await sql.end({ timeout: 2 })
  }
}
