import type { Definition, TableName } from '../definition/definition.js'
import { quoteQualified } from '../definition/quote.js'
import { PerfdbError } from '../errors.js'
import type { DeclaredIndex } from '../profile/profile.js'
import type { Session } from '../server/session.js'
import { keyExpressionSql } from '../sql/index-ddl.js'
import { buildSearchPath, type Probed } from './probe.js'
import type { CanonicalDefinition, ExistingIndex, Snapshot } from './snapshot.js'

/**
 * What a declared index would be, where no temporary table can be made (standby, read-only session, no TEMP privilege): keys
 * and predicate of both sides go through the same EXPLAIN (VERBOSE) and are compared as PostgreSQL prints them; opclasses,
 * collations and order are read from the declaration, and a default that the declaration leaves out is taken from the
 * existing index only where the catalog says that it is the default. Without an existing index of that name the result
 * says only that the declaration parses: the canonical definition is then nobody's.
 */
export async function compareByExplain(
  session: Session,
  declared: readonly DeclaredIndex[],
  snapshot: Snapshot,
): Promise<readonly Probed[]> {
  const probed: Probed[] = []
  for (const index of declared) probed.push(await compareOne(session, index, snapshot))
  return probed
}

async function compareOne(session: Session, { definition, place }: DeclaredIndex, snapshot: Snapshot): Promise<Probed> {
  const existing = snapshot.indexes.find(
    (index) => index.schema === definition.table.schema && index.name === definition.name,
  )
  const source = sourceOf(snapshot, definition.table)
  try {
    const own = await printed(
      session,
      definition,
      source,
      definition.keys.map(keyExpressionSql),
      definition.include.map((column) => `"${column.replaceAll('"', '""')}"`),
      definition.predicate ?? null,
    )
    if (existing === undefined) return { canonical: nobodys(definition, own) }
    const parts = await existingParts(session, existing)
    const other = await printed(session, definition, source, parts.keys, parts.include, existing.canonical.predicate)
    const same =
      JSON.stringify(own) === JSON.stringify(other) &&
      definition.method === existing.canonical.method &&
      definition.unique === existing.canonical.unique &&
      definition.nullsDistinct === existing.canonical.nullsDistinct &&
      definition.keys.every((key, position) => keyMatches(key, parts.details[position])) &&
      storageText(definition) === JSON.stringify(existing.canonical.storage)
    return {
      canonical: same ? { ...existing.canonical, tablespace: definition.tablespace ?? null } : nobodys(definition, own),
    }
  } catch (error) {
    if (!(error instanceof PerfdbError) || error.code === 'CONNECTION_LOST') throw error
    return {
      problem: {
        code: error.code === 'PRIVILEGE' ? 'PRIVILEGE' : 'BAD_DEFINITION',
        message: `${definition.name}: ${error.message}`,
        detail: error.detail,
        sqlstate: error.sqlstate,
        place,
      },
    }
  }
}

interface KeyDetail {
  readonly opclass: string
  readonly opclassSchema: string
  readonly opclassDefault: boolean
  readonly opclassParameters: readonly string[]
  readonly collation: string | null
  readonly collationSchema: string | null
  readonly collationDefault: boolean
  readonly descending: boolean
  readonly nullsFirst: boolean
}

interface Parts {
  readonly keys: readonly string[]
  readonly include: readonly string[]
  readonly details: readonly KeyDetail[]
}

async function existingParts(session: Session, existing: ExistingIndex): Promise<Parts> {
  const rows = await session.query<{ document: Parts }>(partsSql, [existing.oid])
  return rows[0]?.document ?? { keys: [], include: [], details: [] }
}

