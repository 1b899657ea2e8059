import { readForeignCode } from '../../catalog/trust.js'
import type { ParameterSet } from '../../profile/profile.js'
import { parameterText } from '../../profile/written/values.js'
import type { Session } from '../../server/session/session.js'
import { columnStatisticsSql, sampleRowSql } from '../../sql/measure/explain-catalog.js'
import { comparisonsOf, readCondition } from '../../sql/rewrite/condition.js'
import type { GenericPlan } from './generic.js'
import type { QueryPlan } from '../plan/query-plan.js'
import { explainOnce, rolledBack } from './sample.js'
import type { Subject } from './subject.js'
import { catalogOnly } from './tables.js'
import type { Limits } from './limits.js'

/**
 * Values for a statement that came without: its generic query plan names the column that each parameter is compared with
 * (`(o.status = $2)`), and the statistics of that column have a common and a rare value. Two sets, `common` and `rare`;
 * one where they are the same; a third, `near`, where neither gives about `rowsACall` rows by the estimate of the planner and a value between or beyond
 * them does better. A parameter that only what is put out depends on is NULL. null when another one is compared with no column and its type says nothing either.
 * Throws the server's errors.
 */
export async function sampledSets(
  session: Session,
  { plan, types }: GenericPlan,
  limits: Limits,
  like?: { readonly subject: Omit<Subject, 'values'>; readonly rowsACall: number },
): Promise<readonly ParameterSet[] | null> {
  const uses = await parameterUses(plan)
  const pairs: Pair[] = []
  for (const [at, type] of types.entries()) {
    const use = uses.get(at + 1)
    const known = use === undefined ? null : await columnValues(session, use, uses, limits)
    const pair =
      known ?? typeValues[type] ?? (isPutOut(plan, at + 1, limits.runs) ? ([null, null] as const) : undefined)
    if (pair === undefined) return null
    pairs.push(pair)
  }
  const common = { name: 'common', values: pairs.map(([value]) => value) }
  const rare = { name: 'rare', values: pairs.map(([, value]) => value) }
  const both = JSON.stringify(common.values) === JSON.stringify(rare.values) ? [common] : [common, rare]
  if (like === undefined) return both
  const most = Math.max(0, ...pairs.map(({ between }) => between?.length ?? 0))
  const others = Array.from({ length: most }, (_, at) => ({
    name: 'near',
    values: pairs.map((pair) => pair.between?.[Math.min(at, pair.between.length - 1)] ?? pair[0]),
  }))
  return await nearest(session, both, others, like, limits)
}

/** Values of a parameter that are common and rare, and others for a number of rows that neither gives. */
type Pair = readonly [string | null, string | null] & { readonly between?: readonly string[] }

/** Those of `both` that give about as many rows as a call by their estimate, and the nearest of `others` where it does better; `both` where none does. */
async function nearest(
  session: Session,
  both: readonly ParameterSet[],
  others: readonly ParameterSet[],
  { subject, rowsACall }: { readonly subject: Omit<Subject, 'values'>; readonly rowsACall: number },
  limits: Limits,
): Promise<readonly ParameterSet[]> {
  const distances: number[] = []
  for (const { values } of [...both, ...others]) {
    const plan = await explainOnce(session, { ...subject, values }, 'plain', limits)
    distances.push(Math.abs(Math.log((1 + (plan.nodes[0]?.estimatedRows ?? 0)) / (1 + rowsACall))))
  }
  const sets = [...both, ...others]
  const known = Math.min(...distances.slice(0, both.length))
  const best = Math.min(...distances)
  // A factor of three is as near as the estimates of planner and statistics go.
  const better = known > Math.log(3) && best < known - Math.log(2)
  const fit = sets.filter((set, at) =>
    both.includes(set) ? (distances[at] ?? 0) < Math.log(10) : better && distances[at] === best,
  )
  const near = fit.findIndex((set) => !both.includes(set))
  return fit.length === 0 ? both : fit.filter((set, at) => both.includes(set) || at === near)
}

/** What a parameter is compared with. */
interface Use {
  readonly number: number
  readonly schema: string
  readonly table: string
  readonly column: string
  readonly operator: string
  /** Which of the values of a list it is, from 0; those of `IN ($1, $2)` are to be others. */
  readonly place: number
}

/** For LIMIT, intervals in arithmetic and the like: small, and of no weight for the choice of an index. */
const typeValues: Readonly<Record<string, Pair>> = {
  integer: ['10', '10'],
  bigint: ['10', '10'],
  smallint: ['10', '10'],
  numeric: ['10', '10'],
  'double precision': ['10', '10'],
  boolean: ['true', 'true'],
  interval: ['1 day', '1 day'],
}

