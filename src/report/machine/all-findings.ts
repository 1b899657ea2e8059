import type { FindingCode } from '../../codes/codes.js'
import type { PoolResult } from '../../result/documents/pool-result.js'
import type { Advice } from '../../result/documents/advise-result.js'
import type {
  ErrorResult,
  Outcome,
  ResultFinding,
  ResultQuery,
  ResultStep,
  Severity,
} from '../../result/documents/result.js'
import type { TenantGroup } from '../../result/documents/fleet-result.js'
import { several, withThousands } from '../../text/amounts.js'
import { queryTitle } from '../blocks/queries.js'
import { type Result, isError, isFleet } from '../../result/results.js'

/** A finding as any command has it; those of check-pool name a server and a service. */
export type AnyFinding = ResultFinding & Partial<Pick<PoolResult['findings'][number], 'server' | 'service'>>

const ranks: Readonly<Record<Severity, number>> = { error: 0, warning: 1, info: 2 }

/**
 * Everything in the document that is worth an annotation, each thing once, errors first: its findings, and as findings of
 * the same shape what went wrong (the error itself or its problems, failed and refused steps, missed expectations, queries
 * without a measurement, tables that were not analyzed) and the hazards of a plan. Within a severity the document's order.
 */
export function allFindings(result: Result): readonly AnyFinding[] {
  return unique(findingsOf(result)).toSorted((one, other) => ranks[one.severity] - ranks[other.severity])
}

/** The message with the query, index or table in front that it does not name; those of check-pool name theirs. */
export function messageOf(finding: AnyFinding): string {
  const subject = finding.query ?? finding.index ?? finding.table ?? ''
  return subject === '' || finding.message.includes(subject) ? finding.message : `${subject}: ${finding.message}`
}

function findingsOf(result: Result): readonly AnyFinding[] {
  if (isError(result)) return (result.error.problems ?? [result.error]).map((error) => errorFinding(error))
  if (isFleet(result)) return [...result.findings, ...result.groups.flatMap(groupFindings)]
  if (result.command === 'demo')
    return [...findingsOf(result.apply), ...findingsOf(result.verify), ...findingsOf(result.pools)]
  const { hazards, findings } = onceEach(
    'steps' in result ? result.steps.flatMap((step) => stepFindings(step)) : [],
    'findings' in result ? result.findings : [],
  )
  return [
    ...('error' in result && result.error !== undefined ? [errorFinding(result.error)] : []),
    ...hazards,
    ...('comparisons' in result ? result.queries.flatMap((query) => queryFindings(query)) : []),
    ...('advice' in result ? result.advice.flatMap(adviceFindings) : []),
    ...findings,
    ...('checks' in result ? result.checks.filter(({ ok }) => !ok).map((check) => errorFinding(check)) : []),
    ...('analyzed' in result ? result.analyzed.flatMap((each) => analyzeFindings(each)) : []),
  ]
}

/** What a hazard of a step and a finding of the index may both tell. */
const matters: Readonly<Record<string, string>> = {
  REPLACE: 'differs',
  DIFFERS: 'differs',
  RENAME: 'renamed',
  RENAMED: 'renamed',
  REDUNDANT: 'redundant',
  DUPLICATE: 'redundant',
}

/** Of a hazard and a finding about the same matter the worse one; of two alike the hazard, which says how to allow it. */
function onceEach(
  ofSteps: readonly AnyFinding[],
  found: readonly AnyFinding[],
): { readonly hazards: readonly AnyFinding[]; readonly findings: readonly AnyFinding[] } {
  const matterOf = ({ code, index, place }: AnyFinding) =>
    matters[code] === undefined || index === undefined ? null : JSON.stringify([matters[code], index, place])
  const ranked = (all: readonly AnyFinding[]) => new Map(all.map((one) => [matterOf(one), ranks[one.severity]]))
  const [hazards, findings] = [ranked(ofSteps), ranked(found)]
  const told = (matter: string | null, others: ReadonlyMap<string | null, number>) =>
    matter === null ? undefined : others.get(matter)
  return {
    hazards: ofSteps.filter((one) => ranks[one.severity] <= (told(matterOf(one), findings) ?? ranks.info)),
    findings: found.filter((one) => ranks[one.severity] < (told(matterOf(one), hazards) ?? Number.POSITIVE_INFINITY)),
  }
}

/** One of tenants that are alike: a note a tenant would be thousands of one kind. */
function groupFindings({
  outcome,
  code,
  tenants,
  ids,
  reason,
  steps,
  exit_code: exit,
}: TenantGroup): readonly AnyFinding[] {
  if (outcome === 'in_order' || outcome === 'done') return []
  const who =
    tenants === 1
      ? `tenant ${ids[0] ?? ''}`
      : `${several(tenants, 'tenant')} (${ids.slice(0, 4).join(', ')}${tenants > 4 ? ' ...' : ''})`
  const [index] = steps.filter(({ step }) => step !== 'keep')
  return [
    {
      code: code ?? 'NOT_STARTED',
      severity: exit === 0 ? 'warning' : 'error',
      ...(index !== undefined && { index: index.index, table: index.table }),
      message: `${who}: ${reason}`,
    },
  ]
}

