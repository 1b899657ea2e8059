import type { FindingCode } from '../../codes/codes.js'
import type { StepResult } from '../../build/context.js'
import type { PriceEvidence } from '../../measure/price/price.js'
import type { Scans } from '../../measure/price/scans.js'
import type { Counterfactual } from '../../measure/query/counterfactual.js'
import type { QueryMeasurement } from '../../measure/sample/measurement.js'
import type { Noise } from '../../measure/sample/noise.js'
import type { Finding } from '../../plan/plan.js'
import type { Profile } from '../../profile/profile.js'
import type { Comparison, ResultFinding, ResultQuery } from '../../result/documents/result.js'
import type { Connect, Session } from '../../server/session/session.js'
import { findingDocument } from '../shared/documents.js'
import { foreignCodeFindings } from '../shared/foreign-code.js'
import { builtIndexes, notCheckedIn, type Proven } from './proof-expectations.js'
import { hidingMode, notHiddenFindings, type HidingMode } from './proof-hiding.js'
import { measure, measureBlockAgain, type ProofOptions } from './proof-measure.js'

/** What was measured before the builds. */
export interface Before {
  readonly queries: readonly QueryMeasurement[]
  /** Of the declared indexes, before perfdb's own. */
  readonly scans: Scans
  readonly hiding: HidingMode
  /** The role that the queries ran as. */
  readonly user: string
  readonly durationMs: number
}

/** What the measurements before and after the builds say. */
export interface Proof {
  readonly queries: readonly ResultQuery[]
  readonly comparisons: readonly Comparison[]
  readonly findings: readonly ResultFinding[]
  /** What the prices of the indexes rest on; null when nothing was measured. */
  readonly evidence: PriceEvidence | null
  /** Of the blocks, and of what was measured in turns. */
  readonly noise?: Noise
  readonly turnsNoise?: Noise | undefined
  readonly measuredAs?: string
  readonly counterfactual?: { readonly on: boolean; readonly reason?: string }
  /** Before and after, the builds not in it. */
  readonly measureMs: number
  /** The measurement itself failed. */
  readonly failed: boolean
}

const nothingMeasured: Proof = {
  queries: [],
  comparisons: [],
  findings: [],
  evidence: null,
  measureMs: 0,
  failed: false,
}

/** The indexes are built, the proof is missing: a finding, and no reason to lose the result of the run. */
export function unproven(error: unknown): Proof {
  const message = error instanceof Error ? error.message : String(error)
  return {
    ...nothingMeasured,
    failed: true,
    findings: [
      {
        code: 'NOT_MEASURED' satisfies FindingCode,
        severity: 'error',
        message: `the queries could not be measured after the builds: ${message}`,
        hint: 'perfdb explain measures them, and checks what the profile expects',
      },
    ],
  }
}

/**
 * null when nothing is to be measured. Two blocks of samples for each query, at other times; one short one where the sides are to be measured
 * in turns afterwards. The session is closed before anything is built: an open snapshot would be waited for.
 */
export async function measureBefore(
  connect: Connect,
  profiles: readonly Profile[],
  options: ProofOptions,
): Promise<Before | null> {
  if (!options.measure || options.signal.aborted || profiles.every((profile) => profile.queries.length === 0))
    return null
  const started = performance.now()
  options.listener({ type: 'stage', stage: 'measure-before', message: 'measuring the queries before' })
  await using session = await connect('measure')
  const hiding = await hidingMode(session, options.counterfactual)
  const { readScans } = await import('../../measure/price/scans.js')
  const replicas = await options.openReplicas?.()
  const scans = await readScans(session, replicas?.sessions ?? [], declaredNames(profiles), options.signal)
  await replicas?.[Symbol.asyncDispose]()
  const first = await measure(session, profiles, options, blocksOf(hiding))
  const queries = hiding.on ? first : await measureBlockAgain(session, first, options)
  return { queries, scans, hiding, user: session.user, durationMs: performance.now() - started }
}

/** Of samples and budget one part goes into each block: where the turns decide, a third into the only one, for what they cannot tell. */
function blocksOf({ on }: HidingMode): number {
  return on ? 3 : 2
}

/** The same queries again, compared; nothing when there is no before, or the run was stopped. */
export async function measureAfter(
  connect: Connect,
  profiles: readonly Profile[],
  before: Before | null,
  results: readonly StepResult[],
  proven: Proven,
  options: ProofOptions,
): Promise<Proof> {
  if (before === null || options.signal.aborted) return nothingMeasured
  const started = performance.now()
  options.listener({ type: 'stage', stage: 'measure-after', message: 'measuring the queries after' })
  await using session = await connect('measure')
  const texts = profiles.flatMap((profile) => profile.queries)
  const foreign = await foreignCodeFindings(session, texts)
  const first = await measure(session, profiles, options, blocksOf(before.hiding), before.queries)
  const { sides, noise, counterfactual } = await compared(session, before, first, results, options)
  const found = await concluded(session, profiles, before, sides, results, proven, options)
  const measureMs = before.durationMs + performance.now() - started
  const { on, reason } = before.hiding
  const stopped = counterfactual?.stopped ?? reason
  return {
    ...found,
    findings: [
      ...foreign.map(findingDocument),
      ...found.findings,
      ...notHiddenFindings(counterfactual).map(findingDocument),
    ],
    noise,
    turnsNoise: counterfactual?.noise,
    measuredAs: before.user,
    counterfactual: { on, ...(stopped === null ? {} : { reason: stopped }) },
    measureMs,
    failed: false,
  }
}

