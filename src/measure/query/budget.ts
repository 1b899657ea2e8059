import type { Session } from '../../server/session/session.js'
import type { Limits } from '../sample/limits.js'

/** Of each query when the budget of all is spent: 21 samples of 10 ms and their control. */
const leastBudgetMs = 300

/**
 * The time budget of the next query in ms, when so many are left: an equal share of what is left, at most its own budget. With several `visits` that of the next visit,
 * when so many visits are left of all queries.
 */
export function budgetOf(limits: Limits, visits = 1): (left: number) => number {
  const started = performance.now()
  return (left) => {
    const share = (limits.totalBudgetMs - (performance.now() - started)) / left
    return Math.min(limits.timeBudgetMs, Math.max(leastBudgetMs, share * visits)) / visits
  }
}

/** Work whose statements end when the signal is aborted. */
export async function stoppable<T>(
  session: Session,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  const stop = () => void session.cancel().catch(() => undefined)
  signal?.addEventListener('abort', stop, { once: true })
  try {
    return await work()
  } finally {
    signal?.removeEventListener('abort', stop)
  }
}
