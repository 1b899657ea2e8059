import type { Snapshot } from '../../catalog/snapshot.js'
import { partitionTree } from './lookup.js'
import { groupsOf, rememberPerObject } from './grouping.js'
import { nameKey } from './overlap.js'
import type { Step, StepName } from '../plan.js'

/**
 * The steps, each drop with the builds of this run that must have succeeded before it: all that are on its table, or on a partitioned
 * table that it is a partition of. What is to be dropped may be what they replace, and nobody says so: a table is never left without both.
 */
export function withNeeds(steps: readonly Step[], snapshot: Pick<Snapshot, 'partitionTrees'>): readonly Step[] {
  const built = groupsOf(
    steps
      .filter(({ step }) => builds.has(step))
      .flatMap(({ schema, index, table }) => {
        const tree = partitionTree(snapshot, table)
        const tables = new Set([nameKey(table), ...(tree?.partitions ?? []).map(nameKey)])
        return [...tables].map((key): [string, StepName] => [key, { schema, index }])
      }),
  )
  const impossible = new Set(steps.filter(isImpossible).map(stepKey))
  const neverMade = rememberPerObject((needs: readonly StepName[]) =>
    needs.filter((need) => impossible.has(stepKey(need))),
  )
  return steps.map((step) => {
    // What REINDEX left serves no query: it replaces nothing, and nothing replaces it.
    const droppable = step.step === 'drop' && step.leftoverOf === undefined
    const needs = droppable ? built.get(nameKey(step.table)) : undefined
    if (needs === undefined) return step
    const never = neverMade(needs)
    return never.length === 0 ? { ...step, needs } : keptFor(never, { ...step, needs })
  })
}

/** It would wait in vain: what may be meant to replace it cannot be made, whatever is allowed. */
function keptFor(never: readonly StepName[], step: Step): Step {
  const message = `${step.index} is kept: ${listed(never.map(({ index }) => `${index} is not replaced`))}`
  return { ...step, statements: [], hazards: [{ code: 'DROP', message, refused: true }] }
}

const builds: ReadonlySet<Step['step']> = new Set(['create', 'rebuild', 'reindex', 'building', 'replace'])

/** A step that no --allow makes possible: its hazard says why. */
export function isImpossible({ hazards }: Pick<Step, 'hazards'>): boolean {
  return hazards.some(({ refused }) => refused === true)
}

/** One text for an index of the plan. */
export function stepKey({ schema, index }: StepName): string {
  return nameKey({ schema, name: index })
}

/** The first three, and how many more: many steps may say it of the same many. */
export function listed(texts: readonly string[]): string {
  return texts.length <= 3 ? texts.join(', ') : `${texts.slice(0, 3).join(', ')} and ${texts.length - 3} more`
}
