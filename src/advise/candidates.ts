import { buildSearchPath } from '../catalog/probe.js'
import type { Definition } from '../definition/definition.js'
import type { PlanNode } from '../measure/plan/plan-node.js'
import type { QueryPlan } from '../measure/plan/query-plan.js'
import { readIndexes } from '../measure/sample/indexes.js'
import type { Limits } from '../measure/sample/limits.js'
import { smallPages } from '../measure/sample/tables.js'
import { readCatalog, type Catalog } from '../measure/why/catalog.js'
import { createText, tableSql } from '../measure/why/serves-text.js'
import { existing } from '../measure/why/serves-index.js'
import { allOf, armsOf, needOf, withBitmapConditions, type Candidate, type Need } from '../measure/why/need.js'
import { candidates } from '../measure/why/serves.js'
import { readSqlProfile } from '../profile/sql/sql.js'
import type { Session } from '../server/session/session.js'
import { parameterText } from '../server/session/values.js'
import { comparisonsOf, partTexts, readCondition } from '../sql/rewrite/condition.js'
import { brinCandidates } from './brin.js'
import { groupingAbove } from './grouping.js'
import type { Present } from '../twin/suppose.js'
import type { Twin } from '../twin/twin.js'

/** An index that a query could be served by; nobody has tried it yet. */
export interface Proposal {
  readonly definition: Definition
  readonly searchPath: string
  /** `schema.table` */
  readonly table: string
  /** Why these keys in this order. */
  readonly why: string
}

/** So many are built on the twin. */
const most = 300
/** Columns beyond the keys that a wider index may hold for an index-only scan. */
const mostIncluded = 3

/**
 * Indexes that could serve these queries, from what the scans and joins of their query plans ask of their tables: those that the explain
 * command would try, for joins too, and wider ones that hold all columns. None that exists, and none of a small table. Reads the catalog of the source alone. Throws the
 * server's errors.
 */
export async function proposalsFor(
  session: Session,
  twin: Twin,
  presents: readonly Present[],
  limits: Limits,
): Promise<readonly Proposal[]> {
  const texts = new Map<string, { readonly why: string; readonly table: string }>()
  const covers = new Map<string, Cover & { readonly table: string }>()
  for (const { here, subject } of presents) {
    const values = subject.values.flatMap((value) => parameterText(value) ?? [])
    for (const node of here.nodes.filter((one) => isLargeScan(one, twin))) {
      const asked = withBitmapConditions(here, node)
      const indexes = await readIndexes(session, [node], [], limits)
      const catalog = await readCatalog({ session, limits, indexes, foreign: false }, asked)
      for (const need of await needsOf(here, asked, catalog.root))
        for (const candidate of [
          ...candidates(need, catalog, values).flatMap(turned),
          ...brinCandidates(need, node, twin),
        ])
          for (const { text, why, cover } of textsOf(need, candidate, catalog, here, node)) {
            if (!texts.has(text)) texts.set(text, { why, table: catalog.root })
            if (cover === undefined) continue
            const columns = new Set([...(covers.get(cover.head + cover.tail)?.columns ?? []), ...cover.columns])
            covers.set(cover.head + cover.tail, { ...cover, columns: [...columns].toSorted(), table: catalog.root })
          }
    }
  }
  for (const { table, ...cover } of covers.values()) {
    const text = coverText(cover)
    if (cover.columns.length <= mostIncluded && !texts.has(text))
      texts.set(text, { table, why: `includes what several queries read, so that the table need not be read` })
  }
  const proposals: Proposal[] = []
  for (const [text, { why, table }] of [...texts].slice(0, most)) {
    const definition = await definitionOf(text)
    if (definition !== null)
      proposals.push({ definition, searchPath: buildSearchPath(session, definition.table.schema), table, why })
  }
  return proposals
}

function isLargeScan(node: PlanNode, twin: Twin): boolean {
  if (node.schema === '' || node.relation === '' || !/Scan/.test(node.type)) return false
  const table = twin.table(node.schema, node.relation)
  return table !== undefined && table.bytes >= smallPages * 8192
}

/** What a node asks by itself, in each arm of an OR, and with what each join compares its columns with. */
async function needsOf(plan: QueryPlan, node: PlanNode, table: string): Promise<readonly Need[]> {
  const own = await needOf(plan, node, table)
  const joins = await joinConditions(plan, node.alias)
  const joined = joins.map(async (condition) =>
    needOf(plan, { ...node, filter: allOf([node.filter, condition]) }, table).then((need) => ({ ...need, order: [] })),
  )
  const grouping = own.order.length > 0 ? [] : groupingAbove(plan, node)
  const grouped = grouping.length === 0 ? [] : [{ ...own, order: grouping }]
  return [own, ...grouped, ...(await armsOf(own)), ...(await Promise.all(joined))]
}

