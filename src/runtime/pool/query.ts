import type postgres from 'postgres'
import { PerfdbError } from '../../errors.js'

/** A query of postgres.js as it is inside: it does nothing until `handler` is called, and is over when `resolve` or `reject` is. */
export interface Query {
  handler: (query: Query) => unknown
  canceller: ((query: Query) => unknown) | null
  resolve: (value: unknown) => void
  reject: (error: unknown) => void
  strings: readonly string[]
  readonly active: boolean
  readonly cursorFn?: unknown
}

/** What postgres.js does with a query of this instance, taken from one that is never executed. */
export function internals(sql: postgres.Sql): {
  readonly handler: Query['handler']
  readonly canceller: Query['handler']
} {
  const query: unknown = sql``
  if (!isQuery(query) || query.canceller === null)
    throw new PerfdbError('BAD_OPTION', 'this version of the package postgres is not known', {
      hint: 'install postgres 3.4',
    })
  return { handler: query.handler, canceller: query.canceller }
}

/** Whether it is a query, and not an identifier, a list of values or a parameter. */
export function isQuery(value: unknown): value is Query {
  return typeof value === 'object' && value !== null && 'handler' in value && 'canceller' in value
}

/** FATAL, or no answer of the server at all. */
export function endsConnection(error: unknown): boolean {
  const { severity, code } = Object(error)
  if (typeof severity === 'string') return severity === 'FATAL' || severity === 'PANIC'
  return typeof code === 'string' && /^(CONNECTION_|E[A-Z]+|CONNECT_)/.test(code)
}

/** What COPY gives. */
export function isStream(value: unknown): value is NodeJS.EventEmitter {
  return typeof value === 'object' && value !== null && 'pipe' in value && 'once' in value
}

/** A transaction that is begun by hand would go on under the next request: postgres.js itself refuses it where it has several connections. */
export function leavesTransaction(value: unknown): boolean {
  const command: unknown = Reflect.get(Object(value), 'command')
  return command === 'BEGIN' || command === 'START TRANSACTION'
}

/** As the server and postgres.js say it. */
export function cancelledError(): Error {
  const message = 'canceling statement due to user request'
  return Object.assign(new Error(message), { name: 'PostgresError', code: '57014' })
}