/** No row is found, joined, sorted, grouped or written by it (or none is, as nothing `runs`): the query plan is the same for any value. */
function isPutOut({ nodes }: QueryPlan, number: number, runs: boolean): boolean {
  const named = new RegExp(String.raw`\$${number}(?!\d)`)
  if (nodes.some(({ conditions }) => conditions.some((text) => named.test(text)))) return false
  // What is written decides whether it may be, once it runs.
  if (!runs && nodes.some(({ type }) => type === 'ModifyTable')) return true
  const deciding = nodes.some(({ type }) => /ModifyTable|Function Scan|Values Scan/.test(type))
  return !deciding && nodes.some(({ output }) => output.some((text) => named.test(text)))
}

async function parameterUses(plan: QueryPlan): Promise<ReadonlyMap<number, Use>> {
  const uses = new Map<number, Use>()
  for (const node of plan.nodes) {
    for (const text of node.conditions.filter((condition) => /\$\d/.test(condition))) {
      const condition = await readCondition(text)
      for (const one of condition === null ? [] : comparisonsOf(condition)) {
        const { alias, column, parameter, listed } = one
        const operator = listed.length > 0 ? '=' : one.operator
        const scan =
          plan.nodes.find((one) => one.alias === alias && one.schema !== '' && alias !== '') ??
          (node.schema === '' ? undefined : node)
        for (const [place, number] of (parameter === null ? listed : [parameter]).entries())
          if (scan !== undefined && !uses.has(number))
            uses.set(number, { number, schema: scan.schema, table: scan.relation, column, operator, place })
      }
    }
  }
  return uses
}

interface ColumnStatistics {
  readonly common: readonly string[] | null
  readonly bounds: readonly string[] | null
}

async function columnValues(
  session: Session,
  use: Use,
  uses: ReadonlyMap<number, Use>,
  limits: Limits,
): Promise<Pair | null> {
  const { schema, table, column, operator, place } = use
  const [row] = await rolledBack(session, limits, catalogOnly, async () =>
    session.query<ColumnStatistics>(columnStatisticsSql, [schema, table, column]),
  )
  const common = row?.common ?? []
  const bounds = row?.bounds ?? []
  const at = (share: number) => bounds[Math.round(share * (bounds.length - 1))]
  const further = bounds[(Math.round((bounds.length - 1) / 2) + place) % Math.max(1, bounds.length)]
  const equal: readonly [string | undefined, string | undefined] = [
    common[place] ?? further,
    further ?? common.at(-1 - (place % Math.max(1, common.length))),
  ]
  const between = [...uses.values()].some(
    (one) => one.number !== use.number && one.table === table && one.column === column,
  )
  const [often, seldom] = rangeValues(operator, at, between) ?? equal
  if (often === undefined || seldom === undefined) return anyRow(session, use, limits)
  switch (operator) {
    case 'in':
      return [parameterText([...new Set([often, ...common.slice(0, 3)])]) ?? '', parameterText([seldom]) ?? '']
    case '~~':
    case '~~*':
      // How much of it a pattern says nobody knows: what a call gives decides.
      return Object.assign([`${often.slice(0, 3)}%`, `${seldom.slice(0, 8)}%`] as const, {
        between: Array.from({ length: Math.min(24, seldom.length) }, (_, at) => `${seldom.slice(0, at + 1)}%`),
      })
    default: {
      const step = (of: readonly string[], shares: readonly number[]) =>
        shares.flatMap((share) => of[Math.round(share * (of.length - 1))] ?? [])
      const between = rangeValues(operator, at, false)
        ? step(bounds, [0, 0.01, 0.1, 0.25, 0.75, 0.9, 0.99, 1])
        : [1, 2, 4, 8, 16, 32, 64].flatMap((place) => common[place] ?? [])
      return Object.assign([often, seldom] as const, { between: [...new Set(between)] })
    }
  }
}

/** Half of the rows and a twentieth, by the histogram; of two ends only the lower one moves. */
function rangeValues(
  operator: string,
  at: (share: number) => string | undefined,
  between: boolean,
): readonly [string | undefined, string | undefined] | null {
  if (at(0) === undefined) return null
  if (operator === '>' || operator === '>=') return [at(0.5), at(0.95)]
  if (operator === '<' || operator === '<=') return between ? [at(1), at(1)] : [at(0.5), at(0.05)]
  return null
}

/** A table that was never analyzed has rows all the same; read where that runs nobody else's code. */
async function anyRow(session: Session, use: Use, limits: Limits): Promise<Pair | null> {
  const sql = sampleRowSql(use)
  const [foreign = []] = await readForeignCode(session, [sql])
  if (foreign.length > 0) return null
  const [row] = await rolledBack(session, limits, { readOnly: true }, async () =>
    session.query<{ readonly value: string }>(sql),
  )
  return row === undefined ? null : [row.value, row.value]
}