interface Sides {
  readonly before: readonly QueryMeasurement[]
  readonly after: readonly QueryMeasurement[]
  readonly noiseFor: (after: QueryMeasurement) => number
  readonly without: Counterfactual['without']
}

/** In turns where indexes may be hidden, and in one more block after. The noise of the run is that of its blocks. */
async function compared(
  session: Session,
  { queries, hiding }: Before,
  first: readonly QueryMeasurement[],
  results: readonly StepResult[],
  options: ProofOptions,
): Promise<{ readonly sides: Sides; readonly noise: Noise; readonly counterfactual: Counterfactual | null }> {
  const { noiseOf } = await import('../../measure/sample/noise.js')
  if (!hiding.on) {
    const after = await measureBlockAgain(session, first, options)
    const noise = noiseOf(queries, after)
    const sides = { before: queries, after, noiseFor: () => noise.floor, without: [] }
    return { sides, noise, counterfactual: null }
  }
  const { interleave } = await import('../../measure/query/counterfactual.js')
  options.listener({ type: 'stage', stage: 'measure-after', message: 'measuring with and without each new index' })
  const { samples, timeBudgetMs, signal } = options
  const built = builtIndexes(results)
  const settings = { allowWrites: false, samples, timeBudgetMs, signal }
  const counterfactual = await interleave(session, built, queries, first, settings)
  const noise = noiseOf(queries, first)
  const { before, after, interleaved, without } = counterfactual
  const noiseFor = (one: QueryMeasurement) => (interleaved.has(one) ? counterfactual.noise.floor : noise.floor)
  return { sides: { before, after, noiseFor, without }, noise, counterfactual }
}

async function concluded(
  session: Session,
  profiles: readonly Profile[],
  earlier: Before,
  { before, after, noiseFor, without }: Sides,
  results: readonly StepResult[],
  proven: Proven,
  { signal }: ProofOptions,
): Promise<Pick<Proof, 'queries' | 'comparisons' | 'findings' | 'evidence'>> {
  const [
    { toResultQueries },
    { answerFindings, comparisons },
    { notUsed },
    { indexUses },
    { writeCosts },
    { weightsOf },
  ] = await Promise.all([
    import('../../measure/query/result-queries.js'),
    import('../../measure/query/comparisons.js'),
    import('../../measure/price/not-used.js'),
    import('../../measure/price/price-uses.js'),
    import('../../measure/price/price-writes.js'),
    import('../../measure/price/weights.js'),
  ])
  const standing = new Set(results.filter((result) => result.state === 'valid').map((result) => result.step.index))
  const declared = profiles.flatMap(({ indexes }) => indexes.filter(({ definition }) => standing.has(definition.name)))
  const unused = session.lost ? [] : await notUsed(session, declared, after, signal, earlier.scans)
  const notChecked = await notCheckedIn(results, profiles, after, proven)
  const variants = comparisons(before)
  const findings: readonly Finding[] = [...answerFindings(after), ...unused]
  return {
    queries: toResultQueries(before, after, { noiseFor, notChecked, without }),
    comparisons: comparisons(after).map((one) => withBefore(one, variants)),
    findings: findings.map(findingDocument),
    evidence: {
      uses: await indexUses(
        session,
        declared,
        { before, after, noiseFor, without, built: builtIndexes(results) },
        signal,
      ),
      after,
      tooSmall: new Set(
        unused.flatMap(({ code, severity, index, hint = '' }) =>
          code === 'NOT_USED' && severity === 'info' && index !== undefined && hint.includes('real data')
            ? [index]
            : [],
        ),
      ),
      writes: writeCosts(before, after, builtOn(results)),
      scans: earlier.scans,
      weights: session.lost ? { of: new Map(), by: 'equal' } : await weightsOf(session, after, signal),
    },
  }
}

function declaredNames(profiles: readonly Profile[]) {
  return profiles.flatMap(({ indexes }) =>
    indexes.map(({ definition: { name, table } }) => ({ schema: table.schema, name })),
  )
}

/** How many indexes were built on each `schema.table`. */
function builtOn(results: readonly StepResult[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const { outcome, step } of results) {
    if (outcome !== 'built' && outcome !== 'rebuilt' && outcome !== 'replaced') continue
    const table = `${step.table.schema}.${step.table.name}`
    counts.set(table, (counts.get(table) ?? 0) + 1)
  }
  return counts
}

function withBefore(after: Comparison, earlier: readonly Comparison[]): Comparison {
  const before = earlier.find((one) => one.query === after.query)?.variants
  return before === undefined ? after : { ...after, before }
}
