import { tableOf } from '../measure/plan/plan-node.js'
import type { QueryPlan } from '../measure/plan/query-plan.js'
import type { Limits } from '../measure/sample/limits.js'
import { explain } from '../measure/sample/sample.js'
import { readTables } from '../measure/sample/tables.js'
import { withHypothetical, type HypoPg, type Hypothetical } from '../measure/what-if/what-if-session.js'
import { supposition } from '../measure/what-if/what-if.js'
import type { Session } from '../server/session/session.js'
import type { Engine, TriedIndex } from '../twin/twin.js'

/**
 * HypoPG as an engine for the tables of one query plan: btree alone of what advise tries, none of a partitioned table, and without statistics of expressions. Throws the server's errors.
 */
export async function hypoPgEngine(
  session: Session,
  hypopg: HypoPg,
  { nodes }: QueryPlan,
  limits: Limits,
): Promise<Engine> {
  const tables = await readTables(
    session,
    nodes.filter(({ schema }) => schema !== ''),
    limits,
  )
  const made = new Map<TriedIndex, Hypothetical>()
  let shown: readonly TriedIndex[] = []
  return {
    trigrams: null,
    table(schema, name) {
      const found = tables.find(({ table }) => table === `${schema}.${name}`)
      return found === undefined ? undefined : { rows: found.estimated_rows, bytes: found.pages * 8192 }
    },
    correlation: () => null,
    indexesOf: ({ indexes }) => indexes,
    reads: (plan, table) => plan.nodes.some((node) => node.schema !== '' && tableOf(node) === table),
    plan: async (subject) =>
      withHypothetical(session, hypopg, limits, async (make) => {
        const taken = shown.flatMap((one) => made.get(one) ?? [])
        const names = await make(taken)
        return named(await explain(session, subject, 'plain'), (name) => shown[names.indexOf(name)]?.names[0] ?? name)
      }),
    async build(indexes) {
      const tried: TriedIndex[] = []
      for (const one of indexes) {
        const { index, judgement } = await supposition(session, hypopg, { ...one, foreign: undefined }, limits)
        const { refused, sizeBytes } = judgement
        const own = { refused, names: [`tried ${made.size + 1}`], sizeBytes: sizeBytes ?? 0, guess: sizeBytes === null }
        if (index !== null) made.set(own, index)
        tried.push(own)
      }
      return tried
    },
    async show(indexes) {
      shown = indexes
    },
  }
}

/** HypoPG's names are others each time. */
function named(plan: QueryPlan, nameOf: (name: string) => string): QueryPlan {
  return {
    ...plan,
    indexes: plan.indexes.map(nameOf),
    nodes: plan.nodes.map((node) => (node.index === '' ? node : { ...node, index: nameOf(node.index) })),
  }
}
