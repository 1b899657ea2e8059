import type { Definition, TableName } from '../../definition/definition.js'
import { quoteName, quoteQualified } from '../../definition/quote.js'
import { PerfdbError } from '../../errors.js'
import type { DeclaredIndex } from '../../profile/profile.js'
import type { Session } from '../../server/session/session.js'
import { copyPartitioned, type PartitionKey } from './partitions-copy.js'
import type { Trust } from '../trust.js'

/** Empty temporary copies of tables. */
export interface Copies {
  /** The name of each table's copy, by its key. */
  readonly names: ReadonlyMap<string, string>
  /** The table that each copy stands for. */
  readonly originals: ReadonlyMap<string, string>
  /** What makes them, in a transaction. */
  readonly texts: readonly string[]
}

/** Of the tables of these indexes; each belongs to its table's owner where `trust` says so. */
export function copiesOf(
  declared: readonly DeclaredIndex[],
  { trust, keys }: { readonly trust: ReadonlyMap<Definition, Trust>; readonly keys: readonly PartitionKey[] },
): Copies {
  const names = new Map<string, string>()
  const originals = new Map<string, string>()
  const texts: string[] = []
  const owners = new Map<string, string>()
  for (const { definition } of declared) {
    const owner = trust.get(definition)?.owner ?? null
    if (owner !== null) owners.set(tableKey(definition.table), owner)
  }
  for (const { definition } of declared) {
    const table = tableKey(definition.table)
    if (names.has(table)) continue
    const copy = `perfdb_probe_${names.size + 1}`
    names.set(table, copy)
    const own = keys.filter((key) => tableKey(key) === table)
    const parts =
      own.length === 0
        ? {
            texts: [`create temporary table ${quoteName(copy)} (like ${table}) on commit drop`],
            originals: new Map([[copy, definition.table.name]]),
          }
        : copyPartitioned(definition.table, own, copy)
    texts.push(...parts.texts)
    const owner = owners.get(table)
    for (const [name, original] of parts.originals) {
      originals.set(name, original)
      if (owner !== undefined) texts.push(`alter table pg_temp.${quoteName(name)} owner to ${quoteName(owner)}`)
    }
  }
  return { names, originals, texts }
}

/** Of one table at once: with each index that its copy has the next one takes longer. */
const mostOnTable = 64

/** From there as many as lie on 50 tables; each copy holds four locks, each index one. */
export function nextTables(declared: readonly DeclaredIndex[], start: number): readonly DeclaredIndex[] {
  const counts = new Map<string, number>()
  const end = declared.findIndex(({ definition }, at) => {
    if (at < start) return false
    const table = tableKey(definition.table)
    const count = counts.get(table) ?? 0
    counts.set(table, count + 1)
    return counts.size > 50 || count === mostOnTable || at - start === 400
  })
  return declared.slice(start, end < 0 ? undefined : end)
}

/** Its quoted name. */
export function tableKey(table: TableName): string {
  return quoteQualified(table.schema, table.name)
}

/**
 * A transaction that is rolled back, in one round trip; the rows of its last statement, or undefined where one of them failed. Nobody waits to hear
 * that it has begun: outside of one they must do nothing. Throws what says nothing of the statements: a cancel, a lost connection.
 */
export async function rolledBackAtOnce<Row>(session: Session, texts: readonly string[]): Promise<Row[] | undefined> {
  const answers = await Promise.allSettled(
    ['begin', ...texts, 'rollback'].map(async (text) => session.query<Row>(text)),
  )
  for (const answer of answers) {
    if (answer.status === 'fulfilled') continue
    statementRefusal(answer.reason)
    return undefined
  }
  const last = answers.at(-2)
  return last?.status === 'fulfilled' ? last.value : undefined
}

/** The error where it is about the statement. Throws what says nothing of it: a cancel or a server that goes down (class 57), a lost connection. */
export function statementRefusal(reason: unknown): PerfdbError {
  if (!(reason instanceof PerfdbError) || reason.code === 'CONNECTION_LOST' || reason.sqlstate?.startsWith('57'))
    throw reason
  return reason
}

/** Statements that travel without waiting for each other's answers. True when all went well; else nothing of it is left. Throws as rolledBackAtOnce. */
export async function inOneBurst(session: Session, statements: readonly string[]): Promise<boolean> {
  const texts = ['savepoint perfdb_burst', ...statements, 'release savepoint perfdb_burst']
  const answers = await Promise.allSettled(texts.map((text) => session.query(text)))
  const failed = answers.find((answer) => answer.status === 'rejected')
  if (failed === undefined) return true
  statementRefusal(failed.reason)
  await session.query('rollback to savepoint perfdb_burst')
  return false
}
