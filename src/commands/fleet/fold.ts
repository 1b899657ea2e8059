import type { PerfdbError } from '../../errors.js'
import { fieldsOf } from '../../result/documents/error-fields.js'
import type { TenantOutcome, TenantResult, TenantStep } from '../../result/documents/fleet-result.js'
import type { ResultFinding, ResultQuery, ResultStep } from '../../result/documents/result.js'
import type { SingleResult } from '../../result/results.js'
import { several } from '../../text/amounts.js'

/** What is kept of a tenant's document, so that ten thousand of them fit into memory. */
export interface Folded extends Pick<TenantResult, 'outcome' | 'exit_code' | 'error' | 'run' | 'verdicts'> {
  readonly steps: readonly TenantStep[]
  /** Errors and warnings. */
  readonly findings: readonly ResultFinding[]
  readonly reason: string
  readonly code?: string | undefined
}

/** What the matrix needs of the document of one database. */
export function folded(result: SingleResult): Folded {
  const steps = 'steps' in result ? result.steps.map((step) => foldedStep(step, result.command)) : []
  const queries = 'comparisons' in result ? result.queries : []
  const findings = [...('findings' in result ? result.findings : []), ...queries.flatMap(queryFindings)].filter(
    ({ severity }) => severity !== 'info',
  )
  const verdicts = queries.flatMap(({ name, verdict, speedup }) =>
    verdict === undefined ? [] : [{ query: name, verdict, ...(speedup && { speedup }) }],
  )
  const error = 'error' in result ? result.error : undefined
  const builds = result.command === 'status' && 'builds' in result ? result.builds.length : 0
  return {
    outcome: outcomeOf(result, steps),
    exit_code: result.exit_code,
    steps,
    findings,
    ...(verdicts.length > 0 && { verdicts }),
    ...(error && { error }),
    ...('run' in result && result.run !== null && { run: result.run }),
    reason: error?.message ?? reasonOf(result.command, steps, findings, builds, queries.length),
    code: error?.code ?? codeOf(steps, findings),
  }
}

/** Of a tenant that could not be looked at. */
export function foldedError(error: PerfdbError): Folded {
  return {
    outcome: error.code === 'INTERRUPTED' ? 'interrupted' : 'not_looked',
    exit_code: 2,
    steps: [],
    findings: [],
    error: fieldsOf(error),
    reason: error.message,
    code: error.code,
  }
}

/** Of a tenant that was not begun. */
export function notReached(reason: string): Folded {
  return { outcome: 'not_reached', exit_code: 0, steps: [], findings: [], reason }
}

/** Everything by which two tenants are told apart, without the schema of a tenant that is one. */
export function likeness(
  { outcome, exit_code, steps, findings, error, reason }: Folded,
  schema: string | null,
): string {
  const place = (name: string) => (name === schema ? '' : name)
  return JSON.stringify([
    outcome,
    exit_code,
    error === undefined ? (outcome === 'not_reached' ? reason : '') : error.code,
    steps.map((one) => [one.step, place(one.schema), one.index, one.table, one.outcome, one.hazards, one.error?.code]),
    findings.map(({ code, severity, index, table, query }) => [code, severity, index, table, query]),
  ])
}

/** What went wrong, else what is wrong, else in what the first index differs from what is declared. */
function codeOf(steps: readonly TenantStep[], findings: readonly ResultFinding[]): string | undefined {
  const [wrong] = steps.flatMap(({ error }) => error ?? [])
  const [finding] = findings.filter(({ severity }) => severity === 'error')
  const [step] = steps.filter(({ step: kind }) => kind !== 'keep')
  return wrong?.code ?? finding?.code ?? (step === undefined ? undefined : drift[step.step])
}

const drift: Readonly<Record<TenantStep['step'], string | undefined>> = {
  keep: undefined,
  create: 'MISSING',
  rebuild: 'INVALID',
  reindex: 'REINDEX_DUE',
  building: 'BUILDING',
  replace: 'DIFFERS',
  adopt: 'RENAMED',
  drop: 'UNDECLARED',
}

