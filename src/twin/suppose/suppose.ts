import { PerfdbError } from '../../errors.js'
import type { Limits } from '../../measure/sample/limits.js'
import { explainOnce } from '../../measure/sample/sample.js'
import { failureOf } from '../../measure/sample/series.js'
import type { Subject } from '../../measure/sample/subject.js'
import type { QueryPlan } from '../../measure/plan/query-plan.js'
import { asked, type QueryName } from '../../measure/what-if/asked.js'
import type { SupposedQuery, Supposition, WhatIf } from '../../measure/what-if/what-if.js'
import type { Query } from '../../profile/profile.js'
import type { Session } from '../../server/session/session.js'
import { skipsFrom, skipsIn } from './skips.js'
import { likenessOf, type Likeness } from './fidelity.js'
import type { Twin } from '../twin.js'

/** A query with one set of values, as it is planned on the source and on the twin at present. */
export interface Present extends QueryName, Likeness {
  readonly query: Query
  readonly subject: Subject
  readonly there: QueryPlan
  readonly here: QueryPlan
}

/** The present of all queries: those that were planned on both sides, and those that could not be. */
export interface Presents {
  readonly planned: readonly Present[]
  readonly notPlanned: readonly (QueryName & { readonly reason: string })[]
}

/**
 * Plans each query with each set of values where it comes from and on the twin: what a twin says of a query counts only when it plans it
 * as its source does. Without `compare` there is no source, and the twin is taken at its word. Nothing runs. Throws CONNECTION_LOST and INTERRUPTED.
 */
export async function presentsOf(
  session: Session,
  twin: Twin,
  queries: readonly Query[],
  limits: Limits,
  compare = true,
): Promise<Presents> {
  const planned: Present[] = []
  const notPlanned: (QueryName & { readonly reason: string })[] = []
  for await (const { query, subject, reason, ...name } of asked(session, queries, limits)) {
    const found =
      subject === null ? { reason } : { subject, ...(await bothPlans(compare ? session : null, twin, subject, limits)) }
    if ('reason' in found) notPlanned.push({ ...name, reason: found.reason })
    else planned.push({ ...name, query, ...found, ...likenessOf(found.there, found.here) })
  }
  return { planned, notPlanned }
}

async function bothPlans(session: Session | null, twin: Twin, subject: Subject, limits: Limits) {
  try {
    const there = session === null ? null : await explainOnce(session, subject, 'plain', limits)
    const here = await twin.plan(subject).catch((error: unknown) => ({ reason: onTwin(error, limits) }))
    return 'reason' in here ? here : { there: there ?? here, here }
  } catch (error) {
    return { reason: failureOf(error, limits).reason }
  }
}

function onTwin(error: unknown, limits: Limits): string {
  if (!(error instanceof PerfdbError)) throw error
  return `on the twin: ${failureOf(error, limits).reason}`
}

/**
 * What the planner would do with these indexes, by the twin: each query without and with them. A query whose present query plan the twin does
 * not reproduce is not judged, with what differs. Throws CONNECTION_LOST, INTERRUPTED, and EMBEDDED_FAILED.
 */
export async function supposeOnTwin(
  session: Session,
  twin: Twin,
  indexes: readonly Supposition[],
  queries: readonly Query[],
  limits: Limits,
): Promise<WhatIf & Pick<Presents, 'planned'>> {
  const { planned, notPlanned } = await presentsOf(session, twin, queries, limits)
  const tried = await twin.build(indexes)
  const whole = tried.filter(({ refused }) => refused === null)
  await twin.show(whole)
  const supposed: SupposedQuery[] = []
  const left = [...notPlanned]
  for (const { name, params, statement, subject, there, likeness, difference } of planned) {
    if (likeness === 'differs') {
      left.push({ name, params, statement, reason: `the twin does not plan it as the server does: ${difference}` })
      continue
    }
    try {
      const after = await twin.plan(subject)
      const used = twin.indexesOf(after)
      supposed.push({
        name,
        params,
        statement,
        costBefore: there.cost,
        costAfter: after.cost,
        used: tried.flatMap((index, at) => {
          const definition = indexes[at]?.definition
          const skipped =
            session.versionNum < skipsFrom && definition !== undefined && skipsIn(after, definition, index)
          return index.names.some((one) => used.includes(one)) && !skipped ? [at] : []
        }),
      })
    } catch (error) {
      left.push({ name, params, statement, reason: onTwin(error, limits) })
    }
  }
  return {
    planned,
    queries: supposed,
    notPlanned: left,
    judgements: tried.map(({ refused, sizeBytes }) => ({
      refused: refused === null ? null : `PostgreSQL makes no such index on the twin: ${refused}`,
      sizeBytes: refused === null ? sizeBytes : null,
      asWritten: false,
    })),
  }
}
