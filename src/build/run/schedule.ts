import type { TableName } from '../../definition/definition.js'
import type { Step } from '../../plan/plan.js'

/** Work in stages: the lanes of a stage may run side by side, the steps of a lane one after another. */
export type Stage = readonly (readonly Step[])[]

/**
 * Which steps may run side by side. On one table never: two concurrent builds there deadlock (fault 20). Builds of plain
 * columns on several tables do not wait for each other; a partial or expression build holds a snapshot that every other build
 * waits for at its end (fault 16), so those come last and alone. The biggest tables first, so that no worker ends
 * up with the longest build when the others are done. Steps keep their order within a table.
 */
export function schedule(steps: readonly Step[], bytesOf: (table: TableName) => number): readonly Stage[] {
  const runsFirst = steps.filter(rejectsWrites)
  const plain = steps.filter((step) => !rejectsWrites(step) && plainBuild(step))
  const rest = steps.filter((step) => !rejectsWrites(step) && !plainBuild(step))
  const lanes = new Map<string, Step[]>()
  for (const step of plain) {
    const key = JSON.stringify([step.table.schema, step.table.name])
    lanes.set(key, [...(lanes.get(key) ?? []), step])
  }
  const sizeOf = (lane: readonly Step[]) => (lane[0] === undefined ? 0 : bytesOf(lane[0].table) * lane.length)
  const bySize = [...lanes.values()].toSorted((a, b) => sizeOf(b) - sizeOf(a))
  return [[runsFirst], bySize, [rest]]
    .map((stage) => stage.filter((lane) => lane.length > 0))
    .filter((stage) => stage.length > 0)
}

/** A leftover that is unique and ready still enforces: it rejects the application's writes until it is gone (fault 8). */
function rejectsWrites({ step, existing }: Step): boolean {
  return step === 'rebuild' && existing !== null && existing.unique && existing.ready
}

function plainBuild({ step, declared }: Step): boolean {
  if (step !== 'create' && step !== 'rebuild') return false
  return (
    declared !== null && declared.predicate === undefined && declared.keys.every((key) => key.expression === undefined)
  )
}
