import { setTimeout as sleep } from 'node:timers/promises'
import type { Listener } from '../../build/events.js'
import type { Session } from '../../server/session/session.js'

export interface LagOptions {
  /** null does not look. */
  readonly maxLagMs: number | null
  readonly maxWaitMs: number
  readonly signal: AbortSignal
  readonly listener: Listener
}

/**
 * Waits until no replica is further behind than maxLagMs, for maxWaitMs at most; then why no build may be started, or null. The lag
 * is the time that replay is behind (pg_stat_replication.replay_lag; manual, "Monitoring Statistics"), of those that replay: for pg_receivewal, which only writes, it grows for ever. A
 * role without pg_monitor sees none, and is told so.
 */
export async function lagRefusal(session: Session, options: LagOptions): Promise<string | null> {
  const { maxLagMs, maxWaitMs, signal, listener } = options
  if (maxLagMs === null) return null
  const started = performance.now()
  for (let told = false; ; told = true) {
    const lag = await worstLag(session)
    if (lag === 'hidden')
      return 'the replicas cannot be seen by this role: grant pg_monitor to it, or leave --max-lag out'
    if (lag === null || lag.ms <= maxLagMs) return null
    const text = `replica ${lag.name} is ${Math.round(lag.ms / 1000)} s behind`
    if (performance.now() - started > maxWaitMs || signal.aborted) return `${text}, more than --max-lag`
    if (!told) listener({ type: 'warning', message: `${text}: waiting before the next build` })
    await sleep(1000)
  }
}

async function worstLag(session: Session): Promise<{ readonly name: string; readonly ms: number } | 'hidden' | null> {
  const rows = await session.query<{ name: string; ms: number | null; hidden: boolean }>(
    `select coalesce(nullif(application_name, ''), '?') as name, case when replay_lsn is not null then extract(epoch from replay_lag)::float8 * 1000 end as ms, state is null as hidden
     from pg_catalog.pg_stat_replication order by ms desc nulls last`,
  )
  if (rows.some((row) => row.hidden)) return 'hidden'
  const worst = rows.find((row) => row.ms !== null)
  return worst === undefined ? null : { name: worst.name, ms: worst.ms ?? 0 }
}
