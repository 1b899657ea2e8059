import type { Definition, TableName } from '../definition/definition.js'
import { quoteName, quoteQualified } from '../definition/quote.js'
import { PerfdbError, type Place, type Problem } from '../errors.js'
import type { DeclaredIndex } from '../profile/profile.js'
import type { Session } from '../server/session/session.js'
import { probedIndexesSql } from '../sql/catalog/catalog.js'
import { createIndexSql } from '../sql/ddl/index-ddl.js'
import { copyPartitioned, readPartitionKeys, type PartitionKey } from './partitions-copy.js'
import { columnsFor, refusalCode, refusalHint } from './refusal.js'
import type { CanonicalDefinition, ExistingIndex } from './snapshot.js'
import type { Trust } from './trust.js'

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
  const probed: Probed[] = []
  const about = { trust, keys, extensions }
  while (probed.length < declared.length)
    probed.push(...(await probeSome(session, nextTables(declared.slice(probed.length)), about)))
  return probed
}

interface About {
  readonly trust: ReadonlyMap<Definition, Trust>
  readonly keys: readonly PartitionKey[]
  readonly extensions: readonly string[]
}

/** From the start as many as lie on 50 tables; each copy holds four locks, each index one. */
function nextTables(declared: readonly DeclaredIndex[]): readonly DeclaredIndex[] {
  const tables = new Set<string>()
  const end = declared.findIndex(({ definition }, at) => tables.add(tableKey(definition.table)).size > 50 || at === 400)
  return end < 0 ? declared : declared.slice(0, end)
}

async function probeSome(
  session: Session,
  declared: readonly DeclaredIndex[],
  about: About,
): Promise<readonly Probed[]> {
  const { extensions } = about
  return session.rolledBack({ readOnly: false, lockTimeoutMs: 5000, statementTimeoutMs: 30_000 }, async () => {
    // Those that apply would create first: gone again with the rollback. In the schema where apply's own statement puts them.
    if (extensions.length > 0) await session.query(`set local search_path = ${creationPath(session)}`)
    for (const name of extensions) await session.query(`create extension ${quoteName(name)}`)
    const originals = new Map<string, string>()
    const copies = await copyTables(session, declared, about, originals)
    const original = (text: string) =>
      text.replaceAll(/perfdb_probe_\d+(?:_\d+)?/g, (name) => originals.get(name) ?? name)
    const attempts = declared.map(({ definition, place }, number): Attempt => {
      const copy = copies.get(tableKey(definition.table)) ?? ''
      const name = `perfdb_probe_index_${number}`
      const table = `pg_temp.${quoteName(copy)}`
      const create = createIndexSql(definition, { concurrently: false, name, table, placed: false })
      return {
        definition,
        place,
        original,
        name,
        create,
        searchPath: buildSearchPath(session, definition.table.schema),
      }
    })
    const refusals = new Map<Attempt, Problem>()
    for (let start = 0; start < attempts.length; start += burst)
      await createAll(session, attempts.slice(start, start + burst), refusals)
    await session.query('set local search_path = pg_catalog')
    const rows = await session.query<{ document: ExistingIndex }>(probedIndexesSql(session.versionNum))
    const found = new Map(rows.map(({ document }) => [document.name, document.canonical]))
    return attempts.map((attempt): Probed => {
      const problem = refusals.get(attempt)
      if (problem !== undefined) return { problem }
      const canonical = found.get(attempt.name)
      if (canonical === undefined)
        throw new PerfdbError('INTERNAL', `the probe of ${attempt.definition.name} left no index`)
      // A temporary index lives in temp_tablespaces: where the real one is to live only the declaration says.
      return { canonical: { ...canonical, tablespace: attempt.definition.tablespace ?? null } }
    })
  })
}

