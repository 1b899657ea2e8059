import type { Definition, TableName } from '../../definition/definition.js'
import { quoteName } from '../../definition/quote.js'
import { PerfdbError, type Problem } from '../../errors.js'
import type { DeclaredIndex } from '../../profile/profile.js'
import type { Session } from '../../server/session/session.js'
import { probedIndexesSql } from '../../sql/catalog/catalog.js'
import { createIndexSql } from '../../sql/ddl/index-ddl.js'
import { readPartitionKeys, type PartitionKey } from './partitions-copy.js'
import { firstAlike, readCopiedColumns, type CopiedColumns } from './probe-alike.js'
import {
  copiesOf,
  inOneBurst,
  nextTables,
  rolledBackAtOnce,
  statementRefusal,
  tableKey,
  type Copies,
} from './probe-copies.js'
import { isKeysAlone, together } from './probe-keys.js'
import { refusedDeclaration } from './refusal.js'
import type { CanonicalDefinition, ExistingIndex } from '../snapshot.js'
import type { Trust } from '../trust.js'

/** What PostgreSQL made of a declaration: its canonical definition, or why it refuses it. */
export type Probed = { readonly canonical: CanonicalDefinition } | { readonly problem: Problem }

export function isRefused(probed: Probed): probed is Extract<Probed, { readonly problem: unknown }> {
  return 'problem' in probed
}

/**
 * Asks PostgreSQL what each declared index would be: it is built on an empty temporary copy of its table inside a
 * transaction that is rolled back, and read back from the catalog. Where something is computed the copy belongs to the
 * table's owner before any index is made on it, as `trust` says: CREATE INDEX computes constants as him. What trust lets nobody ask must
 * not be given. That also proves columns, opclasses and immutability before a real table is touched (faults 41, 44, 46);
 * the real table is locked with ACCESS SHARE only, some tables at a time: the copies of 1,000 tables would not fit in the
 * server's lock table (53200). The copy of a partitioned table is partitioned as well: a unique index must contain the
 * partition key.
 * Throws PRIVILEGE or READ_ONLY where no temporary table can be made.
 */
export async function probe(
  session: Session,
  declared: readonly DeclaredIndex[],
  trust: ReadonlyMap<Definition, Trust>,
  partitioned: readonly TableName[] = [],
  extensions: readonly string[] = [],
): Promise<readonly Probed[]> {
  const keys = await readPartitionKeys(session, partitioned)
  const columns = declared.length > fewIndexes ? await readCopiedColumns(session, declared) : new Map<string, never>()
  const about = { trust, keys, extensions, columns }
  const known = await byTheirKeys(session, declared, about)
  const others = declared.filter((index) => !known.has(index))
  const probed = await probeAll(session, others, about)
  return declared.map((index): Probed => {
    const canonical = known.get(index)
    const answer = canonical === undefined ? probed.get(index) : { canonical }
    if (answer === undefined) throw new PerfdbError('INTERNAL', `nothing was asked about ${index.definition.name}`)
    return answer
  })
}

/** So many are asked about one by one, without a transaction for their keys or a look at columns for what is alike. */
const fewIndexes = 64

/** Those that are their keys alone, where there are many of them; what is refused of their keys is asked about index by index, for its words. */
async function byTheirKeys(
  session: Session,
  declared: readonly DeclaredIndex[],
  about: About,
): Promise<ReadonlyMap<DeclaredIndex, CanonicalDefinition>> {
  const partitioned = new Set(about.keys.map(tableKey))
  const plain = declared.filter(
    (index) => isKeysAlone(index) && !(index.definition.unique && partitioned.has(tableKey(index.definition.table))),
  )
  if (plain.length <= fewIndexes) return new Map()
  const { asked, answers } = together(plain)
  const probed = await probeAll(session, asked, about)
  return answers(asked.map((index) => canonicalOf(probed.get(index))))
}

function canonicalOf(answer: Probed | undefined): CanonicalDefinition | null {
  return answer === undefined || isRefused(answer) ? null : answer.canonical
}

/** One of those that are alike is asked about; what is refused index by index, for its words. */
async function probeAll(
  session: Session,
  declared: readonly DeclaredIndex[],
  about: About,
): Promise<ReadonlyMap<DeclaredIndex, Probed>> {
  const first = firstAlike(declared, about)
  const probed = new Map<DeclaredIndex, Probed>()
  await probeEach(session, [...new Set(first.values())], about, probed)
  for (const [index, asked] of first) {
    const canonical = canonicalOf(probed.get(asked))
    const { tablespace = null } = index.definition
    if (canonical !== null) probed.set(index, { canonical: { ...canonical, tablespace } })
  }
  await probeEach(
    session,
    declared.filter((index) => !probed.has(index)),
    about,
    probed,
  )
  return probed
}

async function probeEach(
  session: Session,
  declared: readonly DeclaredIndex[],
  about: About,
  probed: Map<DeclaredIndex, Probed>,
): Promise<void> {
  for (let start = 0, some = declared; start < declared.length; start += some.length) {
    some = nextTables(declared, start)
    for (const [index, answer] of await probeSome(session, some, about)) probed.set(index, answer)
  }
}

interface About {
  readonly trust: ReadonlyMap<Definition, Trust>
  readonly keys: readonly PartitionKey[]
  readonly extensions: readonly string[]
  /** Empty where few are asked about. */
  readonly columns: CopiedColumns
}

