import type { ExistingIndex } from '../../catalog/snapshot.js'
import type { Definition } from '../../definition/definition.js'
import { dropIndexSql } from '../../sql/ddl/index-ddl.js'
import { dropRefusal } from '../match/drop-refusal.js'
import { renameStatement } from '../plan.js'
import { dropStep } from '../match/drops.js'
import { missingOf, restoreSql } from '../index-attributes.js'
import { newNameFor, oldNameFor } from '../match/names.js'
import { partitionedReplaceStatements } from '../partitioned/partitioned-replace.js'
import { sameDefinition } from '../match/same.js'
import { givenBack } from './undo-drop.js'
import {
  buildAgain,
  dropExisting,
  givenBackTo,
  found,
  isBefore,
  leave,
  notDropped,
  undoBase,
  usable,
  type Before,
  type Done,
  type Now,
  type Undo,
} from './undo-parts.js'

/** Puts back what a replace took away, beside what it left, and drops that last: the name is never missing. */
export function undoReplace(done: Done, now: Now): Undo {
  const { before, index } = done
  if (before === null) return { ended: { outcome: 'undone', undone: true, finding: null } }
  const named = now.named(index)
  const own = (name: string) => {
    const one = now.named(name)
    return one?.table.schema === done.table.schema && one.table.name === done.table.name ? one : undefined
  }
  const existing = found(done, now)
  if (named !== undefined && isBefore(done, named) && named.oid !== existing?.oid)
    return backAlready(done, now, named, own)
  if (existing === undefined) {
    if (!now.tableThere)
      return leave(
        'refused',
        'CHANGED',
        done,
        'was replaced by the run that is undone, and its table is not there any more',
      )
    if (named !== undefined) {
      const text = `is no longer what the run left there: it is left alone (${named.indexdef})`
      const beside = [own(newNameFor(index)), own(oldNameFor(index))].filter((one) => one !== undefined)
      if (beside.length === 0) return leave('refused', 'CHANGED', done, text)
      const names = beside.map(({ name }) => name).join(' and ')
      const hint = `if nobody needs it: ${beside.map(({ schema, name }) => dropIndexSql(schema, name)).join('; ')}`
      return leave('refused', 'CHANGED', done, `${text}, and so is ${names}, of the replace that was cut short`, hint)
    }
    return leave(
      'already_gone',
      'CHANGED',
      done,
      ', which the run replaced, is not there any more: neither is built again',
    )
  }
  const refusal = notDropped(done, existing, now)
  if (refusal !== null) return refusal
  if (before.partitioned !== null) return treePutBack(done, before, now, existing, before.partitioned)
  if (existing.name !== index) return besideRenamed(done, before, now, existing)
  const leftovers = [own(newNameFor(index)), own(oldNameFor(index))].filter((one) => one !== undefined)
  return {
    step: {
      ...undoBase(done),
      step: 'replace',
      existing,
      reason: 'replaced by the run that is undone',
      statements: [...leftovers.map(dropExisting), ...putBack(done, before, now, existing)],
    },
  }
}

/** An earlier rollback, or the run itself when it was cut short before the exchange of names: what is left over is dropped. */
function backAlready(
  done: Done,
  now: Now,
  named: ExistingIndex,
  own: (name: string) => ExistingIndex | undefined,
): Undo {
  const { canonical } = done
  const ours = (one: ExistingIndex | undefined) =>
    one !== undefined && dropRefusal(one) === null && (canonical === null || sameDefinition(canonical, one.canonical))
  const left = [own(oldNameFor(done.index)), own(newNameFor(done.index))].find(ours)
  const back = usable(named) ? givenBack(done, now, named) : null
  if (left === undefined) return back ?? { ended: { outcome: 'undone', undone: true, finding: null } }
  const drop = dropStep(left, 'replaced by the run that is undone', null)
  const missing = back !== null && 'step' in back ? back.step.statements : []
  return { step: { ...drop, hazards: [], statements: [...missing, ...drop.statements] } }
}

/** The old tree is built beside the new one, as a replace does it. */
function treePutBack(
  done: Done,
  { canonical, kept }: Before,
  now: Now,
  existing: ExistingIndex,
  declared: Definition,
): Undo {
  const { schema, index, table } = done
  if (existing.name !== index || canonical === null || now.tree === null)
    return leave('refused', 'CHANGED', done, 'was replaced by the run that is undone, and has another name by now')
  const describe = restoreSql(missingOf(kept, null, now.marks, existing.oid), schema, index, table)
  const indexes = [existing, now.named(newNameFor(index)), now.named(oldNameFor(index))].flatMap((one) => one ?? [])
  return {
    step: {
      ...undoBase(done),
      step: 'replace',
      existing,
      reason: 'replaced by the run that is undone',
      declared,
      partitioned: true,
      describe,
      namesFrom: 'pg_catalog',
      statements: partitionedReplaceStatements(declared, canonical, now.tree, { indexes }, describe),
    },
  }
}

/** Somebody gave it another name: its old one is free. */
function besideRenamed(done: Done, before: Before, now: Now, existing: ExistingIndex): Undo {
  const { index } = done
  if (now.named(index) !== undefined || now.taken(index))
    return leave(
      'name_taken',
      'NAME_TAKEN',
      done,
      `was replaced by the run that is undone, is called ${existing.name} by now, and its name belongs to another relation`,
    )
  return {
    step: {
      ...undoBase(done),
      step: 'create',
      reason: `replaced by the run that is undone, and renamed to ${existing.name} since`,
      statements: [
        buildAgain(before.build, done, index),
        ...givenBackTo(done, missingOf(before.kept, null, now.marks, existing.oid)),
        dropExisting(existing),
      ],
    },
  }
}

function putBack(done: Done, before: Before, now: Now, existing: ExistingIndex) {
  const { schema, index, table } = done
  const fresh = newNameFor(index)
  const old = oldNameFor(index)
  return [
    buildAgain(before.buildBeside, done, fresh),
    renameStatement(
      schema,
      [
        [index, old],
        [fresh, index],
      ],
      index,
      restoreSql(missingOf(before.kept, null, now.marks, existing.oid), schema, index, table),
    ),
    dropExisting({ ...existing, name: old }),
  ]
}
