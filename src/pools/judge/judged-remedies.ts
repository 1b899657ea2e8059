import { PerfdbError } from '../../errors.js'
import type { Live } from '../server/sessions.js'
import type { Deployment, PoolFinding, Remedy } from '../sums/model.js'
import { withChanges } from '../what-if/what-if.js'
import { judgeWithoutRemedies } from './judge.js'
import { hintOf } from './named-remedies.js'
import { isBetter, troublesOf } from './troubles.js'

/** In a deployment of many services and tenants a whole judgement takes its time: the first findings have their remedies judged. */
const judgedOfLarge = 4

/**
 * Turns remedies of findings into hints: those with which, all else as it is, nothing gets worse and something better. A remedy that breaks
 * another limit, or was not judged, is not named.
 */
export function remedyJudge(
  deployment: Deployment,
  lives: ReadonlyMap<string, Live>,
): (finding: PoolFinding) => PoolFinding {
  const size = deployment.services.length * deployment.servers.length + deployment.tenants.length / 10
  let left = size > 100 ? judgedOfLarge : Infinity
  const known = new Map<string, boolean>()
  let before: ReturnType<typeof troublesOf> | undefined
  const holds = ({ change }: Remedy): boolean => {
    const told = known.get(change)
    if (told !== undefined) return told
    if (left <= 0) return false
    left -= 1
    before ??= troublesOf(deployment, lives, judgeWithoutRemedies)
    const changed = changedBy(deployment, change)
    const better = changed !== null && isBetter(before, troublesOf(changed, lives, judgeWithoutRemedies))
    known.set(change, better)
    return better
  }
  return (finding) => {
    if (finding.remedies === undefined) return finding
    const { remedies, hint: _notJudged, ...rest } = finding
    const held = remedies.filter(holds)
    return held.length === 0 ? rest : { ...rest, hint: hintOf(held) }
  }
}

/** null for a value that its key does not take, such as no connections at all. */
function changedBy(deployment: Deployment, change: string): Deployment | null {
  try {
    return withChanges(deployment, [change])
  } catch (error) {
    if (error instanceof PerfdbError) return null
    throw error
  }
}
