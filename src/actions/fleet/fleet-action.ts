import { runFleet } from '../../commands/fleet/fleet.js'
import { parseWaves, wavesOf } from '../../commands/fleet/waves.js'
import { PerfdbError } from '../../errors.js'
import type { Options } from '../../options/values.js'
import type { Named } from '../../profile/files/files.js'
import type { FleetCommand, FleetResult } from '../../result/documents/fleet-result.js'
import type { ResultFinding } from '../../result/documents/result.js'
import type { Invocation } from '../../settings/invocation.js'
import { canariesOf } from '../../tenants/select.js'
import { fleetRunName, isUnknownRun, knownSomewhere, nothingToUndo } from './fleet-run.js'
import { openFleet, type Action, type Tenant } from './open-fleet.js'

/**
 * One command for every tenant that the options choose: each runs the very action that the command is for one database, with its own url; with --queue
 * whichever worker takes it runs it. Profiles are read once. Throws what reading the list and the profiles throws, BAD_OPTION, NO_TENANTS, NO_RUN and what
 * opening the queue throws; what goes wrong with a tenant is its outcome.
 */
export async function runFleetAction<File extends Named>(
  command: FleetCommand,
  action: Action<File>,
  invocation: Invocation,
  args: readonly File[],
): Promise<FleetResult> {
  const { options, signals } = invocation
  const findings: ResultFinding[] = []
  const fleet = await openFleet(command, action, invocation, args, findings)
  const { list, tenants } = fleet
  if (tenants.length === 0 && options.shard === undefined)
    throw new PerfdbError('NO_TENANTS', 'the options leave no tenant', { hint: 'see --tenant, --label and --exclude' })
  const isCanary = canariesOf(list.rows, options)
  const waves = wavesOf(tenants, options.waves === undefined ? [] : parseWaves(options.waves), ({ id }) => isCanary(id))
  if (options.canary !== undefined && tenants.length > 0 && !tenants.some(({ id }) => isCanary(id)))
    invocation.listener({ type: 'warning', message: `no canary is in shard ${options.shard ?? ''}: it waits for none` })
  const name = await fleetRunName(command, invocation, args, tenants.length)
  await using queued =
    command === 'apply' && options.queue !== undefined && name !== undefined
      ? await (await import('./coordinate.js')).queuedRun(name, options.queue, fleet, invocation)
      : undefined
  const fleetRun = queued?.name ?? name
  const sessions = sessionsOf(command, options)
  const perServer = options.perServer ?? list.limits.per_server ?? 4
  let unknown = 0
  const result = await runFleet(
    waves,
    {
      command,
      total: Math.max(1, Math.floor((options.total ?? list.limits.total ?? 16) / sessions)),
      perServer: (server) => Math.max(1, Math.floor(Math.min(perServer, fleet.free(server) + sessions) / sessions)),
      stopAfter: options.stopAfter ?? null,
      pauseMs: options.pause,
      signal: signals.signal,
      signalName: signals.name,
      listener: invocation.listener,
      findings,
      ...(fleetRun !== undefined && { fleetRun }),
    },
    async (tenant: Tenant, wave) => {
      const measured = options.measure && (options.measureTenants === 'all' || (wave === 1 && waves.length > 1))
      const part = { run: fleetRun, wave, measured }
      try {
        return await (queued === undefined ? fleet.run(tenant, part) : queued.run(tenant, part))
      } catch (error) {
        if (command !== 'rollback') throw error
        if (isUnknownRun(error)) unknown += 1
        return nothingToUndo(error)
      }
    },
  )
  if (command !== 'rollback' || fleetRun === undefined) return result
  return knownSomewhere(result, fleetRun, unknown, options.shard)
}

/** Sessions that a tenant takes at the most. */
export function sessionsOf(command: FleetCommand, options: Options): number {
  if (command !== 'apply' && command !== 'rollback') return 1
  return 1 + options.jobs + (command === 'apply' && options.measure && options.measureTenants === 'all' ? 1 : 0)
}
