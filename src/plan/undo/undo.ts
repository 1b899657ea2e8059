import { renameStatement } from '../plan.js'
import { dropStep } from '../match/drops.js'
import { isTemporaryName } from '../match/names.js'
import { sameDefinition } from '../match/same.js'
import { undoDrop } from './undo-drop.js'
import { undoReplace } from './undo-replace.js'
import { found, leave, notDropped, undoBase, usable, type Done, type Now, type Undo } from './undo-parts.js'

/**
 * Undoes one step of a run: what it built is dropped, what it dropped is built again, what it renamed gets its name back.
 * An index is told by its oid and definition, or by name and definition. One that is not what the run left there belongs to somebody else by now
 * and is left alone. What a rollback that was cut short has left is finished.
 */
export function undo(done: Done, now: Now): Undo {
  switch (done.outcome) {
    case 'built':
    case 'rebuilt':
      return undoBuild(done, now)
    case 'dropped':
      // The other half of a replace that an earlier run had begun: nobody wants that back under this name.
      return isTemporaryName(done.index) ? nothing : undoDrop(done, now)
    case 'replaced':
      return undoReplace(done, now)
    case 'renamed':
      return undoRename(done, now)
    default:
      return nothing
  }
}

const nothing: Undo = { ended: { outcome: 'undone', undone: true, finding: null } }

function undoBuild(done: Done, now: Now): Undo {
  const existing = found(done, now)
  if (existing === undefined) {
    const other = now.named(done.index)
    if (other === undefined || !done.finished) return gone
    return leave(
      'refused',
      'CHANGED',
      done,
      `is no longer what the run left there: it is left alone (${other.indexdef})`,
    )
  }
  // Cut short in the rebuild of an index that was not valid: it is not valid still.
  if (!done.finished && done.outcome === 'rebuilt' && !usable(existing)) return nothing
  // Valid although the run does not know of it: somebody else's.
  if (!done.finished && usable(existing)) return nothing
  const refusal = notDropped(done, existing, now)
  if (refusal !== null) return refusal
  const renamed = existing.name === done.index ? '' : `, renamed to ${existing.name} since`
  return { step: dropStep(existing, `built by the run that is undone${renamed}`, null) }
}

const gone: Undo = { ended: { outcome: 'already_gone', undone: true, finding: null } }

function undoRename(done: Done, now: Now): Undo {
  const { schema, index, indexBefore: before } = done
  if (before === null) return nothing
  if (!done.finished && now.named(before) !== undefined) return nothing
  const existing = found(done, now)
  if (existing === undefined) {
    const other = now.named(index)
    const old = now.named(before)
    if (old !== undefined && (done.canonical === null || sameDefinition(done.canonical, old.canonical))) return nothing
    if (!done.finished) return nothing
    if (other === undefined)
      return leave('already_gone', 'CHANGED', done, `, which was ${before} before, is not there any more`)
    return leave(
      'refused',
      'CHANGED',
      done,
      `is no longer what the run left there: it is left alone (${other.indexdef})`,
    )
  }
  if (existing.name === before) return nothing
  if (existing.name !== index)
    return leave(
      'refused',
      'CHANGED',
      done,
      `was ${before} before, and is called ${existing.name} by now: it keeps that name`,
    )
  if (now.named(before) !== undefined || now.taken(before))
    return leave(
      'name_taken',
      'NAME_TAKEN',
      done,
      `was ${before} before, which is another ${now.taken(before) ? 'relation' : 'index'} by now: it stays`,
    )
  return {
    step: {
      ...undoBase({ ...done, index: before }),
      step: 'adopt',
      existing,
      reason: 'renamed by the run that is undone',
      statements: [renameStatement(schema, [[index, before]], before)],
    },
  }
}