type ErrorFields = Omit<ErrorResult['error'], 'problems'>

function errorFinding(error: ErrorFields, about: Pick<AnyFinding, 'index' | 'table' | 'place'> = {}): AnyFinding {
  return {
    ...about,
    code: error.code,
    severity: 'error',
    message: error.detail === undefined ? error.message : `${error.message} (${error.detail})`,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    ...(error.place === undefined ? {} : { place: error.place }),
  }
}

function stepFindings(step: ResultStep): readonly AnyFinding[] {
  const about = { index: step.index, table: step.table, ...placeOf(step) }
  if (step.error !== undefined) {
    const found = errorFinding(step.error, about)
    return [step.outcome === 'not_reached' ? { ...found, severity: 'warning' } : found]
  }
  if (step.outcome === 'failed')
    return [errorFinding({ code: 'BUILD_FAILED' satisfies FindingCode, message: 'the step failed' }, about)]
  return step.hazards.map(({ code, message, told, refused, hint = `to allow: perfdb apply --allow ${code}` }) => ({
    ...about,
    code,
    severity: refused === true ? 'error' : hazardSeverity(step.outcome),
    message,
    ...(told === true ? {} : { hint }),
  }))
}

/** At each query that an index would help, where it is written; not at those that a server runs already. */
function adviceFindings({ index, serves, needs }: Advice): readonly AnyFinding[] {
  const counting = serves.filter(({ known }) => known !== true)
  return counting.map(({ query, cost_before: before, cost_after: after, place }) => ({
    code: 'MISSING_INDEX' satisfies FindingCode,
    severity: 'warning',
    query,
    ...(place === undefined ? {} : { place }),
    message: `an index on ${index.schema}.${index.table} would help ${query}: ${index.definition}, estimated cost ${withThousands(Math.round(before))} -> ${withThousands(Math.round(after))}`,
    hint: needs === undefined ? index.sql : `${needs.sql}; ${index.sql}`,
  }))
}

/** Where the index or the query is declared. */
function placeOf({ place }: ResultStep | ResultQuery): Pick<AnyFinding, 'place'> {
  return place === undefined ? {} : { place }
}

/** Of a plan a hazard is a warning; of a run it stopped the step, or was allowed. */
function hazardSeverity(outcome: Outcome | undefined): Severity {
  return outcome === undefined ? 'warning' : outcome === 'refused' ? 'error' : 'info'
}

function queryFindings(query: ResultQuery): readonly AnyFinding[] {
  const told = query.findings.some((finding) => finding.code === 'EXPECTATION_MISSED')
  const missed = query.expectations.filter((expectation) => !expectation.met && !told)
  return [
    ...missed.map(({ expect, actual }): AnyFinding => ({
      code: 'EXPECTATION_MISSED' satisfies FindingCode,
      severity: 'error',
      query: query.name,
      ...placeOf(query),
      message: `${queryTitle(query)}: expected ${expect}, got ${actual}`,
    })),
    ...query.findings.map((finding) => ({ ...placeOf(query), ...finding, query: finding.query ?? query.name })),
    ...(query.status === 'measured' || query.reason === undefined
      ? []
      : [
          {
            code: unmeasuredCode(query.status, query.reason),
            severity: query.status === 'not_measured' ? ('info' as const) : ('warning' as const),
            query: query.name,
            ...placeOf(query),
            message: `${queryTitle(query)}: ${query.reason}`,
          },
        ]),
  ]
}

function unmeasuredCode(status: Exclude<ResultQuery['status'], 'measured'>, reason: string): string {
  if (status === 'not_measured') return 'NOT_MEASURED'
  // Refused is as well what cannot be parsed.
  return status === 'refused' && /\bchanges data\b/.test(reason) ? 'WRITE_QUERY' : 'QUERY_FAILED'
}

function analyzeFindings(each: { table: string; ok: boolean; message?: string | undefined }): readonly AnyFinding[] {
  if (each.ok) return []
  const message = each.message === undefined ? 'not analyzed' : `not analyzed: ${each.message}`
  return [{ code: 'NOT_ANALYZED' satisfies FindingCode, severity: 'warning', table: each.table, message }]
}

/** `2 errors, 1 warning, 3 notes`; empty without findings. */
export function findingTally(findings: readonly AnyFinding[]): string {
  const words: Readonly<Record<Severity, string>> = { error: 'error', warning: 'warning', info: 'note' }
  return (['error', 'warning', 'info'] as const)
    .map((severity) => ({ severity, number: findings.filter((each) => each.severity === severity).length }))
    .filter(({ number }) => number > 0)
    .map(({ severity, number }) => several(number, words[severity]))
    .join(', ')
}

/** The same finding may stand at its query and in the list of the whole document. */
function unique(findings: readonly AnyFinding[]): readonly AnyFinding[] {
  const keys = findings.map((one) => JSON.stringify([one.code, one.message, one.index, one.query, one.place]))
  const seen = new Set<string>()
  return findings.filter((_, at) => {
    const key = keys[at] ?? ''
    if (seen.has(key)) return false
    seen.add(key)
    return true
  })
}
