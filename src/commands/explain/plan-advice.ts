import { limitsOf } from '../../measure/sample/limits.js'
import { readIndexes } from '../../measure/sample/indexes.js'
import { rolledBack } from '../../measure/sample/sample.js'
import { catalogOnly } from '../../measure/sample/tables.js'
import type { QueryPlan } from '../../measure/plan/query-plan.js'
import type { RuleFinding } from '../../measure/rules/rule.js'
import { advised, isAdvised } from '../../measure/why/advice.js'
import type { Session } from '../../server/session/session.js'
import { schemasSql } from '../../sql/measure/explain-catalog.js'

/**
 * The findings of a query plan that was made elsewhere, with what the catalog of this server knows of its tables: which indexes exist, which could
 * serve. Nothing of the query is run; tables that are not here keep the advice of the text. Throws the server's errors.
 */
export async function catalogAdvice(
  session: Session,
  plan: QueryPlan,
  findings: readonly RuleFinding[],
): Promise<readonly RuleFinding[]> {
  if (!findings.some(isAdvised)) return findings
  const limits = limitsOf({ allowWrites: false })
  const names = [...new Set(plan.nodes.flatMap(({ relation }) => (relation === '' ? [] : [relation])))]
  const rows = await rolledBack(session, limits, catalogOnly, async () =>
    session.query<{ readonly name: string; readonly schema: string }>(schemasSql, [names]),
  )
  const nodes = plan.nodes.map((node) => {
    const own = rows.filter(
      ({ name, schema }) => name === node.relation && (node.schema === '' || schema === node.schema),
    )
    return { ...node, schema: own.length === 1 ? (own[0]?.schema ?? '') : '' }
  })
  const known = { ...plan, nodes }
  // Nothing that stands in a file is planned here: foreign code by rule, so that nothing is tried.
  const subject = { text: '', values: [], writes: false }
  const indexes = await readIndexes(session, nodes, [], limits)
  const here = findings.filter((one) => nodes[one.node ?? -1]?.schema !== '')
  const told = await advised({ session, subject, limits, plan: known, without: known, indexes, foreign: true }, here)
  return [...told, ...findings.filter((one) => !here.includes(one))]
}
