import type { BuildContext, QueuePolicy, Recorder } from '../../build/context.js'
import type { Listener } from '../../build/events.js'
import type { Session, Connect } from '../../server/session/session.js'
import type { Onlookers } from './onlookers.js'
import { lagRefusal } from './lag.js'
import { windowRefusal } from './window.js'
import type { Window } from '../../options/window.js'

/** What the user asks of every run that changes something, apply and rollback alike. */
export interface BuildOptions {
  readonly maxWaitMs: number
  readonly lockWaitMs: number
  readonly retries: number
  readonly onQueue: QueuePolicy
  /** When this process or its connection dies: `cancel` ends the build within seconds, `finish` lets the server go on. */
  readonly onDisconnect: 'cancel' | 'finish'
  /** No build is started outside of it; null is any time. */
  readonly window: Window | null
  /** No build is started while a replica is further behind than this; null does not look. */
  readonly maxLagMs: number | null
  readonly signal: AbortSignal
  readonly listener: Listener
}

/** The context of a run. Sets what happens to a build when its client goes away (fault 7). */
export async function buildContext(
  connect: Connect,
  ddl: Session,
  { watchdog, eyes }: Pick<Onlookers, 'watchdog' | 'eyes'>,
  recorder: Recorder,
  options: BuildOptions,
): Promise<BuildContext> {
  await applyDisconnectPolicy(ddl, options)
  if (options.onQueue !== 'report') await tellUnseen(ddl, options)
  return {
    ddl,
    lockPid: ddl.pid,
    watchdog,
    eyes,
    reconnect: () => connect('ddl'),
    maxWaitMs: options.maxWaitMs,
    retries: options.retries,
    onQueue: options.onQueue,
    mayStart: async () => startRefusal(watchdog, options),
    signal: options.signal,
    listener: options.listener,
    recorder,
  }
}

/** Statements of other roles are seen by members of pg_read_all_stats alone (fault 64): for others a policy about them does nothing. */
async function tellUnseen(
  session: Session,
  { onQueue, listener }: Pick<BuildOptions, 'onQueue' | 'listener'>,
): Promise<void> {
  const [row] = await session.query<{ sees: boolean }>(
    "select pg_catalog.pg_has_role('pg_read_all_stats', 'usage') as sees",
  )
  if (row?.sees === true) return
  const message = `--on-queue ${onQueue} does nothing about statements of other roles: to see them takes pg_monitor`
  listener({ type: 'warning', message })
}

/** Why no build may be started now: a window that is closed, or a replica that is behind; null when one may. */
export async function startRefusal(session: Session, options: BuildOptions): Promise<string | null> {
  return (await windowRefusal(session, options.window)) ?? (await lagRefusal(session, options))
}

/** client_connection_check_interval is pinned to 2 s at connecting; 0 lets an orphaned build go on to its end. */
export async function applyDisconnectPolicy(
  ddl: Session,
  { onDisconnect }: Pick<BuildOptions, 'onDisconnect'>,
): Promise<void> {
  if (onDisconnect === 'finish') await ddl.query('set client_connection_check_interval = 0')
}
