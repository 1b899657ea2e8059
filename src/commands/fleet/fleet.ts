import { setTimeout as sleep } from 'node:timers/promises'
import type { Listener } from '../../build/events.js'
import { PerfdbError } from '../../errors.js'
import { fleetExitCode, type SignalName } from '../../result/exit-code.js'
import type { FleetCommand, FleetResult, TenantResult, TenantWave } from '../../result/documents/fleet-result.js'
import { tenantOutcomes } from '../../result/documents/fleet-result.js'
import type { ResultFinding } from '../../result/documents/result.js'
import type { SingleResult } from '../../result/results.js'
import { headOf, timesOf } from '../../result/head.js'
import { several } from '../../text/amounts.js'
import { folded, foldedError, likeness, notReached, type Folded } from './fold.js'
import { joinGroup, sortedGroups, type Groups } from './groups.js'
import { runScheduled } from './schedule.js'

/** A database, or a schema of one, that a command is run for. */
export interface FleetTenant {
  readonly id: string
  readonly labels: Readonly<Record<string, string>>
  /** host:port: what limits by server go by. */
  readonly server: string
  /** Of a tenant that is a schema. */
  readonly schema: string | null
  /** Of those with one key one is worked on at a time. */
  readonly exclusive?: string | undefined
}

export interface FleetOptions {
  readonly command: FleetCommand
  /** Tenants at once. */
  readonly total: number
  readonly perServer: (server: string) => number
  /** Tenants that are not in order, after which no more is begun; null is any number. */
  readonly stopAfter: number | null
  /** Between two waves. */
  readonly pauseMs: number
  readonly signal: AbortSignal
  readonly signalName: () => SignalName | undefined
  readonly listener: Listener
  /** What the list itself has to tell. */
  readonly findings: readonly ResultFinding[]
  /** Its name in the ledgers of the tenants. */
  readonly fleetRun?: string
}

/** After so many tenants of a server in a row that it did not answer, its others are not tried: each would take a timeout. */
const givenUpAfter = 3

/**
 * A command for every tenant, wave by wave. What goes wrong with one is its outcome and stops no other; a wave of which one failed, was refused or
 * got slower is the last, and a signal ends all that runs. Of each document only what the report needs is kept. Throws nothing.
 */
export async function runFleet<T extends FleetTenant>(
  waves: readonly (readonly T[])[],
  options: FleetOptions,
  run: (tenant: T, wave: number) => Promise<SingleResult>,
): Promise<FleetResult> {
  const startedAt = new Date()
  const all = waves.flat()
  const state: State = { results: new Map(), groups: new Map(), silent: new Map(), bad: 0 }
  const told: TenantWave[] = []
  let stopped: string | undefined
  for (const [at, wave] of waves.entries()) {
    const number = at + 1
    if (stopped === undefined && at > 0 && options.pauseMs > 0)
      await sleep(options.pauseMs, undefined, { signal: options.signal }).catch(() => undefined)
    const enough = () => options.stopAfter !== null && state.bad >= options.stopAfter
    const badBefore = state.bad
    const halted = () => stopped !== undefined || options.signal.aborted || enough()
    const left = await runScheduled(
      wave,
      keysOf,
      { total: options.total, of: (key) => (key.startsWith('server ') ? options.perServer(key.slice(7)) : 1) },
      async (tenant) => oneTenant(tenant, number, all.length, options, state, run),
      halted,
    )
    const reason = stopped ?? (options.signal.aborted ? 'ended by a signal' : 'too many tenants are not in order')
    for (const tenant of left) keep(state, tenant, number, notReached(reason), 0)
    const gate = waves.length === 1 ? undefined : gateOf(wave, state)
    if (stopped === undefined && at + 1 < waves.length)
      stopped = options.signal.aborted
        ? 'ended by a signal'
        : enough()
          ? `${several(state.bad, 'tenant')} not in order`
          : gate
    told.push({
      number,
      tenants: wave.length,
      begun: wave.length - left.length,
      not_in_order: state.bad - badBefore,
      ...(stopped !== undefined && left.length < wave.length && at + 1 < waves.length && { stopped }),
    })
  }
  return document(all, told, state, options, startedAt)
}

interface State {
  readonly results: Map<string, TenantResult>
  readonly groups: Groups
  /** Tenants in a row that a server did not answer, and its last error. */
  readonly silent: Map<string, { readonly times: number; readonly error: PerfdbError }>
  bad: number
}

function keysOf({ server, exclusive }: FleetTenant): readonly [string, ...string[]] {
  return [`server ${server}`, ...(exclusive === undefined ? [] : [`one ${exclusive}`])]
}

