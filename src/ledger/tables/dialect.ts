import {
  PostgresQueryCompiler,
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type QueryResult,
  type TableMetadata,
} from 'kysely'
import { PerfdbError } from '../../errors.js'
import type { Parameter, Session } from '../../server/session/session.js'

export type Queried = Pick<Session, 'query'>

/** Kysely compiles, the session runs: no pool, no driver of Kysely's own, one backend with its pinned settings. */
export function sessionDialect(session: Queried): Dialect {
  return {
    createQueryCompiler: () => new PostgresQueryCompiler(),
    createAdapter: () => ({
      supportsCreateIfNotExists: true,
      supportsTransactionalDdl: true,
      supportsReturning: true,
      // Kysely's own adapter waits in pg_advisory_xact_lock, which kills concurrent builds (fault 23); the caller holds
      // the run lock, or tries again.
      acquireMigrationLock: nothing,
      releaseMigrationLock: nothing,
    }),
    createDriver: () => ({
      init: nothing,
      acquireConnection: async () => connection(session),
      beginTransaction: noTransactions,
      commitTransaction: noTransactions,
      rollbackTransaction: noTransactions,
      releaseConnection: nothing,
      destroy: nothing,
    }),
    // Kysely's own reads every table and column of the database; the migrator asks only for its own.
    createIntrospector: () => ({
      getSchemas: async () => session.query<{ name: string }>(schemasSql),
      getTables: async () => (await session.query<{ name: string }>(tablesSql)).map(tableMetadata),
      getMetadata: async () => ({ tables: (await session.query<{ name: string }>(tablesSql)).map(tableMetadata) }),
    }),
  }
}

const schemasSql = `select nspname as name from pg_catalog.pg_namespace where nspname = 'perfdb'`

const tablesSql = `select c.relname as name from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where n.nspname = 'perfdb' and c.relkind = 'r'`

function connection(session: Queried): DatabaseConnection {
  return {
    async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
      return { rows: await session.query<Row>(query.sql, query.parameters.map(parameter)) }
    },
    streamQuery() {
      throw new PerfdbError('INTERNAL', 'the ledger streams nothing')
    },
  }
}

/** A value of Kysely's as the session sends it. */
export function parameter(value: unknown): Parameter {
  if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return value
  if (Array.isArray(value)) return value.map(String)
  throw new PerfdbError('INTERNAL', `the ledger cannot write a value of type ${typeof value}`)
}

function tableMetadata({ name }: { readonly name: string }): TableMetadata {
  return { name, schema: 'perfdb', isView: false, columns: [] }
}

async function nothing(): Promise<void> {}

/** Session.transaction is the only way into one. */
async function noTransactions(): Promise<void> {
  throw new PerfdbError('INTERNAL', 'Kysely was asked for a transaction')
}
