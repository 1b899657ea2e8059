import { randomUUID } from 'node:crypto'
import type { Definition, TableName } from '../../definition/definition.js'
import { quoteQualified } from '../../definition/quote.js'
import { PerfdbError } from '../../errors.js'
import type { DeclaredIndex } from '../../profile/profile.js'
import type { Session } from '../../server/session/session.js'
import { keyExpressionSql } from '../../sql/ddl/index-ddl.js'
import { expressionTree } from '../../sql/parser/mentions.js'
import { existingParts, keyMatches } from './existing-parts.js'
import { buildSearchPath, type Probed } from './probe.js'
import { columnsFor, refusalCode, refusalHint } from './refusal.js'
import type { CanonicalDefinition, ExistingIndex, Snapshot } from '../snapshot.js'
import { computes, foreignText, type Trust } from '../trust.js'

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
  for (const index of declared) probed.push(await compareOne(session, index, snapshot, printed))
  return probed
}

/**
 * The same where not even EXPLAIN may be asked, because it would run foreign code: the text of the declaration against what the catalog
 * prints, as PostgreSQL's parser reads both. Texts that differ may still be the same index: the canonical definition then says
 * why nobody knows. `called` is what the declaration calls by a name that might be foreign: then equal texts prove nothing either.
 */
export async function compareByText(
  session: Session,
  declared: readonly DeclaredIndex[],
  snapshot: Snapshot,
  trust: ReadonlyMap<Definition, Trust>,
): Promise<readonly Probed[]> {
  const probed: Probed[] = []
  for (const index of declared) {
    const { foreign = [], ambiguous = [] } = trust.get(index.definition) ?? {}
    const answer = await compareOne(session, index, snapshot, ambiguous.length > 0 ? unreadable : parsed)
    const known =
      'problem' in answer ||
      !isNobodys(answer.canonical) ||
      !computes(index.definition) ||
      differsForCertain(index.definition, snapshot)
    const unknown =
      foreign.length > 0
        ? `asking PostgreSQL would run ${foreignText(foreign)}`
        : 'asking PostgreSQL could run code of the owner of the table'
    probed.push(known ? answer : { canonical: { ...answer.canonical, unknown } })
  }
  return probed
}

/** How keys, included columns and predicate are compared: what both sides become. */
type Print = (
  session: Session,
  definition: Definition,
  source: string,
  keys: readonly string[],
  include: readonly string[],
  predicate: string | null,
) => Promise<readonly [readonly string[], string]>

async function compareOne(
  session: Session,
  { definition, place }: DeclaredIndex,
  snapshot: Snapshot,
  print: Print,
): Promise<Probed> {
  const existing = existingOf(definition, snapshot)
  const source = sourceOf(snapshot, definition.table)
  try {
    const own = await print(
      session,
      definition,
      source,
      definition.keys.map(keyExpressionSql),
      definition.include.map((column) => `"${column.replaceAll('"', '""')}"`),
      definition.predicate ?? null,
    )
    if (existing === undefined) return { canonical: nobodys(definition, own) }
    const parts = await existingParts(session, existing)
    const other = await print(session, definition, source, parts.keys, parts.include, existing.canonical.predicate)
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
        code: error.code === 'PRIVILEGE' ? 'PRIVILEGE' : refusalCode(error),
        message: `${definition.name}: ${error.message}`,
        detail: error.detail,
        sqlstate: error.sqlstate,
        place,
        hint: refusalHint(error, definition, await columnsFor(error, session, definition.table)),
      },
    }
  }
}

interface ExplainNode {
  readonly Output?: readonly string[]
  readonly Filter?: string
  readonly Plans?: readonly ExplainNode[]
}

/** Parse trees: equal whatever the spaces and parentheses. */
const parsed: Print = async (_session, _definition, _source, keys, include, predicate) => [
  await Promise.all([...keys, ...include].map(expressionTree)),
  predicate === null ? '' : await expressionTree(predicate),
]

/** Equal to nothing, not even itself. */
const unreadable: Print = async (_session, _definition, source, keys, include, predicate) => [
  [randomUUID(), source, ...keys, ...include],
  predicate ?? '',
]

/** Output list and filter of a scan that no index serves, as PostgreSQL prints them. Planned only, never run. */
const printed: Print = async (session, definition, source, keys, include, predicate) => {
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

function storageText({ storage }: Definition): string {
  return JSON.stringify(
    Object.entries(storage)
      .map(([name, value]) => `${name}=${value}`)
      .sort(),
  )
}

const marker = 'declared: '

/** By what needs no parser. */
function differsForCertain(definition: Definition, snapshot: Snapshot): boolean {
  const existing = existingOf(definition, snapshot)
  if (existing === undefined) return false
  const { method, unique, nullsDistinct, keys, include, storage } = existing.canonical
  return (
    definition.method !== method ||
    definition.unique !== unique ||
    definition.nullsDistinct !== nullsDistinct ||
    definition.keys.length !== keys.length ||
    definition.include.length !== include.length ||
    storageText(definition) !== JSON.stringify(storage)
  )
}

function existingOf({ name, table }: Definition, { indexes }: Snapshot): ExistingIndex | undefined {
  return indexes.find((index) => index.schema === table.schema && index.name === name)
}

function isNobodys({ keys }: CanonicalDefinition): boolean {
  return keys.every((key) => key.startsWith(marker))
}

/** Equal to no index that exists: it differs from every canonical definition that the catalog query writes. */
function nobodys(definition: Definition, [keys, predicate]: readonly [readonly string[], string]): CanonicalDefinition {
  return {
    method: definition.method,
    unique: definition.unique,
    nullsDistinct: definition.nullsDistinct,
    keys: keys.map((key) => `${marker}${key}`),
    include: definition.include,
    predicate: predicate === '' ? null : predicate,
    storage: [],
    tablespace: null,
  }
}
