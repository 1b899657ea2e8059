import { userInfo } from 'node:os'
import { join } from 'node:path'
import { PerfdbError } from '../../errors.js'
import { readConnectionString, type ConnectionString } from './conninfo.js'
import { hostLabel, hostList, namesOf, type Host } from './host.js'
import { choice, environmentParameters, wholeNumber, type ParameterName, type Parameters } from './parameters.js'
import { askPasswordCommand, commandWords } from './password-command.js'
import { readPasswordFile } from './pgpass.js'
import { serviceParameters } from './service.js'
import { tlsSettings, type TlsSettings } from './tls.js'

export const sessionAttributes = ['any', 'read-write', 'read-only', 'primary', 'standby', 'prefer-standby'] as const
export type SessionAttributes = (typeof sessionAttributes)[number]

/** Where and as whom to connect. Holds no password: `passwordFor` answers from its closure, so that nothing prints it. */
export interface Target {
  readonly hosts: readonly [Host, ...Host[]]
  readonly user: string
  readonly database: string
  /** Throws PASSWORD_COMMAND. */
  readonly passwordFor: (host: Host) => Promise<string | undefined>
  /** Something gives a password for this host, right or wrong. */
  readonly hasPassword: (host: Host) => boolean
  readonly tls: TlsSettings
  /** For each host; 0 is no limit. */
  readonly connectTimeoutMs: number
  readonly sessionAttributes: SessionAttributes
  readonly balanced: boolean
  /** Command-line options for the backend (PGOPTIONS). */
  readonly options: string | undefined
  /** host:port/database as user */
  readonly label: string
  /** Such as a password file that others may read and that is therefore not used. */
  readonly warnings: readonly string[]
}

export interface TargetSources {
  /** What --url says. */
  readonly url?: string | undefined
  /** What perfdb.yaml says, which every URL of the environment beats. */
  readonly configured?: string | undefined
  /** Prints the password where the URL holds none: PGPASSWORD and .pgpass are not looked at then. */
  readonly passwordCommand?: string | undefined
  readonly environment: Readonly<Record<string, string | undefined>>
  /** The user's home folder. */
  readonly home: string
}

/**
 * Where to connect: what databaseUrl finds, else the PG* variables. As in libpq what the string leaves open comes from the service file, then from PG* variables, .pgpass and defaults.
 * Throws NO_URL, BAD_URL, UNKNOWN_URL_PARAMETER, BAD_OPTION for a password command that cannot be read.
 */
export async function resolveTarget(sources: TargetSources): Promise<Target> {
  const { environment, home } = sources
  const written = writtenParameters(sources)
  const variables = environmentParameters(environment)
  if (written === undefined && !naming.some((name) => variables.has(name))) {
    throw new PerfdbError('NO_URL', 'no database is named')
  }
  const folder = userFolder(environment, home)
  const explicit: Parameters = written?.parameters ?? new Map()
  const service = explicit.get('service') ?? variables.get('service')
  const serviceFiles = [
    explicit.get('servicefile') ?? variables.get('servicefile') ?? folder('.pg_service.conf'),
    join(environment['PGSYSCONFDIR'] ?? '/etc/postgresql-common', 'pg_service.conf'),
  ]
  const fromService: Parameters = service === undefined ? new Map() : await serviceParameters(service, serviceFiles)
  const parameters: Parameters = new Map([...variables, ...fromService, ...explicit])
  refuseWhatIsNotDone(parameters)

  const hosts = hostList(parameters)
  const user = parameters.get('user') ?? systemUser(environment)
  const database = parameters.get('dbname') ?? user
  const command = explicit.has('password') ? undefined : wordsOf(sources.passwordCommand)
  const password = parameters.get('password')
  const file = password === undefined ? readPasswordFile(parameters.get('passfile') ?? folder('.pgpass')) : undefined
  const known = (host: Host) => password ?? file?.passwordFor({ hosts: namesOf(host), port: host.port, database, user })
  return {
    hosts,
    user,
    database,
    hasPassword: (host) => command !== undefined || known(host) !== undefined,
    passwordFor: async (host) => {
      if (command === undefined) return known(host)
      return askPasswordCommand(command, { host: host.host, port: host.port, user, database }, environment)
    },
    tls: tlsSettings(parameters, folder),
    connectTimeoutMs: wholeNumber(parameters, 'connect_timeout', 15) * 1000,
    sessionAttributes: choice(parameters, 'target_session_attrs', sessionAttributes, 'any'),
    balanced: choice(parameters, 'load_balance_hosts', ['disable', 'random'], 'disable') === 'random',
    options: parameters.get('options'),
    label: `${hosts.map(hostLabel).join(',')}/${database} as ${user}`,
    warnings: [
      ...(file?.warning === undefined || file.warning === null ? [] : [file.warning]),
      ...leftOutNote(written?.leftOut ?? [], databaseUrl(sources)?.origin ?? ''),
    ],
  }
}

