import type { CanonicalDefinition, ExistingIndex, PartitionTree } from '../../catalog/snapshot.js'
import type { Definition, TableName } from '../../definition/definition.js'
import type { Outcome } from '../../result/documents/result.js'
import { dropRefusal } from '../match/drop-refusal.js'
import { dropStatement, type Finding, restoreStatements, type Statement, type Step } from '../plan.js'
import { restoreSql, type IndexAttributes, type TableMarks } from '../index-attributes.js'
import { dropPartitionedStatement, lockText } from '../match/drop-partitioned.js'
import { sameDefinition } from '../match/same.js'

/** What a step of an earlier run did, by the ledger. */
export interface Done {
  readonly number: number
  readonly outcome: string
  /** false: the run was cut short in it, and only the catalog says how far it came. */
  readonly finished: boolean
  readonly schema: string
  readonly index: string
  readonly indexBefore: string | null
  /** As it is called now, where it is still there. */
  readonly table: TableName
  /** What the step left. */
  readonly indexOid: number | null
  readonly canonical: CanonicalDefinition | null
  /** What stood there before; null when nothing did. */
  readonly before: Before | null
}

export interface Before {
  /** As pg_get_indexdef printed it: only compared, never run. */
  readonly indexdef: string
  /** null in records of versions before 0.2. */
  readonly canonical: CanonicalDefinition | null
  /** What that definition leaves out. */
  readonly kept: IndexAttributes | null
  /** CREATE INDEX CONCURRENTLY made anew, under its own name and under the one that it is built under beside another. */
  readonly build: string
  readonly buildBeside: string
  /** Of the index of a partitioned table, which is built partition by partition; null for every other one. */
  readonly partitioned: Definition | null
}

/** What the catalog says now. */
export interface Now {
  /** The recorded table is still there. */
  readonly tableThere: boolean
  readonly marks: TableMarks
  /** By the oid that the step left; another name than the recorded one is possible. */
  readonly left: ExistingIndex | undefined
  readonly named: (name: string) => ExistingIndex | undefined
  /** A relation that is no index has that name. */
  readonly taken: (name: string) => boolean
  /** Of a partitioned table. */
  readonly tree: PartitionTree | null
  /** A table may be locked to drop the index of a partitioned one: --allow DROP. */
  readonly mayLock: boolean
}

/** Why there is nothing to be done for a step, or nothing that may be done. */
export interface Ended {
  readonly outcome: Outcome
  /** true when everything is as it was before the step. */
  readonly undone: boolean
  readonly finding: Finding | null
}

export type Undo = { readonly step: Step } | { readonly ended: Ended }

/** The index that the step left: by oid and definition, or by name and definition (REINDEX CONCURRENTLY gives another oid). */
export function found({ index, indexOid, canonical, table }: Done, { left, named }: Now): ExistingIndex | undefined {
  const same = (one: ExistingIndex | undefined) =>
    one !== undefined &&
    one.table.schema === table.schema &&
    one.table.name === table.name &&
    (canonical === null || sameDefinition(canonical, one.canonical))
      ? one
      : undefined
  return (indexOid === null ? undefined : same(left)) ?? same(named(index))
}

/** The step is left as it is: somebody changed something, and the finding says what. `message` goes on after the index's name. */
export function leave(
  outcome: Outcome,
  code: 'CHANGED' | 'NAME_TAKEN' | 'DROP_REFUSED' | 'BAD_RECORD' | 'FOREIGN_CODE',
  done: Done,
  message: string,
  hint?: string,
): Undo {
  const { index, table } = done
  const text = message.startsWith(',') ? `${index}${message}` : `${index} ${message}`
  return {
    ended: {
      outcome,
      undone: false,
      finding: {
        code,
        severity: 'error',
        index,
        table: `${table.schema}.${table.name}`,
        message: text,
        ...(hint === undefined ? {} : { hint }),
      },
    },
  }
}

/** What PostgreSQL would refuse to drop, or not concurrently, or without a word though the table needs it (fault 33). */
export function notDropped(done: Done, existing: ExistingIndex, { mayLock }: Now): Undo | null {
  const identity = existing.replicaIdentity && done.before?.kept?.replicaIdentity !== true
  const lost = identity ? 'it is the replica identity of its table by now' : null
  const locks = existing.partitioned && !mayLock ? lockText(existing) : null
  const refusal = dropRefusal(existing) ?? lost ?? locks
  if (refusal === null) return null
  const hint = refusal === locks ? 'the same command with --allow DROP drops it' : undefined
  const name = existing.name === done.index ? '' : `, now ${existing.name},`
  return leave(
    'refused',
    'DROP_REFUSED',
    done,
    `${name === '' ? '' : `${name} `}was built by the run that is undone, but ${refusal}: it stays`,
    hint,
  )
}

export function usable({ valid, ready, live }: ExistingIndex): boolean {
  return valid && ready && live
}

/** Whether it is the index that stood there before the step. */
export function isBefore({ before }: Done, index: ExistingIndex | undefined): boolean {
  if (before === null || index === undefined) return false
  return before.canonical === null
    ? index.indexdef === before.indexdef
    : sameDefinition(before.canonical, index.canonical)
}

/** What every step of an undo has alike; what is built again must be what stood there before. */
export function undoBase({ schema, index, table, before }: Pick<Done, 'schema' | 'index' | 'table' | 'before'>) {
  return {
    schema,
    index,
    table,
    hazards: [],
    predictedBytes: null,
    declared: null,
    canonical: before?.canonical ?? null,
    existing: null,
    place: null,
  } as const
}

/** Definitions are printed with search_path = pg_catalog, and mean what they meant only under that one. */
export function buildAgain(sql: string, { schema }: Done, name: string): Statement {
  return { kind: 'build', verb: 'create', schema, index: name, sql: [sql], namesFrom: 'pg_catalog' }
}

export function givenBackTo({ schema, index, table }: Done, kept: IndexAttributes | null): readonly Statement[] {
  return restoreStatements(restoreSql(kept, schema, index, table), table, index)
}

export function dropExisting(existing: ExistingIndex): Statement {
  return existing.partitioned ? dropPartitionedStatement(existing) : dropStatement(existing)
}
