import { PerfdbError } from '../../errors.js'
import type { Session } from '../../server/session/session.js'
import type { TransactionSettings } from '../../server/session/settings.js'
import { singleStatement } from '../../sql/parser/parser.js'
import { readQueryPlan, type QueryPlan } from '../plan/query-plan.js'
import type { Subject } from './subject.js'
import type { Limits } from './limits.js'

/** How a run is explained; see the lists of options below. */
export type ExplainMode = 'sample' | 'timed' | 'plain'

/**
 * Options of EXPLAIN for each mode. Samples have TIMING OFF: with it a join of 500,000 rows took 51 to 89 % longer.
 * https://www.postgresql.org/docs/current/sql-explain.html
 */
const explainOptions = {
  sample: 'analyze, timing off, buffers, format json',
  timed: 'analyze, timing on, buffers, settings, verbose, format json',
  plain: 'settings, verbose, format json',
} as const

/**
 * Lets through exactly one statement that only reads; with `allowWrites` also INSERT, UPDATE, DELETE and MERGE. Else
 * throws BAD_SQL with the reason. PostgreSQL's own parser decides (faults 75 and 76: EXPLAIN ANALYZE carries out what it
 * explains, and CREATE TABLE AS passes even a read-only transaction).
 */
export async function admit(
  text: string,
  allowWrites: boolean,
): Promise<{ readonly text: string; readonly writes: boolean; readonly parameterCount: number }> {
  const { kind, description, text: statement, parameterCount } = await singleStatement(text)
  if (kind === 'read') return { text: statement, writes: false, parameterCount }
  if (kind !== 'write') {
    throw new PerfdbError('BAD_SQL', `${description} cannot be explained`, {
      hint: 'a query is one SELECT, WITH, VALUES or TABLE',
    })
  }
  if (allowWrites) return { text: statement, writes: true, parameterCount }
  throw new PerfdbError('BAD_SQL', `${description} changes data, and EXPLAIN ANALYZE would carry it out`, {
    hint: 'allow it with --allow WRITE_QUERY: it is rolled back, but sequences advance and triggers run',
  })
}

/**
 * Runs the statement `count` times under EXPLAIN in one transaction (a statement that writes: in one each) that is read
 * only unless it writes, has timeouts, and is rolled back always. Calls `each` with every query plan; stops early when
 * it returns false. `set` are settings by SET LOCAL. Parameters are bound through the extended protocol, so the server makes a custom query plan.
 * Throws the server's errors, and INTERRUPTED once the signal is aborted.
 */
export async function explainRuns(
  session: Session,
  subject: Subject,
  mode: ExplainMode,
  count: number,
  limits: Limits,
  each: (plan: QueryPlan) => boolean,
  set: Readonly<Record<string, string>> = {},
): Promise<void> {
  const perTransaction = subject.writes ? 1 : count
  for (let run = 0; run < count; run += perTransaction) {
    const more = await rolledBack(session, limits, { readOnly: !subject.writes, set }, async () => {
      for (let at = 0; at < perTransaction; at += 1) {
        refuseAborted(limits.signal)
        if (!each(await explain(session, subject, mode))) return false
      }
      return true
    })
    if (!more) return
  }
}

/** One query plan, with planner settings of its own (SET LOCAL); see explainRuns. */
export async function explainOnce(
  session: Session,
  subject: Subject,
  mode: ExplainMode,
  limits: Limits,
  set: Readonly<Record<string, string>> = {},
): Promise<QueryPlan> {
  return rolledBack(session, limits, { readOnly: !subject.writes, set }, async () => explain(session, subject, mode))
}

/**
 * A transaction around user text: timeouts by SET LOCAL, rolled back, and freed of the session's advisory locks, which
 * survive ROLLBACK and would block others (fault 76). The session must hold no advisory lock of its own.
 */
export async function rolledBack<T>(
  session: Session,
  limits: Pick<Limits, 'statementTimeoutMs' | 'lockTimeoutMs' | 'signal'>,
  settings: Pick<TransactionSettings, 'readOnly' | 'isolation' | 'set'>,
  work: () => Promise<T>,
): Promise<T> {
  refuseAborted(limits.signal)
  const { statementTimeoutMs, lockTimeoutMs } = limits
  try {
    let unlocked: Promise<unknown> | undefined
    const value = await session.rolledBack({ ...settings, statementTimeoutMs, lockTimeoutMs }, async () => {
      const done = await work()
      // Inside: behind a pooler the next statement may run on another backend. perfdb's own reading of the catalog locks nothing. ROLLBACK
      // travels right behind it.
      if (settings.set?.['search_path'] !== 'pg_catalog') unlocked = session.query(unlockSql)
      unlocked?.catch(() => undefined)
      return done
    })
    await unlocked
    return value
  } catch (error) {
    if (!session.lost) await session.query(unlockSql).catch(() => undefined)
    refuseAborted(limits.signal)
    throw error
  }
}

const unlockSql = 'select pg_catalog.pg_advisory_unlock_all()'

/** The query plan of one EXPLAIN, inside a transaction of rolledBack. Throws the server's errors. */
export async function explain(session: Session, subject: Subject, mode: ExplainMode): Promise<QueryPlan> {
  const wal = subject.writes && mode !== 'plain' ? ', wal' : ''
  // What the rows cost to send, from 17 on.
  const serialize = mode === 'timed' && session.versionNum >= 170_000 ? ', serialize text' : ''
  const text = `explain (${explainOptions[mode]}${serialize}${wal}) ${subject.text}`
  const [row] = await session.query<Readonly<Record<string, unknown>>>(text, subject.values)
  const plan = readQueryPlan(row?.['QUERY PLAN'])
  if (plan === null) throw new PerfdbError('QUERY_FAILED', 'EXPLAIN returned no query plan')
  return plan
}

/** Throws INTERRUPTED once the run is to end. */
export function refuseAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new PerfdbError('INTERRUPTED', 'measuring was stopped')
}
