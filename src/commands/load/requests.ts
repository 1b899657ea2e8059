import { PerfdbError } from '../../errors.js'
import { loadRequest, type LoadRequest } from '../../server/load-connection.js'

/** One query of a mix. Plain data: it passes from thread to thread. */
export interface RequestPart {
  readonly query: string
  readonly weight: number
  readonly sql: string
  /** Its sets of values, which take turns; one empty set where it has no parameters. */
  readonly sets: readonly (readonly (string | null)[])[]
}

/** The next request of a mix, by weight. */
export function requestsOf(parts: readonly RequestPart[], random: () => number): () => LoadRequest {
  const queues = parts.map(({ sql, sets }, number) => ({
    requests: sets.map((values) => loadRequest(number, sql, values)),
    turn: 0,
  }))
  const sum = parts.reduce((all, { weight }) => all + weight, 0)
  return () => {
    let [at, left] = [0, random() * sum]
    while (at < parts.length - 1 && (left -= parts[at]?.weight ?? 0) >= 0) at += 1
    const queue = queues[at]
    const request = queue?.requests[queue.turn++ % queue.requests.length]
    if (request === undefined) throw new PerfdbError('INTERNAL', 'a mix without requests')
    return request
  }
}
