import type { CanonicalDefinition, ExistingIndex } from '../catalog/snapshot.js'
import type { Definition, TableName } from '../definition/definition.js'
import type { FindingCode } from '../codes/codes.js'
import type { HazardCode } from '../codes/hazard-codes.js'
import type { Place } from '../errors.js'
import type { IndexAttributes } from './index-attributes.js'
import { createIndexSql, dropIndexSql, renameIndexSql } from '../sql/ddl/index-ddl.js'
import { reindexSql } from '../sql/ddl/partitions.js'

export type StepKind = 'keep' | 'create' | 'rebuild' | 'reindex' | 'building' | 'replace' | 'adopt' | 'drop'

export interface Hazard {
  readonly code: HazardCode
  readonly message: string
  /** Not gated: apply does what it can and says at the step what it could not. */
  readonly advisory?: true
  /** No --allow makes the step possible: the message says why, the hint what to do instead. */
  readonly refused?: true
  readonly hint?: string
}

/** Severity `error` makes the exit code 1; `warning` and `info` do not. */
export interface Finding {
  readonly code: FindingCode
  readonly severity: 'error' | 'warning' | 'info'
  readonly index?: string
  readonly table?: string
  readonly query?: string
  readonly message: string
  readonly hint?: string
  readonly place?: Place
}

/**
 * build: CREATE INDEX CONCURRENTLY of `index`. drop: DROP INDEX CONCURRENTLY of it. Both run alone, without a time limit of
 * the server's, watched. swap: short statements in one transaction, with a short lock_timeout, tried again.
 */
export interface Statement {
  readonly kind: 'build' | 'drop' | 'swap'
  /** What it does. create_only: of a partitioned table alone. attach: to the index of the partitioned table; that of an empty partition is made with it. restore: comment, statistics targets and the like. A drop that is a swap locks a table with all its partitions ACCESS EXCLUSIVE, or gives up in a moment and is tried again. */
  readonly verb: 'create' | 'create_only' | 'reindex' | 'attach' | 'drop' | 'rename' | 'restore'
  /** Of the index, which is that of its table: another than the step's in a tree of partitions. */
  readonly schema: string
  readonly index: string
  readonly sql: readonly string[]
  /** Schema in which unqualified names of the definition are looked up first, where it is not the step's own. */
  readonly namesFrom?: string
}

/** An index of the plan, as other steps name it. */
export interface StepName {
  readonly schema: string
  readonly index: string
}

/** One index's work: finished SQL texts in their order. */
export interface Step {
  readonly step: StepKind
  readonly schema: string
  readonly index: string
  readonly table: TableName
  readonly statements: readonly Statement[]
  readonly hazards: readonly Hazard[]
  /** Why this step, in one sentence. */
  readonly reason: string
  readonly declared: Definition | null
  /** Size of what is built, from the planner's statistics; null when nothing is built or nothing can be said. */
  readonly predictedBytes: number | null
  /** What the catalog must say of the index after the step; null after a drop. */
  readonly canonical: CanonicalDefinition | null
  /** The index that stands there now: of that name, or the one to adopt. */
  readonly existing: ExistingIndex | null
  readonly place: Place | null
  /** What belonged to the index before an earlier run was cut short, and is still to be given back to it. */
  readonly kept?: IndexAttributes
  /** What a look for duplicates of a unique index found when the plan was made; absent when nobody looked, or it could not be said. */
  readonly duplicates?: 'none' | 'some' | 'unknown'
  /** Whose code perfdb would run if it read the table; then it does not. */
  readonly foreign?: string
  /** The table belongs to a role with fewer rights, which could put such code there while perfdb reads it. */
  readonly stranger?: true
  /** Why the build itself would run it: apply refuses it (FOREIGN_CODE). */
  readonly unbuildable?: string
  /** The index of a partitioned table: apply looks at its partitions again while it works. */
  readonly partitioned?: true
  /** Of such a step, once all partitions have it: comment and statistics targets. */
  readonly describe?: readonly string[]
  /** Of such a step: schema in which names of the definition are looked up first, where it is not the step's own. */
  readonly namesFrom?: string
  /** Of a drop: the index whose REINDEX CONCURRENTLY left it. */
  readonly leftoverOf?: string
  /** Of a drop: the builds that must have succeeded before it; where one did not, the index is kept. */
  readonly needs?: readonly StepName[]
}

export interface Plan {
  readonly steps: readonly Step[]
  /** Extensions to create first, only with --allow CREATE_EXTENSION. */
  readonly extensions: readonly string[]
  readonly findings: readonly Finding[]
  /** What is worth knowing besides, a sentence each. */
  readonly notes: readonly string[]
  /** SHA-256 over declared definitions and the part of the snapshot that the steps rest on. */
  readonly fingerprint: string
}

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
