import { quoteLiteral } from '../../definition/quote.js'
import type { QueryPlan } from '../../measure/plan/query-plan.js'
import type { Limits } from '../../measure/sample/limits.js'
import type { Subject } from '../../measure/sample/subject.js'
import type { Session } from '../../server/session/session.js'
import { parameterText } from '../../server/session/values.js'
import { constantOf, scanTokens, type Token } from '../../sql/parser/parser-tokens.js'
import type { Comparison } from '../../sql/rewrite/condition.js'
import { comparedIn, withElements, type ComparedConstant } from '../read/named-constants.js'
import type { Known } from '../files/sizes.js'
import { isIndex, type ColumnStatistics, type Statistics } from '../statistics.js'

/** A statement in which constants that mean nothing on this twin are parameters, and the others as they are. */
export interface Estranged {
  readonly text: string
  /** So many parameters without a value; 0 where none of them could be exchanged. */
  readonly parameterCount: number
  /** The constants, as people wrote them. */
  readonly constants: readonly string[]
}

/** What a value's place among others decides; a pattern or a document has none. */
const placed = new Set(['=', '<>', '<', '<=', '>', '>=', 'in', 'has', '@>', '<@', '&&'])

/**
 * The constants of a query plan that are compared with columns whose values stand-ins stand for, and that do not stand for themselves among them: the planner would compare them with what
 * means nothing to them. null where there are none. Throws CONNECTION_LOST.
 */
export async function estranged(
  session: Session,
  plan: QueryPlan,
  { text, values, sampled }: Pick<Subject, 'text' | 'values' | 'sampled'>,
  { statistics, known, limits }: { readonly statistics: Statistics; readonly known: Known; readonly limits: Limits },
): Promise<Estranged | null> {
  const own = sampled === true ? values.flatMap((value) => withElements(parameterText(value) ?? '')) : []
  const named = new Set([...(statistics.named ?? []), ...own])
  const strange = (await comparedIn(session, plan, limits)).filter(({ node, comparison, texts }) => {
    const { schema, relation } = plan.nodes.find(({ alias }) => alias === comparison.alias) ?? node
    const columns = standingFor(statistics, known, { schema, relation, comparison })
    const elements = texts.length > 1 ? texts.slice(1) : texts
    const isNamed = elements.length > 0 && elements.every((one) => named.has(one)) && placed.has(comparison.operator)
    return columns.some((one) => one.stand_ins === 'unnamed' || (one.stand_ins === 'named' && !isNamed))
  })
  if (strange.length === 0) return null
  const constants = [...new Set(strange.map(shown))]
  const free = strange.filter(({ comparison }) => placed.has(comparison.operator)).flatMap(({ texts }) => texts)
  return { ...(await exchanged(text, values, new Set(free))), constants }
}

function shown({ comparison, texts }: ComparedConstant): string {
  return texts[0] === undefined ? (comparison.opposite ?? '') : quoteLiteral(texts[0])
}

/** The statistics that the planner looks into for a comparison: those of the column, or of an expression that an index has. */
function standingFor(
  { relations }: Statistics,
  known: Known,
  of: { readonly schema: string; readonly relation: string; readonly comparison: Comparison },
): readonly ColumnStatistics[] {
  const { column, computed } = of.comparison
  if (computed === null)
    return known.relation(of.schema, of.relation)?.columns.filter(({ name }) => name === column) ?? []
  if (computed.kind !== 'function') return []
  return relations
    .filter((one) => isIndex(one) && one.schema === of.schema && one.table === of.relation)
    .flatMap(({ columns }) => columns)
}

/** Tokens of these values become parameters, known values of parameters constants. */
async function exchanged(text: string, values: Subject['values'], strange: ReadonlySet<string>) {
  const parts: string[] = []
  let [from, count] = [0, 0]
  for (const token of await scanTokens(text)) {
    const found = valueOf(token, values)
    if (found === undefined) continue
    const isStrange = found.value !== null && withElements(found.value).some((one) => strange.has(one))
    if (!isStrange && !found.bound) continue
    if (isStrange) count += 1
    const written = isStrange ? `$${count}` : found.value === null ? 'null' : quoteLiteral(found.value)
    parts.push(text.slice(from, token.start), written)
    from = token.end
  }
  return { text: `${parts.join('')}${text.slice(from)}`, parameterCount: count }
}

function valueOf(token: Token, values: Subject['values']) {
  if (token.kind === 'PARAM') {
    const value = values[Number(token.text.slice(1)) - 1]
    return value === undefined ? undefined : { value: parameterText(value), bound: true }
  }
  const value = constantOf(token)
  return value === undefined ? undefined : { value, bound: false }
}
