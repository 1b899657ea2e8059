import { PerfdbError, type ErrorCode } from '../../errors.js'

export interface FailureContext {
  /** The same failure means one thing before the session is there and another one later. */
  readonly phase: 'connect' | 'query'
  /** host:port while connecting, host:port/database as user later. */
  readonly label: string
  /** Characters that stand before the user's statement, for `position`. */
  readonly offset?: number
}

/**
 * Any failure of a connection or a statement as a PerfdbError; the original is its cause. A PerfdbError comes back as it
 * is. SQLSTATEs: manual, appendix "PostgreSQL Error Codes".
 */
export function toPerfdbError(error: unknown, context: FailureContext): PerfdbError {
  if (error instanceof PerfdbError) return error
  const code = textOf(error, 'code')
  const sqlstate =
    code !== undefined && /^[0-9A-Z]{5}$/.test(code) && textOf(error, 'severity') !== undefined ? code : undefined
  const message = error instanceof Error && error.message !== '' ? error.message : (code ?? 'unknown failure')
  const position = Number(textOf(error, 'position') ?? 0) - (context.offset ?? 0)
  const fields = {
    detail: textOf(error, 'detail'),
    hint: textOf(error, 'hint'),
    sqlstate,
    position: position > 0 ? position : undefined,
    cause: error,
  }
  if (context.phase === 'query') {
    const kind = queryCode(code)
    if (kind !== 'CONNECTION_LOST') return new PerfdbError(kind, message, fields)
    return new PerfdbError(kind, `the connection to ${context.label} was lost`, {
      ...fields,
      detail: reasonOf(code, message),
    })
  }
  const kind = connectCode(code, error)
  const limit = exhaustedLimit(error)
  return new PerfdbError(kind, `cannot connect to ${context.label}: ${reasonOf(code, message)}`, {
    ...fields,
    hint: fields.hint ?? (limit === null ? connectHint(kind, code) : limitHints[limit]),
  })
}

/** Worth another try after cleaning up (faults, section L): deadlock, lock timeout, server going or coming, no slot. */
export function retryable(sqlstate: string | undefined): boolean {
  return (
    sqlstate !== undefined &&
    ['40P01', '55P03', '57P01', '57P02', '57P03', '25P04', '57P05', '53300'].includes(sqlstate)
  )
}

export type ExhaustedLimit = 'reserved' | 'all' | 'role' | 'database'

/** Which of the four limits a 53300 speaks of; told by the routine, because the text is translated. */
export function exhaustedLimit(error: unknown): ExhaustedLimit | null {
  const source = error instanceof PerfdbError ? error.cause : error
  if (textOf(source, 'code') !== '53300') return null
  switch (textOf(source, 'routine') ?? '') {
    case 'InitPostgres':
      return 'reserved'
    case 'InitializeSessionUserId':
      return 'role'
    case 'CheckMyDatabase':
      return 'database'
    default:
      return 'all'
  }
}

const limitHints: Readonly<Record<ExhaustedLimit, string>> = {
  reserved:
    'only reserved slots are left, for superusers and pg_use_reserved_connections; perfdb check-pool adds up who may take the others',
  all: 'every slot of max_connections is taken; perfdb check-pool adds up who may take them',
  role: 'the role has reached its own limit: select rolconnlimit from pg_roles',
  database: 'the database has reached its own limit: select datconnlimit from pg_database',
}

function connectCode(code: string | undefined, error: unknown): ErrorCode {
  switch (code ?? '') {
    case '28P01':
    case '28000':
    case 'SASL_SIGNATURE_MISMATCH':
    case 'MESSAGE_NOT_SUPPORTED':
      return 'AUTHENTICATION_FAILED'
    case '3D000':
      return 'NO_DATABASE'
    case '53300':
      return 'TOO_MANY_CONNECTIONS'
    case '42501':
      return 'PRIVILEGE'
    // Bad PGOPTIONS: unknown setting, bad value, bad switch. 08P01 is PgBouncer refusing a startup parameter (fault 61).
    case '42704':
    case '22023':
    case '42601':
    case '08P01':
      return 'SETTING_REFUSED'
    case 'ERR_ACCESS_DENIED':
      return 'NODE_PERMISSION'
    default:
      return textOf(error, 'library')?.includes('SSL') === true ? 'TLS_FAILED' : 'CONNECTION_REFUSED'
  }
}

function connectHint(kind: ErrorCode, code: string | undefined): string | undefined {
  if (kind === 'SETTING_REFUSED')
    return 'check PGOPTIONS and options=, or connect to the server directly: PERFDB_DIRECT_URL'
  if (kind === 'PRIVILEGE') return 'grant connect on database NAME to ROLE'
  if (code === '57P03') return 'the server is starting or stopping: try again'
  return undefined
}

function queryCode(code: string | undefined): ErrorCode {
  switch (code ?? '') {
    case '42501':
      return 'PRIVILEGE'
    case '25006':
      return 'READ_ONLY'
    // transaction_timeout and idle_session_timeout end the session as well (faults 29, 30).
    case '25P03':
    case '25P04':
    case '57P01':
    case '57P02':
    case '57P03':
    case '57P05':
    case 'CONNECTION_CLOSED':
    case 'CONNECTION_DESTROYED':
    case 'CONNECTION_ENDED':
    case 'CONNECT_TIMEOUT':
    case 'ECONNRESET':
    case 'EPIPE':
    case 'ETIMEDOUT':
    case 'ENETUNREACH':
    case 'EHOSTUNREACH':
    case 'ERR_STREAM_WRITE_AFTER_END':
    case 'ERR_STREAM_DESTROYED':
      return 'CONNECTION_LOST'
    default:
      return 'QUERY_FAILED'
  }
}

/** The plain reason of a system error, whose own text repeats addresses and call names. */
function reasonOf(code: string | undefined, message: string): string {
  switch (code ?? '') {
    case 'ECONNREFUSED':
      return 'connection refused'
    case 'ENOTFOUND':
      return 'the name is not known'
    case 'EAI_AGAIN':
      return 'the name server does not answer'
    case 'ENOENT':
      return 'there is no such socket'
    case 'ECONNRESET':
    case 'EPIPE':
    case 'CONNECTION_CLOSED':
      return 'the server closed the connection'
    case 'CONNECTION_DESTROYED':
    case 'CONNECTION_ENDED':
      return 'the session was ended'
    case 'ETIMEDOUT':
    case 'CONNECT_TIMEOUT':
      return 'no answer in time'
    case 'ERR_ACCESS_DENIED':
      return 'node --permission does not allow it'
    default:
      return message
  }
}

/** A text property of anything, such as `code`; undefined when there is none. */
function textOf(error: unknown, name: string): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined
  const value: unknown = Reflect.get(error, name)
  return typeof value === 'string' ? value : undefined
}