interface Attempt {
  readonly definition: Definition
  readonly place: Place
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
  const statements = attempts.flatMap(({ create, searchPath }, at) =>
    searchPath === attempts[at - 1]?.searchPath ? [create] : [`set local search_path = ${searchPath}`, create],
  )
  if (await inOneBurst(session, statements)) return
  for (const attempt of attempts) {
    await session.query(`set local search_path = ${attempt.searchPath}`)
    await session.query('savepoint perfdb_probe')
    const refused = await session.query(attempt.create).then(
      () => null,
      (reason: unknown) => ({ reason }),
    )
    await session.query(`${refused === null ? 'release' : 'rollback to'} savepoint perfdb_probe`)
    if (refused !== null) refusals.set(attempt, await refusal(session, refused.reason, attempt))
  }
}

/** True when all went well; else nothing of it is left. */
async function inOneBurst(session: Session, statements: readonly string[]): Promise<boolean> {
  const texts = ['savepoint perfdb_burst', ...statements, 'release savepoint perfdb_burst']
  const answers = await Promise.allSettled(texts.map((text) => session.query(text)))
  if (answers.every(({ status }) => status === 'fulfilled')) return true
  await session.query('rollback to savepoint perfdb_burst')
  return false
}

/** Where CREATE EXTENSION without a schema puts its objects: the first schema that the role's own path names. */
export function creationPath(session: Session): string {
  return session.defaultSearchPath === '' ? 'public' : session.defaultSearchPath
}

/** search_path of a build: the table's own schema first, then what the role would have by itself. */
export function buildSearchPath(session: Session, schema: string): string {
  return session.defaultSearchPath === '' ? quoteName(schema) : `${quoteName(schema)}, ${session.defaultSearchPath}`
}

async function copyTables(
  session: Session,
  declared: readonly DeclaredIndex[],
  { trust, keys }: About,
  originals: Map<string, string>,
): Promise<ReadonlyMap<string, string>> {
  const copies = new Map<string, string>()
  const plain: Copy[] = []
  for (const { definition } of declared) {
    const table = tableKey(definition.table)
    if (copies.has(table)) continue
    const copy = `perfdb_probe_${copies.size + 1}`
    copies.set(table, copy)
    originals.set(copy, definition.table.name)
    const own = keys.filter((key) => tableKey(key) === table)
    const owners = declared.flatMap((other) =>
      tableKey(other.definition.table) === table ? [trust.get(other.definition)?.owner ?? null] : [],
    )
    const owner = owners.find((one) => one !== null) ?? null
    if (own.length === 0) plain.push({ table, copy, owner })
    else {
      const parts = await copyPartitioned(session, definition.table, own, copy)
      for (const [name, original] of parts) originals.set(name, original)
      if (owner !== null) for (const name of parts.keys()) await session.query(ownerSql(name, owner))
    }
  }
  const all = plain.flatMap(copySql)
  if (plain.length === 0 || (await inOneBurst(session, all))) return copies
  for (const text of all) await session.query(text)
  return copies
}

interface Copy {
  readonly table: string
  readonly copy: string
  /** To whom it is handed over. */
  readonly owner: string | null
}

function copySql({ table, copy, owner }: Copy): readonly string[] {
  const create = `create temporary table ${quoteName(copy)} (like ${table}) on commit drop`
  return owner === null ? [create] : [create, ownerSql(copy, owner)]
}

function ownerSql(copy: string, owner: string): string {
  return `alter table pg_temp.${quoteName(copy)} owner to ${quoteName(owner)}`
}

function tableKey(table: TableName): string {
  return quoteQualified(table.schema, table.name)
}

/** PostgreSQL's own words, at the declaration's place, about the real table instead of its copy. */
async function refusal(session: Session, reason: unknown, { definition, place, original }: Attempt): Promise<Problem> {
  if (!(reason instanceof PerfdbError)) throw reason
  if (reason.code === 'CONNECTION_LOST') throw reason
  return {
    code: refusalCode(reason),
    message: `${definition.name} on ${definition.table.schema}.${definition.table.name}: ${original(reason.message)}`,
    detail: reason.detail === undefined ? undefined : original(reason.detail),
    sqlstate: reason.sqlstate,
    place,
    hint: refusalHint(reason, definition, await columnsFor(reason, session, definition.table)),
  }
}
