import { PerfdbError } from '../../errors.js'
import type { Session } from '../../server/session/session.js'
import { indexScansSql, standbysSql } from '../../sql/measure/index-scans.js'
import { limitsOf } from '../sample/limits.js'
import { rolledBack } from '../sample/sample.js'
import { catalogOnly } from '../sample/tables.js'
import { indexKey } from './price-uses.js'

/** How often indexes were scanned, on every node that was asked. */
export interface Scans {
  /** By indexKey. */
  readonly of: ReadonlyMap<string, { readonly scans: number; readonly since: string }>
  /** Standbys whose counters are not in it. */
  readonly unasked: number
}

export const noScans: Scans = { of: new Map(), unasked: 0 }

interface Row {
  readonly schema: string
  readonly name: string
  readonly scans: number
  readonly since: string
}

/**
 * The counters of pg_stat_all_indexes on the server and on its replicas, added up. A connection that is no standby counts for nothing. Where the
 * role may not look there are no counters. Throws CONNECTION_LOST and INTERRUPTED.
 */
export async function readScans(
  session: Session,
  replicas: readonly Session[],
  indexes: readonly { readonly schema: string; readonly name: string }[],
  signal: AbortSignal | undefined,
): Promise<Scans> {
  const names = [indexes.map(({ schema }) => schema), indexes.map(({ name }) => name)]
  const limits = limitsOf({ allowWrites: false, signal })
  const ask = async <T>(
    node: Session,
    sql: string,
    parameters: readonly (readonly string[])[],
  ): Promise<readonly T[]> =>
    rolledBack(node, limits, catalogOnly, async () => node.query<T>(sql, parameters)).catch((error: unknown) => {
      if (signal?.aborted || (error instanceof PerfdbError && error.code === 'CONNECTION_LOST')) throw error
      return []
    })
  const standbys = replicas.filter(({ inRecovery }) => inRecovery)
  const of = new Map<string, { scans: number; since: string }>()
  for (const node of [session, ...standbys]) {
    for (const { schema, name, scans, since } of await ask<Row>(node, indexScansSql, names)) {
      const key = indexKey(schema, name)
      const known = of.get(key)
      // The counters of a standby may have begun later: since then at the latest all nodes count.
      of.set(key, {
        scans: scans + (known?.scans ?? 0),
        since: known === undefined || since > known.since ? since : known.since,
      })
    }
  }
  const [row] = await ask<{ readonly standbys: number }>(session, standbysSql, [])
  return { of, unasked: Math.max(0, (row?.standbys ?? 0) - standbys.length) }
}
