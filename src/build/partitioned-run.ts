import { setTimeout as sleep } from 'node:timers/promises'
import type { Definition } from '../definition/definition.js'
import { PerfdbError } from '../errors.js'
import type { PartitionWork } from '../plan/partitioned-work.js'
import type { Statement, Step } from '../plan/plan.js'
import type { BuildContext } from './context.js'
import { otherBuildsGone, runBuild } from './run-build.js'
import { runDrop } from './run-step.js'
import { repairIndex } from './partitioned-repair.js'
import { runShortly } from './partitioned-short.js'
import { interrupted } from './statement.js'

export interface Numbered {
  readonly work: PartitionWork
  readonly number: number
  readonly of: number
}

/** One statement of a partitioned index; returns the time that it waited for other transactions, in ms. Throws as runBuild does. */
export async function runPartitionWork(context: BuildContext, step: Step, { work, number, of }: Numbered): Promise<number> {
  const phase = `${number} of ${of}: ${words[work.kind]} ${work.table.schema}.${work.table.name}`
  context.listener({
    type: 'step-progress',
    index: step.index,
    phase,
    percent: (100 * (number - 1)) / of,
    etaMs: null,
    elapsedMs: 0,
    blocker: null,
  })
  const { statement } = work
  const part = partOf(step, work)
  if (statement === null) return otherBuildGone(context, part)
  switch (work.kind) {
    case 'only':
    case 'attach':
      return runShortly(context, statement, step.schema)
    case 'build':
      return (await runBuild(context, part, statement)).waitedMs
    case 'drop':
      return runDrop(context, part, statement)
    case 'repair':
      return repairIndex(context, part, statement)
    case 'wait':
      return 0
  }
}

const words = {
  only: 'index of the partitioned table',
  attach: 'attaching the index of',
  build: 'building on',
  drop: 'dropping a leftover on',
  repair: 'repairing the index of',
  wait: 'another session builds on',
} as const
