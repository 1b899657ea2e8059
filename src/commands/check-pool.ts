import { homedir } from 'node:os'
import { PerfdbError } from '../errors.js'
import { budgets, type Budget } from '../pools/budget.js'
import { judge, verdictOf } from '../pools/judge.js'
import { judgeReplica } from '../pools/judge-replica.js'
import { judgeService } from '../pools/judge-service.js'
import { readLive, usualSampling, type Sampling } from '../pools/live.js'
import type { Estate, PoolFinding, PoolsFile, Server, Verdict } from '../pools/model.js'
import { mergeEstates } from '../pools/resolve.js'
import type { Live } from '../pools/sessions.js'
import { resolveUrl } from '../pools/url-environment.js'
import type { Session } from '../server/session.js'
import { exitCode } from './exit-code.js'
import { poolFindingDocument, serverDocument } from './pool-documents.js'
import type { PoolResult } from './pool-result.js'
import { perfdbVersion } from './version.js'

export interface CheckPoolOptions {
  /** Asks no server: the file's limits count. */
  readonly offline: boolean
  /** The verdict from which on the exit code is 1. */
  readonly failOn: 'fail' | 'warn'
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Opens the one session to a server; the usual connection unless given. */
  readonly connectTo?: (url: string) => Promise<Session>
  readonly sampling?: Sampling
}

/**
 * Adds up every pool against what each server leaves, with one connection to each server that has a url. A server that is full is a
 * verdict (FAIL, SERVER_FULL), one that cannot be reached is UNKNOWN. Exit code 0 for OK and WARN, 1 for FAIL (WARN with
 * failOn warn), 2 when nothing failed and something could not be looked at. Throws nothing of a connection.
 */
export async function runCheckPool(files: readonly PoolsFile[], options: CheckPoolOptions): Promise<PoolResult> {
  const estate = mergeEstates(files)
  const looks = await Promise.all(estate.servers.map((server) => look(server, options)))
  const lives = new Map(looks.flatMap(({ server, live }) => (live === null ? [] : [[server.name, live] as const])))
  const own = estate.services.flatMap((service) => judgeService(service, estate.tenants))
  const all = budgets(estate, lives)
  const judged = all.map((budget) => judgeOne(budget, estate, [...own, ...judgeReplica(budget, all)], looks))
  const named = new Set(estate.servers.map((server) => server.name))
  const findings = [
    ...files.flatMap((file) => file.findings),
    ...judged.flatMap((one) => one.findings),
    ...own.filter((one) => !named.has(one.server ?? '')),
  ]
  const verdict = worst([
    ...judged.map((one) => one.verdict),
    ...own.map(({ severity }) => verdictBySeverity[severity]),
  ])
  const code = exitCodeOf(verdict, options.failOn)
  return {
    perfdb: perfdbVersion(),
    ok: code === 0,
    exit_code: code,
    command: 'check-pool',
    files: files.map((file) => file.file),
    offline: options.offline,
    verdict,
    servers: judged.map(({ budget, verdict }) => serverDocument(budget, estate, verdict)),
    findings: findings.map(poolFindingDocument),
  }
}

interface Look {
  readonly server: Server
  readonly live: Live | null
  /** Why there is no look although there should be one. */
  readonly findings: readonly PoolFinding[]
  readonly unreached: boolean
}

async function look(server: Server, options: CheckPoolOptions): Promise<Look> {
  const none = { server, live: null, findings: [], unreached: false }
  if (options.offline || server.url === null) return none
  try {
    const url = resolveUrl(server.url, options.environment, server.place)
    await using session = await (options.connectTo ?? usualConnection(options))(url)
    return { ...none, live: await readLive(session, options.sampling ?? usualSampling) }
  } catch (error) {
    if (!(error instanceof PerfdbError)) throw error
    return {
      ...none,
      findings: [await failureFinding(server, error)],
      unreached: error.code !== 'TOO_MANY_CONNECTIONS',
    }
  }
}

function usualConnection({ environment }: CheckPoolOptions): (url: string) => Promise<Session> {
  return async (url) => {
    const [{ connect }, { resolveTarget }] = await Promise.all([
      import('../server/connect.js'),
      import('../server/target.js'),
    ])
    return connect(await resolveTarget({ url, environment, home: homedir() }), 'look')
  }
}

/** A refused connection for want of a slot is the answer itself: FAIL, with the limit that was hit. */
async function failureFinding(server: Server, error: PerfdbError): Promise<PoolFinding> {
  const about = {
    server: server.name,
    message: `${server.name}: ${error.message}`,
    hint: error.hint,
    place: error.place ?? server.place,
  }
  if (error.code !== 'TOO_MANY_CONNECTIONS') return { ...about, code: 'NOT_REACHED', severity: 'warning' }
  const { exhaustedLimit } = await import('../server/failure.js')
  switch (exhaustedLimit(error)) {
    case 'role':
      return { ...about, code: 'ROLE_LIMIT', severity: 'error' }
    case 'database':
      return { ...about, code: 'DATABASE_LIMIT', severity: 'error' }
    case 'reserved':
    case 'all':
    case null:
      return { ...about, code: 'SERVER_FULL', severity: 'error' }
  }
}

interface Judged {
  readonly budget: Budget
  readonly findings: readonly PoolFinding[]
  readonly verdict: Verdict
}

function judgeOne(budget: Budget, estate: Estate, own: readonly PoolFinding[], looks: readonly Look[]): Judged {
  const at = looks.find(({ server }) => server.name === budget.server.name)
  const findings = [
    ...(at?.findings ?? []),
    ...judge(budget, estate),
    ...own.filter((one) => one.server === budget.server.name),
  ]
  const verdict = verdictOf(budget, findings)
  return { budget, findings, verdict: at?.unreached === true && verdict !== 'FAIL' ? 'UNKNOWN' : verdict }
}

const verdictBySeverity = { error: 'FAIL', warning: 'WARN', info: 'OK' } as const

function worst(verdicts: readonly Verdict[]): Verdict {
  const order: readonly Verdict[] = ['FAIL', 'UNKNOWN', 'WARN']
  return order.find((verdict) => verdicts.includes(verdict)) ?? 'OK'
}

function exitCodeOf(verdict: Verdict, failOn: CheckPoolOptions['failOn']): number {
  switch (verdict) {
    case 'OK':
      return exitCode({})
    case 'WARN':
      return exitCode({ refusals: failOn === 'warn' ? 1 : 0 })
    case 'FAIL':
      return exitCode({ refusals: 1 })
    case 'UNKNOWN':
      return exitCode({ error: { code: 'CONNECTION_REFUSED' } })
  }
}