async function oneTenant<T extends FleetTenant>(
  tenant: T,
  wave: number,
  of: number,
  { listener, signalName }: FleetOptions,
  state: State,
  run: (tenant: T, wave: number) => Promise<SingleResult>,
): Promise<void> {
  const started = performance.now()
  const found = await looked(tenant, wave, state, run)
  const signal = signalName()
  const outcome = found.outcome === 'interrupted' ? { ...found, exit_code: fleetExitCode([], signal) } : found
  const durationMs = Math.round(performance.now() - started)
  keep(state, tenant, wave, outcome, durationMs)
  if (isBad(outcome)) state.bad += 1
  listener({
    type: 'tenant-done',
    tenant: tenant.id,
    outcome: outcome.outcome,
    durationMs,
    number: state.results.size,
    of,
    message: outcome.reason,
  })
}

async function looked<T extends FleetTenant>(
  tenant: T,
  wave: number,
  { silent }: State,
  run: (tenant: T, wave: number) => Promise<SingleResult>,
): Promise<Folded> {
  const before = silent.get(tenant.server)
  if (before !== undefined && before.times >= givenUpAfter)
    return foldedError(
      new PerfdbError(
        before.error.code,
        `not tried: ${tenant.server} did not answer ${givenUpAfter} tenants in a row`,
        {
          detail: before.error.message,
        },
      ),
    )
  try {
    const result = await run(tenant, wave)
    silent.delete(tenant.server)
    return folded(result)
  } catch (cause) {
    const error =
      cause instanceof PerfdbError
        ? cause
        : new PerfdbError('INTERNAL', cause instanceof Error ? cause.message : String(cause), { cause })
    if (error.code === 'CONNECTION_REFUSED')
      silent.set(tenant.server, { times: (silent.get(tenant.server)?.times ?? 0) + 1, error })
    else silent.delete(tenant.server)
    return foldedError(error)
  }
}

function keep(state: State, tenant: FleetTenant, wave: number, one: Folded, durationMs: number): void {
  const { number, steps, findings } = joinGroup(state.groups, likeness(one, tenant.schema), one)
  state.results.set(tenant.id, {
    id: tenant.id,
    labels: tenant.labels,
    server: tenant.server,
    outcome: one.outcome,
    exit_code: one.exit_code,
    group: number,
    wave,
    ...(one.run !== undefined && { run: one.run }),
    ...(steps.length > 0 && { steps }),
    ...(findings.length > 0 && { findings }),
    ...(one.verdicts !== undefined && { verdicts: one.verdicts }),
    ...(one.error !== undefined && { error: one.error }),
    duration_ms: durationMs,
  })
}

function isBad({ outcome, exit_code: code }: Pick<Folded, 'outcome' | 'exit_code'>): boolean {
  return code !== 0 && outcome !== 'interrupted'
}

/** Why the wave after this one must not begin; undefined when it may. A tenant that was not reached says nothing of the change. */
function gateOf(wave: readonly FleetTenant[], { results }: State): string | undefined {
  const done = wave.flatMap(({ id }) => results.get(id) ?? [])
  const failed = done.filter(({ exit_code: code }) => code === 1 || code === 3)
  const [first] = failed
  if (first !== undefined)
    return `${several(failed.length, 'tenant')} of this wave failed or said no: ${first.id}${failed.length > 1 ? ' ...' : ''}`
  const slower = done.flatMap(({ id, verdicts = [] }) =>
    verdicts.flatMap(({ query, verdict }) => (verdict === 'slower' ? [`${query} of ${id}`] : [])),
  )
  if (slower[0] !== undefined) return `${slower[0]} got slower`
  return done.some(({ exit_code: code }) => code === 0) ? undefined : 'no tenant of this wave could be looked at'
}

function document(
  all: readonly FleetTenant[],
  waves: TenantWave[],
  state: State,
  { command, signalName, findings, fleetRun }: FleetOptions,
  startedAt: Date,
): FleetResult {
  const { tenants, groups } = sortedGroups(
    state.groups,
    all.flatMap(({ id }) => state.results.get(id) ?? []),
  )
  const slower = waves.some(({ stopped }) => stopped !== undefined) ? 1 : 0
  const code = fleetExitCode([...tenants.map((one) => one.exit_code), slower], signalName())
  const counted = tenantOutcomes.map((outcome) => [outcome, tenants.filter((one) => one.outcome === outcome).length])
  return {
    ...headOf(code),
    command,
    ...timesOf(startedAt),
    ...(fleetRun !== undefined && { fleet_run: fleetRun }),
    tenants,
    groups,
    waves,
    counts: { total: tenants.length, ...Object.fromEntries(counted.filter(([, number]) => number !== 0)) },
    findings: [...findings],
  }
}
