import { PerfdbError } from '../errors.js'
import { toPerfdbError } from './session/failure.js'
import { hostLabel, type Host } from './target/host.js'
import type { Target } from './target/target.js'
import { encryptions } from './target/tls.js'
import { openWire, type Wire } from './wire/wire.js'

/** Answers of a console: the rows of each SHOW, values as text or number, by the statement without its first word. */
export type ConsoleAnswers = Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>>

/**
 * Asks the admin console of pgbouncer (database `pgbouncer`), which speaks the simple protocol alone: `SHOW CONFIG`, `SHOW POOLS` and the
 * like, one after another on one connection. stats_users may ask as well. Throws what connecting throws, and QUERY_FAILED with the
 * console's own words. https://www.pgbouncer.org/usage.html#admin-console
 */
export async function askConsole(target: Target, shows: readonly string[]): Promise<ConsoleAnswers> {
  const [host] = target.hosts
  const wire = await openConsole({ ...target, options: undefined }, host, shows[0] ?? 'VERSION')
  try {
    const answers: Record<string, readonly Readonly<Record<string, unknown>>[]> = {}
    for (const show of shows) answers[show] = await wire.simple<Readonly<Record<string, unknown>>>(`SHOW ${show}`)
    return answers
  } finally {
    await wire.close()
  }
}

/** The first statement proves the connection. */
async function openConsole(target: Target, host: Host, show: string): Promise<Wire> {
  let failure: PerfdbError | undefined
  for (const encryption of encryptions(target.tls.mode, host)) {
    let wire: Wire | undefined
    try {
      wire = await openWire(target, host, encryption, 'perfdb look')
      await wire.simple(`SHOW ${show}`)
      return wire
    } catch (error) {
      await wire?.close()
      failure = toPerfdbError(error, { phase: 'connect', label: hostLabel(host) })
      if (failure.code !== 'TLS_FAILED' && failure.sqlstate !== '28000') break
    }
  }
  throw failure ?? new PerfdbError('CONNECTION_REFUSED', `cannot connect to ${hostLabel(host)}`)
}