/** Conditions of joins on columns of this alias, with that column first. */
async function joinConditions(plan: QueryPlan, alias: string): Promise<readonly string[]> {
  const texts = plan.nodes.flatMap(({ joinCondition }) => partTexts(joinCondition, 'AND'))
  const found: string[] = []
  for (const text of texts) {
    const sides = /^\(([\w."]+) = ([\w."]+)\)$/.exec(text)
    for (const turned of sides === null ? [] : [`(${sides[1]} = ${sides[2]})`, `(${sides[2]} = ${sides[1]})`]) {
      const condition = await readCondition(turned)
      const [first] = condition === null ? [] : comparisonsOf(condition)
      if (first !== undefined && first.alias === alias && !found.includes(turned)) found.push(turned)
    }
  }
  return found
}

/** The same keys with each of them first: another query may compare that one alone. Where an order is given they stay. */
function turned(candidate: Candidate): readonly Candidate[] {
  const { method, keys, ordered } = candidate
  if (method !== 'btree' || ordered || keys.length < 2) return [candidate]
  return keys.map((first) => ({ ...candidate, keys: [first, ...keys.filter((key) => key !== first)] }))
}

/** CREATE INDEX of a candidate, and of a wider one where that holds all that is read; each with its reason. */
function textsOf(need: Need, candidate: Candidate, catalog: Catalog, plan: QueryPlan, node: PlanNode): readonly Text[] {
  const text = createText(tableSql(need.table), candidate)
  const why = reasonOf(need, candidate)
  const more = candidate.method === 'btree' ? included(plan, node, candidate, catalog) : []
  const cover = {
    head: createText(tableSql(need.table), { ...candidate, where: null }),
    columns: more,
    tail: candidate.where === null ? '' : ` where ${candidate.where}`,
  }
  const wider: readonly Text[] =
    more.length === 0
      ? []
      : [
          {
            text: coverText(cover),
            why: `${why}; ${more.join(', ')} included, so that the table need not be read`,
            cover,
          },
        ]
  return existing(candidate, catalog) !== undefined ? wider : [{ text, why }, ...wider]
}

/** CREATE INDEX before and after the columns that it includes. */
interface Cover {
  readonly head: string
  readonly columns: readonly string[]
  readonly tail: string
}

interface Text {
  readonly text: string
  readonly why: string
  readonly cover?: Cover
}

function coverText({ head, columns, tail }: Cover): string {
  return `${head} include (${columns.join(', ')})${tail}`
}

function reasonOf(need: Need, { method, keys, where, ordered }: Candidate): string {
  const parts = [
    method === 'btree' ? '' : method === 'brin' ? 'the rows lie in this order' : `${method} serves the operator`,
    method === 'btree' && keys.length > 1 ? 'what is compared with = first, then the order or the range' : '',
    ordered ? `gives the order ${need.order.join(', ')}` : '',
    where === null ? '' : 'holds only the rows that the query names by constants',
  ].filter((part) => part !== '')
  return parts.length === 0 ? `searched by ${keys.join(', ')}` : parts.join('; ')
}

/** Columns that the query reads of the table beyond the keys; empty where they are too many, or none. */
function included(plan: QueryPlan, node: PlanNode, { keys }: Candidate, { columns }: Catalog): readonly string[] {
  // A scan below another node may put out whole rows, of which that one takes what it needs.
  const above = node.parent === null ? undefined : plan.nodes[node.parent]
  const texts = [
    ...(above === undefined ? node.output : [...above.output, ...above.sortKeys, ...above.conditions]),
    node.filter,
    node.indexCondition,
  ]
  // Where there is but one table EXPLAIN names its columns alone.
  const alone = plan.nodes.every(({ relation, alias }) => relation === '' || alias === node.alias)
  const named = [...columns.keys()].filter((column) => texts.some((text) => mentions(text, node.alias, column, alone)))
  const extra = named.filter((column) => !keys.some((key) => key.replace(/ (asc|desc).*$/, '') === column))
  const plain = keys.every((key) => /^[\w$ ]+$/.test(key)) && extra.every((column) => /^[a-z_][\w$]*$/.test(column))
  return plain && extra.length <= mostIncluded ? extra : []
}

function mentions(text: string, alias: string, column: string, alone: boolean): boolean {
  const escaped = [alias, column].map((name) => name.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`))
  return new RegExp(String.raw`(?<![\w$])(?:"?${escaped[0]}"?\.)${alone ? '?' : ''}"?${escaped[1]}"?(?![\w$])`).test(
    text,
  )
}

/** null where perfdb's own text is none that it can read again. */
async function definitionOf(text: string): Promise<Definition | null> {
  const { profile, problems } = await readSqlProfile(
    text.replace('create index on', 'create index advised on'),
    'advise',
  )
  return problems.length > 0 ? null : (profile.indexes[0]?.definition ?? null)
}