async function probeSome(
  session: Session,
  declared: readonly DeclaredIndex[],
  about: About,
): Promise<readonly (readonly [DeclaredIndex, Probed])[]> {
  const copies = copiesOf(declared, about)
  const original = (text: string) =>
    text.replaceAll(/perfdb_probe_\d+(?:_\d+)?/g, (name) => copies.originals.get(name) ?? name)
  const attempts = declared.map((index, number): Attempt => {
    const { definition } = index
    const name = `perfdb_probe_index_${number}`
    const table = `pg_temp.${quoteName(copies.names.get(tableKey(definition.table)) ?? '')}`
    const create = createIndexSql(definition, { concurrently: false, name, table, placed: false })
    const searchPath = buildSearchPath(session, definition.table.schema)
    return { declared: index, original, name, create, searchPath }
  })
  const refusals = new Map<Attempt, Problem>()
  const rows =
    (await made(session, about, copies, attempts)) ?? (await madeInTurn(session, about, copies, attempts, refusals))
  const found = new Map(rows.map(({ name, canonical }) => [name, canonical]))
  return attempts.map((attempt): readonly [DeclaredIndex, Probed] => {
    const { name, tablespace } = attempt.declared.definition
    const problem = refusals.get(attempt)
    if (problem !== undefined) return [attempt.declared, { problem }]
    const canonical = found.get(attempt.name)
    if (canonical === undefined) throw new PerfdbError('INTERNAL', `the probe of ${name} left no index`)
    // A temporary index lives in temp_tablespaces: where the real one is to live only the declaration says.
    return [attempt.declared, { canonical: { ...canonical, tablespace: tablespace ?? null } }]
  })
}

type Made = Pick<ExistingIndex, 'name' | 'canonical'>

/** In one round trip; undefined where something is refused. An extension would stay if the transaction had not begun, and a pooler gives none of it. */
async function made(
  session: Session,
  { extensions }: About,
  copies: Copies,
  attempts: readonly Attempt[],
): Promise<readonly Made[] | undefined> {
  if (session.pooled || extensions.length > 0) return undefined
  return rolledBackAtOnce<Made>(session, [
    "set local statement_timeout = '30s'",
    "set local lock_timeout = '5s'",
    ...copies.texts,
    ...createTexts(attempts),
    'set local search_path = pg_catalog',
    probedIndexesSql(session.versionNum),
  ])
}

async function madeInTurn(
  session: Session,
  { extensions }: About,
  copies: Copies,
  attempts: readonly Attempt[],
  refusals: Map<Attempt, Problem>,
): Promise<readonly Made[]> {
  return session.rolledBack({ readOnly: false, lockTimeoutMs: 5000, statementTimeoutMs: 30_000 }, async () => {
    // Those that apply would create first: gone again with the rollback. In the schema where apply's own statement puts them.
    if (extensions.length > 0) await session.query(`set local search_path = ${creationPath(session)}`)
    for (const name of extensions) await session.query(`create extension ${quoteName(name)}`)
    if (!(await inOneBurst(session, copies.texts))) for (const text of copies.texts) await session.query(text)
    for (let start = 0; start < attempts.length; start += burst)
      await createAll(session, attempts.slice(start, start + burst), refusals)
    await session.query('set local search_path = pg_catalog')
    return session.query<Made>(probedIndexesSql(session.versionNum))
  })
}

function createTexts(attempts: readonly Attempt[]): readonly string[] {
  return attempts.flatMap(({ create, searchPath }, at) =>
    searchPath === attempts[at - 1]?.searchPath ? [create] : [`set local search_path = ${searchPath}`, create],
  )
}

interface Attempt {
  readonly declared: DeclaredIndex
  /** The server's words with the real tables instead of their copies. */
  readonly original: (text: string) => string
  readonly name: string
  readonly create: string
  readonly searchPath: string
}

const burst = 16

/** In one burst, whose statements travel without waiting for each other's answers; one after the other when one is refused. */
async function createAll(
  session: Session,
  attempts: readonly Attempt[],
  refusals: Map<Attempt, Problem>,
): Promise<void> {
  if (await inOneBurst(session, createTexts(attempts))) return
  for (const attempt of attempts) {
    await session.query(`set local search_path = ${attempt.searchPath}`)
    await session.query('savepoint perfdb_probe')
    const refused = await session.query(attempt.create).then(
      () => null,
      (reason: unknown) => ({ reason }),
    )
    await session.query(`${refused === null ? 'release' : 'rollback to'} savepoint perfdb_probe`)
    if (refused === null) continue
    const reason = statementRefusal(refused.reason)
    refusals.set(attempt, await refusedDeclaration(session, reason, attempt.declared, attempt.original))
  }
}

/** Where CREATE EXTENSION without a schema puts its objects: the first schema that the role's own path names. */
export function creationPath(session: Session): string {
  return session.defaultSearchPath === '' ? 'public' : session.defaultSearchPath
}

/** search_path of a build: the table's own schema first, then what the role would have by itself. */
export function buildSearchPath(session: Session, schema: string): string {
  return session.defaultSearchPath === '' ? quoteName(schema) : `${quoteName(schema)}, ${session.defaultSearchPath}`
}
