import { durationMs, percentOf, ratePerSecond } from '../../text/units.js'
import type { DeclaredLoad, LoadExpectation } from '../load.js'
import type { WrittenLoad } from '../written/load-schema.js'
import { entriesInOrder, type ProfileSource } from '../written/source.js'

/** The key `load` with its units read, queries in the order of the file. */
export function completeLoad(written: WrittenLoad, source: ProfileSource): DeclaredLoad {
  const { mix, params = {}, connections, service, pools, timeout, duration, rates, users, think, expect = {} } = written
  const place = source.placeOf(['load'])
  const inOrder = <Value>(of: Readonly<Record<string, Value>>, key: string) => entriesInOrder(of, ['load', key], source)
  return {
    ...(mix === undefined ? {} : { mix: inOrder(mix, 'mix').map(([query, weight]) => ({ query, weight })) }),
    params: inOrder(params, 'params').map(([query, { sql }]) => ({ query, sql })),
    ...(connections === undefined ? {} : { connections }),
    ...(service === undefined ? {} : { service }),
    ...(pools === undefined ? {} : { pools }),
    ...(timeout === undefined ? {} : { timeoutMs: durationMs(timeout) }),
    ...(duration === undefined ? {} : { durationMs: durationMs(duration) }),
    ...(rates === undefined ? {} : { rates: rates.map(ratePerSecond) }),
    ...(users === undefined ? {} : { users }),
    ...(think === undefined ? {} : { thinkMs: durationMs(think) }),
    expect: completeExpect(expect),
    place,
  }
}

function completeExpect(written: NonNullable<WrittenLoad['expect']>): LoadExpectation {
  const { success, rate } = written
  const times = (['p50', 'p95', 'p99', 'max'] as const).flatMap((of) => {
    const time = written[of]
    return time === undefined ? [] : [{ of, ms: durationMs(time) }]
  })
  return {
    times,
    ...(success === undefined ? {} : { successPercent: percentOf(success) }),
    ...(rate === undefined ? {} : { rate: ratePerSecond(rate) }),
  }
}
