import type { Finding } from '../../plan/plan.js'
import { count } from '../plan/plan-node.js'

/** What an entry of pg_stat_statements has counted. Times in ms; instants in ISO 8601, UTC. */
export interface Counters {
  readonly queryid: string
  readonly userid: string
  readonly calls: number
  readonly rows: number
  readonly total_ms: number
  /** Read from outside shared buffers, and temporary ones. */
  readonly blocks: number
  /** When the entry was made; null before 17. */
  readonly since: string | null
}

/** The counters of one database at one moment. */
export interface CountersSnapshot {
  readonly taken_at: string
  readonly started_at: string
  readonly stats_reset: string | null
  readonly deallocated: number
  readonly statements: readonly Counters[]
}

/**
 * What happened between two snapshots of the same database, for each entry that was called, and what makes the difference
 * doubtful: STATEMENTS_RESET, SERVER_RESTARTED, STATEMENTS_EVICTED. Counters that went back, or of an entry that is newer
 * than the snapshot, count from their own beginning.
 */
export function difference(
  before: CountersSnapshot,
  now: CountersSnapshot,
): { readonly statements: readonly Counters[]; readonly findings: readonly Finding[] } {
  const began = beginning(before, now)
  const earlier = new Map(began.fresh ? [] : before.statements.map((one) => [keyOf(one), one]))
  const statements = now.statements.flatMap((one) => {
    const was = earlier.get(keyOf(one))
    const anew = was === undefined || one.calls < was.calls || (one.since !== null && one.since > before.taken_at)
    const since: Counters = anew
      ? one
      : {
          ...one,
          calls: one.calls - was.calls,
          rows: one.rows - was.rows,
          total_ms: one.total_ms - was.total_ms,
          blocks: one.blocks - was.blocks,
        }
    return since.calls > 0 ? [since] : []
  })
  return { statements, findings: [...began.findings, ...evicted(before, now, began.fresh)] }
}

/** The database and toplevel are the same for all. */
function keyOf({ queryid, userid }: Counters): string {
  return `${userid} ${queryid}`
}

/**
 * Whether everything was counted from 0 after the snapshot: a reset, a crash and a restart with pg_stat_statements.save = off
 * all set stats_reset to their moment.
 */
function beginning(
  before: CountersSnapshot,
  now: CountersSnapshot,
): { readonly fresh: boolean; readonly findings: readonly Finding[] } {
  const restarted = now.started_at === before.started_at ? [] : [restart(before, now)]
  if (now.stats_reset === before.stats_reset) return { fresh: false, findings: restarted }
  const message = `pg_stat_statements began anew at ${now.stats_reset}, after the snapshot of ${before.taken_at}: all is counted since then`
  const hint =
    'a reset, a crash, or a restart without pg_stat_statements.save; take another: perfdb explain --save-snapshot FILE'
  return { fresh: true, findings: [{ code: 'STATEMENTS_RESET', severity: 'warning', message, hint }, ...restarted] }
}

function restart(before: CountersSnapshot, now: CountersSnapshot): Finding {
  const message = `the server was started at ${now.started_at}, after the snapshot of ${before.taken_at}`
  return { code: 'SERVER_RESTARTED', severity: 'info', message }
}

function evicted(before: CountersSnapshot, now: CountersSnapshot, fresh: boolean): readonly Finding[] {
  const times = now.deallocated - (fresh ? 0 : before.deallocated)
  if (times <= 0) return []
  return [
    {
      code: 'STATEMENTS_EVICTED',
      severity: 'warning',
      message: `pg_stat_statements was full and threw its least executed statements away ${count(times)} time${times === 1 ? '' : 's'} meanwhile: calls of theirs are missing`,
      hint: 'a larger pg_stat_statements.max (the server must be restarted)',
    },
  ]
}
