import type { Definition, TableName } from '../definition/definition.js'
import { quoteName, quoteQualified } from '../definition/quote.js'
import type { DeclaredIndex } from '../profile/profile.js'
import type { Session } from '../server/session/session.js'
import { copyPartitioned, type PartitionKey } from './partitions-copy.js'
import type { Trust } from './trust.js'

/**
 * Empty temporary copies of the tables of these indexes, within the caller's transaction; each belongs to its table's owner where `trust` says so.
 * Returns the name of each table's copy, and fills `originals` with the table that each copy stands for.
 */
export async function copyTables(
  session: Session,
  declared: readonly DeclaredIndex[],
  { trust, keys }: { readonly trust: ReadonlyMap<Definition, Trust>; readonly keys: readonly PartitionKey[] },
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

/** Its quoted name. */
export function tableKey(table: TableName): string {
  return quoteQualified(table.schema, table.name)
}

/** Statements that travel without waiting for each other's answers. True when all went well; else nothing of it is left. */
export async function inOneBurst(session: Session, statements: readonly string[]): Promise<boolean> {
  const texts = ['savepoint perfdb_burst', ...statements, 'release savepoint perfdb_burst']
  const answers = await Promise.allSettled(texts.map((text) => session.query(text)))
  if (answers.every(({ status }) => status === 'fulfilled')) return true
  await session.query('rollback to savepoint perfdb_burst')
  return false
}
