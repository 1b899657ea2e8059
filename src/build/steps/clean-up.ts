import { readIndex } from '../../catalog/read/read.js'
import type { ExistingIndex } from '../../catalog/snapshot.js'
import { dropIndexSql } from '../../sql/ddl/index-ddl.js'
import { buildersSql } from '../../sql/catalog/progress.js'
import type { BuildContext } from '../context.js'
import { runWatched, type Ran } from '../statement.js'
import { stateOf } from '../check/verify.js'

/** After a signal the runner's own patience is short: CI kills what does not end. */
const graceMs = 30_000

/**
 * Drops what a failed build of this run left, and nothing else: the index must be invalid and be the one that this backend
 * built (its oid was seen in the progress view, or no index of that name stood there before). Returns what is there now.
 */
export async function cleanUp(
  context: BuildContext,
  schema: string,
  name: string,
  ran: Ran,
): Promise<'missing' | 'invalid' | 'valid'> {
  const { watchdog, listener, signal, maxWaitMs } = context
  const left = await readIndex(watchdog, schema, name)
  const state = stateOf(left)
  if (left === undefined || state === 'missing') return 'missing'
  if (state === 'valid') return 'valid'
  if (await anothers(context, left, ran)) return 'invalid'
  listener({
    type: 'stage',
    stage: 'clean-up',
    message: `dropping the invalid ${schema}.${name} that the failed build left`,
  })
  const patience = signal.aborted ? Math.min(graceMs, maxWaitMs) : maxWaitMs
  const dropped = await runWatched(context, name, dropIndexSql(schema, name), {
    maxWaitMs: patience,
    signal: new AbortController().signal,
  })
  if (dropped.error !== null)
    listener({
      type: 'warning',
      message: `the invalid ${schema}.${name} could not be dropped: ${dropped.error.message}`,
    })
  return stateOf(await readIndex(watchdog, schema, name)) === 'missing' ? 'missing' : 'invalid'
}

/** The name was taken meanwhile by an index that this run did not make, or that somebody is building right now. */
async function anothers({ ddl, watchdog }: BuildContext, { oid, tableOid }: ExistingIndex, ran: Ran): Promise<boolean> {
  if (ran.error?.sqlstate === '42P07' || (ran.indexOid !== null && ran.indexOid !== oid)) return true
  return (await watchdog.query(buildersSql, [oid, tableOid, ddl.pid])).length > 0
}
