import { PerfdbError } from '../../errors.js'
import { difference } from '../../measure/activity/counters.js'
import type { LoadStep } from '../../result/documents/load-result.js'
import type { Session } from '../../server/session/session.js'
import { loadSessionsSql } from '../../sql/catalog/load.js'
import { takeSnapshot, type StatementsSnapshot } from '../explain/explain-snapshot.js'

/** What the server itself saw of a step, its warm-up included. */
export type ServerView = LoadStep['server']

/** So often it is looked what the sessions wait for. */
const lookMs = 200

interface Seen {
  readonly active: boolean
  /** `IO: DataFileRead`; null for one that runs or wants to. */
  readonly wait: string | null
  readonly queryid: string | null
  /** Cut at track_activity_query_size. */
  readonly text: string
}

/**
 * Looks on while a step runs; the function that comes back ends that. Counters are null where pg_stat_statements cannot be read or does not say which statement is
 * which; waits are null where no session was seen at work. Nothing that fails here fails the step.
 */
export async function watchServer(
  look: Session,
  queries: readonly { readonly query: string; readonly sql: string }[],
): Promise<() => Promise<ServerView>> {
  const before = await countersOf(look)
  const waits = new Map<string | null, number>()
  const names = new Map<string, string>()
  async function sample(): Promise<void> {
    for (const { active, wait, queryid, text } of await look.query<Seen>(loadSessionsSql).catch(() => [])) {
      if (active) waits.set(wait, (waits.get(wait) ?? 0) + 1)
      const of = queries.filter(({ sql }) => text !== '' && sql.startsWith(text))
      if (queryid !== null && of[0] !== undefined && of.length === 1) names.set(queryid, of[0].query)
    }
  }
  let sampling: Promise<void> | undefined
  const timer = setInterval(() => {
    sampling ??= sample().finally(() => (sampling = undefined))
  }, lookMs)
  return async () => {
    clearInterval(timer)
    await sampling
    await sample()
    const now = before === null ? null : await countersOf(look)
    const seen = [...waits.values()].reduce((sum, times) => sum + times, 0)
    return {
      queries: before === null || now === null ? null : countersByName(before, now, names),
      waits:
        seen === 0
          ? null
          : [...waits]
              .map(([wait, times]) => ({ wait, share: times / seen }))
              .toSorted((one, other) => other.share - one.share),
    }
  }
}

async function countersOf(look: Session): Promise<StatementsSnapshot | null> {
  try {
    return await takeSnapshot(look)
  } catch (error) {
    if (error instanceof PerfdbError) return null
    throw error
  }
}

function countersByName(
  before: StatementsSnapshot,
  now: StatementsSnapshot,
  names: ReadonlyMap<string, string>,
): NonNullable<ServerView['queries']> {
  return difference(before, now).statements.flatMap(({ queryid, calls, rows, total_ms: totalMs, blocks }) => {
    const query = names.get(queryid)
    if (query === undefined) return []
    const each = (sum: number) => Number((sum / calls).toPrecision(4))
    return [{ query, calls, mean_ms: each(totalMs), rows: each(rows), blocks_read: each(blocks) }]
  })
}
