import type { Result, SingleResult } from '../../result/results.js'
import type { Options } from '../../options/values.js'
import type { Invocation } from '../../settings/invocation.js'

type Action<R> = (invocation: Invocation, args: readonly string[]) => Promise<R>

/** An action that runs for every tenant where the options ask for that, and for one database where they do not. */
export function overTenants(command: string, action: Action<SingleResult>): Action<Result> {
  return async (invocation, args) => {
    if (!asksForTenants(invocation.options)) return action(invocation, args)
    if (command === 'check-pool') return action(await withTenants(invocation), args)
    const [{ runFleetAction }, { fleetCommand }] = await Promise.all([
      import('./fleet-action.js'),
      import('./command.js'),
    ])
    const planned = command === 'apply' && invocation.options.dryRun === true
    return runFleetAction(fleetCommand(planned ? 'plan' : command), action, invocation, args)
  }
}

/** With the tenants of the list where the options ask for them: a budget is one for all. Throws what reading the list throws. */
export async function withTenants(invocation: Invocation): Promise<Invocation> {
  if (!asksForTenants(invocation.options)) return invocation
  const { listedTenants } = await import('./listed-tenants.js')
  return { ...invocation, tenants: await listedTenants(invocation) }
}

/** Any of the options that choose tenants. */
export function asksForTenants({
  tenants,
  tenantsFile,
  tenant,
  label,
  exclude,
  shard,
  canary,
  waves,
  queue,
}: Options): boolean {
  return (
    tenants === true ||
    [tenantsFile, tenant, label, exclude, shard, canary, waves, queue].some((one) => one !== undefined)
  )
}
