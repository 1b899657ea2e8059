import { partTexts } from '../../sql/rewrite/condition.js'
import type { QueryPlan } from '../plan/query-plan.js'
import type { Subject } from './subject.js'

/** The conditions of a query plan as EXPLAIN prints them, with each part of their ANDs and ORs. */
export function conditionTexts({ nodes }: QueryPlan): ReadonlySet<string> {
  return new Set(nodes.flatMap(({ conditions }) => conditions.flatMap(withParts)))
}

function withParts(text: string): readonly string[] {
  const parts = (['AND', 'OR'] as const).map((joined) => partTexts(text, joined)).find(({ length }) => length > 1)
  return [text, ...(parts ?? []).flatMap(withParts)]
}

/**
 * The text of the statement says this condition, as EXPLAIN prints it, itself: it holds whatever the values of its parameters are. PostgreSQL is asked, by the generic query plan: a value may print
 * in other words (`'2025-06-30 00:00:00+00'::timestamptz`), in a list of several, or as nothing (`done` of `done = $1`).
 */
export function isSaid({ values, said }: Subject, text: string): boolean {
  return values.length === 0 || said?.has(text) === true
}
