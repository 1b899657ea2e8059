import type { BuildContext, StepResult } from '../../build/context.js'
import { runPlan } from '../../build/run/run-plan.js'
import type { TableName } from '../../definition/definition.js'
import type { Connect, Session } from '../../server/session/session.js'
import type { Planned } from '../shared/planned.js'
import { applyDisconnectPolicy, type BuildOptions } from './build-context.js'

interface ParallelOptions extends Pick<BuildOptions, 'onDisconnect'> {
  readonly jobs: number
}

/** More workers only where several tables are built on. */
export async function runParallel(
  connect: Connect,
  context: BuildContext,
  { plan, snapshot }: Planned,
  options: ParallelOptions,
): Promise<readonly StepResult[]> {
  const tables = new Set(plan.steps.filter((step) => step.step !== 'keep').map((step) => JSON.stringify(step.table)))
  const workers = await openWorkers(connect, Math.min(options.jobs, tables.size) - 1, options)
  try {
    const bytesOf = (table: TableName) =>
      snapshot.tables.find((one) => one.schema === table.schema && one.name === table.name)?.sizeBytes ?? 0
    return await runPlan(context, plan, { workers, bytesOf })
  } finally {
    await Promise.all(workers.map((worker) => worker[Symbol.asyncDispose]()))
  }
}

async function openWorkers(connect: Connect, count: number, options: ParallelOptions): Promise<readonly Session[]> {
  const workers: Session[] = []
  try {
    while (workers.length < count) {
      const worker = await connect('ddl')
      workers.push(worker)
      await applyDisconnectPolicy(worker, options)
    }
    return workers
  } catch (error) {
    await Promise.all(workers.map((worker) => worker[Symbol.asyncDispose]()))
    throw error
  }
}
