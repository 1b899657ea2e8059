import { runFleet, type FleetTenant } from '../../commands/fleet/fleet.js'
import { parseWaves, wavesOf } from '../../commands/fleet/waves.js'
import { quoteName } from '../../definition/quote.js'
import { PerfdbError, problemsError, type Problem } from '../../errors.js'
import type { Profile } from '../../profile/profile.js'
import type { FleetCommand, FleetResult } from '../../result/fleet-result.js'
import type { ResultFinding } from '../../result/result.js'
import type { SingleResult } from '../../result/results.js'
import type { Config } from '../../settings/config.js'
import type { Options } from '../../options/values.js'
import type { Invocation } from '../../settings/invocation.js'
import { anySchema, profileIn } from '../../tenants/in-schema.js'
import { canariesOf, selectTenants } from '../../tenants/select.js'
import type { TenantRow } from '../../tenants/tenant.js'
import { addressOf, withDatabase } from '../../text/postgres-url.js'
import { resolveUrl } from '../../text/url-environment.js'
import { schemaInForce } from '../connect/database.js'
import { configOf, inputs } from '../inputs.js'
import { doorOf } from './door.js'
import { fleetRunName, isUnknownRun, knownSomewhere, nothingToUndo } from './fleet-run.js'
import { rememberingRegistry } from './registry-cache.js'
import { readTenantList } from './tenants-file.js'
import { quietly, tenantSignals } from './tenant-run.js'

type Action = (invocation: Invocation, args: readonly string[]) => Promise<SingleResult>

interface Tenant extends FleetTenant {
  readonly url: string
  readonly row: TenantRow
}

/**
 * One command for every tenant that the options choose: each runs the very action that the command is for one database, with its own url. Profiles are
 * read once. Throws what reading the list and the profiles throws, BAD_OPTION, NO_TENANTS and NO_RUN; what goes wrong with a tenant is its outcome.
 */
export async function runFleetAction(
  command: FleetCommand,
  action: Action,
  invocation: Invocation,
  args: readonly string[],
): Promise<FleetResult> {
  const { options, environment, signals } = invocation
  refuseOthers(invocation)
  const config = await configOf(invocation)
  const findings: ResultFinding[] = []
  const list = await readTenantList(invocation, config, rememberingRegistry(invocation, findings))
  const tenants = resolved(selectTenants(list.rows, options), environment)
  if (tenants.length === 0 && options.shard === undefined)
    throw new PerfdbError('NO_TENANTS', 'the options leave no tenant', { hint: 'see --tenant, --label and --exclude' })
  const profilesOf = await profilesFor(command, invocation, config, args, tenants)
  const isCanary = canariesOf(list.rows, options)
  const waves = wavesOf(tenants, options.waves === undefined ? [] : parseWaves(options.waves), ({ id }) => isCanary(id))
  if (options.canary !== undefined && tenants.length > 0 && !tenants.some(({ id }) => isCanary(id)))
    invocation.listener({ type: 'warning', message: `no canary is in shard ${options.shard ?? ''}: it waits for none` })
  const fleetRun = await fleetRunName(command, invocation, args, tenants.length)
  const sessions = sessionsOf(command, options)
  const perServer = options.perServer ?? list.limits.per_server ?? 4
  const following = tenantSignals(signals)
  const door = doorOf(list.registries, environment)
  let unknown = 0
  const result = await runFleet(
    waves,
    {
      command,
      total: Math.max(1, Math.floor((options.total ?? list.limits.total ?? 16) / sessions)),
      perServer: (server) => Math.max(1, Math.floor(Math.min(perServer, door.free(server) + sessions) / sessions)),
      stopAfter: options.stopAfter ?? null,
      pauseMs: options.pause,
      signal: signals.signal,
      signalName: signals.name,
      listener: invocation.listener,
      findings,
      ...(fleetRun !== undefined && { fleetRun }),
    },
    async (tenant, wave) => {
      const own = following.begin(tenant.id)
      const measured = options.measure && (options.measureTenants === 'all' || (wave === 1 && waves.length > 1))
      try {
        return await action(
          {
            ...invocation,
            config,
            options: { ...options, url: tenant.url, measure: measured, replicas: [], yes: true },
            environment: environmentOf(tenant, environment),
            signals: own.signals,
            listener: quietly(tenant.id, invocation.listener),
            ...profilesOf(tenant),
            ...(fleetRun !== undefined && { fleet: { run: fleetRun, tenant: tenant.id, wave } }),
            admit: async (session) => door.admit(tenant, session),
          },
          command === 'rollback' ? [] : args,
        )
      } catch (error) {
        if (command !== 'rollback') throw error
        if (isUnknownRun(error)) unknown += 1
        return nothingToUndo(error)
      } finally {
        own.end()
      }
    },
  )
  if (command !== 'rollback' || fleetRun === undefined) return result
  return knownSomewhere(result, fleetRun, unknown, options.shard)
}

