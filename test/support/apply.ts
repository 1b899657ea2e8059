import { inspect } from 'node:util'
import type { RunEvent } from '../../src/build/events.js'
import { runApply, type ApplyOptions } from '../../src/commands/apply/apply.js'
import { runPlanCommand, runVerify } from '../../src/commands/apply/plan.js'
import { runRollback, type RollbackOptions } from '../../src/commands/apply/rollback.js'
import type { ApplyResult, PlanResult, StatusResult, VerifyResult } from '../../src/result/documents/result.js'
import { runStatus } from '../../src/commands/apply/status.js'
import type { HazardCode } from '../../src/codes/hazard-codes.js'
import type { Profile } from '../../src/profile/profile.js'
import { connectTo } from './connect.js'
import type { Connect } from '../../src/server/session/session.js'

export interface Applied {
  readonly result: ApplyResult
  readonly events: readonly RunEvent[]
}

export interface TryOptions extends Partial<Omit<ApplyOptions, 'allow'>> {
  readonly allow?: readonly HazardCode[]
  readonly onEvent?: (event: RunEvent) => void
  /** Another way to connect, such as one that fails at an exact moment. */
  readonly connect?: Connect
}

/** `perfdb apply` as the command line runs it, without measuring and without a ledger unless asked for. */
export async function apply(url: string, profiles: readonly Profile[], options: TryOptions = {}): Promise<Applied> {
  const events: RunEvent[] = []
  const { allow, onEvent, connect = (role) => connectTo(url, role), ...rest } = options
  const outcome = await runApply(connect, profiles, {
    ...defaults,
    ...rest,
    allow: new Set(allow ?? []),
    listener: (event) => {
      events.push(event)
      onEvent?.(event)
    },
  }).then(
    (result) => ({ result, events }),
    (error: unknown) => ({ error, events }),
  )
  // Whatever goes wrong in whatever way: no word of it may hold the password.
  const { password } = new URL(url)
  if (password !== '' && inspect(outcome, { depth: 12, showHidden: true }).includes(password))
    throw new Error('the password is told')
  if ('error' in outcome) throw outcome.error
  return outcome
}

const defaults: ApplyOptions = {
  allow: new Set(),
  prune: false,
  maxWaitMs: 60_000,
  maxSizeBytes: 50 * 1024 ** 3,
  lockWaitMs: 0,
  retries: 2,
  jobs: 1,
  onQueue: 'report',
  onDisconnect: 'cancel',
  window: null,
  maxLagMs: null,
  ledger: false,
  measure: false,
  samples: undefined,
  timeBudgetMs: undefined,
  expectedFingerprint: undefined,
  signal: new AbortController().signal,
  signalName: () => undefined,
  listener: () => undefined,
}

/** `perfdb rollback`, of the last run where none is named. */
export async function rollback(
  url: string,
  run: number | null = null,
  options: Partial<RollbackOptions> & { readonly connect?: Connect } = {},
): Promise<ApplyResult> {
  const { connect = (role) => connectTo(url, role), ...rest } = options
  return runRollback(connect, run, { ...defaults, ledger: true, ...rest })
}

const planOptions = { allow: new Set<HazardCode>(), prune: false, maxWaitMs: 600_000, maxSizeBytes: 50 * 1024 ** 3 }

export async function plan(
  url: string,
  profiles: readonly Profile[],
  connect: Connect = (role) => connectTo(url, role),
): Promise<PlanResult> {
  await using session = await connect('look')
  return await runPlanCommand(session, profiles, { ...planOptions, exitCode: false })
}

export async function verify(url: string, profiles: readonly Profile[]): Promise<VerifyResult> {
  await using session = await connectTo(url, 'look')
  return await runVerify(session, profiles, planOptions)
}

export async function status(url: string): Promise<StatusResult> {
  await using session = await connectTo(url, 'look')
  return await runStatus(session, 20)
}

/** Messages of one kind of event, in their order. */
export function warnings(events: readonly RunEvent[]): readonly string[] {
  return events.flatMap((event) => (event.type === 'warning' ? [event.message] : []))
}

/** `phase: whom it waits for`, of each event that names somebody. */
export function blockersOf(events: readonly RunEvent[]): readonly string[] {
  return events.flatMap((event) =>
    event.type === 'step-progress' && event.blocker !== null ? [`${event.phase}: ${event.blocker}`] : [],
  )
}