/** The connection string that counts, and where it stands: --url, PERFDB_DIRECT_URL, PERFDB_URL, DATABASE_URL, perfdb.yaml. */
export function databaseUrl({
  url,
  environment,
  configured,
}: Omit<TargetSources, 'home'>): { readonly origin: string; readonly text: string } | undefined {
  const sources = [
    { origin: '--url', text: url },
    ...['PERFDB_DIRECT_URL', 'PERFDB_URL', 'DATABASE_URL'].map((origin) => ({ origin, text: environment[origin] })),
    { origin: 'perfdb.yaml', text: configured },
  ]
  for (const { origin, text } of sources) if (text !== undefined && text.trim() !== '') return { origin, text }
  return undefined
}

/** Without a URL one of these variables must be set; else perfdb would connect to whatever runs on this machine. */
const naming: readonly ParameterName[] = ['service', 'host', 'hostaddr', 'port', 'dbname', 'user']

function writtenParameters(sources: Omit<TargetSources, 'home'>): ConnectionString | undefined {
  const found = databaseUrl(sources)
  return found === undefined ? undefined : readConnectionString(found.text, found.origin)
}

/** The schema that the URL in force names, as Prisma and JDBC do: where unqualified tables live when a profile does not say so. */
export function schemaOfUrl(sources: Omit<TargetSources, 'home'>): string | undefined {
  return databaseUrl(sources)?.text === 'embedded' ? undefined : writtenParameters(sources)?.schema
}

/** One note for all of them. */
function leftOutNote(names: readonly string[], origin: string): readonly string[] {
  if (names.length === 0) return []
  const pooled = names.includes('pgbouncer')
    ? '; pgbouncer says that this is the URL of a pooler: apply needs the direct one, PERFDB_DIRECT_URL'
    : ''
  return [`${origin}: left out, as a setting of another driver: ${[...new Set(names)].join(', ')}${pooled}`]
}

/** A container may run under a number that no user has; userInfo() throws then. */
function systemUser(environment: Readonly<Record<string, string | undefined>>): string {
  try {
    return userInfo().username
  } catch (cause) {
    const name = environment['USER'] ?? environment['LOGNAME']
    if (name !== undefined && name !== '') return name
    throw new PerfdbError('BAD_URL', 'the connection names no user, and this process has none', { cause })
  }
}

/** Windows keeps the user's files in %APPDATA%\postgresql, without the leading dot. */
function userFolder(environment: Readonly<Record<string, string | undefined>>, home: string) {
  const appData = process.platform === 'win32' ? environment['APPDATA'] : undefined
  return (name: string): string => {
    if (appData === undefined) return join(home, name)
    return join(appData, 'postgresql', name === '.pgpass' ? 'pgpass.conf' : name.replace(/^\.postgresql\//, ''))
  }
}

/** What protects a connection and cannot be done here is refused, never left out silently. */
function refuseWhatIsNotDone(parameters: Parameters): void {
  const demands: readonly (readonly [ParameterName, (value: string) => boolean])[] = [
    ['channel_binding', (value) => value === 'require'],
    ['gssencmode', (value) => value === 'require'],
    ['sslcertmode', (value) => value === 'require'],
    ['require_auth', () => true],
    ['requirepeer', () => true],
    ['sslcrldir', () => true],
    ['replication', (value) => !['false', 'off', 'no', '0'].includes(value)],
  ]
  const refused = demands.find(([name, demanded]) => {
    const value = parameters.get(name)
    return value !== undefined && demanded(value)
  })
  if (refused === undefined) return
  throw new PerfdbError('BAD_URL', `perfdb cannot do what ${refused[0]} demands`, {
    hint: 'remove it, and use sslmode=verify-full to be sure of the server',
  })
}

function wordsOf(command: string | undefined): readonly string[] | undefined {
  return command === undefined || command.trim() === '' ? undefined : commandWords(command)
}
