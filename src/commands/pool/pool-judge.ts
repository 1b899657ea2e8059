import { withMeasuredLoad } from '../../pools/server/attribute-load.js'
import { budgets, type Budget } from '../../pools/judge/budget.js'
import { judgeReplicas, oneConsole } from '../../pools/server/console-replicas.js'
import { asConsoleSays } from '../../pools/server/console.js'
import { groupBy, targetsOf, allDemands } from '../../pools/sums/demand.js'
import { judgeConsole } from '../../pools/judge/judge-console.js'
import { judge, judgeWithoutRemedies, verdictOf } from '../../pools/judge/judge.js'
import { judgeFailover, judgeReplica } from '../../pools/judge/judge-replica.js'
import { judgeService } from '../../pools/judge/judge-service.js'
import type { Deployment, PoolFinding, Verdict } from '../../pools/sums/model.js'
import type { Pooler } from '../../pools/sums/pooler-model.js'
import { clientsOf } from '../../pools/sums/pooler.js'
import { mergeSameServers } from '../../pools/judge/same-server.js'
import { remedyJudge } from '../../pools/judge/judged-remedies.js'
import { withChanges } from '../../pools/what-if/what-if.js'
import { changedKeys, type Changed } from '../../pools/what-if/what-if-values.js'
import type { ConsoleLook, ServerLook } from './pool-look.js'

/** Everything that was asked and answered. */
export interface Looked {
  readonly looks: readonly ServerLook[]
  readonly consoles: readonly ConsoleLook[]
}

export interface JudgedServer {
  readonly budget: Budget
  readonly findings: readonly PoolFinding[]
  readonly verdict: Verdict
}

export interface Judgement {
  /** As it was judged: poolers as their consoles say, servers of one identity as one, changes made. */
  readonly deployment: Deployment
  readonly servers: readonly JudgedServer[]
  readonly findings: readonly PoolFinding[]
  readonly verdict: Verdict
  /** What the changes changed, keys that follow another included. */
  readonly changed: readonly Changed[]
}

/** Budgets, findings and verdicts of a deployment with what the servers said, after changes such as `api.instances=6`. Throws BAD_OPTION. */
export function judgeEstate(
  written: Deployment,
  { looks, consoles }: Looked,
  changes: readonly string[] = [],
): Judgement {
  const lives = new Map(looks.flatMap(({ server, live }) => (live === null ? [] : [[server.name, live] as const])))
  const told = {
    ...written,
    poolers: written.poolers.map((pooler) => {
      const live = oneConsole(consoles.find((one) => one.pooler === pooler.name)?.lives ?? [])
      return live === null ? pooler : asConsoleSays(pooler, live, askedFor(pooler, written))
    }),
  }
  const same = mergeSameServers(told, lives)
  const changed = withChanges(same.deployment, changes)
  const { deployment, findings: unknownLoads } = withMeasuredLoad(changed, lives)
  const withHint = remedyJudge(deployment, lives)
  const own = deployment.services.flatMap((service) => judgeService(service, deployment.tenants)).map(withHint)
  const all = budgets(deployment, lives)
  const advised = new Set(all.toSorted((one, other) => headroom(one) - headroom(other)).slice(0, advisedServers))
  const servers = all.map((budget) =>
    judgeOne(budget, deployment, {
      own: [...own, ...judgeReplica(budget, all), ...judgeFailover(budget, all)],
      looks,
      judgeServer: advised.has(budget) ? judge : judgeWithoutRemedies,
      withHint,
    }),
  )
  const named = new Set(deployment.servers.map((server) => server.name))
  const others = [
    ...same.findings,
    ...consoles.flatMap(({ pooler, lives: answers, findings }) => {
      const declared = written.poolers.find((one) => one.name === pooler)
      const live = oneConsole(answers)
      if (live === null || declared === undefined) return findings
      return [...findings, ...judgeConsole(declared, live), ...judgeReplicas(declared, answers)]
    }),
    ...unknownLoads,
    ...own.filter((one) => !named.has(one.server ?? '')),
  ]
  return {
    deployment,
    servers,
    changed: changes.length === 0 ? [] : changedKeys(same.deployment, changed),
    findings: [...servers.flatMap((one) => one.findings), ...others],
    verdict: worst([
      ...servers.map((one) => one.verdict),
      ...[...own, ...others].map(({ severity }) => verdictBySeverity[severity]),
      ...consoles.map(({ lives: answers, findings }) =>
        answers.length === 0 && findings.length > 0 ? 'UNKNOWN' : 'OK',
      ),
    ]),
  }
}

/** Databases that services ask a pooler for, when the file does not list what it has. */
function askedFor(pooler: Pooler, written: Deployment): Parameters<typeof asConsoleSays>[2] {
  if (pooler.aliases.length > 0) return []
  const asked = clientsOf(pooler, allDemands(written)).flatMap((row) =>
    targetsOf(row).flatMap(({ database }) =>
      database === null || row.server === null ? [] : [{ server: row.server, database }],
    ),
  )
  return [...groupBy(asked, (one) => one.database).values()].map(([first]) => first).filter((one) => one !== undefined)
}

/** Remedies are judged whole, which takes its time: of many servers the worst have them. */
const advisedServers = 5

function headroom({ capacity, total }: Budget): number {
  return capacity - total.peak
}

interface Judging {
  readonly own: readonly PoolFinding[]
  readonly looks: readonly ServerLook[]
  readonly judgeServer: typeof judge
  readonly withHint: (finding: PoolFinding) => PoolFinding
}

function judgeOne(
  budget: Budget,
  deployment: Deployment,
  { own, looks, judgeServer, withHint }: Judging,
): JudgedServer {
  const at = looks.find(({ server }) => server.name === budget.server.name)
  const findings = [
    ...(at?.findings ?? []),
    ...judgeServer(budget, deployment).map(withHint),
    ...own.filter((one) => one.server === budget.server.name),
  ]
  const verdict = verdictOf(budget, findings)
  return { budget, findings, verdict: at?.state === 'unreached' && verdict !== 'FAIL' ? 'UNKNOWN' : verdict }
}

const verdictBySeverity = { error: 'FAIL', warning: 'WARN', info: 'OK' } as const

/** FAIL before UNKNOWN before WARN. */
export function worst(verdicts: readonly Verdict[]): Verdict {
  const order: readonly Verdict[] = ['FAIL', 'UNKNOWN', 'WARN']
  return order.find((verdict) => verdicts.includes(verdict)) ?? 'OK'
}
