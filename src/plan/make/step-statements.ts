import type { CanonicalDefinition, ExistingIndex, Snapshot } from '../../catalog/snapshot.js'
import type { Definition } from '../../definition/definition.js'
import { carryOver, declaredOver, attributesOf, restoreSql } from '../index-attributes.js'
import { indexNamed } from '../match/lookup.js'
import { newNameFor, oldNameFor } from '../match/names.js'
import {
  createStatement,
  dropStatement,
  reindexStatement,
  renameStatement,
  restoreStatements,
  type Step,
} from '../plan.js'
import { sameDefinition } from '../match/same.js'

/** What was said about the old one goes over to the new one, and where it lives too, unless that is declared. */
export function rebuildStatements(
  definition: Definition,
  existing: ExistingIndex,
  canonical: CanonicalDefinition,
): Step['statements'] {
  const { schema, table } = existing
  const restore = restoreSql(
    declaredOver(definition, carryOver(attributesOf(existing), canonical)),
    schema,
    definition.name,
    table,
  )
  return [
    dropStatement(existing),
    createStatement(placedAs(existing, definition)),
    ...restoreStatements(restore, table, definition.name),
  ]
}

/** What cannot be dropped, as it is attached to the index of a partitioned table, can only be made valid where it stands (fault 13). */
export function repairStatement({ schema, name }: ExistingIndex) {
  return reindexStatement(schema, name)
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
    ...(finished ? [] : [createStatement(placedAs(existing, definition), fresh)]),
    renameStatement(
      schema,
      [
        [definition.name, old],
        [fresh, definition.name],
      ],
      definition.name,
      restoreSql(
        declaredOver(definition, carryOver(attributesOf(existing), canonical)),
        schema,
        definition.name,
        table,
      ),
    ),
    dropStatement({ schema, name: old }),
  ]
}

/** A new index, with the comment and the statistics targets that are declared. */
export function createStatements(definition: Definition): Step['statements'] {
  const { name, table } = definition
  const sql = restoreSql(declaredOver(definition, null), table.schema, name, table)
  return [createStatement(definition), ...restoreStatements(sql, table, name)]
}
