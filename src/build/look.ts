import type { Session } from '../server/session/session.js'
import type { TableName } from '../definition/definition.js'
import type { Statement } from '../plan/plan.js'
import { holdersSql, watchSql } from '../sql/catalog/progress.js'

export interface Backend {
  readonly pid: number
  readonly applicationName: string | null
  readonly user: string | null
  readonly state?: string | null
  readonly ageMs: number | null
  readonly query: string | null
}

/** What one look at a backend that builds or drops an index shows. */
export interface BackendLook {
  /** False once the backend has answered; null when it is gone. */
  readonly active: boolean | null
  readonly phase: string | null
  readonly indexOid: number | null
  readonly lockersDone: number | null
  readonly blocksTotal: number | null
  readonly blocksDone: number | null
  readonly tuplesTotal: number | null
  readonly tuplesDone: number | null
  readonly waitsForTable: boolean
  readonly waits: boolean
  readonly blockers: readonly Backend[] | null
  readonly prepared: readonly string[] | null
  readonly queued: readonly Backend[] | null
}

/** Looks once at backend `pid`: phase, counters, whom it waits for and what waits for it. */
export async function lookAt(session: Pick<Session, 'query'>, pid: number): Promise<BackendLook | undefined> {
  const rows = await session.query<{ document: BackendLook }>(watchSql, [pid])
  return rows[0]?.document
}

/** Who holds the lock that this statement on the table did not get, one text each: at this moment, and whether it waited for them nobody knows. Empty where nobody does any more. */
export async function holdersOf(
  session: Pick<Session, 'query'>,
  pid: number,
  { name, schema }: TableName,
  { index, verb }: Statement,
): Promise<readonly string[]> {
  const rows = await session.query<Backend & { gid: string | null; locks: string }>(holdersSql, [
    schema,
    name,
    index,
    verb,
    pid,
  ])
  return rows.map(
    ({ gid, locks, ...backend }) => `${locks} by ${gid === null ? backendText(backend) : preparedText(gid)}`,
  )
}

/** `waiting for table lock` is perfdb's own phase: the progress view has no row yet. */
export function phaseName(look: BackendLook): string {
  if (look.phase !== null) return look.phase
  if (look.waitsForTable) return 'waiting for table lock'
  return look.waits ? 'waiting for transactions' : 'starting'
}

/** Whom the build waits for, one text each: sessions, and prepared transactions by gid. */
export function blockerTexts(look: BackendLook): readonly string[] {
  return [...(look.blockers ?? []).map(backendText), ...(look.prepared ?? []).map(preparedText)]
}

function preparedText(gid: string): string {
  return `prepared transaction ${gid} (rollback prepared '${gid}' ends it)`
}

/** A role without pg_monitor sees the pid alone: then that is said, not an empty query. */
export function backendText({ pid, applicationName, user, state, ageMs, query }: Backend): string {
  if (state === null || query === null || query === '<insufficient privilege>')
    return `pid ${pid} (grant pg_monitor to see more)`
  const age = ageMs === null ? '' : `, for ${Math.round(ageMs / 1000)} s`
  return `pid ${pid}, ${applicationName === null || applicationName === '' ? 'no application name' : applicationName}, user ${user ?? '?'}${state === undefined ? '' : `, ${state}`}${age}: ${query}`
}