function outcomeOf(result: SingleResult, steps: readonly TenantStep[]): TenantOutcome {
  const code = result.exit_code
  if (code >= 129) return 'interrupted'
  if (code === 3) return 'failed'
  if (code === 2) return 'not_looked'
  const planned = result.command === 'plan' && steps.some(({ step }) => step !== 'keep')
  if (code === 1) return planned ? 'to_do' : 'no'
  if (planned) return 'to_do'
  const idle = new Set([undefined, 'kept', 'undone'])
  return result.command === 'explain' || steps.some(({ outcome }) => !idle.has(outcome)) ? 'done' : 'in_order'
}

function foldedStep(step: ResultStep, command: string): TenantStep {
  const { hazards, outcome, duration_ms: duration, size_bytes: size, error } = step
  const changed = step.step !== 'keep'
  return {
    step: step.step,
    schema: step.schema,
    index: step.index,
    table: step.table,
    ...(outcome !== undefined && { outcome }),
    // What mending would risk is no part of what is.
    ...(hazards.length > 0 && command !== 'verify' && { hazards: [...new Set(hazards.map(({ code }) => code))] }),
    ...(changed && duration !== undefined && { duration_ms: duration }),
    ...(changed && size !== undefined && { size_bytes: size }),
    ...(error !== undefined && { error }),
  }
}

/** Expectations that are missed, and what was found. */
function queryFindings({ name, expectations, findings }: ResultQuery): readonly ResultFinding[] {
  const told = findings.some(({ code }) => code === 'EXPECTATION_MISSED')
  const missed = expectations.filter(({ met }) => !met && !told)
  return [
    ...missed.map(({ expect, actual }) => ({
      code: 'EXPECTATION_MISSED',
      severity: 'error' as const,
      query: name,
      message: `${name}: expected ${expect}, got ${actual}`,
    })),
    ...findings.map((finding) => ({ query: name, ...finding })),
  ]
}

/** `2 to create: idx_a, idx_b`, `idx_a failed: ...`, `nothing to do`. */
function reasonOf(
  command: string,
  steps: readonly TenantStep[],
  findings: readonly ResultFinding[],
  builds: number,
  queries: number,
): string {
  const wrong = steps.find(({ error }) => error !== undefined)
  if (wrong?.error !== undefined) return `${wrong.index}: ${wrong.error.code}, ${wrong.error.message}`
  const [finding] = findings.filter(({ severity }) => severity === 'error')
  const kinds = new Map<string, string[]>()
  for (const { step, outcome, index } of steps) {
    if (step === 'keep' || outcome === 'undone') continue
    const kind = outcome ?? (command === 'verify' ? states[step] : intents[step])
    kinds.set(kind, [...(kinds.get(kind) ?? []), index])
  }
  const work = [...kinds].map(([kind, names]) => `${kind.replaceAll('_', ' ')} ${listed(names)}`)
  if (work.length > 0) return work.join('; ')
  if (finding !== undefined) return `${finding.code}: ${finding.message}`
  if (builds > 0) return `${builds} being built`
  if (command === 'explain')
    return `${several(queries, 'query', 'queries')} measured${findings.length === 0 ? '' : `, ${several(findings.length, 'warning')}`}`
  return findings[0] === undefined ? 'nothing to do' : `${findings[0].code}: ${findings[0].message}`
}

const intents: Readonly<Record<TenantStep['step'], string>> = {
  keep: 'keep',
  create: 'create',
  rebuild: 'rebuild',
  reindex: 'reindex',
  building: 'being built:',
  replace: 'replace',
  adopt: 'rename',
  drop: 'drop',
}

const states: Readonly<Record<TenantStep['step'], string>> = {
  keep: 'as declared:',
  create: 'missing:',
  rebuild: 'invalid:',
  reindex: 'to reindex:',
  building: 'being built:',
  replace: 'differs:',
  adopt: 'under another name:',
  drop: 'unwanted:',
}

function listed(names: readonly string[]): string {
  return names.length > 4 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', ')
}
