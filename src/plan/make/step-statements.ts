import type { CanonicalDefinition, ExistingIndex, Snapshot } from '../../catalog/snapshot.js'
import type { Definition } from '../../definition/definition.js'
import { createIndexSql, dropIndexSql, renameIndexSql } from '../../sql/ddl/index-ddl.js'
import { reindexSql } from '../../sql/ddl/partitions.js'
import { carryOver, declaredOver, keptOf, restoreSql } from '../kept.js'
import { indexNamed } from '../match/lookup.js'
import { newNameFor, oldNameFor } from '../match/names.js'
import type { Step } from '../plan.js'
import { sameDefinition } from '../match/same.js'

/** What was said about the old one goes over to the new one, and where it lives too, unless that is declared. */
export function rebuildStatements(
  definition: Definition,
  existing: ExistingIndex,
  canonical: CanonicalDefinition,
): Step['statements'] {
  const { schema, table } = existing
  const restore = restoreSql(
    declaredOver(definition, carryOver(keptOf(existing), canonical)),
    schema,
    definition.name,
    table,
  )
  return [
    dropStatement(existing),
    buildStatement(placedAs(existing, definition)),
    ...(restore.length === 0 ? [] : [{ kind: 'swap', index: definition.name, sql: restore } as const]),
  ]
}

/** What cannot be dropped, as it is attached to the index of a partitioned table, can only be made valid where it stands (fault 13). */
export function repairStatement({ schema, name }: ExistingIndex) {
  return { kind: 'build', index: name, sql: [reindexSql({ schema, name })], repairs: true } as const
}

function placedAs({ canonical }: ExistingIndex, definition: Definition): Definition {
  const tablespace = definition.tablespace ?? canonical.tablespace
  return tablespace === null ? definition : { ...definition, tablespace }
}

/** Builds beside the old one, exchanges the names in one short transaction, drops the old one: the name is never missing. */
export function replaceStatements(
  definition: Definition,
  existing: ExistingIndex,
  snapshot: Snapshot,
  canonical: CanonicalDefinition,
): Step['statements'] {
  const { schema, table } = existing
  const fresh = newNameFor(definition.name)
  const old = oldNameFor(definition.name)
  const leftover = indexNamed(snapshot, schema, fresh)
  const finished = leftover?.valid === true && sameDefinition(canonical, leftover.canonical)
  const before = indexNamed(snapshot, schema, old)
  return [
    // Of an earlier replace that was cut short: its name is needed.
    ...(before === undefined ? [] : [dropStatement(before)]),
    ...(leftover !== undefined && !finished ? [dropStatement(leftover)] : []),
    ...(finished ? [] : [buildStatement(placedAs(existing, definition), fresh)]),
    {
      kind: 'swap',
      index: definition.name,
      sql: [
        renameIndexSql(schema, definition.name, old),
        renameIndexSql(schema, fresh, definition.name),
        ...restoreSql(declaredOver(definition, carryOver(keptOf(existing), canonical)), schema, definition.name, table),
      ],
    },
    dropStatement({ schema, name: old }),
  ]
}

/** A new index, with the comment and the statistics targets that are declared. */
export function createStatements(definition: Definition): Step['statements'] {
  const { name, table } = definition
  const sql = restoreSql(declaredOver(definition, null), table.schema, name, table)
  return [buildStatement(definition), ...(sql.length === 0 ? [] : [{ kind: 'swap', index: name, sql } as const])]
}

/** Under another name than the definition's where it takes that one's place later. */
function buildStatement(definition: Definition, name = definition.name) {
  return { kind: 'build', index: name, sql: [createIndexSql(definition, { concurrently: true, name })] } as const
}

function dropStatement(index: { readonly schema: string; readonly name: string }) {
  return { kind: 'drop', index: index.name, sql: [dropIndexSql(index.schema, index.name)] } as const
}
