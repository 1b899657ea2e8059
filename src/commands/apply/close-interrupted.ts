import type { Outcome } from '../../result/documents/result.js'
import { readIndex } from '../../catalog/read/read.js'
import type { ExistingIndex } from '../../catalog/snapshot.js'
import { isCanonical } from '../../ledger/ownership.js'
import { recordAsDone, tablesBuiltOn, unfinishedSteps, type UnfinishedStep } from '../../ledger/read/unfinished.js'
import { sameDefinition } from '../../plan/match/same.js'
import type { TableName } from '../../definition/definition.js'
import { givenBack } from './lost-properties.js'
import type { Session } from '../../server/session/session.js'

/**
 * Between the end of a step and its record perfdb can be killed, and what it began the server can finish without it (faults 7,
 * 72): where the catalog shows exactly what such a step was to leave, the ledger says so from now on. Otherwise
 * nobody could roll it back. Gives the tables on which they built something and, as they never ended, did not analyze it (fault 28). To be called under the run lock, for runs that are known to be over.
 */
export async function closeInterruptedRuns(
  ddl: Session,
  session: Session,
  runs: readonly number[],
): Promise<readonly TableName[]> {
  if (runs.length === 0) return []
  for (const step of await unfinishedSteps(session, runs)) {
    const now = await readIndex(session, step.schema, step.name)
    const before = step.indexBefore === null ? undefined : await readIndex(session, step.schema, step.indexBefore)
    const outcome = outcomeOf(step, now, before)
    // What belonged to it before comes first: once the step is done nobody looks any more.
    if ((outcome === 'rebuilt' || outcome === 'built') && !(await givenBack(ddl, session, step, now))) continue
    if (outcome !== null) await recordAsDone(session, step, outcome, now)
  }
  return tablesBuiltOn(session, runs)
}

function outcomeOf(
  step: UnfinishedStep,
  now: ExistingIndex | undefined,
  before: ExistingIndex | undefined,
): Outcome | null {
  if (step.step === 'drop') return now === undefined ? 'dropped' : null
  if (now === undefined || !asMeant(step, now)) return null
  switch (step.step) {
    case 'create':
      return step.ddlBefore === null ? 'built' : null
    case 'rebuild':
      return 'rebuilt'
    case 'replace':
      return 'replaced'
    case 'adopt':
      return before === undefined ? 'renamed' : null
    default:
      return null
  }
}

function asMeant({ table, canonical }: UnfinishedStep, now: ExistingIndex): boolean {
  const usable = now.valid && now.ready && now.live
  const here = now.table.schema === table.schema && now.table.name === table.name
  return usable && here && isCanonical(canonical) && sameDefinition(canonical, now.canonical)
}
