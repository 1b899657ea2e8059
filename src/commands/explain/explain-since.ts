import { difference, type Counters } from '../../measure/activity/counters.js'
import {
  mayBeParent,
  mayRepeat,
  repeatedLookups,
  type Activity,
  type TableLink,
} from '../../measure/activity/n-plus-one.js'
import { round } from '../../measure/query/result-queries.js'
import type { Finding } from '../../plan/plan.js'
import type { Session } from '../../server/session/session.js'
import { ownStatementsSql, statementTextsSql, tableLinksSql } from '../../sql/statements/counters.js'
import { statementShape } from '../../sql/rewrite/shape.js'
import { assertSameDatabase, takeSnapshot, type StatementsSnapshot } from './explain-snapshot.js'
import {
  auditableQueries,
  hiddenFindings,
  statementsSchema,
  type Auditable,
  type Counted,
  type Ranking,
} from './explain-top.js'
import { shortName } from './short-name.js'

export interface Since extends Auditable {
  /** As it is now: the next interval begins here. */
  readonly snapshot: StatementsSnapshot
}

/**
 * The first `count` statements by what they did since the snapshot, as queries, with N_PLUS_ONE suspects of all statements
 * of that time and what makes the difference doubtful; without perfdb's own. Throws NO_EXTENSION, PRIVILEGE where it may read none, BAD_VALUE for a
 * snapshot of another database, and the server's errors.
 */
export async function topSince(
  session: Session,
  count: number,
  by: Ranking,
  allowWrites: boolean,
  before: StatementsSnapshot,
): Promise<Since> {
  const snapshot = await takeSnapshot(session)
  assertSameDatabase(before, snapshot)
  const { statements, findings } = difference(before, snapshot)
  const schema = await statementsSchema(session)
  const hidden = await hiddenFindings(session, schema)
  const own = await session.query<{ readonly queryid: string }>(ownStatementsSql(schema))
  const ours = new Set(own.map(({ queryid }) => queryid))
  const summed = summedByQuery(statements).filter(({ queryid }) => !ours.has(queryid))
  const ranked = summed.toSorted((a, b) => measures[by](b) - measures[by](a)).slice(0, count * 20 + 100)
  const texts = await textsOf(session, schema, ranked)
  const {
    queries,
    findings: passedOver,
    texts: named,
  } = await auditableQueries([...new Set(ranked.map(({ queryid }) => texts.get(queryid) ?? ''))], count, allowWrites)
  const suspects = await suspectsOf(session, schema, summed)
  return {
    queries,
    findings: [interval(before, snapshot, summed), ...hidden, ...findings, ...passedOver, ...suspects],
    counts: countsOf(named, ranked, texts, summed),
    snapshot,
  }
}

/** What was counted of each query, by its name. */
function countsOf(
  named: ReadonlyMap<string, string>,
  ranked: readonly Counters[],
  texts: ReadonlyMap<string, string>,
  summed: readonly Counters[],
): ReadonlyMap<string, Counted> {
  const whole = summed.reduce((sum, one) => sum + one.total_ms, 0)
  const counts = new Map<string, Counted>()
  for (const [name, text] of named) {
    // Texts are the same where only the names behind them differ, as of two schemas.
    const same = ranked.filter(({ queryid }) => texts.get(queryid) === text)
    const sum = (of: 'calls' | 'rows' | 'total_ms') => same.reduce((total, one) => total + one[of], 0)
    const [calls, total] = [sum('calls'), sum('total_ms')]
    counts.set(name, {
      calls,
      total_ms: total,
      mean_ms: total / Math.max(1, calls),
      rows: sum('rows'),
      share: total / Math.max(whole, 0.001),
    })
  }
  return counts
}

const measures: Readonly<Record<Ranking, (of: Counters) => number>> = {
  total: ({ total_ms }) => total_ms,
  mean: ({ total_ms, calls }) => total_ms / calls,
  calls: ({ calls }) => calls,
  io: ({ blocks }) => blocks,
}

/** One statement may be called by several users. */
function summedByQuery(statements: readonly Counters[]): readonly Counters[] {
  const sums = new Map<string, Counters>()
  for (const one of statements) {
    const { calls, rows, total_ms, blocks } = sums.get(one.queryid) ?? none
    sums.set(one.queryid, {
      ...one,
      calls: calls + one.calls,
      rows: rows + one.rows,
      total_ms: total_ms + one.total_ms,
      blocks: blocks + one.blocks,
    })
  }
  return [...sums.values()]
}

const none = { calls: 0, rows: 0, total_ms: 0, blocks: 0 }

async function textsOf(
  session: Session,
  schema: string,
  statements: readonly Counters[],
): Promise<ReadonlyMap<string, string>> {
  if (statements.length === 0) return new Map()
  const ids = statements.map(({ queryid }) => queryid)
  const rows = await session.query<{ readonly queryid: string; readonly query: string }>(statementTextsSql(schema), [
    ids,
  ])
  return new Map(rows.map(({ queryid, query }) => [queryid, query]))
}

/** Lookups are those of the most calls, parents those of the most rows. */
const mostCandidates = 200

async function suspectsOf(
  session: Session,
  schema: string,
  statements: readonly Counters[],
): Promise<readonly Finding[]> {
  const most = (of: 'calls' | 'rows', keep: (one: Counters) => boolean) =>
    statements
      .filter(keep)
      .toSorted((a, b) => b[of] - a[of])
      .slice(0, mostCandidates)
  const lookups = most('calls', mayRepeat)
  const parents = most('rows', mayBeParent)
  if (lookups.length === 0 || parents.length === 0) return []
  const candidates = [...new Set([...lookups, ...parents])]
  const texts = await textsOf(session, schema, candidates)
  const activities: Activity[] = []
  for (const { queryid, calls, rows, total_ms } of candidates) {
    const text = texts.get(queryid)
    const shape = text === undefined ? null : await statementShape(text)
    if (text !== undefined && shape !== null && shape.relations.length > 0)
      activities.push({ ...shape, name: shortName(text), calls, rows, total_ms })
  }
  const tables = [...new Set(activities.flatMap(({ relations }) => relations))]
  return repeatedLookups(activities, await session.query<TableLink>(tableLinksSql, [tables]))
}

function interval(before: StatementsSnapshot, now: StatementsSnapshot, statements: readonly Counters[]): Finding {
  const calls = statements.reduce((sum, one) => sum + one.calls, 0)
  const ms = statements.reduce((sum, one) => sum + one.total_ms, 0)
  return {
    code: 'SINCE',
    severity: 'info',
    message: `from ${before.taken_at} to ${now.taken_at}: ${statements.length} statements, ${calls} calls, ${round(ms)} ms`,
  }
}
