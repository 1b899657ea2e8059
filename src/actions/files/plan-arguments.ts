import type { PlanSource } from '../../commands/explain/plan-files.js'
import type { Named } from '../../profile/files/files.js'
import { pathFrom } from '../../profile/files/text-file.js'
import type { Invocation } from '../../settings/invocation.js'

/** Files of query plans among those that are named, and the others. */
export interface PlanArguments {
  readonly plans: readonly PlanSource[]
  readonly others: readonly Named[]
  /** What `-` stands for among the others. */
  readonly stdin: () => Promise<string>
}

/** Looks at the head of each file, and of stdin for `-`. */
export async function planArguments(args: readonly Named[], { cwd, streams }: Invocation): Promise<PlanArguments> {
  const { holdsPlans, linesOf, peek } = await import('../../commands/explain/plan-sources.js')
  const stdin = args.includes('-') ? await peek(streams.stdin) : null
  const plans: PlanSource[] = []
  const others: Named[] = []
  for (const named of args) {
    if (named === '-' && stdin?.plans === true) plans.push({ name: 'stdin', lines: stdin.lines })
    else if (typeof named === 'string' && named !== '-' && (await holdsPlans(pathFrom(cwd, named))))
      plans.push({ name: named, lines: () => linesOf(named, cwd) })
    else others.push(named)
  }
  return { plans, others, stdin: async () => (await stdin?.text()) ?? '' }
}
