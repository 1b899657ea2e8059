import { resolve } from 'node:path'
import type { Session } from '../../server/session/session.js'
import { readSnapshot, saveSnapshot, takeSnapshot } from './explain-snapshot.js'
import { topSince } from './explain-since.js'
import { topQueries, type Auditable, type Ranking } from './explain-top.js'

export interface StatementOptions {
  readonly top?: number
  readonly by?: Ranking
  /** File of an earlier snapshot. */
  readonly since?: string
  /** Where the snapshot of now goes. */
  readonly saveSnapshot?: string
  readonly allowWrites: boolean
  /** What the two files are relative to. */
  readonly cwd: string
}

/**
 * The statements of pg_stat_statements that --top, --since and --save-snapshot ask for; --since alone means the first ten. The earlier
 * snapshot is read before the new one is written, so that both may be one file. Throws NO_EXTENSION, FILE_NOT_FOUND, BAD_VALUE.
 */
export async function readStatements(
  session: Session,
  { top, by = 'total', since, saveSnapshot: file, allowWrites, cwd }: StatementOptions,
): Promise<Auditable> {
  const before = since === undefined ? null : await readSnapshot(since, cwd)
  const changes = before === null ? null : await topSince(session, top ?? 10, by, allowWrites, before)
  const findings = [...(changes?.findings ?? [])]
  if (file !== undefined) {
    const snapshot = changes?.snapshot ?? (await takeSnapshot(session))
    await saveSnapshot(resolve(cwd, file), snapshot)
    const message = `${file} holds the counters of ${snapshot.statements.length} statements, of ${snapshot.taken_at}`
    findings.push({ code: 'SNAPSHOT', severity: 'info', message, hint: `later: perfdb explain --since ${file}` })
  }
  if (changes !== null) return { queries: changes.queries, findings, counts: changes.counts }
  const first: Auditable =
    top === undefined ? { queries: [], findings: [] } : await topQueries(session, top, by, allowWrites)
  return { ...first, findings: [...findings, ...first.findings] }
}
