import type { PlanNode } from '../../measure/plan/plan-node.js'
import type { QueryPlan } from '../../measure/plan/query-plan.js'
import type { Limits } from '../../measure/sample/limits.js'
import { explainOnce, rolledBack } from '../../measure/sample/sample.js'
import { asked } from '../../measure/what-if/asked.js'
import type { Query } from '../../profile/profile.js'
import type { Session } from '../../server/session/session.js'
import { parameterText, parseArray } from '../../server/session/values.js'
import { mentionsOf } from '../../sql/parser/mentions.js'
import { constantOf, scanTokens } from '../../sql/parser/parser-tokens.js'
import { comparisonsOf, readCondition, type Comparison } from '../../sql/rewrite/condition.js'

/** The constants that a text of SQL has; of an array its elements too. */
export async function constantsIn(text: string): Promise<readonly string[]> {
  const tokens = await scanTokens(text)
  return tokens.flatMap((token, at) => {
    const value = constantOf(token)
    const counts = token.kind !== 'SCONST' && /^(limit|offset|fetch|first|next)$/i.test(tokens[at - 1]?.text ?? '')
    return value === undefined || counts ? [] : withElements(value)
  })
}

/** A constant, and its elements where it may be an array. */
export function withElements(text: string): readonly string[] {
  return /^\{.*\}$/s.test(text) ? [text, ...parseArray(text, String).map(String)] : [text]
}

/**
 * The constants of queries: as they are written, as the planner computed them, and the values of their parameters. Plans each on this session of the role `measure`;
 * one that cannot be planned gives what it says itself. Throws CONNECTION_LOST and INTERRUPTED.
 */
export async function constantsOf(
  session: Session,
  queries: readonly Query[],
  limits: Limits,
): Promise<readonly string[]> {
  const found = new Set<string>()
  const add = (texts: readonly string[]) => {
    for (const text of texts) found.add(text)
  }
  for (const query of queries)
    for (const text of [
      ...(query.sql === undefined ? [] : [query.sql]),
      ...query.variants.flatMap((one) => one.statements),
    ])
      add(await constantsIn(text).catch(() => []))
  for await (const { subject } of asked(session, queries, limits)) {
    // Values of the statistics are what is hidden.
    if (subject === null || subject.sampled === true) continue
    add(subject.values.flatMap((value) => withElements(parameterText(value) ?? '')))
    const plan = await explainOnce(session, subject, 'plain', limits).catch((error: unknown) => {
      if (session.lost || limits.signal?.aborted === true) throw error
      return null
    })
    for (const { texts } of plan === null ? [] : await comparedIn(session, plan, limits)) add(texts)
  }
  return [...found].filter((one) => one !== '')
}

/** What a query plan compares a column with, where that is the same for all rows. */
export interface ComparedConstant {
  readonly node: PlanNode
  readonly comparison: Comparison
  /** Its value, and its elements where it may be an array; empty where it is known only when the query runs. */
  readonly texts: readonly string[]
}

/** The constants of the conditions of a query plan; those that the planner computes, as `date '2025-01-01' + interval '1 day'`, are computed on this session. Throws CONNECTION_LOST. */
export async function comparedIn(
  session: Session,
  { nodes }: QueryPlan,
  limits: Limits,
): Promise<readonly ComparedConstant[]> {
  const found: ComparedConstant[] = []
  for (const node of nodes)
    for (const text of node.conditions) {
      const condition = await readCondition(text)
      for (const comparison of condition === null ? [] : comparisonsOf(condition)) {
        const { constant, opposite, others, parameter } = comparison
        if (opposite === null || others.length > 0 || parameter !== null) continue
        const value = constant ?? (await computed(session, opposite, limits))
        found.push({ node, comparison, texts: value === null ? [] : withElements(value) })
      }
    }
  return found
}

/** null for what holds more than constants, casts and operators, and for what cannot be computed. */
async function computed(session: Session, text: string, limits: Limits): Promise<string | null> {
  try {
    const { functions, fields, relations } = await mentionsOf(`select (${text})`)
    if (functions.length + fields.length + relations.length > 0) return null
    const [row] = await rolledBack(session, limits, { readOnly: true }, async () =>
      session.query<{ value: string | null }>(`select (${text})::text as value`),
    )
    return row?.value ?? null
  } catch (error) {
    if (session.lost || limits.signal?.aborted === true) throw error
    return null
  }
}
