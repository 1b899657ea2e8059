import { PerfdbError } from '../../errors.js'
import type { Finding } from '../../plan/plan.js'
import type { DeclaredIndex, Query } from '../../profile/profile.js'
import type { Session } from '../../server/session/session.js'
import { readIndexes, type IndexFacts } from '../sample/indexes.js'
import type { QueryMeasurement } from '../sample/measurement.js'
import { indexKey, usesIndex } from './price-uses.js'
import { noScans, type Scans } from './scans.js'
import { count } from '../plan/plan-node.js'
import { sizeText, smallPages } from '../sample/tables.js'
import { limitsOf } from '../sample/limits.js'

/**
 * NOT_USED for declared indexes that stand there, were measured, and that no query plan of any declared query chose: a
 * warning with the reason, for information only where the table is too small to tell. A unique index has work to do
 * without queries; of one whose own query could not be measured nothing is said. Throws CONNECTION_LOST and INTERRUPTED.
 */
export async function notUsed(
  session: Session,
  declared: readonly DeclaredIndex[],
  measured: readonly QueryMeasurement[],
  signal: AbortSignal | undefined,
  scans: Scans = noScans,
): Promise<readonly Finding[]> {
  const plans = measured.flatMap(({ measurements }) => measurements.map(({ plan }) => plan))
  const unused = declared.filter(
    (index) =>
      !plans.some((plan) => usesIndex(plan, index.definition)) && !index.definition.unique && judged(index, measured),
  )
  if (unused.length === 0) return []
  const names = unused.map(({ definition }) => definition.name)
  const limits = limitsOf({ allowWrites: false, signal })
  const facts = await readIndexes(session, [], names, limits).catch((error: unknown) => {
    if (signal?.aborted || (error instanceof PerfdbError && error.code === 'CONNECTION_LOST')) throw error
    const none: readonly IndexFacts[] = []
    return none
  })
  return unused.flatMap((index) => {
    const { definition } = index
    const table = `${definition.table.schema}.${definition.table.name}`
    const found = facts.find((one) => one.name === definition.name && one.table === table)
    if (
      found?.valid !== true ||
      found.parts.some((part) => plans.some((plan) => plan?.indexes.includes(part) === true))
    )
      return []
    return [
      scanned(finding(index, table, found, measured), scans.of.get(indexKey(definition.table.schema, definition.name))),
    ]
  })
}

/** Somebody uses it, though no declared query does: that is no warning. */
function scanned(found: Finding, known: { readonly scans: number; readonly since: string } | undefined): Finding {
  if (known === undefined || known.scans === 0 || found.severity === 'info') return found
  const hint = `${count(known.scans)} scan${known.scans === 1 ? '' : 's'} since ${known.since}: declare the query that needs it`
  return { ...found, severity: 'info', hint }
}

/** The indexes that are declared for a query, by name: MeasureOptions.indexesFor. */
export function declaredFor(declared: readonly DeclaredIndex[]): (query: Pick<Query, 'name'>) => readonly string[] {
  return ({ name }) => declared.filter((index) => index.for.includes(name)).map(({ definition }) => definition.name)
}

function judged({ for: wanted }: DeclaredIndex, measured: readonly QueryMeasurement[]): boolean {
  const own = measured.filter(({ query }) => wanted.includes(query.name))
  return own.every(({ measurements }) => measurements.some(({ plan }) => plan !== null))
}

function finding(
  declared: DeclaredIndex,
  table: string,
  facts: IndexFacts,
  measured: readonly QueryMeasurement[],
): Finding {
  const { definition, place } = declared
  const subject = { code: 'NOT_USED', index: definition.name, table, place } as const
  if (facts.pages < smallPages) {
    return {
      ...subject,
      severity: 'info',
      message: `no declared query uses ${definition.name}, and ${table} is too small to tell (${sizeText(facts)})`,
      hint: 'the planner reads a table of under 50 pages whole, whatever indexes there are: look again with real data',
    }
  }
  const purpose =
    declared.for.length === 0
      ? 'no query of the profile names it as its reason'
      : `it was declared for ${declared.for.join(', ')}`
  const reasons = measured
    .filter(({ query }) => declared.for.includes(query.name))
    .flatMap(({ query, measurements }) =>
      measurements.flatMap(({ unchosen }) =>
        unchosen.filter(({ index }) => index === definition.name).map(({ reason }) => `${query.name}: ${reason}`),
      ),
    )
  return {
    ...subject,
    severity: 'warning',
    message: `no declared query uses ${definition.name}: ${purpose}`,
    hint: [
      ...new Set(reasons),
      'each write pays for it: remove it from the profile, or declare the query that needs it',
    ].join('; '),
  }
}
