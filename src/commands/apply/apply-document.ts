import type { FindingCode } from '../../codes/codes.js'
import type { Analyzed } from '../../build/run/analyze.js'
import type { StepResult } from '../../build/context.js'
import { resultWithoutWork } from '../../build/run/run-plan.js'
import type { Plan } from '../../plan/plan.js'
import type { Profile } from '../../profile/profile.js'
import { exitCode, type SignalName } from '../../result/exit-code.js'
import type { ApplyResult, ResultFinding } from '../../result/documents/result.js'
import { about, analyzedDocument, findingDocument, resultDocument } from '../shared/documents.js'
import type { Planned } from '../shared/planned.js'
import type { Proof } from './proof.js'
import { priced, proofDocument } from './proof-document.js'

/** What a run of apply did; what is left out was not done. */
export interface Done {
  /** Of runs that were cut short before this one. */
  readonly interrupted: readonly ResultFinding[]
  /** Of the steps; absent where there was nothing to do. */
  readonly results?: readonly StepResult[]
  readonly analyzed?: readonly Analyzed[]
  readonly proof?: Proof
  /** Created by this run. */
  readonly extensions?: readonly string[]
  readonly buildMs?: number
  /** Its number in the ledger. */
  readonly run?: number | null
  readonly signal?: SignalName | undefined
}

/** The document of a run that is over; it decides nothing but the exit code. */
export async function applyDocument(
  { plan, snapshot }: Planned,
  profiles: readonly Profile[],
  startedAt: Date,
  done: Done,
): Promise<ApplyResult> {
  const results = done.results ?? plan.steps.map(resultWithoutWork)
  const analyzed = done.analyzed ?? []
  const steps = results.map((one) => resultDocument(one, snapshot))
  return {
    ...about(codeOf(plan, results, done), snapshot.server, startedAt),
    command: 'apply',
    run: done.run ?? null,
    profiles: profiles.map((profile) => profile.file),
    steps,
    ...(done.extensions === undefined || done.extensions.length === 0 ? {} : { extensions: [...done.extensions] }),
    analyzed: analyzed.map(analyzedDocument),
    queries: [...(done.proof?.queries ?? [])],
    ...proofDocument(done.proof, done.buildMs),
    comparisons: [...(done.proof?.comparisons ?? [])],
    ...(done.results === undefined ? {} : await priced(steps, profiles, done.proof)),
    findings: [
      ...done.interrupted,
      ...[...untouched(plan), ...plan.findings.filter(({ code }) => overlaps.has(code))].map(findingDocument),
      ...(done.proof?.findings ?? []),
    ],
  }
}

function codeOf(plan: Plan, results: readonly StepResult[], { analyzed = [], proof, signal }: Done): number {
  const failedSteps = results.filter(({ outcome }) => outcome === 'failed').length
  const leftOut = results.filter(({ outcome }) => outcome === 'not_reached' || outcome === 'refused').length
  const unanalyzed = analyzed.filter((one) => !one.ok).length
  const expectations = (proof?.queries ?? []).flatMap((query) => query.expectations)
  const refusedDrops = untouched(plan).filter((finding) => notDone.has(finding.code)).length
  return exitCode({
    signal,
    failedSteps: failedSteps + unanalyzed + (proof?.failed === true ? 1 : 0),
    refusals: expectations.filter((expectation) => !expectation.met).length + refusedDrops + leftOut,
  })
}

/** Of others' leftovers apply only tells; verify fails on them. A drop that was asked for and refused is apply's own business. */
function untouched({ findings, steps }: Plan): Plan['findings'] {
  return findings.filter(
    ({ code, index }) => notDone.has(code) || (code === 'INVALID' && !steps.some((step) => step.index === index)),
  )
}

/** What was declared and apply does not do. */
const notDone: ReadonlySet<string> = new Set(['DROP_REFUSED', 'BACKS_CONSTRAINT'] satisfies FindingCode[])

const overlaps: ReadonlySet<string> = new Set(['DUPLICATE', 'REDUNDANT', 'TOO_WIDE'] satisfies FindingCode[])
