import type { CanonicalDefinition, ExistingIndex } from '../catalog/snapshot.js'
import type { TableName } from '../definition/definition.js'
import { dropIndexSql, renameIndexSql } from '../sql/index-ddl.js'
import { dropPartitionedSql } from '../sql/partitions.js'
import { dropStep } from './drops.js'
import { restoreSql, type Kept } from './kept.js'
import { newNameFor, oldNameFor } from './names.js'
import { lockingDrop } from './partitioned.js'
import type { Finding, Step } from './plan.js'
import { sameDefinition } from './same.js'
import { buildAgain } from './undo-build.js'

/** What a step of an earlier run did, by the ledger. */
export interface Done {
  readonly outcome: string
  readonly schema: string
  readonly index: string
  readonly indexBefore: string | null
  readonly table: TableName
  /** Makes again what stood there before. */
  readonly ddlBefore: string | null
  /** What that statement leaves out. */
  readonly kept: Kept | null
  readonly canonical: CanonicalDefinition | null
}

/** A step that undoes it, or the finding why it is left alone, or nothing when there is nothing to undo. */
export type Undo = { readonly step: Step } | { readonly finding: Finding } | null

/**
 * Undoes one step of a run: what it built is dropped, what it dropped is built again, what it renamed gets its name back.
 * An index that is not what the run left there belongs to somebody else by now and is left alone.
 */
export function undo(done: Done, now: (schema: string, name: string) => ExistingIndex | undefined): Undo {
  const existing = now(done.schema, done.index)
  switch (done.outcome) {
    case 'built':
    case 'rebuilt':
      if (existing === undefined) return null
      return (
        changed(done, existing) ??
        notDropped(existing) ?? { step: dropStep(existing, 'built by the run that is undone', null) }
      )
    case 'dropped':
      if (existing !== undefined || done.ddlBefore === null) return null
      return {
        step: {
          ...base(done),
          step: 'create',
          reason: 'dropped by the run that is undone',
          statements: [
            buildAgain(done.ddlBefore, done.index, done.kept?.tablespace ?? null),
            ...restoreStatements(done),
          ],
        },
      }
    case 'replaced':
      if (existing === undefined || done.ddlBefore === null) return null
      return (
        changed(done, existing) ?? {
          step: {
            ...base(done),
            step: 'replace',
            existing,
            reason: 'replaced by the run that is undone',
            statements: putBack(done, done.ddlBefore),
          },
        }
      )
    case 'renamed':
      if (existing === undefined || done.indexBefore === null) return null
      return {
        step: {
          ...base({ ...done, index: done.indexBefore }),
          step: 'adopt',
          existing,
          reason: 'renamed by the run that is undone',
          statements: [
            { kind: 'swap', index: done.indexBefore, sql: [renameIndexSql(done.schema, done.index, done.indexBefore)] },
          ],
        },
      }
    default:
      return null
  }
}

function base(done: Pick<Done, 'schema' | 'index' | 'table'>) {
  return {
    schema: done.schema,
    index: done.index,
    table: done.table,
    hazards: [],
    predictedBytes: null,
    declared: null,
    canonical: null,
    existing: null,
    place: null,
  } as const
}

function changed(done: Done, existing: ExistingIndex): { readonly finding: Finding } | null {
  if (done.canonical === null || sameDefinition(done.canonical, existing.canonical)) return null
  return {
    finding: {
      code: 'CHANGED',
      severity: 'error',
      index: done.index,
      table: `${done.table.schema}.${done.table.name}`,
      message: `${done.index} is no longer what the run left there: it is left alone (${existing.ddl})`,
    },
  }
}

/** The index of a partitioned table cannot be dropped concurrently: that is left to somebody who may lock the table. */
function notDropped(existing: ExistingIndex): { readonly finding: Finding } | null {
  if (!existing.partitioned) return null
  return {
    finding: {
      code: 'DROP_REFUSED',
      severity: 'error',
      index: existing.name,
      table: `${existing.table.schema}.${existing.table.name}`,
      message: `${existing.name} was built by the run that is undone, but ${lockingDrop(existing)}: it stays`,
      hint: `drop it when the table may be locked: ${dropPartitionedSql(existing)}`,
    },
  }
}

function putBack(done: Done, ddl: string): Step['statements'] {
  const { schema, index, table, kept } = done
  const fresh = newNameFor(index)
  const old = oldNameFor(index)
  return [
    buildAgain(ddl, fresh, kept?.tablespace ?? null),
    {
      kind: 'swap',
      index,
      sql: [
        renameIndexSql(schema, index, old),
        renameIndexSql(schema, fresh, index),
        ...restoreSql(kept, schema, index, table),
      ],
    },
    { kind: 'drop', index: old, sql: [dropIndexSql(schema, old)] },
  ]
}

function restoreStatements({ schema, index, table, kept }: Done): Step['statements'] {
  const sql = restoreSql(kept, schema, index, table)
  return sql.length === 0 ? [] : [{ kind: 'swap', index, sql }]
}
