import { PerfdbError } from '../../errors.js'
import { foreignParameter, isForeignScheme } from './foreign-parameters.js'
import { isParameterName, unknownParameter, type ParameterName, type Parameters } from './parameters.js'

/**
 * Reads a connection string as libpq does (manual: "Connection Strings"): a URI `postgres://` or `postgresql://`, or
 * `keyword=value` pairs. Throws BAD_URL and UNKNOWN_URL_PARAMETER; no message repeats a piece of the text that could
 * belong to a password, however the text is broken. `origin` names where the text stands: `--url`, `DATABASE_URL`.
 */
export function parseConnectionString(text: string, origin: string): Parameters {
  return readConnectionString(text, origin).parameters
}

/** A connection string, and what other drivers read in it: see foreign-parameters.ts. */
export interface ConnectionString {
  readonly parameters: Parameters
  /** Names of parameters that were left out, in their order. */
  readonly leftOut: readonly string[]
  /** `schema` of Prisma, `currentSchema` of JDBC. */
  readonly schema: string | undefined
}

/** Throws as parseConnectionString does. */
export function readConnectionString(text: string, origin: string): ConnectionString {
  const trimmed = text.trim()
  const scheme = /^((?:jdbc:)?[a-z][a-z0-9+._-]*):\/\//i.exec(trimmed)?.[1]
  if (scheme !== undefined) {
    if (!isForeignScheme(scheme)) {
      throw bad(origin, `${scheme}:// is not a scheme of PostgreSQL`, `the form is postgres://user@host:5432/database`)
    }
    return parseUri(trimmed.slice(scheme.length + 3), origin)
  }
  if (trimmed.includes('=')) return { parameters: parsePairs(trimmed, origin), leftOut: [], schema: undefined }
  throw bad(origin, 'neither a URI nor keyword=value pairs')
}

const encodeHint = 'percent-encode special characters in user and password: @ is %40, / is %2F, ? is %3F, % is %25'

/** What follows `postgres://`. Credentials end at the first @ before the first /, as in libpq. */
function parseUri(text: string, origin: string): ConnectionString {
  const authorityEnd = text.search(/[/?]/)
  const authority = authorityEnd < 0 ? text : text.slice(0, authorityEnd)
  const rest = authorityEnd < 0 ? '' : text.slice(authorityEnd)
  const queryStart = rest.indexOf('?')
  const path = queryStart < 0 ? rest : rest.slice(0, queryStart)
  const query = queryStart < 0 ? '' : rest.slice(queryStart + 1)
  const at = authority.indexOf('@')
  // A raw @ further right is a password that was not encoded; what stands around it must not be printed.
  const misplaced = authority.slice(at + 1).includes('@') || path.includes('@') || (at < 0 && query.includes('@'))
  if (misplaced) throw bad(origin, 'there is an @ where none belongs', encodeHint)

  const found = new Map<ParameterName, string>()
  const set = (name: ParameterName, raw: string) => {
    if (raw !== '') found.set(name, decode(raw, origin))
  }
  if (at >= 0) {
    const credentials = authority.slice(0, at)
    const colon = credentials.indexOf(':')
    set('user', colon < 0 ? credentials : credentials.slice(0, colon))
    if (colon >= 0) set('password', credentials.slice(colon + 1))
  }
  const hosts = authority
    .slice(at + 1)
    .split(',')
    .map((part) => splitHost(part, origin))
  if (hosts.some(({ host }) => host !== '')) set('host', hosts.map(({ host }) => host).join(','))
  if (hosts.some(({ port }) => port !== '')) set('port', hosts.map(({ port }) => port).join(','))
  set('dbname', path.slice(1))
  const leftOut: string[] = []
  let schema: string | undefined
  const pairs = queryPairs(query, origin)
  // What libpq has a name for is said by that.
  const written = new Set<string>(pairs.map(([name]) => name).filter((name) => name !== 'options'))
  for (const [name, value] of pairs) {
    if (isParameterName(name))
      found.set(
        name,
        joined(found.get(name), { name, value: name === 'sslmode' && value === 'no-verify' ? 'require' : value }),
      )
    else {
      const foreign = foreignParameter(name, value, origin)
      if (foreign === undefined) throw unknownParameter(name, origin)
      if (foreign.is === 'left out') leftOut.push(name)
      else if (foreign.is === 'schema') schema = value
      else if (!written.has(foreign.name)) found.set(foreign.name, joined(found.get(foreign.name), foreign))
    }
  }
  return { parameters: found, leftOut, schema }
}

/** options of several parameters stand one behind the other. */
function joined(before: string | undefined, { name, value }: { readonly name: ParameterName; readonly value: string }) {
  return name === 'options' && before !== undefined ? `${before} ${value}` : value
}

function splitHost(part: string, origin: string): { readonly host: string; readonly port: string } {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(\d*))?$/.exec(part)
  if (match === null) throw bad(origin, 'host and port cannot be read', encodeHint)
  return { host: match[1] ?? match[2] ?? '', port: match[3] ?? '' }
}

function queryPairs(query: string, origin: string): readonly (readonly [string, string])[] {
  if (query === '') return []
  return query.split('&').map((pair) => {
    const equals = pair.indexOf('=')
    if (equals < 1) throw bad(origin, 'a parameter after ? has no name or no value')
    return [decode(pair.slice(0, equals), origin), decode(pair.slice(equals + 1), origin)] as const
  })
}

function decode(text: string, origin: string): string {
  try {
    const decoded = decodeURIComponent(text)
    if (!decoded.includes('\0')) return decoded
  } catch {
    // Falls through: the reason would repeat the text.
  }
  throw bad(origin, 'a percent-encoding cannot be read', encodeHint)
}

/** `key = value` pairs; values in single quotes may hold blanks, and a backslash takes the next character literally. */
function parsePairs(text: string, origin: string): Parameters {
  const found = new Map<ParameterName, string>()
  const pair = /\s*([^\s=]+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s'\\]|\\.)(?:[^\s\\]|\\.)*|))(?=\s|$)/suy
  let place = 0
  while (place < text.length) {
    pair.lastIndex = place
    const match = pair.exec(text)
    const name = match?.[1]
    if (match === null || name === undefined) {
      throw bad(
        origin,
        'the keyword=value pairs cannot be read',
        "quote a value that has blanks or quotes: password='it\\'s me'",
      )
    }
    if (!isParameterName(name)) throw unknownParameter(name, origin, found.has('password'))
    found.set(name, (match[2] ?? match[3] ?? '').replace(/\\(.)/gsu, '$1'))
    place = pair.lastIndex
  }
  return found
}

function bad(origin: string, reason: string, hint?: string): PerfdbError {
  return new PerfdbError('BAD_URL', `${origin}: ${reason}`, { hint })
}
