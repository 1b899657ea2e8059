import type { Definition } from '../../definition/definition.js'
import type { Query } from '../../profile/profile.js'
import type { Session } from '../../server/session/session.js'
import { hypopgSql, hypotheticalIndexSql, hypotheticalSizeSql } from '../../sql/measure/what-if.js'
import { attempt } from '../query/finish.js'
import { explain, rolledBack } from '../sample/sample.js'
import type { Subject } from '../sample/subject.js'
import { failureOf } from '../sample/series.js'
import { catalogOnly } from '../sample/tables.js'
import { folded } from './what-if-fold.js'
import { withHypothetical, type HypoPg, type Hypothetical } from './what-if-session.js'
import type { Limits } from '../sample/limits.js'
import { asked, type QueryName } from './asked.js'

/** What HypoPG found. Costs are the planner's, in its own unit. */
export interface WhatIf {
  readonly queries: readonly SupposedQuery[]
  readonly notPlanned: readonly (QueryName & { readonly reason: string })[]
  /** One for each hypothetical index, in their order. */
  readonly judgements: readonly Judgement[]
}

export interface SupposedQuery extends QueryName {
  readonly costBefore: number
  readonly costAfter: number
  /** Positions of the indexes in the list that was given. */
  readonly used: readonly number[]
}

/** refused: HypoPG cannot take it, for this reason. The size is its guess, null where it cannot guess. */
export interface Judgement {
  readonly refused: string | null
  readonly sizeBytes: number | null
  /** Its expressions could not be simplified as the planner does: that no query matches means nothing. */
  readonly asWritten: boolean
}

/** A declared index, and where a build would look up the names in it. */
export interface Supposition {
  readonly definition: Definition
  readonly searchPath: string
  /** Whose code it would run, by which HypoPG is not asked about it. */
  readonly foreign: string | undefined
}

/** Where HypoPG is installed; null when it is not, with whether the server has its files. Throws the server's errors. */
export async function findHypoPg(
  session: Session,
  limits: Limits,
): Promise<{ readonly hypopg: HypoPg | null; readonly available: boolean }> {
  const [row] = await rolledBack(session, limits, catalogOnly, async () =>
    session.query<{ schema: string | null; version: string | null; available: boolean }>(hypopgSql),
  )
  const { schema = null, version = null, available = false } = row ?? {}
  return { hypopg: schema === null ? null : { schema, version: version ?? '' }, available }
}

/**
 * Plans each query with each of its parameter sets without and with all the hypothetical indexes that HypoPG takes.
 * EXPLAIN without ANALYZE alone, which HypoPG's indexes are made for: nothing runs, so that queries that write are planned
 * too. What cannot be planned is told with the reason. Throws CONNECTION_LOST and INTERRUPTED.
 */
export async function suppose(
  session: Session,
  hypopg: HypoPg,
  indexes: readonly Supposition[],
  queries: readonly Query[],
  limits: Limits,
): Promise<WhatIf> {
  const judgements: Judgement[] = []
  const taken: (Hypothetical & { readonly at: number })[] = []
  for (const [at, one] of indexes.entries()) {
    const { index, judgement } = await supposition(session, hypopg, one, limits)
    judgements.push(judgement)
    if (index !== null) taken.push({ ...index, at })
  }
  const planned: SupposedQuery[] = []
  const notPlanned: (QueryName & { readonly reason: string })[] = []
  for await (const { query: _, subject, reason, ...name } of asked(
    session,
    taken.length === 0 ? [] : queries,
    limits,
  )) {
    const outcome =
      subject === null
        ? { reason }
        : await costs(session, hypopg, taken, subject, limits).catch((error: unknown) => ({
            reason: failureOf(error, limits).reason,
          }))
    if ('reason' in outcome) notPlanned.push({ ...name, reason: outcome.reason })
    else planned.push({ ...name, ...outcome })
  }
  return { queries: planned, notPlanned, judgements }
}

/** As HypoPG reads it, and what it says of that; `index` is null where it cannot take it. Throws CONNECTION_LOST and INTERRUPTED. */
export async function supposition(
  session: Session,
  hypopg: HypoPg,
  { definition, searchPath, foreign }: Supposition,
  limits: Limits,
): Promise<{ readonly index: Hypothetical | null; readonly judgement: Judgement }> {
  if (foreign !== undefined)
    return {
      index: null,
      judgement: { refused: `supposing it would run ${foreign}`, sizeBytes: null, asWritten: false },
    }
  const simple = await folded(session, definition, searchPath, limits)
  const index = { text: hypotheticalIndexSql(simple ?? definition), searchPath }
  const judgement = { ...(await judge(session, hypopg, index, limits)), asWritten: simple === null }
  return { index: judgement.refused === null ? index : null, judgement }
}

/** Alone, so that what HypoPG refuses keeps nobody else out; its guess of the size divides by zero for an empty table. */
async function judge(
  session: Session,
  hypopg: HypoPg,
  index: Hypothetical,
  limits: Limits,
): Promise<Omit<Judgement, 'asWritten'>> {
  try {
    const [name] = await withHypothetical(session, hypopg, limits, async (make) => make([index]))
    if (name === undefined || name === '') return { refused: 'HypoPG made no index of it', sizeBytes: null }
  } catch (error) {
    const { reason } = failureOf(error, limits)
    return { refused: `HypoPG cannot judge it: ${reason.replace(/^hypopg: /, '')}`, sizeBytes: null }
  }
  const sized = withHypothetical(session, hypopg, limits, async () => {
    await session.query(`set local search_path = ${index.searchPath}`)
    return session.query<{ readonly size_bytes: number }>(hypotheticalSizeSql(hypopg.schema), [index.text])
  })
  const rows = await attempt(sized, limits)
  return { refused: null, sizeBytes: rows?.[0]?.size_bytes ?? null }
}

async function costs(
  session: Session,
  hypopg: HypoPg,
  indexes: readonly (Hypothetical & { readonly at: number })[],
  subject: Subject,
  limits: Limits,
): Promise<Omit<SupposedQuery, keyof QueryName>> {
  return withHypothetical(session, hypopg, limits, async (make) => {
    const before = await explain(session, subject, 'plain')
    const names = await make(indexes)
    const after = await explain(session, subject, 'plain')
    const used = indexes.filter((_, number) => after.indexes.includes(names[number] ?? ''))
    return { costBefore: before.cost, costAfter: after.cost, used: used.map(({ at }) => at) }
  })
}
