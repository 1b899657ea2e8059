import type { TableStatistics } from '../../catalog/snapshot.js'
import { foreignText, readTrust } from '../../catalog/trust.js'
import type { Definition } from '../../definition/definition.js'
import { quoteQualified } from '../../definition/quote.js'
import { PerfdbError } from '../../errors.js'
import type { Plan, Step } from '../../plan/plan.js'
import { uniqueBuild, withDuplicates, type Duplicates } from '../../plan/hazards/unique.js'
import type { Session } from '../../server/session/session.js'
import { keyExpressionSql } from '../../sql/ddl/index-ddl.js'
import { notRead, ownLook } from './own-look.js'
import { widthFindings } from './widths.js'

/** For all unique indexes of a plan together, and for each again before it is built if need be. */
const boundMs = 30_000

/**
 * The plan with what a look for duplicates says of each unique index that it builds, and a finding for each that a row is too wide for. Reads the tables for 30 s at most; what was not
 * looked at to the end is a hazard, and so is a table whose planning would run foreign code. An abort ends the look; nothing is changed.
 */
export async function plannedWithDuplicates(
  session: Session,
  plan: Plan,
  statistics: readonly TableStatistics[],
  signal?: AbortSignal,
): Promise<Plan> {
  const until = performance.now() + boundMs
  const cancel = () => void session.cancel().catch(() => undefined)
  signal?.addEventListener('abort', cancel)
  try {
    const steps: Step[] = []
    for (const step of plan.steps) {
      const definition = uniqueBuild(step)
      const leftMs = Math.max(1, Math.ceil(until - performance.now()))
      const skipped = definition === null || signal?.aborted === true
      const look = skipped
        ? null
        : step.foreign === undefined
          ? await duplicatesOf(session, definition, leftMs, step.stranger === true)
          : notLooked(step.foreign)
      // What an abort has ended says nothing of the table.
      const found = signal?.aborted === true ? null : look
      steps.push(found === null ? step : withDuplicates(step, found))
    }
    const leftMs = () => (signal?.aborted === true ? 0 : Math.ceil(until - performance.now()))
    return {
      ...plan,
      steps,
      findings: [...plan.findings, ...(await widthFindings(session, steps, statistics, leftMs))],
    }
  } finally {
    signal?.removeEventListener('abort', cancel)
  }
}

/**
 * As duplicatesOf, after whose code the look would run was asked anew: what a plan knows may be an hour old.
 */
export async function lookForDuplicates(
  session: Session,
  definition: Definition,
  timeoutMs = boundMs,
): Promise<Duplicates | null> {
  const { foreign = [], stranger = false } = (await readTrust(session, [definition])).get(definition) ?? {}
  return foreign.length > 0 ? notLooked(foreignText(foreign)) : duplicatesOf(session, definition, timeoutMs, stranger)
}

function notLooked(foreign: string): Duplicates {
  return { found: 'unknown', reason: `reading the table would run ${foreign}` }
}

/**
 * Up to five keys that stand in the way of a unique index, the most frequent first, as `(a, b): 3 rows`. null when that cannot be
 * said: another session locks the table, or an expression fails on a row, as it then does in the build.
 */
async function duplicatesOf(
  session: Session,
  definition: Definition,
  timeoutMs: number,
  stranger: boolean,
): Promise<Duplicates | null> {
  return ownLook(session, { definition, stranger, timeoutMs }, async () =>
    session.query<{ key: string; rows: number }>(duplicatesSql(definition)),
  ).then(
    (rows): Duplicates => {
      if (notRead(rows)) return notLooked(rows.foreign)
      if (rows.length === 0) return { found: 'none' }
      return { found: 'some', keys: rows.map(({ key, rows: count }) => `(${key}): ${count} rows`) }
    },
    (error: unknown) => undecided(error, stranger),
  )
}

function undecided(error: unknown, stranger: boolean): Duplicates | null {
  if (!(error instanceof PerfdbError) || error.code === 'CONNECTION_LOST') throw error
  if (error.sqlstate === '57014') return { found: 'unknown', reason: `the look took longer than ${boundMs / 1000} s` }
  if (error.sqlstate === '42501') return { found: 'unknown', reason: error.message }
  // No lock on a standby; names that only the table's own schema explains.
  if (stranger && ['25006', '42883', '42704', '42P01'].includes(error.sqlstate ?? ''))
    return { found: 'unknown', reason: `the table belongs to a role with fewer rights, and ${error.message}` }
  return null
}

function duplicatesSql({ keys, table, predicate, nullsDistinct }: Definition): string {
  const texts = keys.map(keyExpressionSql)
  const conditions = [
    ...(predicate === undefined ? [] : [`(${predicate}\n)`]),
    // Nulls are distinct from each other unless the index says otherwise.
    ...(nullsDistinct ? texts.map((key) => `${key} is not null`) : []),
  ]
  return `select pg_catalog.concat_ws(', ', ${texts.map((key) => `coalesce((${key})::pg_catalog.text, 'null')`).join(', ')}) as key, pg_catalog.count(*)::pg_catalog.int8 as rows
    from ${quoteQualified(table.schema, table.name)}
    ${conditions.length > 0 ? `where ${conditions.join(' and ')}` : ''}
    group by ${texts.join(', ')} having pg_catalog.count(*) operator(pg_catalog.>) 1 order by pg_catalog.count(*) desc, 1 limit 5`
}
