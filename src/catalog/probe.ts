import type { Definition, TableName } from '../definition/definition.js'
import { quoteName, quoteQualified } from '../definition/quote.js'
import { PerfdbError, type Place, type Problem } from '../errors.js'
import type { DeclaredIndex } from '../profile/profile.js'
import type { Session } from '../server/session.js'
import { probedIndexesSql } from '../sql/catalog.js'
import { createIndexSql } from '../sql/index-ddl.js'
import { copyPartitioned, readPartitionKeys, type PartitionKey } from './partitions-copy.js'
import type { CanonicalDefinition, ExistingIndex } from './snapshot.js'

/** What PostgreSQL made of a declaration: its canonical definition, or why it refuses it. */
export type Probed = { readonly canonical: CanonicalDefinition } | { readonly problem: Problem }

/**
 * Asks PostgreSQL what each declared index would be: it is built on an empty temporary copy of its table (with one
 * sample row where data runs through an expression) inside a transaction that is rolled back, and read back from the
 * catalog. That also proves columns, opclasses and immutability before a real table is touched (faults 41, 44, 46);
 * the real table is locked with ACCESS SHARE only, some tables at a time: the copies of 1,000 tables would not fit in the
 * server's lock table (53200). The copy of a partitioned table is partitioned as well: a unique index must contain the
 * partition key.
 * Throws PRIVILEGE or READ_ONLY where no temporary table can be made.
 */
export async function probe(
  session: Session,
  declared: readonly DeclaredIndex[],
  partitioned: readonly TableName[] = [],
  extensions: readonly string[] = [],
): Promise<readonly Probed[]> {
  const keys = await readPartitionKeys(session, partitioned)
  const probed: Probed[] = []
  while (probed.length < declared.length)
    probed.push(...(await probeSome(session, nextTables(declared.slice(probed.length)), keys, extensions)))
  return probed
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
  keys: readonly PartitionKey[],
  extensions: readonly string[],
): Promise<readonly Probed[]> {
  return session.rolledBack({ readOnly: false, lockTimeoutMs: 5000, statementTimeoutMs: 30_000 }, async () => {
    // Those that apply would create first: gone again with the rollback. In the schema where apply's own statement puts them.
    if (extensions.length > 0) await session.query(`set local search_path = ${creationPath(session)}`)
    for (const name of extensions) await session.query(`create extension ${quoteName(name)}`)
    const originals = new Map<string, string>()
    const copies = await copyTables(session, declared, keys, originals)
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
      () => false,
      (reason: unknown) => refusals.set(attempt, refusal(reason, attempt)),
    )
    await session.query(`${refused === false ? 'release' : 'rollback to'} savepoint perfdb_probe`)
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
  keys: readonly PartitionKey[],
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
    const sampled = declared.some((other) => tableKey(other.definition.table) === table && computes(other.definition))
    if (own.length === 0) plain.push({ table, copy, sampled })
    else {
      for (const [name, original] of await copyPartitioned(session, definition.table, own, copy))
        originals.set(name, original)
      if (sampled) await copySampleRow(session, table, copy)
    }
  }
  const all = plain.flatMap((one) => [copySql(one), ...(one.sampled ? [sampleSql(one)] : [])])
  if (plain.length === 0 || (await inOneBurst(session, all))) return copies
  for (const one of plain) {
    await session.query(copySql(one))
    if (one.sampled) await copySampleRow(session, one.table, one.copy)
  }
  return copies
}

interface Copy {
  readonly table: string
  readonly copy: string
  /** With one row, where an expression is computed. */
  readonly sampled: boolean
}

function copySql({ table, copy }: Copy): string {
  return `create temporary table ${quoteName(copy)} (like ${table}) on commit drop`
}

function sampleSql({ table, copy }: Pick<Copy, 'table' | 'copy'>): string {
  return `insert into pg_temp.${quoteName(copy)} select * from ${table} limit 1`
}

function tableKey(table: TableName): string {
  return quoteQualified(table.schema, table.name)
}

function computes(definition: Definition): boolean {
  return definition.predicate !== undefined || definition.keys.some((key) => key.expression !== undefined)
}

/** A function in an expression runs only when there is a row; without SELECT on the table the probe does without. */
async function copySampleRow(session: Session, table: string, copy: string): Promise<void> {
  await session.query('savepoint perfdb_sample')
  await session.query(sampleSql({ table, copy })).catch(() => session.query('rollback to savepoint perfdb_sample'))
}

/** PostgreSQL's own words, at the declaration's place, about the real table instead of its copy. */
function refusal(reason: unknown, { definition, place, original }: Attempt): Problem {
  if (!(reason instanceof PerfdbError)) throw reason
  if (reason.code === 'CONNECTION_LOST') throw reason
  return {
    code: reason.sqlstate === '42703' ? 'NO_COLUMN' : reason.sqlstate === '3F000' ? 'NO_SCHEMA' : 'BAD_DEFINITION',
    message: `${definition.name} on ${definition.table.schema}.${definition.table.name}: ${original(reason.message)}`,
    detail: reason.detail === undefined ? undefined : original(reason.detail),
    sqlstate: reason.sqlstate,
    place,
    hint: hintFor(reason, definition),
  }
}

function hintFor(reason: PerfdbError, definition: Definition): string | undefined {
  const opclass = definition.keys.find(
    (key) => key.opclass !== undefined && reason.message.includes(`"${key.opclass.split('.').at(-1) ?? ''}"`),
  )?.opclass
  if (opclass === undefined)
    return reason.sqlstate === '42P17' ? 'functions in an index must be declared IMMUTABLE' : undefined
  if (/trgm/.test(opclass))
    return `the opclass comes with the extension pg_trgm: create extension pg_trgm; installed in another schema it is written schema.${opclass}`
  return 'list the opclasses of the access method: \\dAc in psql; one that an extension adds needs the extension, and its schema in front'
}
