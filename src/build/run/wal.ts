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
  const looking = known === null ? look(ddl) : Promise.resolve(known)
  let behind: Promise<WalPosition | null> | undefined
  const result = await work({ ...context, onSent: () => void (behind = look(ddl)) })
  const before = await answered(ddl, looking)
  if (before === null || result.outcome === 'failed' || ddl.lost) return result
  const alone = step.statements.length === 1 && step.partitioned !== true
  const after = await answered(ddl, alone && behind !== undefined ? behind : look(ddl))
  if (after === null) return result
  if (after.backend !== null && last !== undefined) last.position = after
  const ids = step.partitioned === true ? Number.POSITIVE_INFINITY : idsOfStatement * step.statements.length
  return { ...result, wal: written(before, after, ids) }
}

/** Three transactions each write in CREATE and in DROP INDEX CONCURRENTLY: measured on 14, 16 and 18. */
const idsOfStatement = 3

function written(before: WalPosition, after: WalPosition, ids: number): WrittenWal {
  if (before.backend !== null && after.backend !== null) return { bytes: after.backend - before.backend, shared: false }
  return { bytes: after.server - before.server, shared: after.next_id - before.next_id > ids }
}

/** Sends the look, and does not wait for the answer: null when the server refuses it, as the build is none the worse without this number. */
async function look(session: Session): Promise<WalPosition | null> {
  const own = session.versionNum >= 180_000
  const flushed = own ? session.query('select pg_catalog.pg_stat_force_next_flush()') : undefined
  const asked = session.query<WalPosition>(`${positionSql}, ${own ? backendSql : noneSql}`)
  return Promise.all([asked, flushed]).then(
    ([[row]]) => row ?? null,
    () => null,
  )
}

/** The answer, which is a moment away once nothing else runs on the session (fault 54). */
async function answered(session: Session, looking: Promise<WalPosition | null>): Promise<WalPosition | null> {
  return answeredWithin(session, patienceMs, async () => looking)
}

const patienceMs = 30_000

const positionSql = `select (pg_catalog.pg_current_wal_insert_lsn() operator(pg_catalog.-) '0/0'::pg_catalog.pg_lsn)::float8 as server,
  pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())::text::float8 as next_id`
const backendSql = `(select wal_bytes::float8 from pg_catalog.pg_stat_get_backend_wal(pg_catalog.pg_backend_pid())) as backend`
const noneSql = 'null::float8 as backend'
