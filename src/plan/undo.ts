import type { CanonicalDefinition, ExistingIndex } from '../catalog/snapshot.js'
import type { TableName } from '../definition/definition.js'
import { dropIndexSql, renameIndexSql } from '../sql/index-ddl.js'
import { dropPartitionedSql } from '../sql/partitions.js'
import { dropRefusal, dropStep } from './drops.js'
import { restoreSql, type Kept } from './kept.js'
import { isPassingName, newNameFor, oldNameFor } from './names.js'
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
 * An index that is not what the run left there belongs to somebody else by now and is left alone. What a rollback that was cut
 * short has left is finished. `now` must know the step's index, its name before, and the two names that a replace passes through.
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
      return undoDrop(done, existing)
    case 'replaced':
      if (existing === undefined || done.ddlBefore === null) return null
      return undoReplace(done, done.ddlBefore, existing, now)
    case 'renamed':
      if (existing === undefined || done.indexBefore === null) return null
      return changed(done, existing) ?? undoRename(done, done.indexBefore, existing, now)
    default:
      return null
  }
}

function undoDrop(done: Done, existing: ExistingIndex | undefined): Undo {
  const { index, ddlBefore, kept } = done
  // The other half of a replace that an earlier run had begun: nobody wants that back under this name.
  if (ddlBefore === null || isPassingName(index)) return null
  if (existing !== undefined && (usable(existing) || existing.ddl !== ddlBefore)) return null
  const again = buildAgain(ddlBefore, index, kept?.tablespace ?? null)
  return {
    step: {
      ...base(done),
      step: 'create',
      existing: existing ?? null,
      reason: 'dropped by the run that is undone',
      // What stands there is of a rollback that was killed in its build.
      statements: [...(existing === undefined ? [] : [dropStatement(existing)]), again, ...restoreStatements(done)],
    },
  }
}

function undoReplace(
  done: Done,
  ddlBefore: string,
  existing: ExistingIndex,
  now: (schema: string, name: string) => ExistingIndex | undefined,
): Undo {
  const own = (name: string) => {
    const index = now(done.schema, name)
    return index?.table.name === existing.table.name ? index : undefined
  }
  const old = own(oldNameFor(done.index))
  const fresh = own(newNameFor(done.index))
  const other = changed(done, existing)
  if (other !== null && existing.ddl === ddlBefore) {
    // An earlier rollback has put it back already; the names were exchanged, and no more.
    const left = old !== undefined && changed(done, old) === null && dropRefusal(old) === null
    return left ? { step: dropStep(old, 'replaced by the run that is undone', null) } : null
  }
  if (other !== null) return other
  const leftovers = [fresh, old].filter((index) => index !== undefined)
  return (
    notDropped(existing) ??
    identityLost(done, existing) ?? {
      step: {
        ...base(done),
        step: 'replace',
        existing,
        reason: 'replaced by the run that is undone',
        statements: [...leftovers.map(dropStatement), ...putBack(done, ddlBefore)],
      },
    }
  )
}

function undoRename(
  done: Done,
  before: string,
  existing: ExistingIndex,
  now: (schema: string, name: string) => ExistingIndex | undefined,
): Undo {
  const { schema, index } = done
  if (now(schema, before) !== undefined)
    return { finding: leftAlone('renamed', existing, `${before} is another index by now`) }
  return {
    step: {
      ...base({ ...done, index: before }),
      step: 'adopt',
      existing,
      reason: 'renamed by the run that is undone',
      statements: [{ kind: 'swap', index: before, sql: [renameIndexSql(schema, index, before)] }],
    },
  }
}

function usable({ valid, ready, live }: ExistingIndex): boolean {
  return valid && ready && live
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

/** What PostgreSQL would refuse to drop, or not concurrently: that is left to somebody who may lock the table, or drops what needs it first. */
function notDropped(existing: ExistingIndex): { readonly finding: Finding } | null {
  const refusal = existing.partitioned ? lockingDrop(existing) : dropRefusal(existing)
  if (refusal === null) return null
  const hint = `drop it when the table may be locked: ${dropPartitionedSql(existing)}`
  return { finding: { ...leftAlone('built', existing, refusal), ...(existing.partitioned ? { hint } : {}) } }
}

/** Dropped without a word by PostgreSQL; updates of a published table fail from then on (fault 33). */
function identityLost({ kept }: Done, existing: ExistingIndex): { readonly finding: Finding } | null {
  if (!existing.replicaIdentity || kept?.replicaIdentity === true) return null
  return { finding: leftAlone('built', existing, 'it is the replica identity of its table by now') }
}

function leftAlone(done: 'built' | 'renamed', { name, table }: ExistingIndex, reason: string): Finding {
  return {
    code: 'DROP_REFUSED',
    severity: 'error',
    index: name,
    table: `${table.schema}.${table.name}`,
    message: `${name} was ${done} by the run that is undone, but ${reason}: it stays`,
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
    dropStatement({ schema, name: old }),
  ]
}

function restoreStatements({ schema, index, table, kept }: Done): Step['statements'] {
  const sql = restoreSql(kept, schema, index, table)
  return sql.length === 0 ? [] : [{ kind: 'swap', index, sql }]
}

function dropStatement({ schema, name }: Pick<ExistingIndex, 'schema' | 'name'>) {
  return { kind: 'drop', index: name, sql: [dropIndexSql(schema, name)] } as const
}
