import type { QueryPlan } from '../plan/query-plan.js'
import type { Session } from '../../server/session/session.js'
import type { Subject } from './subject.js'

/** What the engine of advise chose for one query alone. */
export interface AdvisedIndexes {
  /** `on a twin`, `by HypoPG` */
  readonly where: string
  /** So many were tried for it. */
  readonly tried: number
  /** Together they give `costAfter`. */
  readonly indexes: readonly {
    /** `schema.table` */
    readonly table: string
    /** `create index on public.jobs (status)` */
    readonly text: string
  }[]
  /** Of the whole query, in the planner's unit. */
  readonly costBefore: number
  readonly costAfter: number
}

/**
 * The engine of advise where a twin or HypoPG is at hand: the whole query is planned with each index that could serve it. null where it cannot judge the query, as
 * one that the twin plans otherwise. Throws the server's errors, CONNECTION_LOST and INTERRUPTED.
 */
export type Advisor = (query: {
  readonly session: Session
  readonly subject: Subject
  readonly plan: QueryPlan
}) => Promise<AdvisedIndexes | null>
