import { quoteName } from '../definition/quote.js'
import { PerfdbError } from '../errors.js'
import type { Session } from '../server/session/session.js'
import { twinExtensionsSql, twinSchemaSql } from '../sql/twin/twin-schema.js'

/** A statement of a schema, and what it makes, for people. */
export interface SchemaStatement {
  readonly what: string
  readonly sql: string
}

/** A database without its rows: extensions, which only a superuser makes, and the rest. */
export interface Schema {
  readonly extensions: readonly { readonly name: string; readonly schema: string | null }[]
  readonly statements: readonly SchemaStatement[]
}

/** What the planner reads of a database, as DDL, in one read-only snapshot of a session of the role `look`. Throws the server's errors. */
export async function readSchema(session: Session): Promise<Schema> {
  return session.rolledBack({ readOnly: true, isolation: 'repeatable read', statementTimeoutMs: 120_000 }, async () => {
    const extensions = await session.query<{ name: string; schema: string }>(twinExtensionsSql)
    const statements: SchemaStatement[] = []
    for (const text of twinSchemaSql(session.versionNum))
      statements.push(...(await session.query<{ what: string; sql: string }>(text)))
    return { extensions, statements }
  })
}

/**
 * The superuser makes the extensions that the package has, and nothing else; before anything of the schema is there, whose functions their
 * scripts could find. Gives those that are missing.
 */
export async function createExtensions(
  superuser: Session,
  role: string,
  { extensions }: Schema,
): Promise<readonly string[]> {
  const missing: string[] = []
  for (const { name, schema } of extensions) {
    if (reaching.test(name)) {
      missing.push(`extension ${name}: is not made on a twin`)
      continue
    }
    try {
      if (schema !== null && schema !== 'public' && schema !== 'pg_catalog') await makeSchema(superuser, role, schema)
      const where = schema === null ? ' schema public' : ` schema ${quoteName(schema)}`
      await superuser.query(`create extension ${quoteName(name)}${where} cascade`)
    } catch (error) {
      if (!(error instanceof PerfdbError) || superuser.lost) throw error
      // Made by cascade.
      if (error.sqlstate !== '42710') missing.push(`extension ${name}: ${error.message}`)
    }
  }
  return missing
}

/**
 * pg_trgm in a schema of its own, where nothing of the source can meet it, for indexes that the source could have. Before anything of the schema is there, as the other extensions.
 * null where the source has it, or this server does not. Throws CONNECTION_LOST and INTERRUPTED.
 */
export async function createTrigrams(superuser: Session, role: string, { extensions }: Schema): Promise<string | null> {
  if (extensions.some(({ name }) => name === 'pg_trgm')) return null
  try {
    await makeSchema(superuser, role, trigramSchema)
    await superuser.query(`create extension pg_trgm schema ${trigramSchema}`)
    return trigramSchema
  } catch (error) {
    if (!(error instanceof PerfdbError) || superuser.lost || error.code === 'INTERRUPTED') throw error
    return null
  }
}

const trigramSchema = 'perfdb_trigrams'

/** What reaches files, programs or other servers, for whoever may call it: code of the source must not get that here. */
const reaching = /^(dblink|adminpack|pg_cron|pl\w*u)$|fdw/i

async function makeSchema(superuser: Session, role: string, schema: string): Promise<void> {
  await superuser
    .query(`create schema ${quoteName(schema)} authorization ${quoteName(role)}`)
    .catch((error: unknown) => {
      if (!(error instanceof PerfdbError) || error.sqlstate !== '42P06') throw error
    })
}

/** Sent together, and run one after another: each is a transaction of its own. */
const atOnce = 50

/**
 * Runs the statements as the ordinary role that this session logged in as. What fails is tried again as long as something else succeeds: a view
 * may stand before its function. Gives what could not be made, with the reason.
 */
export async function runSchema(session: Session, statements: readonly SchemaStatement[]): Promise<readonly string[]> {
  await session.query('set check_function_bodies = off')
  await session.query(`set statement_timeout = '60s'`)
  let left = statements
  for (;;) {
    const failed: SchemaStatement[] = []
    const reasons: string[] = []
    for (let at = 0; at < left.length; at += atOnce) {
      const some = left.slice(at, at + atOnce)
      const ended = await Promise.allSettled(some.map(async ({ sql }) => session.query(sql)))
      for (const [position, one] of ended.entries()) {
        const statement = some[position]
        if (one.status === 'fulfilled' || statement === undefined) continue
        const error: unknown = one.reason
        if (!(error instanceof PerfdbError) || session.lost || error.code === 'INTERRUPTED') throw error
        // Made with an extension, or by an earlier statement.
        if (['42P06', '42P07', '42710', '42723'].includes(error.sqlstate ?? '')) continue
        failed.push(statement)
        reasons.push(`${statement.what}: ${error.message}`)
      }
    }
    if (failed.length === 0 || failed.length === left.length) return reasons
    left = failed
  }
}