const partsSql = `
select pg_catalog.json_build_object(
  'keys', (select pg_catalog.json_agg(pg_catalog.pg_get_indexdef(i.indexrelid, k, false) order by k) from pg_catalog.generate_series(1, i.indnkeyatts::int) as k),
  'include', coalesce((select pg_catalog.json_agg(pg_catalog.pg_get_indexdef(i.indexrelid, k, false) order by k) from pg_catalog.generate_series(i.indnkeyatts + 1, i.indnatts::int) as k), '[]'),
  'details', (select pg_catalog.json_agg(pg_catalog.json_build_object(
      'opclass', oc.opcname, 'opclassSchema', n.nspname, 'opclassDefault', oc.opcdefault,
      'opclassParameters', coalesce(pg_catalog.to_json(ia.attoptions), '[]'),
      'collation', l.collname, 'collationSchema', ln.nspname,
      'collationDefault', i.indcollation[k - 1] = coalesce(ta.attcollation, 100) or i.indcollation[k - 1] = 0,
      'descending', i.indoption[k - 1] & 1 = 1, 'nullsFirst', i.indoption[k - 1] & 2 = 2) order by k)
    from pg_catalog.generate_series(1, i.indnkeyatts::int) as k
    join pg_catalog.pg_opclass oc on oc.oid = i.indclass[k - 1]
    join pg_catalog.pg_namespace n on n.oid = oc.opcnamespace
    left join pg_catalog.pg_collation l on l.oid = i.indcollation[k - 1]
    left join pg_catalog.pg_namespace ln on ln.oid = l.collnamespace
    left join pg_catalog.pg_attribute ia on ia.attrelid = i.indexrelid and ia.attnum = k
    left join pg_catalog.pg_attribute ta on ta.attrelid = i.indrelid and ta.attnum = i.indkey[k - 1] and i.indkey[k - 1] <> 0)
) as document
from pg_catalog.pg_index i where i.indexrelid = $1`

interface ExplainNode {
  readonly Output?: readonly string[]
  readonly Filter?: string
  readonly Plans?: readonly ExplainNode[]
}

/** Output list and filter of a scan that no index serves, as PostgreSQL prints them. Planned only, never run. */
async function printed(
  session: Session,
  definition: Definition,
  source: string,
  keys: readonly string[],
  include: readonly string[],
  predicate: string | null,
): Promise<readonly [readonly string[], string]> {
  const sql = `explain (verbose, costs off, format json) select ${[...keys, ...include].join(', ')} from ${source}${predicate === null ? '' : ` where ${predicate}`}`
  const set = {
    search_path: buildSearchPath(session, definition.table.schema),
    enable_indexscan: 'off',
    enable_bitmapscan: 'off',
    enable_indexonlyscan: 'off',
    max_parallel_workers_per_gather: '0',
  }
  const rows = await session.rolledBack({ readOnly: true, statementTimeoutMs: 10_000, lockTimeoutMs: 5000, set }, () =>
    session.query<{ 'QUERY PLAN': readonly { readonly Plan: ExplainNode }[] }>(sql),
  )
  const node = firstScan(rows[0]?.['QUERY PLAN'][0]?.Plan)
  return [node?.Output ?? [], node?.Filter ?? '']
}

/** The plan of a partitioned table alone scans nothing and shows no filter: there its partitions are scanned. */
function sourceOf({ partitionTrees }: Snapshot, { schema, name }: TableName): string {
  const partitioned = partitionTrees.some(({ table }) => table.schema === schema && table.name === name)
  return `${partitioned ? '' : 'only '}${quoteQualified(schema, name)}`
}

function firstScan(node: ExplainNode | undefined): ExplainNode | undefined {
  return node?.Plans?.[0] === undefined ? node : firstScan(node.Plans[0])
}

function keyMatches(key: Definition['keys'][number], detail: KeyDetail | undefined): boolean {
  if (detail === undefined) return false
  const opclass =
    key.opclass === undefined
      ? detail.opclassDefault
      : key.opclass === detail.opclass || key.opclass === `${detail.opclassSchema}.${detail.opclass}`
  const collation =
    key.collation === undefined
      ? detail.collationDefault
      : key.collation === detail.collation ||
        key.collation === `${detail.collationSchema ?? ''}.${detail.collation ?? ''}`
  const parameters = Object.entries(key.opclassParameters ?? {}).map(([name, value]) => `${name}=${value}`)
  const descending = key.order === 'desc'
  const nullsFirst = key.nulls === undefined ? descending : key.nulls === 'first'
  return (
    opclass &&
    collation &&
    descending === detail.descending &&
    nullsFirst === detail.nullsFirst &&
    JSON.stringify(parameters.sort()) === JSON.stringify([...detail.opclassParameters].sort())
  )
}

function storageText({ storage }: Definition): string {
  return JSON.stringify(
    Object.entries(storage)
      .map(([name, value]) => `${name}=${value}`)
      .sort(),
  )
}

/** Equal to no index that exists: it differs from every canonical definition that the catalog query writes. */
function nobodys(definition: Definition, [keys, predicate]: readonly [readonly string[], string]): CanonicalDefinition {
  return {
    method: definition.method,
    unique: definition.unique,
    nullsDistinct: definition.nullsDistinct,
    keys: keys.map((key) => `declared: ${key}`),
    include: definition.include,
    predicate: predicate === '' ? null : predicate,
    storage: [],
    tablespace: null,
  }
}
