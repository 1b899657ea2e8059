import { restoreStatements } from '../plan.js'
import type { ExistingIndex } from '../../catalog/snapshot.js'
import type { Definition } from '../../definition/definition.js'
import { missingOf, restoreSql } from '../index-attributes.js'
import { partitionedWork } from '../partitioned/partitioned-work.js'
import {
  buildAgain,
  dropExisting,
  givenBackTo,
  isBefore,
  leave,
  undoBase,
  usable,
  type Done,
  type Now,
  type Undo,
} from './undo-parts.js'

/** Builds again what the run dropped, or gives it back what an undo that was cut short did not come to. */
export function undoDrop(done: Done, now: Now): Undo {
  const { index, before, table } = done
  if (before === null) return { ended: { outcome: 'undone', undone: true, finding: null } }
  if (!now.tableThere)
    return leave(
      'refused',
      'CHANGED',
      done,
      `was dropped by the run that is undone, and there is no table ${table.schema}.${table.name} any more`,
    )
  const existing = now.named(index)
  if (now.taken(index) || (existing !== undefined && !isBefore(done, existing)))
    return leave(
      'name_taken',
      'NAME_TAKEN',
      done,
      'was dropped by the run that is undone, and its name belongs to another relation by now',
    )
  const step = { ...undoBase(done), step: 'create', reason: 'dropped by the run that is undone' } as const
  if (existing !== undefined && usable(existing)) return givenBack(done, now, existing)
  const { kept, build, partitioned } = before
  if (partitioned !== null)
    return { step: { ...step, ...treeAgain(done, now, partitioned), existing: existing ?? null } }
  return {
    step: {
      ...step,
      existing: existing ?? null,
      // What stands there is of a rollback that was killed in its build.
      statements: [
        ...(existing === undefined ? [] : [dropExisting(existing)]),
        buildAgain(build, done, index),
        ...givenBackTo(done, missingOf(kept, null, now.marks, existing?.oid ?? null)),
      ],
    },
  }
}

/** The index of a partitioned table, partition by partition; what stands there is gone on with. */
function treeAgain({ index, table, before, canonical }: Done, { tree, marks }: Now, declared: Definition) {
  const meant = before?.canonical ?? canonical
  const describe = restoreSql(missingOf(before?.kept ?? null, null, marks, null), table.schema, index, table)
  const work = tree === null || meant === null ? [] : partitionedWork(declared, meant, tree, index, 'pg_catalog')
  return {
    declared,
    partitioned: true,
    describe,
    namesFrom: 'pg_catalog',
    statements: [...work.flatMap(({ statement }) => statement ?? []), ...restoreStatements(describe, table, index)],
  } as const
}

/** It is there again: what belonged to it is compared, and given back until it is there too. */
export function givenBack(done: Done, now: Now, existing: ExistingIndex): Undo {
  const missing = missingOf(done.before?.kept ?? null, existing, now.marks, null)
  const statements = givenBackTo(done, missing)
  if (statements.length === 0) return { ended: { outcome: 'undone', undone: true, finding: null } }
  const reason = 'is there again, without all that belonged to it'
  return { step: { ...undoBase(done), step: 'create', existing, reason, statements } }
}
