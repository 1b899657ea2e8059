import type { Points, QueryPoint, StepPoint } from '../../ledger/points.js'
import { readLedger } from '../../ledger/records/history.js'
import { intervalOf } from '../../ledger/read/proven.js'
import type { Session } from '../../server/session/session.js'
import { about } from '../shared/documents.js'
import { exitCode } from '../../result/exit-code.js'
import type { HistoryResult } from '../../result/documents/history-result.js'
import type { Interval } from '../../result/documents/result.js'

/**
 * Sizes of indexes, times and verdicts of queries over the latest runs of the ledger, the oldest first. Writes nothing. Throws PRIVILEGE and
 * LEDGER_UNTRUSTED.
 */
export async function runHistory(session: Session, name: string | undefined, runs: number): Promise<HistoryResult> {
  const startedAt = new Date()
  const ledger = await readLedger(session)
  const points: Points = (await ledger?.points(name ?? null, runs)) ?? { runs: 0, steps: [], queries: [] }
  return {
    ...about(exitCode({}), session, startedAt),
    command: 'history',
    ledger: ledger !== null,
    ...(name !== undefined && { name }),
    runs: points.runs,
    queries: queriesOf(points.queries),
    indexes: indexesOf(points.steps),
    findings: [],
  }
}

function queriesOf(points: readonly QueryPoint[]): HistoryResult['queries'] {
  const queries = new Map<string, HistoryResult['queries'][number]>()
  for (const { run, at, query: name, parameterSet, side, verdict, document } of points) {
    const execution = intervalOf(document, 'execution_ms')
    if (execution === null || isNegative(execution)) continue
    const key = JSON.stringify([name, parameterSet])
    const query = queries.get(key) ?? { name, ...(parameterSet !== null && { params: parameterSet }), runs: [] }
    queries.set(key, query)
    const last = query.runs.at(-1)
    const point = last?.run === run ? last : { run, at: at.toISOString() }
    if (point !== last) query.runs.push(point)
    point[side] = { execution_ms: execution }
    const speedup = intervalOf(document, 'speedup')
    if (speedup !== null && !isNegative(speedup)) point.speedup = speedup
    if (verdict !== null) point.verdict = verdict
  }
  return [...queries.values()].toSorted((one, other) => one.name.localeCompare(other.name))
}

/** Nothing that perfdb measured: no chart could draw it. */
function isNegative({ median, low, high }: Interval): boolean {
  return Math.min(median, low, high) < 0
}

function indexesOf(points: readonly StepPoint[]): HistoryResult['indexes'] {
  const indexes = new Map<string, HistoryResult['indexes'][number]>()
  for (const { run, at, schema, index: name, step, outcome, sizeBytes, durationMs } of points) {
    const key = JSON.stringify([schema, name])
    const index = indexes.get(key) ?? { schema, index: name, runs: [] }
    indexes.set(key, index)
    index.runs.push({
      run,
      at: at.toISOString(),
      step,
      outcome,
      ...(sizeBytes !== null && { size_bytes: sizeBytes }),
      ...(durationMs !== null && { duration_ms: durationMs }),
    })
  }
  return [...indexes.values()].toSorted((one, other) => one.index.localeCompare(other.index))
}
