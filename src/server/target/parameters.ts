import { PerfdbError } from '../../errors.js'
import { nearest } from '../../text/nearest.js'

/**
 * Connection parameters of libpq 18 with their environment variables (manual: "Parameter Key Words", "Environment
 * Variables"). null: the parameter has no variable.
 */
const variables = {
  service: 'PGSERVICE',
  servicefile: 'PGSERVICEFILE',
  host: 'PGHOST',
  hostaddr: 'PGHOSTADDR',
  port: 'PGPORT',
  dbname: 'PGDATABASE',
  user: 'PGUSER',
  password: 'PGPASSWORD',
  passfile: 'PGPASSFILE',
  require_auth: 'PGREQUIREAUTH',
  channel_binding: 'PGCHANNELBINDING',
  connect_timeout: 'PGCONNECT_TIMEOUT',
  client_encoding: 'PGCLIENTENCODING',
  options: 'PGOPTIONS',
  application_name: 'PGAPPNAME',
  fallback_application_name: null,
  keepalives: null,
  keepalives_idle: null,
  keepalives_interval: null,
  keepalives_count: null,
  tcp_user_timeout: null,
  replication: null,
  gssencmode: 'PGGSSENCMODE',
  krbsrvname: 'PGKRBSRVNAME',
  gsslib: 'PGGSSLIB',
  gssdelegation: 'PGGSSDELEGATION',
  sslmode: 'PGSSLMODE',
  sslnegotiation: 'PGSSLNEGOTIATION',
  sslcompression: 'PGSSLCOMPRESSION',
  sslcert: 'PGSSLCERT',
  sslkey: 'PGSSLKEY',
  sslkeylogfile: null,
  sslpassword: null,
  sslcertmode: 'PGSSLCERTMODE',
  sslrootcert: 'PGSSLROOTCERT',
  sslcrl: 'PGSSLCRL',
  sslcrldir: 'PGSSLCRLDIR',
  sslsni: 'PGSSLSNI',
  requirepeer: 'PGREQUIREPEER',
  ssl_min_protocol_version: 'PGSSLMINPROTOCOLVERSION',
  ssl_max_protocol_version: 'PGSSLMAXPROTOCOLVERSION',
  min_protocol_version: 'PGMINPROTOCOLVERSION',
  max_protocol_version: 'PGMAXPROTOCOLVERSION',
  target_session_attrs: 'PGTARGETSESSIONATTRS',
  load_balance_hosts: 'PGLOADBALANCEHOSTS',
} as const

export type ParameterName = keyof typeof variables
/** Parameters as somebody wrote them; several hosts and ports are comma lists, as in libpq. */
export type Parameters = ReadonlyMap<ParameterName, string>

/** The parameters that PG* variables set. An empty variable counts as not set. */
export function environmentParameters(environment: Readonly<Record<string, string | undefined>>): Parameters {
  const found = new Map<ParameterName, string>()
  for (const name of parameterNames) {
    const variable = variables[name]
    const value = variable === null ? undefined : environment[variable]
    if (value !== undefined && value !== '') found.set(name, value)
  }
  return found
}

export function isParameterName(name: string): name is ParameterName {
  return Object.hasOwn(variables, name)
}

const parameterNames = Object.keys(variables).filter(isParameterName)

/** The value, when it is one of those allowed; BAD_URL otherwise. The value is not repeated: it may be anything. */
export function choice<Value extends string>(
  parameters: Parameters,
  name: ParameterName,
  allowed: readonly Value[],
  otherwise: Value,
): Value {
  const value = parameters.get(name)
  if (value === undefined) return otherwise
  const found = allowed.find((one) => one === value)
  if (found === undefined) throw new PerfdbError('BAD_URL', `${name} must be one of ${allowed.join(', ')}`)
  return found
}

/** A number from 0; less than that counts as 0. Throws BAD_URL. */
export function wholeNumber(parameters: Parameters, name: ParameterName, otherwise: number): number {
  const value = parameters.get(name)
  if (value === undefined) return otherwise
  if (!/^-?\d{1,9}$/.test(value)) throw new PerfdbError('BAD_URL', `${name} must be a whole number`)
  return Math.max(0, Number(value))
}

/**
 * UNKNOWN_URL_PARAMETER with what to do instead (fault 55). With `mayBeSecret` the name may be a piece of an unquoted
 * password, and only names that are known from elsewhere are printed.
 */
export function unknownParameter(name: string, origin: string, mayBeSecret = false): PerfdbError {
  const known = foreignHint(name)
  if (known !== undefined) return refusal(name, origin, known)
  if (mayBeSecret) {
    return new PerfdbError('BAD_URL', `${origin}: an unknown parameter stands after the password`, {
      hint: "quote a password that has blanks or quotes: password='it\\'s me'",
    })
  }
  const near = nearest(name, parameterNames)
  return refusal(name, origin, near === undefined ? undefined : `did you mean ${near}?`)
}

function refusal(name: string, origin: string, hint: string | undefined): PerfdbError {
  return new PerfdbError('UNKNOWN_URL_PARAMETER', `${origin}: PostgreSQL knows no connection parameter ${name}`, {
    hint,
  })
}

/** A parameter of another client that protects the connection, and cannot be done. */
function foreignHint(name: string): string | undefined {
  return name === 'sslidentity' ? 'a parameter of Prisma: use sslcert and sslkey' : undefined
}