/** What belongs to one database, or would be written over by each tenant. */
function refuseOthers({ options, flags }: Invocation): void {
  const own = ['url', 'load', 'out', 'plan', 'export', 'what-if', 'save-baseline', 'save-snapshot', 'since']
  const given = own.find((name) => flags?.has(name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())))
  const found = options.measureUrl === undefined ? given : 'measure-url'
  if (found === undefined) return
  throw new PerfdbError('BAD_OPTION', `--${found} is for one database, and goes with no tenants`, {
    hint: found === 'url' ? 'the list of tenants says where each of them is' : `leave out --${found}`,
  })
}

/** With every variable of the urls in its place, before anything is connected to. Throws MISSING_ENVIRONMENT for all that are not set. */
function resolved(rows: readonly TenantRow[], environment: Invocation['environment']): readonly Tenant[] {
  const problems = new Map<string, Problem>()
  const tenants = rows.flatMap((row): readonly Tenant[] => {
    const { tenant, schema, labels } = row
    try {
      const url = withDatabase(resolveUrl(row.url ?? '', environment, tenant.place, ''), tenant.database)
      const server = addressOf(url) ?? ''
      return [{ id: tenant.id, labels, server, schema, url, row, ...(schema !== null && { exclusive: url }) }]
    } catch (error) {
      if (!(error instanceof PerfdbError)) throw error
      const { code, message, hint, place } = error
      problems.set(message, { code, message, hint, place })
      return []
    }
  })
  const [first, ...rest] = problems.values()
  if (first !== undefined) throw problemsError([first, ...rest])
  return tenants
}

/** The profiles once for all tenants whose url names the same schema, or none; with the schema of each that is one. */
async function profilesFor(
  command: FleetCommand,
  invocation: Invocation,
  config: Config,
  args: readonly string[],
  tenants: readonly Tenant[],
): Promise<(tenant: Tenant) => { readonly profiles?: readonly Profile[] }> {
  if (command === 'status' || command === 'rollback') return () => ({})
  const of = (url: string) => ({ ...invocation, config, options: { ...invocation.options, url } })
  const bySchema = new Map<string | undefined, readonly Profile[]>()
  const plain = new Map<Tenant, readonly Profile[]>()
  for (const tenant of tenants.filter(({ schema }) => schema === null)) {
    const named = await schemaInForce(of(tenant.url), config)
    const profiles = bySchema.get(named) ?? (await inputs(of(tenant.url), args)).profiles
    bySchema.set(named, profiles)
    plain.set(tenant, profiles)
  }
  const one = tenants.find(({ schema }) => schema !== null)
  const templates = one === undefined ? [] : (await inputs(of(one.url), args, anySchema)).profiles
  return (tenant) => {
    const { schema } = tenant
    return { profiles: schema === null ? (plain.get(tenant) ?? []) : templates.map((one) => profileIn(schema, one)) }
  }
}

/** Sessions that a tenant takes at the most. */
function sessionsOf(command: FleetCommand, options: Options): number {
  if (command !== 'apply' && command !== 'rollback') return 1
  return 1 + options.jobs + (command === 'apply' && options.measure && options.measureTenants === 'all' ? 1 : 0)
}

/** Queries of a tenant that is a schema find its tables, as they do in the application. */
function environmentOf({ schema }: Tenant, environment: Invocation['environment']): Invocation['environment'] {
  if (schema === null) return environment
  const path = `${quoteName(schema)},public`.replace(/[\\ ]/g, String.raw`\$&`)
  return { ...environment, PGOPTIONS: `${environment['PGOPTIONS'] ?? ''} -c search_path=${path}`.trim() }
}
