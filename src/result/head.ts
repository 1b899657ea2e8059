import { perfdbVersion } from './version.js'

/** The fields that every document begins with. */
export function headOf(exitCode: number) {
  return { perfdb: perfdbVersion(), ok: exitCode === 0, exit_code: exitCode }
}

/** When a run began, and the milliseconds until now. */
export function timesOf(startedAt: Date) {
  return { started_at: startedAt.toISOString(), duration_ms: Date.now() - startedAt.getTime() }
}
