import { quoteLiteral } from '../definition/quote.js'
import { PerfdbError } from '../errors.js'
import { hostLabel } from './target/host.js'
import { checkPinned, pinSql, type LookRow, type Role } from './session/pin.js'
import type { Parameter, Session } from './session/session.js'
import type { TransactionSettings } from './session/settings.js'
import type { Target } from './target/target.js'
import { parameterText } from './session/values.js'
import type { Wire } from './wire/wire.js'

export interface SessionFacts {
  readonly target: Target
  readonly look: LookRow
  readonly role: Role
  readonly versionNum: number
  readonly pooled: boolean
}

/** A session on a wire whose settings are pinned; see Session for what each method promises. */
export function makeSession(wire: Wire, { target, look, role, versionNum, pooled }: SessionFacts): Session {
  let open = false
  const run = async <Row>(text: string, parameters: readonly Parameter[] = []) =>
    wire.run<Row>(text, parameters.map(parameterText))

  /** `settings` hold for the transaction. They travel with its beginning: outside of one they would do nothing. Behind a pooler what is pinned comes first. */
  const within = async <T>(
    start: string,
    end: 'commit' | 'rollback',
    work: () => Promise<T>,
    settings: string | null = null,
  ): Promise<T> => {
    if (open) throw new PerfdbError('INTERNAL', 'a transaction was begun inside a transaction')
    open = true
    try {
      const begun = run(start)
      if (pooled) {
        await begun
        const [settings] = await run<Pick<LookRow, 'pinned'>>(pinSql(role, true))
        checkPinned(role, settings?.pinned ?? [])
      }
      await Promise.all([begun, settings === null ? undefined : run(settings)])
      const value = await work()
      await run(end)
      return value
    } catch (error) {
      // What went wrong first is what counts; the server rolls back by itself when the connection is gone.
      if (!wire.lost) await run('rollback').catch(() => undefined)
      throw pooled ? refusedByPooler(error) : error
    } finally {
      open = false
    }
  }

  return {
    pid: look.pid,
    versionNum,
    version: look.version.split(' ')[0] ?? look.version,
    label: `${hostLabel(wire.host)}/${target.database} as ${target.user}`,
    host: wire.host.host,
    port: wire.host.port,
    database: look.database,
    identity: [look.port, look.started, look.database].join('/'),
    user: look.role,
    inRecovery: look.in_recovery,
    readOnly: look.read_only === 'on',
    pooled,
    defaultSearchPath: quotedPath(look.search_path),
    get lost() {
      return wire.lost
    },
    async query<Row>(text: string, parameters: readonly Parameter[] = []) {
      if (!pooled || open) return run<Row>(text, parameters)
      return within('begin', 'commit', () => run<Row>(text, parameters))
    },
    async rolledBack(settings, work) {
      const isolation = settings.isolation === undefined ? '' : ` isolation level ${settings.isolation}`
      return within(
        `begin${isolation}${settings.readOnly ? ' read only' : ''}`,
        'rollback',
        work,
        localSettings(settings),
      )
    },
    transaction: async (work) => within('begin', 'commit', work),
    takeNotices: () => wire.takeNotices(),
    cancel: async () => wire.cancel(),
    async [Symbol.asyncDispose]() {
      await wire.close()
    },
  }
}

/** Statement pooling allows no transaction, and so no settings for one: even looking is refused there (fault 63). */
function refusedByPooler(error: unknown): unknown {
  if (!(error instanceof PerfdbError) || error.sqlstate !== '08P01') return error
  return new PerfdbError('POOLER', 'the pooler does not allow what perfdb needs', {
    detail: error.detail,
    sqlstate: error.sqlstate,
    cause: error,
  })
}

/** As constants: for parameters the server is asked for their types first, a round trip more. null without any. */
function localSettings(settings: TransactionSettings): string | null {
  const pairs = Object.entries({
    ...(settings.statementTimeoutMs === undefined ? {} : { statement_timeout: `${settings.statementTimeoutMs}ms` }),
    ...(settings.lockTimeoutMs === undefined ? {} : { lock_timeout: `${settings.lockTimeoutMs}ms` }),
    ...settings.set,
  })
  if (pairs.length === 0) return null
  const calls = pairs.map(
    ([name, value]) => `pg_catalog.set_config(${quoteLiteral(name)}, ${quoteLiteral(value)}, true)`,
  )
  return `select ${calls.join(', ')}`
}

/**
 * A search_path as SET takes it: what options and ALTER ROLE set is a list of names that SET would not read, such as `my-app,public`. As
 * SplitIdentifierString of the server reads it (varlena.c): an unquoted name goes up to a comma or white space, in lower case.
 */
export function quotedPath(path: string): string {
  const names = path.match(/"(?:[^"]|"")*"|[^\s,"]+/g) ?? []
  return names
    .map((name) =>
      name.startsWith('"') ? name : name === '$user' ? '"$user"' : `"${name.toLowerCase().replaceAll('"', '""')}"`,
    )
    .filter((name) => name !== '""')
    .join(', ')
}
