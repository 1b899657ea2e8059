import type { Step } from '../../plan/plan.js'
import type { Session } from '../../server/session/session.js'
import { answeredWithin } from '../../server/session/steady.js'
import type { BuildContext, StepResult, WalPosition, WrittenWal } from '../context.js'

/**
 * Runs a step and adds to its result the WAL that it wrote, where it builds. From 18 on the server counts the WAL of each
 * backend, that of parallel workers included, so the number is the build's own:
 * https://www.postgresql.org/docs/18/monitoring-stats.html (pg_stat_get_backend_wal). Before, the insert position of the
 * whole server is all there is (page headers included, 0.3 % more); other sessions are noticed by the transaction ids that
 * they took. pg_stat_statements would know it too, but only where it is loaded and keeps the statement.
 * The looks travel with what they are about, so that they cost no round trip.
 */
export async function withWal(
  context: BuildContext,
  step: Step,
  work: (context: BuildContext) => Promise<StepResult>,
): Promise<StepResult> {
  const { ddl, lastWal: last } = context
  const known = last?.position ?? null
  if (last !== undefined) last.position = null
  if (context.wal === false || !step.statements.some(({ kind }) => kind === 'build')) return work(context)
  const looking = known === null ? look(ddl, false) : Promise.resolve(known)
  let asked: Promise<WalPosition | null> | undefined
  const behind = {
    first: countsOwn(ddl) ? flushSql : null,
    send: (flushed: boolean) => void (asked = look(ddl, flushed)),
  }
  const result = await work({ ...context, behind })
  const before = await answered(ddl, looking)
  if (before === null || result.outcome === 'failed' || ddl.lost) return result
  const alone = step.statements.length === 1 && step.partitioned !== true
  const after = await answered(ddl, alone && asked !== undefined ? asked : look(ddl, false))
  if (after === null) return result
  if (after.next_id === null && last !== undefined) last.position = after
  const ids = step.partitioned === true ? Number.POSITIVE_INFINITY : idsOfStatement * step.statements.length
  return { ...result, wal: written(before, after, ids) }
}

/** Three transactions each write in CREATE and in DROP INDEX CONCURRENTLY: measured on 14, 16 and 18. */
const idsOfStatement = 3

function written(before: WalPosition, after: WalPosition, ids: number): WrittenWal {
  const others = before.next_id !== null && after.next_id !== null && after.next_id - before.next_id > ids
  return { bytes: after.bytes - before.bytes, shared: others }
}

/**
 * Sends the look, and does not wait for the answer: null when the server refuses it, as the build is none the worse without this number. `flushed`: what the backend
 * counted stands where it can be read. With a parameter, so that it is prepared: it comes at each step.
 */
async function look(session: Session, flushed: boolean): Promise<WalPosition | null> {
  const own = countsOwn(session)
  const flushing = own && !flushed ? session.query(`select ${flushSql}`) : undefined
  const asked = session.query<WalPosition>(own ? ownSql : serverSql, [session.pid])
  return Promise.all([asked, flushing]).then(
    ([[row]]) => row ?? null,
    () => null,
  )
}

function countsOwn({ versionNum }: Session): boolean {
  return versionNum >= 180_000
}

/** The answer, which is a moment away once nothing else runs on the session (fault 54). */
async function answered(session: Session, looking: Promise<WalPosition | null>): Promise<WalPosition | null> {
  return answeredWithin(session, patienceMs, async () => looking)
}

const patienceMs = 30_000

/** It is done when the transaction that asked for it has ended. */
const flushSql = 'pg_catalog.pg_stat_force_next_flush()'

const ownSql = `select wal_bytes::float8 as bytes, null::float8 as next_id
  from pg_catalog.pg_stat_get_backend_wal($1::int4) where wal_bytes is not null`
const serverSql = `select (pg_catalog.pg_current_wal_insert_lsn() operator(pg_catalog.-) '0/0'::pg_catalog.pg_lsn)::float8 as bytes,
  pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())::text::float8 as next_id where $1::int4 is not null`
