import { quoteName } from '../../definition/quote.js'
import { PerfdbError } from '../../errors.js'
import type { Finding } from '../../plan/plan.js'
import type { Query } from '../../profile/profile.js'
import type { Session } from '../../server/session/session.js'
import {
  auditableStatement,
  hiddenStatementsSql,
  statementsSchemaSql,
  topStatementsSql,
  type rankings,
} from '../../sql/statements/statements.js'
import { queryOf } from './explain-inputs.js'
import { namer, shortName } from './short-name.js'

export type Ranking = keyof typeof rankings

/** One statement of pg_stat_statements with what it cost since the last reset. Times in ms. */
interface TopRow {
  readonly query: string
  readonly calls: number
  readonly total_ms: number
  readonly mean_ms: number
  readonly rows: number
  /** Of the execution time of all statements, 0 to 1. */
  readonly share: number
}

/** Queries to audit, and what is said of statements that were passed over. */
export interface Auditable {
  readonly queries: readonly Query[]
  readonly findings: readonly Finding[]
  /** What pg_stat_statements counted of each, by the name of the query. */
  readonly counts?: ReadonlyMap<string, Counted> | undefined
}

export type Counted = Omit<TopRow, 'query'>

/**
 * The first `count` statements of pg_stat_statements that read tables of this database, as queries without values: those
 * are sampled from the statistics of the columns. Throws NO_EXTENSION and the server's errors.
 */
export async function topQueries(
  session: Session,
  count: number,
  by: Ranking,
  allowWrites: boolean,
): Promise<Auditable> {
  const schema = await statementsSchema(session)
  const hidden = await hiddenFindings(session, schema)
  const rows = await session.query<TopRow>(topStatementsSql(schema, by), [count * 20 + 100])
  const found = await auditableQueries(
    rows.map(({ query }) => query),
    count,
    allowWrites,
  )
  const counts = new Map<string, Counted>()
  for (const [name, text] of found.texts) {
    const row = rows.find(({ query }) => query === text)
    if (row !== undefined) counts.set(name, row)
  }
  return { queries: found.queries, findings: [...hidden, ...found.findings, ...noneFinding(found.queries)], counts }
}

/**
 * A note for the statements of other roles that this one may not read. Throws PRIVILEGE where it may read none.
 * https://www.postgresql.org/docs/current/predefined-roles.html
 */
export async function hiddenFindings(session: Session, schema: string): Promise<readonly Finding[]> {
  const [seen] = await session.query<{ readonly hidden: number; readonly visible: number }>(hiddenStatementsSql(schema))
  const { hidden = 0, visible = 0 } = seen ?? {}
  if (hidden === 0) return []
  const grant = `grant pg_read_all_stats to ${quoteName(session.user)}`
  const message = `${hidden} statement${hidden === 1 ? ' is' : 's are'} hidden: they are of other roles`
  if (visible === 0) throw new PerfdbError('PRIVILEGE', message, { hint: grant })
  return [{ code: 'STATEMENTS_HIDDEN', severity: 'warning', message, hint: grant }]
}

/** Where pg_stat_statements lives, quoted. Throws NO_EXTENSION. */
export async function statementsSchema(session: Session): Promise<string> {
  const [found] = await session.query<{ readonly schema: string }>(statementsSchemaSql)
  if (found !== undefined) return found.schema
  throw new PerfdbError('NO_EXTENSION', 'the extension pg_stat_statements does not exist in this database', {
    hint: "create extension pg_stat_statements, with shared_preload_libraries = 'pg_stat_statements'",
  })
}

/**
 * The first `count` texts that read tables of the application; transaction commands, catalog reads and utility statements are
 * passed over. Those that change data and are not allowed are, too, with NOT_MEASURED: they may be the dearest of all.
 */
export async function auditableQueries(
  texts: readonly string[],
  count: number,
  allowWrites: boolean,
): Promise<Auditable & { readonly texts: ReadonlyMap<string, string> }> {
  const queries: Query[] = []
  const byName = new Map<string, string>()
  const writes: string[] = []
  const unique = namer()
  for (const text of texts) {
    if (queries.length === count) break
    const sql = await auditableStatement(text, allowWrites)
    if (sql === null) {
      const write = allowWrites ? null : await auditableStatement(text, true)
      if (write !== null) writes.push(shortName(write))
      continue
    }
    const place = { file: 'pg_stat_statements', line: queries.length + 1, column: 1 }
    const name = unique(shortName(sql))
    byName.set(name, text)
    queries.push(queryOf(name, sql, place))
  }
  return { queries, findings: passedOver(writes), texts: byName }
}

function noneFinding({ length }: readonly Query[]): readonly Finding[] {
  if (length > 0) return []
  const message = 'pg_stat_statements has counted no statement that reads a table of this database'
  const hint = 'it counts from its last reset on: ask again when the application has run'
  return [{ code: 'NO_STATEMENTS', severity: 'info', message, hint }]
}

function passedOver([first, ...others]: readonly string[]): readonly Finding[] {
  if (first === undefined) return []
  const more = others.length === 0 ? '1 statement that changes' : `${others.length + 1} statements that change`
  const message = `${more} data ${others.length === 0 ? 'was' : 'were'} passed over, the first of them ${first}`
  const hint =
    '--allow WRITE_QUERY measures such statements; they are rolled back, but sequences advance and triggers run'
  return [{ code: 'NOT_MEASURED', severity: 'info', message, hint }]
}
