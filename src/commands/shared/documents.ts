import type { Analyzed } from '../../build/run/analyze.js'
import type { StepResult } from '../../build/context.js'
import type { ServerFacts, Snapshot } from '../../catalog/snapshot.js'
import { tableNamed } from '../../plan/match/lookup.js'
import { shortIndexdef, shortDefinition } from '../../definition/short.js'
import type { Finding, Step } from '../../plan/plan.js'
import type { ResultFinding, ResultStep } from '../../result/documents/result.js'
import { headOf, timesOf } from '../../result/head.js'

/** The fields that every result begins with. */
export function about(exitCode: number, server: ServerFacts, startedAt: Date) {
  return {
    ...headOf(exitCode),
    server: serverDocument(server),
    ...timesOf(startedAt),
  }
}

function serverDocument({ version, versionNum, database, user, host, port }: ServerFacts) {
  return { version, version_num: versionNum, database, user, host, port }
}

/** A planned step as a document; a statement of several texts (a swap in one transaction) is shown with begin and commit. */
export function stepDocument(step: Step, snapshot: Snapshot): ResultStep {
  const table = tableNamed(snapshot, step.table)
  return {
    step: step.step,
    index: step.index,
    schema: step.schema,
    table: step.table.name,
    reason: step.reason,
    ...(step.declared === null || !shown.has(step.step) ? {} : { definition: shortDefinition(step.declared) }),
    ...(step.step === 'replace' && step.existing !== null
      ? { definition_before: shortIndexdef(step.existing.indexdef) }
      : {}),
    sql: step.statements.flatMap(({ kind, sql }) => (kind === 'swap' ? ['begin', ...sql, 'commit'] : sql)),
    hazards: step.hazards.map(({ advisory, ...hazard }) => ({ ...hazard, ...(advisory === true && { told: true }) })),
    ...needsDocument(step),
    ...(step.place === null ? {} : { place: { ...step.place } }),
    ...(step.predictedBytes === null ? {} : { predicted_bytes: step.predictedBytes }),
    // Of a table that was never analyzed nobody knows the rows, unless it is empty.
    ...(table === undefined || (table.estimatedRows < 0 && table.sizeBytes > 0)
      ? {}
      : { table_rows: Math.max(0, table.estimatedRows) }),
    ...(table === undefined ? {} : { table_bytes: table.sizeBytes }),
    ...(step.step === 'keep' && step.existing !== null
      ? { size_bytes: step.existing.sizeBytes, state: 'valid' as const }
      : {}),
  }
}

/** Steps that build something. */
const shown: ReadonlySet<string> = new Set(['create', 'replace', 'rebuild'])

/** Each drop needs all builds on its table: written out in each, the document would be builds times drops long. */
function needsDocument({ needs }: Step): Pick<ResultStep, 'needs' | 'needs_more'> {
  if (needs === undefined) return {}
  const shown = needs.slice(0, mostNeeds).map((need) => ({ ...need }))
  return needs.length > mostNeeds ? { needs: shown, needs_more: needs.length - mostNeeds } : { needs: shown }
}

const mostNeeds = 10

/** A step with its outcome. */
export function resultDocument(result: StepResult, snapshot: Snapshot): ResultStep {
  const { outcome, durationMs, waitedMs, sizeBytes, state, error } = result
  return {
    ...stepDocument(result.step, snapshot),
    outcome,
    duration_ms: durationMs,
    waited_ms: waitedMs,
    ...(result.waitedFor === undefined ? {} : { waited_for: [...result.waitedFor] }),
    ...(sizeBytes === null ? {} : { size_bytes: sizeBytes }),
    ...(state === null ? {} : { state }),
    ...(result.wal === undefined ? {} : { wal_bytes: Math.round(result.wal.bytes), wal_shared: result.wal.shared }),
    ...(error === null
      ? {}
      : {
          error: {
            code: error.code,
            message: error.message,
            ...(error.detail === undefined ? {} : { detail: error.detail }),
            ...(error.hint === undefined ? {} : { hint: error.hint }),
            ...(error.sqlstate === undefined ? {} : { sqlstate: error.sqlstate }),
          },
        }),
  }
}

export function analyzedDocument({ table, ok, durationMs, message }: Analyzed) {
  return {
    table: `${table.schema}.${table.name}`,
    ok,
    duration_ms: durationMs,
    ...(message === null ? {} : { message }),
  }
}

export function findingDocument(finding: Finding): ResultFinding {
  return { ...finding, ...(finding.place === undefined ? {} : { place: { ...finding.place } }) }
}
