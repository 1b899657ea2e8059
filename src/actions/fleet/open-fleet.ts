import { createHash } from 'node:crypto'
import type { SharedAnswers } from '../../catalog/shared.js'
import type { FleetTenant } from '../../commands/fleet/fleet.js'
import { quoteName } from '../../definition/quote.js'
import { PerfdbError, problemsError, type Problem } from '../../errors.js'
import type { Options } from '../../options/values.js'
import type { Named } from '../../profile/files/files.js'
import type { Profile } from '../../profile/profile.js'
import type { FleetCommand } from '../../result/documents/fleet-result.js'
import type { ResultFinding } from '../../result/documents/result.js'
import type { SingleResult } from '../../result/results.js'
import type { Session } from '../../server/session/session.js'
import type { Config } from '../../settings/config.js'
import type { Invocation } from '../../settings/invocation.js'
import { anySchema, profileIn } from '../../tenants/in-schema.js'
import { selectTenants } from '../../tenants/select.js'
import type { TenantRow } from '../../tenants/tenant.js'
import { addressOf, withDatabase, withSessionSetting } from '../../text/postgres-url.js'
import { resolveUrl } from '../../text/url-environment.js'
import { openDatabase, schemaInForce } from '../connect/database.js'
import { configOf, inputs } from '../files/inputs.js'
import { doorOf } from './door.js'
import { rememberingRegistry } from './registry-cache.js'
import { quietly, tenantSignals } from './tenant-run.js'
import { readTenantList, type TenantList } from './tenants-file.js'

/** The action of a command; `File` is how its files are named. */
export type Action<File extends Named> = (invocation: Invocation, args: readonly File[]) => Promise<SingleResult>

export interface Tenant extends FleetTenant {
  readonly url: string
  readonly row: TenantRow
}

/** One tenant's part of a run. */
export interface TenantPart {
  /** Of what its ledger is to know. */
  readonly run?: string | undefined
  readonly wave: number
  readonly measured: boolean
  /** What somebody else decided; the options of the command line where nothing is said. */
  readonly options?: Partial<Options>
  /** Asked of each session besides, before it is used. */
  readonly admit?: (session: Session) => Promise<void>
}

/** The tenants that the options choose, ready to be worked on. */
export interface OpenFleet {
  readonly config: Config
  readonly list: TenantList
  readonly tenants: readonly Tenant[]
  /** The action of the command, for one of them. Throws what that throws, and SAME_DATABASE. */
  run(tenant: Tenant, part: TenantPart): Promise<SingleResult>
  /** A session that only looks at it. */
  connect(tenant: Tenant): Promise<Session>
  /** Slots of a server that nobody held when it was first looked at; no limit before. */
  free(server: string): number
  /** The same for the same declarations, wherever their files lie. */
  digest(tenant: Tenant): string
}

/**
 * Reads list and profiles, once for all. Throws every problem of either, and BAD_OPTION for an option of one database. `findings` gets what the list has to
 * tell.
 */
export async function openFleet<File extends Named>(
  command: FleetCommand,
  action: Action<File>,
  invocation: Invocation,
  args: readonly File[],
  findings: ResultFinding[],
): Promise<OpenFleet> {
  const { options, environment, signals } = invocation
  refuseOthers(invocation)
  const config = await configOf(invocation)
  const list = await readTenantList(invocation, config, rememberingRegistry(invocation, findings))
  const tenants = resolved(selectTenants(list.rows, options), environment)
  const profilesOf = await profilesFor(command, invocation, config, args, tenants)
  const following = tenantSignals(signals)
  const shared: SharedAnswers = new Map()
  const door = doorOf(list.registries, environment)
  return {
    config,
    list,
    tenants,
    free: (server) => door.free(server),
    connect: async (tenant) => {
      const own = { ...invocation, options: { ...options, url: tenant.url } }
      return (await openDatabase(own, config)).connect('look')
    },
    digest: (tenant) => digestOf(profilesOf(tenant).profiles ?? []),
    async run(tenant, { run, wave, measured, options: decided = {}, admit }) {
      const own = following.begin(tenant.id)
      try {
        return await action(
          {
            ...invocation,
            environment: environmentOf(tenant, environment),
            config,
            shared,
            options: { ...options, ...decided, url: urlOf(tenant), measure: measured, replicas: [], yes: true },
            signals: own.signals,
            listener: quietly(tenant.id, invocation.listener),
            ...profilesOf(tenant),
            ...(run !== undefined && { fleet: { run, tenant: tenant.id, wave } }),
            admit: async (session) => {
              await door.admit(tenant, session)
              await admit?.(session)
            },
          },
          command === 'rollback' ? [] : args,
        )
      } finally {
        own.end()
      }
    },
  }
}

function digestOf(profiles: readonly Profile[]): string {
  const elsewhere = new Set(['file', 'place', 'places'])
  const text = JSON.stringify(profiles, (key, value: unknown) => (elsewhere.has(key) ? undefined : value))
  return createHash('sha256').update(text).digest('hex').slice(0, 32)
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
  args: readonly Named[],
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

/** Queries of a tenant that is a schema find its tables, as they do in the application. */
function searchPathOf(schema: string): string {
  const path = `${quoteName(schema)},public`.replace(/[\\ ]/g, String.raw`\$&`)
  return `-c search_path=${path}`
}

/** Options that the url itself names beat PGOPTIONS. */
function urlOf({ url, schema }: Tenant): string {
  return schema === null ? url : (withSessionSetting(url, searchPathOf(schema)) ?? url)
}

function environmentOf({ schema }: Tenant, environment: Invocation['environment']): Invocation['environment'] {
  if (schema === null) return environment
  return { ...environment, PGOPTIONS: `${environment['PGOPTIONS'] ?? ''} ${searchPathOf(schema)}`.trim() }
}
