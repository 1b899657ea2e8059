import { randomBytes } from 'node:crypto'
import type { TestDatabase } from './database.js'

/** A login role for one test, gone with all that it owns in the database when disposed. */
export interface TestRole extends AsyncDisposable {
  readonly name: string
  /** The test's database as this role. */
  readonly url: string
}

/** `attributes` as in CREATE ROLE, such as `noinherit`. */
export async function testRole(db: TestDatabase, attributes = ''): Promise<TestRole> {
  const name = `r_${randomBytes(6).toString('hex')}`
  const password = randomBytes(12).toString('hex')
  await db.sql.unsafe(`create role ${name} login password '${password}' ${attributes}`)
  const url = new URL(db.url)
  url.username = name
  url.password = password
  return {
    name,
    url: url.href,
    async [Symbol.asyncDispose]() {
      await db.sql`select pg_terminate_backend(pid, 2000) from pg_stat_activity where usename = ${name}`
      await db.sql.unsafe(`drop owned by ${name} cascade`)
      await db.sql.unsafe(`drop role ${name}`)
    },
  }
}
