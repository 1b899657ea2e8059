import { fewestServers, queue } from './queue.js'

/** Executor that writes audit rows, one in each process. */
export interface Audit {
  readonly workers: number
  readonly queue: number | null
  readonly ratePerSecond: number | null
  readonly burstPerSecond: number | null
  readonly serviceTimeSeconds: number | null
  readonly ownConnections: boolean
  readonly bounded: boolean
  /** What perfdb/runtime writes to; left out where another program does. */
  readonly writer?: AuditWriter
}

export interface AuditWriter {
  /** As written: with its schema where it has a dot. */
  readonly table: string
  /** Unique: a row that is sent again is not written again. */
  readonly idColumn: string | null
  /** Rows with one value there keep their order. */
  readonly keyColumn: string | null
  readonly whenFull: 'block' | 'drop_oldest'
  readonly blockTimeoutMs: number
}

/** An executor as a queue: writes per second into one executor, service time in seconds. */
export interface AuditEffect {
  readonly utilization: number
  readonly stable: boolean
  /** Workers with which 1 % of the writes wait longer than `auditWaitSeconds`. */
  readonly enough: number
  /** Seconds until a burst fills the queue; Infinity when the workers keep up, null without a queue or a burst. */
  readonly fillSeconds: number | null
}

/** Nobody waits for an audit row: a tenth of a second is soon enough. */
export const auditWaitSeconds = 0.1

/** Judges an audit executor: `rate` and `burst` in writes per second for this executor alone. */
export function auditEffect(
  rate: number,
  serviceTimeSeconds: number,
  workers: number,
  buffer: { readonly queue: number | null; readonly burst: number | null },
): AuditEffect {
  const { utilization, stable } = queue(rate, serviceTimeSeconds, workers)
  return {
    utilization,
    stable,
    enough: fewestServers(rate, serviceTimeSeconds, auditWaitSeconds),
    fillSeconds: fillSeconds(serviceTimeSeconds, workers, buffer),
  }
}

/** The field rule "workers = writes per second x 0.5": it equals a service time of half a second at full use. */
export function auditWorkersByRule(rate: number): number {
  return Math.ceil(rate * 0.5)
}

function fillSeconds(
  serviceTimeSeconds: number,
  workers: number,
  { queue: places, burst }: { readonly queue: number | null; readonly burst: number | null },
): number | null {
  if (places === null || burst === null) return null
  const surplus = burst - workers / serviceTimeSeconds
  return surplus <= 0 ? Infinity : places / surplus
}
