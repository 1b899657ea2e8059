import type { StepResult } from '../../build/context.js'
import type { Listener } from '../../build/events.js'
import type { QueryMeasurement } from '../../measure/sample/measurement.js'
import type { PriceEvidence } from '../../measure/price/price.js'
import type { HazardCode } from '../../codes/hazard-codes.js'
import type { Profile } from '../../profile/profile.js'
import type { Session, Connect } from '../../server/session.js'
import { findingDocument } from '../documents.js'
import { foreignCodeFindings } from '../foreign-code.js'
import type { Comparison, ResultFinding, ResultQuery } from '../../result/result.js'

/** What the measurements before and after the builds say. */
export interface Proof {
  readonly queries: readonly ResultQuery[]
  readonly comparisons: readonly Comparison[]
  readonly findings: readonly ResultFinding[]
  /** What the prices of the indexes rest on; null when nothing was measured. */
  readonly evidence: PriceEvidence | null
  /** The measurement itself failed. */
  readonly failed: boolean
}

/** The indexes are built, the proof is missing: a finding, and no reason to lose the result of the run. */
export function unproven(error: unknown): Proof {
  const message = error instanceof Error ? error.message : String(error)
  return {
    queries: [],
    comparisons: [],
    evidence: null,
    failed: true,
    findings: [
      {
        code: 'NOT_MEASURED',
        severity: 'error',
        message: `the queries could not be measured after the builds: ${message}`,
        hint: 'perfdb explain measures them, and checks what the profile expects',
      },
    ],
  }
}

export interface ProofOptions {
  readonly measure: boolean
  readonly samples: number | undefined
  readonly timeBudgetMs: number | undefined
  readonly allow: ReadonlySet<HazardCode>
  readonly signal: AbortSignal
  readonly listener: Listener
}

/** null when nothing is to be measured. The session is closed before anything is built: an open snapshot would be waited for. */
export async function measureBefore(
  connect: Connect,
  profiles: readonly Profile[],
  options: ProofOptions,
): Promise<readonly QueryMeasurement[] | null> {
  if (!options.measure || options.signal.aborted || profiles.every((profile) => profile.queries.length === 0))
    return null
  options.listener({ type: 'stage', stage: 'measure-before', message: 'measuring the queries before' })
  await using session = await connect('measure')
  return await measure(session, profiles, options)
}

/** The same queries again, compared; nothing when there is no before, or the run was stopped. */
export async function measureAfter(
  connect: Connect,
  profiles: readonly Profile[],
  before: readonly QueryMeasurement[] | null,
  results: readonly StepResult[],
  options: ProofOptions,
): Promise<Proof> {
  if (before === null || options.signal.aborted)
    return { queries: [], comparisons: [], findings: [], evidence: null, failed: false }
  options.listener({ type: 'stage', stage: 'measure-after', message: 'measuring the queries after' })
  await using session = await connect('measure')
  const foreign = await foreignCodeFindings(
    session,
    profiles.flatMap((profile) => profile.queries),
  )
  const after = await measure(session, profiles, options, before)
  const [{ toResultQueries }, { answerFindings, comparisons }, { notUsed }, { indexUses }, { writeCosts }] =
    await Promise.all([
      import('../../measure/query/result-queries.js'),
      import('../../measure/query/comparisons.js'),
      import('../../measure/price/not-used.js'),
      import('../../measure/price/price-uses.js'),
      import('../../measure/price/price-writes.js'),
    ])
  const standing = new Set(results.filter((result) => result.state === 'valid').map((result) => result.step.index))
  const declared = profiles.flatMap(({ indexes }) => indexes.filter(({ definition }) => standing.has(definition.name)))
  const unused = session.lost ? [] : await notUsed(session, declared, after, options.signal)
  const queries = toResultQueries(before, after)
  const earlier = comparisons(before)
  return {
    queries,
    comparisons: comparisons(after).map((after) => withBefore(after, earlier)),
    findings: [...foreign, ...answerFindings(after), ...unused].map(findingDocument),
    evidence: {
      uses: await indexUses(session, declared, before, after, options.signal),
      after,
      tooSmall: new Set(unused.flatMap(({ severity, index }) => (severity === 'info' && index ? [index] : []))),
      writes: writeCosts(before, after, builtOn(results)),
    },
    failed: false,
  }
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

async function measure(
  session: Session,
  profiles: readonly Profile[],
  options: ProofOptions,
  before: readonly QueryMeasurement[] = [],
): Promise<readonly QueryMeasurement[]> {
  const [{ measureQueries, withValuesOf }, { declaredFor }] = await Promise.all([
    import('../../measure/query/rounds.js'),
    import('../../measure/price/not-used.js'),
  ])
  const queries = withValuesOf(
    before,
    profiles.flatMap((profile) => profile.queries),
  )
  const declared = profiles.flatMap((profile) => profile.indexes)
  return measureQueries(session, queries, {
    allowWrites: options.allow.has('WRITE_QUERY'),
    samples: options.samples,
    timeBudgetMs: options.timeBudgetMs,
    signal: options.signal,
    indexesFor: declaredFor(declared),
    onMeasured: ({ query, measurements }, number, of) => {
      options.listener({
        type: 'measured',
        query: query.name,
        number,
        of,
        executionMs: worst(measurements.map((one) => one.executionMs)),
      })
    },
  })
}

function worst(samples: readonly (readonly number[])[]): number | null {
  const medians = samples
    .filter((one) => one.length > 0)
    .map((one) => [...one].sort((a, b) => a - b)[Math.floor(one.length / 2)] ?? 0)
  return medians.length === 0 ? null : Math.max(...medians)
}
