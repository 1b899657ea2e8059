import { readSnapshot } from '../catalog/read/read.js'
import type { ExistingIndex } from '../catalog/snapshot.js'
import { indexKey } from '../measure/price/price-uses.js'
import { readScans, type Scans } from '../measure/price/scans.js'
import type { Limits } from '../measure/sample/limits.js'
import { rolledBack } from '../measure/sample/sample.js'
import { catalogOnly } from '../measure/sample/tables.js'
import { duplicateOf, nameKey, prefixOf, type Candidate } from '../plan/match/overlap.js'
import type { Session } from '../server/session/session.js'
import { foreignKeysSql, rootTablesSql } from '../sql/statements/advise.js'
import type { Presents } from '../twin/suppose/suppose.js'
import type { Twin } from '../twin/twin.js'
import { enough, outcomesWith, type Look, type Option, type Outcomes } from './outcomes.js'

/** An existing index that nobody would miss. */
export interface Removal {
  readonly index: ExistingIndex
  /** `unused`: no node that was asked ever scanned it since `since`, and no query plan here does. */
  readonly code: 'duplicate' | 'redundant' | 'unused'
  /** The index that does its work; null of an unused one. */
  readonly by: string | null
  readonly since: string | null
}

export interface Removals {
  readonly removals: readonly Removal[]
  /** Indexes without a scan here that stay, as standbys were not asked. */
  readonly untold: readonly string[]
  readonly unasked: number
}

/** A chosen index, and the name that it is advised with. */
export interface Advised {
  readonly option: Option
  readonly name: string
}

export interface RemovalSources {
  readonly session: Session
  readonly look: Look & { readonly twin: Twin }
  readonly limits: Limits
  readonly presents: Presents
  readonly chosen: readonly Advised[]
  /** With the chosen indexes. */
  readonly after: Outcomes
  readonly replicas: readonly Session[]
}

/**
 * What could go of the indexes on the tables that these queries read: the same as another one, the beginning of another one (of an advised one too), or
 * never scanned on any node. Never one that a constraint, a foreign key, a replica identity or a clustering stands on, nor a unique one. Each
 * is hidden on the twin first, and stays where a query would lose by that. Throws the server's errors.
 */
export async function removalsFor(sources: RemovalSources): Promise<Removals> {
  const { session, limits, look, presents, chosen, after, replicas } = sources
  const tables = await tablesOf(session, limits, presents)
  const indexes = (await existingOn(session, limits, tables)).filter(({ attached }) => !attached)
  const scans = await readScans(session, replicas, indexes, limits.signal)
  const served = await foreignKeyIndexes(session, limits, tables, indexes)
  const used = usedByName(presents, look.twin)
  const advised: Candidate[] = []
  for (const { option, name } of chosen) {
    const { schema } = option.definition.table
    const canonical = await look.twin.canonical(option.tried, schema)
    if (canonical !== null) advised.push({ schema, name, table: nameKey(option.definition.table), canonical })
  }
  let standing: readonly Candidate[] = [...indexes.filter(isUsable).map(candidate), ...advised]
  const counts = new Map(
    indexes.map(({ schema, name }) => [indexKey(schema, name), scans.of.get(indexKey(schema, name))]),
  )
  const options = chosen.map(({ option }) => option)
  let current = after
  const removals: Removal[] = []
  const untold: string[] = []
  // Of two that are the same the younger goes.
  for (const index of indexes.filter(mayGo).toSorted((one, other) => other.oid - one.oid)) {
    const found = reasonOf(index, standing, counts, served.has(index.oid) || used.has(index.name))
    if (found === null) continue
    if (found.code === 'unused' && scans.unasked > 0) {
      untold.push(index.name)
      continue
    }
    const hidden = [...removals.map((one) => one.index), index]
    await look.twin.hide(hidden)
    const without = await outcomesWith(look, options, current, (_, { used: names }) => names.includes(index.name))
    // With all that may go away some query would lose what counts.
    if (enough(without, after)) continue
    current = without
    removals.push({ index, ...found })
    passOn(counts, index, found.by)
    standing = standing.filter((one) => one.schema !== index.schema || one.name !== index.name)
  }
  await look.twin.hide([])
  return { removals: removals.map((one) => ({ ...one, by: staying(one, removals) })), untold, unasked: scans.unasked }
}

