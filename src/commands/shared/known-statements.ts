import { PerfdbError } from '../../errors.js'
import type { Finding } from '../../plan/plan.js'
import { textsOf, type Query } from '../../profile/profile.js'
import type { Session } from '../../server/session/session.js'
import { fingerprintOf } from '../../sql/parser/fingerprint.js'
import { allStatementsSql, auditableStatement, statementsSchemaSql } from '../../sql/statements/statements.js'
import type { Statistics } from '../../twin/statistics.js'

/** The statements of a server as a statistics file has them, and what is to be said of them. */
export interface KnownStatements {
  readonly statements?: NonNullable<Statistics['statements']>
  readonly findings: readonly Finding[]
}

/**
 * Fingerprints of the statements that clients run in this database, by pg_stat_statements: of those that read or write its tables, so that no password of an ALTER ROLE is among
 * them. Their texts stay here. None where they cannot be read, with the reason. Throws CONNECTION_LOST and INTERRUPTED.
 */
export async function readKnownStatements(session: Session): Promise<KnownStatements> {
  try {
    const [found] = await session.query<{ readonly schema: string }>(statementsSchemaSql)
    if (found === undefined) return unknown('the extension pg_stat_statements does not exist in the database')
    const rows = await session.query<{ readonly query: string | null; readonly count: number }>(
      allStatementsSql(found.schema),
    )
    const fingerprints = new Set<string>()
    for (const { query } of rows) {
      const isOf = query !== null && (await auditableStatement(query, true)) !== null
      const fingerprint = isOf ? await fingerprintOf(query) : null
      if (fingerprint !== null) fingerprints.add(fingerprint)
    }
    const hidden = rows.find(({ query }) => query === null)?.count ?? 0
    if (fingerprints.size === 0 && hidden > 0)
      return unknown(`pg_stat_statements shows no statement on tables to ${session.user}`)
    return { statements: { fingerprints: [...fingerprints].toSorted(), hidden }, findings: hiddenFinding(hidden) }
  } catch (error) {
    if (!(error instanceof PerfdbError) || error.sqlstate === undefined || session.lost) throw error
    return unknown(`pg_stat_statements cannot be read: ${error.message}`)
  }
}

/** Of these queries those whose every statement is among them; undefined where the file knows no statements. */
export async function knownQueries(
  statements: Statistics['statements'],
  queries: readonly Query[],
): Promise<ReadonlySet<Query> | undefined> {
  if (statements === undefined) return undefined
  const fingerprints = new Set(statements.fingerprints)
  const known = new Set<Query>()
  for (const query of queries) {
    const own = await Promise.all(textsOf(query).map(fingerprintOf))
    if (own.every((one) => one !== null && fingerprints.has(one))) known.add(query)
  }
  return known
}

/**
 * Counted statements, of which a given query stands for the one that it is but for its constants: with its own constants and values, and with the calls of that one, of which several share. By
 * name what was counted of each: a counted one that has the name of another query gets one of its own.
 */
export async function withGiven<T extends { readonly calls: number; readonly rows: number }>(
  given: readonly Query[],
  counted: readonly Query[],
  counts: ReadonlyMap<string, T>,
): Promise<{ readonly queries: readonly Query[]; readonly counts: ReadonlyMap<string, Pick<T, 'calls' | 'rows'>> }> {
  const fingerprints = async (queries: readonly Query[]) =>
    Promise.all(queries.map(async ({ sql }) => (sql === undefined ? null : fingerprintOf(sql))))
  const [own, others] = await Promise.all([fingerprints(given), fingerprints(counted)])
  const found = new Map<string, Pick<T, 'calls' | 'rows'>>()
  const taken = new Set(given.map(({ name }) => name))
  const left = counted.flatMap((query, at) => {
    const same = given.filter((_, position) => own[position] !== null && own[position] === others[at])
    const count = counts.get(query.name)
    for (const { name } of count === undefined ? [] : same) {
      const before = found.get(name) ?? { calls: 0, rows: 0 }
      const [calls, rows] = [count?.calls ?? 0, count?.rows ?? 0].map((one) => one / same.length)
      found.set(name, { calls: before.calls + (calls ?? 0), rows: before.rows + (rows ?? 0) })
    }
    if (same.length > 0) return []
    const name = taken.has(query.name) ? `${query.name} (pg_stat_statements)` : query.name
    if (count !== undefined) found.set(name, count)
    return [{ ...query, name }]
  })
  return { queries: [...given, ...left], counts: found }
}

/** Of a statistics file that is asked which queries are known. */
export function knownFindings({ statements }: Statistics, file: string): readonly Finding[] {
  return statements === undefined
    ? unknown(`${file} does not say which queries its server runs: each counts as new`).findings
    : hiddenFinding(statements.hidden)
}

function unknown(message: string): KnownStatements {
  const hint =
    'take it anew where pg_stat_statements exists, as a member of pg_read_all_stats: perfdb statistics --url $DATABASE_URL --out FILE'
  return { findings: [{ code: 'NO_STATEMENTS', severity: 'info', message, hint }] }
}

function hiddenFinding(hidden: number): readonly Finding[] {
  if (hidden === 0) return []
  const message = `${hidden} statement${hidden === 1 ? ' of another role is' : 's of other roles are'} not among those that the statistics file knows: their texts were not shown`
  const hint = 'take it as a member of pg_read_all_stats'
  return [{ code: 'STATEMENTS_HIDDEN', severity: 'info', message, hint }]
}
