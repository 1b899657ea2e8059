import type { Definition } from '../../definition/definition.js'
import { PerfdbError } from '../../errors.js'
import type { Session } from '../../server/session/session.js'
import { foldSql } from '../../sql/measure/what-if.js'
import { isObject, objectAt, textAt, textsAt } from '../plan/json.js'
import { rolledBack } from '../sample/sample.js'
import type { Limits } from '../sample/limits.js'

/**
 * A definition with its expressions and predicate as the planner simplifies them: `total > 100` of a numeric column is
 * `total > '100'::numeric`. PostgreSQL does that when it reads an index from the catalog; HypoPG 1.3.1 does not, and then
 * no query matches. EXPLAIN of one plain scan prints them. null where it cannot (partitions, no SELECT on the table, a
 * predicate that is always true). Throws CONNECTION_LOST and INTERRUPTED.
 */
export async function folded(
  session: Session,
  definition: Definition,
  searchPath: string,
  limits: Limits,
): Promise<Definition | null> {
  if (!computes(definition)) return definition
  try {
    const answer = await rolledBack(session, limits, { readOnly: true, set: plainScan }, async () => {
      await session.query(`set local search_path = ${searchPath}`)
      return session.query<Readonly<Record<string, unknown>>>(foldSql(definition))
    })
    return simplified(definition, answer[0]?.['QUERY PLAN'])
  } catch (error) {
    if (!(error instanceof PerfdbError) || error.code === 'CONNECTION_LOST' || error.code === 'INTERRUPTED') throw error
    return null
  }
}

/** Says of the definition that HypoPG must read expressions. */
function computes({ keys, predicate }: Definition): boolean {
  return predicate !== undefined || keys.some(({ expression }) => expression !== undefined)
}

/** Everything stands in Filter then; with row_security off a policy is an error and never part of it. */
const plainScan = {
  enable_indexscan: 'off',
  enable_indexonlyscan: 'off',
  enable_bitmapscan: 'off',
  max_parallel_workers_per_gather: '0',
  constraint_exclusion: 'off',
  row_security: 'off',
}

function simplified(definition: Definition, answer: unknown): Definition | null {
  const top: unknown = Array.isArray(answer) ? answer[0] : answer
  if (!isObject(top)) return null
  const scan = objectAt(top, 'Plan')
  const filter = textAt(scan, 'Filter')
  if (textAt(scan, 'Node Type') !== 'Seq Scan' || (definition.predicate !== undefined) !== (filter !== '')) return null
  const output = textsAt(scan, 'Output')
  const expressions = definition.keys.filter(({ expression }) => expression !== undefined)
  if (expressions.length > 0 && output.length !== expressions.length) return null
  const keys = definition.keys.map((key) => {
    const expression = key.expression === undefined ? undefined : output[expressions.indexOf(key)]
    return expression === undefined ? key : { ...key, expression }
  })
  return { ...definition, keys, ...(filter === '' ? {} : { predicate: filter }) }
}
