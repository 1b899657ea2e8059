import type { Definition, TableName } from '../definition/definition.js'
import { createIndexSql, dropIndexSql, renameIndexSql } from '../sql/ddl/index-ddl.js'
import { reindexSql } from '../sql/ddl/partitions.js'
import type { Statement } from './plan.js'

/* The statements of a plan, each with what it does to which index beside its text: nobody reads it out of the text again. */

/** CREATE INDEX CONCURRENTLY, under another name than the definition's where it takes that one's place later. */
export function createStatement(definition: Definition, name = definition.name): Statement {
  const sql = [createIndexSql(definition, { concurrently: true, name })]
  return { kind: 'build', verb: 'create', schema: definition.table.schema, index: name, sql }
}

/** REINDEX INDEX CONCURRENTLY. */
export function reindexStatement(schema: string, name: string): Statement {
  return { kind: 'build', verb: 'reindex', schema, index: name, sql: [reindexSql({ schema, name })] }
}

/** DROP INDEX CONCURRENTLY. */
export function dropStatement({ schema, name }: { readonly schema: string; readonly name: string }): Statement {
  return { kind: 'drop', verb: 'drop', schema, index: name, sql: [dropIndexSql(schema, name)] }
}

/** The index has the new name afterwards, and what `restore` gives it. */
export function renameStatement(
  schema: string,
  names: readonly (readonly [from: string, to: string])[],
  index: string,
  restore: readonly string[] = [],
): Statement {
  const sql = [...names.map(([from, to]) => renameIndexSql(schema, from, to)), ...restore]
  return { kind: 'swap', verb: 'rename', schema, index, sql }
}

/** Comment, statistics targets and the like of an index that is there; nothing where there is none of it. */
export function restoreStatements(sql: readonly string[], { schema }: TableName, index: string): readonly Statement[] {
  return sql.length === 0 ? [] : [{ kind: 'swap', verb: 'restore', schema, index, sql }]
}
