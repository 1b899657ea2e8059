import { quoteLiteral } from '../../definition/quote.js'
import { parameterText } from '../../server/session/values.js'
import type { QueryPlan } from '../plan/query-plan.js'
import type { Subject } from './subject.js'

/**
 * The query plan with `$1`, `$2` ... for the texts that the statistics gave as values: names and addresses of people, which
 * belong in no report. Numbers that EXPLAIN prints without quotes stay. The query plan itself for values of the profile.
 */
export function withoutSampledValues(plan: QueryPlan, { sampled = false, values }: Subject): QueryPlan {
  const literals = values.flatMap((value, at): (readonly [string, string])[] => {
    const text = parameterText(value)
    return text === null ? [] : [[quoteLiteral(text), `$${at + 1}`]]
  })
  if (!sampled || literals.length === 0) return plan
  const hide = (text: string) =>
    literals.reduce((hidden, [literal, name]) => hidden.replaceAll(literal, () => name), text)
  return {
    ...plan,
    nodes: plan.nodes.map((node) => ({
      ...node,
      filter: hide(node.filter),
      indexCondition: hide(node.indexCondition),
      joinCondition: hide(node.joinCondition),
      joinFilter: hide(node.joinFilter),
      conditions: node.conditions.map(hide),
      output: node.output.map(hide),
      sortKeys: node.sortKeys.map(hide),
      groupKeys: node.groupKeys.map(hide),
    })),
  }
}
