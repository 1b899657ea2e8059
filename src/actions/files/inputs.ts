import type { ApplyOptions } from '../../commands/apply/apply.js'
import type { CounterfactualChoice } from '../../commands/apply/proof-hiding.js'
import type { HazardCode } from '../../codes/hazard-codes.js'
import { PerfdbError } from '../../errors.js'
import type { PlanOptions } from '../../plan/inputs.js'
import type { Named } from '../../profile/files/files.js'
import type { Profile } from '../../profile/profile.js'
import { withSettingPlace } from '../../settings/setting-place.js'
import { choiceOf } from '../../settings/resolve.js'
import { readConfig, type Config } from '../../settings/config.js'
import type { Invocation } from '../../settings/invocation.js'
import { schemaInForce, type Database } from '../connect/database.js'

/* What the commands read before they begin, and their options as the rooms below take them. */

/** perfdb.yaml as the caller read it already, or as it is found. */
export async function configOf(invocation: Invocation): Promise<Config> {
  const { config, cwd, environment, options } = invocation
  return config ?? readConfig(cwd, choiceOf(options, environment), environment)
}

/** The profiles that are named, else those of perfdb.yaml. `schema` stands for the schema that each of them has. */
export async function inputs(
  invocation: Invocation,
  args: readonly Named[],
  schema?: string,
): Promise<{ config: Config; profiles: readonly Profile[] }> {
  const config = await configOf(invocation)
  if (invocation.profiles !== undefined) return { config, profiles: invocation.profiles }
  const paths = args.length > 0 ? args : config.profiles
  if (paths.length === 0)
    throw new PerfdbError('NO_PROFILE', 'no profile is named, and there is no perfdb.yaml that names one')
  const { readProfiles } = await import('../../profile/read/read.js')
  const { cwd, environment } = invocation
  const read = readProfiles(paths, {
    cwd,
    environment,
    schema: await schemaInForce(invocation, config),
    everySchema: schema,
  })
  return { config, profiles: await (args.length > 0 ? read : read.catch(withSettingPlace('profiles', config))) }
}

/** What --allow and perfdb.yaml allow together. */
export function allowed({ options }: Invocation, config: Config): ReadonlySet<HazardCode> {
  return new Set([...(options.allow ?? []), ...config.allow])
}

/** On a private server nobody is disturbed by a hidden index. */
export function choiceFor({ embedded }: Database, { options }: Invocation): CounterfactualChoice {
  const { counterfactual } = options
  if (counterfactual === 'auto') return embedded ? 'allowed' : 'auto'
  if (counterfactual === 'true') return 'allowed'
  return counterfactual === 'false' ? 'off' : counterfactual
}

export function planOptions(invocation: Invocation, config: Config): PlanOptions {
  const { prune = false, maxWait, maxSize, reindex } = invocation.options
  return {
    allow: allowed(invocation, config),
    prune,
    maxWaitMs: maxWait,
    maxSizeBytes: maxSize,
    shared: invocation.shared,
    ...(reindex === undefined ? {} : { reindex }),
  }
}

export function applyOptions(invocation: Invocation, config: Config): ApplyOptions {
  const { options, signals, listener } = invocation
  return {
    ...planOptions(invocation, config),
    lockWaitMs: options.lockWait,
    retries: options.retries,
    jobs: options.jobs,
    onQueue: options.onQueue,
    onDisconnect: options.onDisconnect,
    window: options.window ?? null,
    maxLagMs: options.maxLag ?? null,
    ledger: options.ledger,
    measure: options.measure,
    samples: options.samples,
    timeBudgetMs: options.timeBudget,
    expectedFingerprint: undefined,
    savedPlan: undefined,
    signal: signals.signal,
    signalName: signals.name,
    fleet: invocation.fleet,
    listener: (event) => {
      if (event.type === 'step-started')
        signals.lastWords = `${event.index} on ${event.table} may be left invalid: perfdb verify shows it, perfdb apply heals it`
      if (event.type === 'step-done') signals.lastWords = ''
      listener(event)
    },
  }
}
