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
  await asAdmin(base, `create database ${name}${copied}`)
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
      await asAdmin(base, `drop database ${name} with (force)`)
    },
  }
}

/** Half the work of writing each page to WAL; 14 knows no other way, nor the word. */
const copied = serverMajor < 15 || process.env['PERFDB_TEST_URL'] !== undefined ? '' : ' strategy file_copy'

/** Ends a script whose counters somebody reads next: from 15 on they are told at once, before that by a message that takes a moment. */
export const countsTold = `do $$ begin
  if current_setting('server_version_num')::int >= 150000 then perform pg_stat_force_next_flush(); else perform pg_sleep(1.5); end if;
end $$`

async function asAdmin(url: string, statement: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined })
  try {
    await sql.unsafe(statement)
  } finally {
    await sql.end({ timeout: 2 })
  }
}
