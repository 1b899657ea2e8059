import { budgets, type Budget } from './budget.js'
import { judgeService } from './judge-service.js'
import type { Live } from '../server/sessions.js'
import type { Deployment, PoolFinding } from '../sums/model.js'

/** How bad each trouble of a deployment is, by what it is about: 1 warns, 2 fails. */
export type Troubles = ReadonlyMap<string, number>

/** Judges one server without remedies; given by judge.ts, which needs remedies itself. */
export type JudgeServer = (budget: Budget, deployment: Deployment) => readonly PoolFinding[]

/** Everything that a deployment is warned or fails for. */
export function troublesOf(
  deployment: Deployment,
  lives: ReadonlyMap<string, Live>,
  judgeServer: JudgeServer,
): Troubles {
  const findings = [
    ...budgets(deployment, lives).flatMap((budget) => judgeServer(budget, deployment)),
    ...deployment.services.flatMap((service) => judgeService(service, deployment.tenants)),
  ]
  const troubles = new Map<string, number>()
  for (const { code, server = '', service = '', severity } of findings) {
    if (severity === 'info') continue
    const family = families[code]
    const key = JSON.stringify(family === 'slots' ? [family, server] : [family ?? code, server, service])
    troubles.set(key, Math.max(troubles.get(key) ?? 0, severity === 'error' ? 2 : 1))
  }
  return troubles
}

/** Degrees of one trouble: POOL_OVER that becomes POOL_NEAR is better, not another one. */
const families: Readonly<Record<string, string>> = {
  POOL_OVER: 'slots',
  POOL_SURGE: 'slots',
  POOL_NEAR: 'slots',
  QUEUE_UNSTABLE: 'queue',
  QUEUE_WAIT: 'queue',
}

/** Nothing is worse than before. */
export function isNoWorse(before: Troubles, after: Troubles): boolean {
  return [...after].every(([key, degree]) => degree <= (before.get(key) ?? 0))
}

/** Nothing is worse, and something is better. */
export function isBetter(before: Troubles, after: Troubles): boolean {
  return isNoWorse(before, after) && [...before].some(([key, degree]) => (after.get(key) ?? 0) < degree)
}
