import { PerfdbError } from '../../errors.js'
import { genericPlan } from '../../measure/sample/generic.js'
import { explainOnce } from '../../measure/sample/sample.js'
import type { Subject } from '../../measure/sample/subject.js'
import type { Session } from '../../server/session/session.js'
import type { State } from './relations.js'
import { estranged, type Estranged } from './strangers.js'
import type { Twin } from '../twin.js'

/** How a twin plans: on the session that it has at the moment. */
export function plannerOf(session: () => Session, state: State): Pick<Twin, 'plan' | 'generic' | 'strangers'> {
  const { limits, statistics } = state
  const keyOf = ({ text, values }: Subject) => JSON.stringify([text, values])
  /** Where values are left out, by statement; null of one in which nothing is strange. */
  const known = new Map<string, Estranged | null>()
  const generic: Twin['generic'] = async ({ text, writes }, parameterCount) => {
    const found = await genericPlan(session(), { text, writes, values: [] }, parameterCount, limits)
    if (found === null) throw new PerfdbError('QUERY_FAILED', 'EXPLAIN returned no query plan')
    return found.plan
  }
  return {
    generic,
    async plan(subject) {
      const asWritten = async () => explainOnce(session(), subject, 'plain', limits)
      if (statistics.values === 'kept') return asWritten()
      const key = keyOf(subject)
      const before = known.get(key)
      if (before !== undefined)
        return before === null || before.parameterCount === 0
          ? asWritten()
          : generic({ ...subject, text: before.text }, before.parameterCount)
      const plan = await asWritten()
      const found = await estranged(session(), plan, subject, state)
      known.set(key, found)
      if (found === null || found.parameterCount === 0) return plan
      try {
        return await generic({ ...subject, text: found.text }, found.parameterCount)
      } catch (error) {
        // No parameter can stand there, as in `date '2025-01-01'`.
        if (!(error instanceof PerfdbError) || session().lost || error.code === 'INTERRUPTED') throw error
        known.set(key, { ...found, parameterCount: 0 })
        return plan
      }
    },
    strangers(subject) {
      const found = known.get(keyOf(subject)) ?? null
      return found === null ? null : { constants: found.constants, asAny: found.parameterCount > 0 }
    },
  }
}