/** What does the work of one that goes, and does not go itself. */
function staying({ index, by }: Removal, removals: readonly Removal[]): string | null {
  const next = removals.find((one) => one.index.schema === index.schema && one.index.name === by)
  return next?.by == null ? by : staying(next, removals)
}

function reasonOf(
  index: ExistingIndex,
  standing: readonly Candidate[],
  counts: Counts,
  needed: boolean,
): Omit<Removal, 'index'> | null {
  const own = candidate(index)
  const twin = duplicateOf(own, standing)
  if (twin !== undefined) return { code: 'duplicate', by: twin.name, since: null }
  const wider = prefixOf(own, standing)
  if (wider !== undefined) return { code: 'redundant', by: wider.name, since: null }
  const known = counts.get(indexKey(index.schema, index.name))
  return known === undefined || known.scans > 0 || needed ? null : { code: 'unused', by: null, since: known.since }
}

type Counts = Map<string, ReturnType<Scans['of']['get']>>

/** What was scanned will be scanned in the one that does its work: that is not unused, though nobody scanned it so far. */
function passOn(counts: Counts, { schema, name }: ExistingIndex, by: string | null): void {
  const [own, other] = [name, by ?? ''].map((one) => counts.get(indexKey(schema, one)))
  if (by !== null && own !== undefined && other !== undefined)
    counts.set(indexKey(schema, by), { ...other, scans: other.scans + own.scans })
}

function candidate({ schema, name, table, canonical }: ExistingIndex): Candidate {
  return { schema, name, table: nameKey(table), canonical }
}

function isUsable({ valid, ready, live }: ExistingIndex): boolean {
  return valid && ready && live
}

function mayGo(index: ExistingIndex): boolean {
  const { unique, constraint, referencedBy, replicaIdentity, clustered, extensions, canonical } = index
  const bound = unique || constraint !== null || referencedBy.length > 0 || replicaIdentity || clustered
  return isUsable(index) && !bound && extensions.length === 0 && canonical.unknown === undefined
}

interface Table {
  readonly schema: string
  readonly name: string
}

async function tablesOf(session: Session, limits: Limits, { planned }: Presents): Promise<readonly Table[]> {
  const nodes = planned.flatMap(({ there }) => there.nodes.filter(({ schema }) => schema !== ''))
  const names = [nodes.map(({ schema }) => schema), nodes.map(({ relation }) => relation)]
  return rolledBack(session, limits, catalogOnly, async () => session.query<Table>(rootTablesSql, names))
}

async function existingOn(
  session: Session,
  limits: Limits,
  tables: readonly Table[],
): Promise<readonly ExistingIndex[]> {
  const place = { file: 'advise', line: 1, column: 1 }
  const analyze = tables.map((table) => ({ table, place }))
  const none = { name: '', file: '', schema: '', indexes: [], absent: [], extensions: [], queries: [] }
  const read = async () => readSnapshot(session, [{ ...none, analyze }])
  return tables.length === 0 ? [] : (await rolledBack(session, limits, catalogOnly, read)).indexes
}

/** Oids of the indexes that begin with the columns of a foreign key: its table is searched by them when a row goes that others refer to. */
async function foreignKeyIndexes(
  session: Session,
  limits: Limits,
  tables: readonly Table[],
  indexes: readonly ExistingIndex[],
): Promise<ReadonlySet<number>> {
  const names = [tables.map(({ schema }) => schema), tables.map(({ name }) => name)]
  const keys = await rolledBack(session, limits, catalogOnly, async () =>
    session.query<Table & { readonly columns: readonly string[] }>(foreignKeysSql, names),
  )
  const serving = indexes.filter(({ table, canonical }) =>
    keys.some(({ schema, name, columns }) => {
      const first = canonical.keys.slice(0, columns.length)
      const here = schema === table.schema && name === table.name
      return here && columns.every((column) => first.some((key) => key.startsWith(`${quoted(column)} `)))
    }),
  )
  return new Set(serving.map(({ oid }) => oid))
}

/** As quote_ident prints it, but for words of SQL: one of these is taken for served by no index. */
function quoted(column: string): string {
  return /^[a-z_][a-z0-9_$]*$/.test(column) ? column : `"${column.replaceAll('"', '""')}"`
}

/** Names in the query plans of the server, also of those that the twin plans otherwise. */
function usedByName({ planned }: Presents, twin: Twin): ReadonlySet<string> {
  return new Set(planned.flatMap(({ there }) => twin.indexesOf(there)))
}
