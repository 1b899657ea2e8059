import { buildSearchPath } from '../catalog/probe/probe.js'
import type { Definition } from '../definition/definition.js'
import { shortDefinition } from '../definition/short.js'
import type { PlanNode } from '../measure/plan/plan-node.js'
import type { QueryPlan } from '../measure/plan/query-plan.js'
import type { Limits } from '../measure/sample/limits.js'
import type { Catalog } from '../measure/why/catalog.js'
import { createText, tableSql } from '../measure/why/serves-text.js'
import { existing } from '../measure/why/serves-index.js'
import type { Candidate, Need } from '../measure/why/need.js'
import type { Query } from '../profile/profile.js'
import { readSqlProfile } from '../profile/sql/sql.js'
import type { Session } from '../server/session/session.js'
import type { Engine } from '../twin/twin.js'
import { asksOf, type Weighed } from './asks.js'
import { neededTrigrams, trigramOpclass, type Needed, type Trigrams } from './trigrams.js'

/** An index that a query could be served by; nobody has tried it yet. */
export interface Proposal {
  readonly definition: Definition
  /** `create index on "public"."jobs" (status)` */
  readonly text: string
  readonly searchPath: string
  /** `schema.table` */
  readonly table: string
  /** Why these keys in this order. */
  readonly why: string
  /** What has to be there before it. */
  readonly needs?: Needed
}

/** So many are built on the twin. */
export const mostTried = 300
/** Columns beyond the keys that a wider index may hold for an index-only scan. */
const mostIncluded = 3

/** Indexes to try, and how many more there would have been. */
export interface Proposals {
  readonly proposals: readonly Proposal[]
  readonly left: number
  /** Those for trigrams that the twin cannot have: `schema.table (name gin_trgm_ops)`. */
  readonly untried: readonly string[]
  /** Queries that leave rows out for values that they do not say themselves, with the columns: a partial index would need these as constants. */
  readonly unsaid: ReadonlyMap<Query, readonly string[]>
}

interface Found {
  readonly why: string
  readonly table: string
  /** Of the queries that it is for, the weighted cost; of one that a query asks for later a part of it. */
  readonly hope: number
}

/**
 * Indexes that could serve these queries, from what the scans and joins of their query plans ask of their tables: those that the explain
 * command would try, for joins too, and wider ones that hold all columns. None that exists, and none of a small table. Where they are too many, those of the queries that cost
 * most, by weight. `trigrams`: the source could have pg_trgm. Reads the catalog of the source alone. Throws the server's errors.
 */
export async function proposalsFor(
  session: Session,
  twin: Engine,
  queries: readonly Weighed[],
  limits: Limits,
  trigrams: Trigrams | null,
): Promise<Proposals> {
  const texts = new Map<string, Found>()
  const covers = new Map<string, Cover & { readonly table: string; readonly hope: number }>()
  const unsaid = new Map<Query, readonly string[]>()
  for (const one of await asksOf(session, twin, queries, limits, trigrams !== null)) {
    const { weighed, catalog, node, asked } = one
    const { here, query } = weighed.present
    if (one.unsaid.length > 0) unsaid.set(query, [...new Set([...(unsaid.get(query) ?? []), ...one.unsaid])])
    for (const [at, { need, candidate }] of asked.entries())
      for (const { text, why, cover } of textsOf(need, candidate, catalog, here, node)) {
        const hope = (weighed.weight * here.cost) / (1 + at)
        const before = texts.get(text)
        texts.set(
          text,
          before === undefined ? { why, table: catalog.root, hope } : { ...before, hope: before.hope + hope },
        )
        if (cover === undefined) continue
        const other = covers.get(cover.head + cover.tail)
        const columns = [...new Set([...(other?.columns ?? []), ...cover.columns])].toSorted()
        covers.set(cover.head + cover.tail, { ...cover, columns, table: catalog.root, hope: hope + (other?.hope ?? 0) })
      }
  }
  for (const { table, hope, ...cover } of covers.values()) {
    const text = coverText(cover)
    if (cover.columns.length <= mostIncluded && !texts.has(text))
      texts.set(text, { table, hope, why: `includes what several queries read, so that the table need not be read` })
  }
  const proposals: Proposal[] = []
  const untried: string[] = []
  for (const [text, { why, table }] of mostHopeful(texts)) {
    const definition = await definitionOf(text)
    if (definition === null) continue
    const searchPath = buildSearchPath(session, definition.table.schema)
    if (trigrams === null || !definition.keys.some(({ opclass }) => opclass === trigramOpclass))
      proposals.push({ definition, text, searchPath, table, why })
    else if (twin.trigrams === null) untried.push(`${table} ${shortDefinition(definition)}`)
    else
      proposals.push({
        definition,
        text,
        searchPath: `${searchPath}, ${twin.trigrams}`,
        table,
        why,
        needs: neededTrigrams(trigrams),
      })
  }
  return { proposals, left: Math.max(0, texts.size - mostTried), untried, unsaid }
}

/** As many as are tried, the best first. */
export function mostHopeful<T extends { readonly hope: number }>(
  found: ReadonlyMap<string, T>,
): readonly (readonly [string, T])[] {
  return [...found].toSorted(([, one], [, other]) => other.hope - one.hope).slice(0, mostTried)
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
