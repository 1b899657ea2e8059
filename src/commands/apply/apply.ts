import { analyzeTables } from '../../build/run/analyze.js'
import type { StepResult } from '../../build/context.js'
import { plannedWithDuplicates } from '../../build/check/duplicates.js'
import { serverFacts } from '../../catalog/read/read.js'
import type { TableName } from '../../definition/definition.js'
import { PerfdbError } from '../../errors.js'
import type { FleetPart } from '../../ledger/ledger.js'
import { isImpossible } from '../../plan/match/needs.js'
import type { PlanOptions } from '../../plan/inputs.js'
import type { Plan } from '../../plan/plan.js'
import type { Profile } from '../../profile/profile.js'
import type { Connect } from '../../server/session/session.js'
import { applyDocument } from './apply-document.js'
import { buildContext, startRefusal, type BuildOptions } from './build-context.js'
import type { SignalName } from '../../result/exit-code.js'
import { hazardGate } from './gate.js'
import { withLostProperties } from './lost-properties.js'
import { makePlan } from './make-plan.js'
import { notBegun, refused } from './not-begun.js'
import { runParallel } from './parallel.js'
import { measureAfter, measureBefore, unproven } from './proof.js'
import { noRecord, openRecord } from './record.js'
import type { LoadSide } from '../../result/documents/load-result.js'
import type { ApplyResult } from '../../result/documents/result.js'
import { isDone } from '../../plan/make/saved.js'
import type { SavedPart } from '../../result/parts/saved-part.js'
import { assertNotMoved, assertSameDatabase } from './saved.js'
import { assertCounterfactual } from './proof-hiding.js'
import type { ProofOptions } from './proof-measure.js'
import { takeRunLock } from './run-lock.js'
import { takeBackUnpaid } from './take-back.js'
import { windowRefusal } from './window.js'
import { createExtensions } from './create-extensions.js'
import { lateOnlooker, ownOnlooker } from './onlookers.js'
import { patiently } from './patient.js'
import { assertPrivileged, assertWritable } from './writable.js'

export interface ApplyOptions extends PlanOptions, BuildOptions, ProofOptions {
  /** Tables that are built on side by side; each takes a connection more. */
  readonly jobs: number
  readonly ledger: boolean
  /** Of a plan as `--format json` prints it, given to the library: anything else is PLAN_STALE. */
  readonly expectedFingerprint: string | undefined
  /** Of a saved plan: a database that is neither as it was nor further along it is PLAN_STALE. */
  readonly savedPlan?: SavedPart | undefined
  readonly signalName: () => SignalName | undefined
  /** What it builds and what was not measured to pay is dropped again before it ends. */
  readonly takesBackUnpaid?: boolean | undefined
  /** Loads the database, before the builds and after them. */
  readonly ramp?: (() => Promise<LoadSide>) | undefined
  /** Of a run for many tenants. */
  readonly fleet?: FleetPart | undefined
}

/**
 * One straight line: lock, snapshot, plan, hazard gate, measure, build (each step verified), analyze, measure, ledger.
 * A failing step is part of the result; only what keeps the run from starting is thrown.
 */
export async function runApply(
  connectOnce: Connect,
  given: readonly Profile[],
  options: ApplyOptions,
): Promise<ApplyResult> {
  const startedAt = new Date()
  const profiles = options.ledger ? given : given.map((profile) => withoutReindex(profile, options))
  await assertCounterfactual(connectOnce, options)
  await using ddl = await connectOnce('ddl')
  const measured = options.measure && profiles.some(({ queries }) => queries.length > 0)
  const connect = patiently(connectOnce, { ...options, needs: 1 + options.jobs + (measured ? 1 : 0) })
  assertWritable(ddl)
  await using onlookers =
    options.fleet !== undefined && options.jobs === 1 ? await lateOnlooker(ddl, connect) : await ownOnlooker(connect)
  const { before: looking, watchdog } = onlookers
  const files = profiles.map((profile) => profile.file)
  const closed = await windowRefusal(looking, options.window)
  if (closed !== null) return notBegun(serverFacts(ddl), { command: 'apply', profiles: files }, startedAt, closed)
  const { findings: interrupted, repairedTables } = await takeRunLock(ddl, looking, options)
  if (options.savedPlan !== undefined) await assertSameDatabase(ddl, options.savedPlan)
  options.listener({ type: 'stage', stage: 'plan', message: `planning against ${ddl.label}` })
  const made = await makePlan(ddl, profiles, options)
  if (options.savedPlan !== undefined) assertNotMoved(options.savedPlan, made.plan)
  if (options.expectedFingerprint !== undefined && options.expectedFingerprint !== made.plan.fingerprint)
    throw new PerfdbError('PLAN_STALE', 'the profiles or the database moved since the plan was saved')
  const whole = options.ledger ? await withLostProperties(looking, made.plan) : made.plan
  const planned = { ...made, plan: await plannedWithDuplicates(ddl, whole, made.snapshot.statistics, options.signal) }
  const { plan, snapshot } = planned
  if (!hasWork(plan)) {
    const analyzed = await analyzeTables(ddl, repairedTables, options.signal)
    const result = await applyDocument(planned, profiles, startedAt, { interrupted, analyzed })
    return options.savedPlan !== undefined && isDone(plan) ? { ...result, already_done: true } : result
  }
  const gate = hazardGate(plan, options.allow)
  if (gate.refused.length > 0) return refused(planned, files, startedAt, gate)
  assertPrivileged(plan, snapshot)
  const late = await startRefusal(looking, options)
  if (late !== null) return notBegun(serverFacts(ddl), { command: 'apply', profiles: files }, startedAt, late)
  const record = options.ledger
    ? await openRecord(looking, watchdog, {
        command: 'apply',
        profiles,
        fingerprint: plan.fingerprint,
        backendPid: ddl.pid,
        fleet: options.fleet,
      })
    : noRecord
  try {
    const before = await measureBefore(connect, profiles, options)
    const loadBefore = await options.ramp?.()
    const buildStarted = performance.now()
    const extensions = await createExtensions(ddl, record, plan, options.allow)
    // The report of many tenants has no room for it: two statements less before each build, and two after it.
    const wal = options.fleet === undefined
    const context = { ...(await buildContext(connect, ddl, onlookers, record.recorder, options)), wal }
    const results = await runParallel(connect, context, planned, options)
    const analyzed = ddl.lost
      ? []
      : await analyzeTables(ddl, tablesToAnalyze(results, profiles, repairedTables), options.signal)
    const buildMs = performance.now() - buildStarted
    // What was built is told whatever becomes of the measurements.
    const proof = await measureAfter(connect, profiles, before, results, record.proven, options).catch(unproven)
    const load = loadBefore === undefined ? undefined : { before: loadBefore, after: await loadAfter(options) }
    const signal = options.signalName()
    const done = { interrupted, results, analyzed, extensions, proof, buildMs, run: record.run, signal }
    const told = {
      ...(await applyDocument(planned, profiles, startedAt, done)),
      ...(load === undefined ? {} : { load }),
    }
    const result =
      options.takesBackUnpaid === true ? await takeBackUnpaid(context, watchdog, told, options.signalName()) : told
    await record.finish(result)
    return result
  } catch (error) {
    await record.abandon()
    throw error
  }
}

/** What was built is told whatever becomes of the load. */
async function loadAfter({ ramp, listener }: ApplyOptions): Promise<LoadSide | null> {
  try {
    return (await ramp?.()) ?? null
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    listener({ type: 'warning', message: `the load after the builds was not measured: ${reason}` })
    return null
  }
}

function hasWork(plan: Plan): boolean {
  return plan.extensions.length > 0 || plan.steps.some((step) => step.step !== 'keep' && !isImpossible(step))
}

/** Tables that got a new index, once each, and those that the profile names: only when something was built (facts of performance.md). */
function tablesToAnalyze(
  results: readonly StepResult[],
  profiles: readonly Profile[],
  repairedTables: readonly TableName[],
): readonly TableName[] {
  const changed = results.filter((result) =>
    ['built', 'rebuilt', 'reindexed', 'replaced', 'waited'].includes(result.outcome),
  )
  if (changed.length === 0) return repairedTables
  const tables = [
    ...repairedTables,
    ...changed.map((result) => result.step.table),
    ...profiles.flatMap((profile) => profile.analyze.map((entry) => entry.table)),
  ]
  return [...new Map(tables.map(({ schema, name }) => [JSON.stringify([schema, name]), { schema, name }])).values()]
}

/** Without a record nobody would know the next time that it was rebuilt. */
function withoutReindex(profile: Profile, { listener }: Pick<ApplyOptions, 'listener'>): Profile {
  const due = profile.indexes.filter(({ reindex }) => reindex === true)
  if (due.length === 0) return profile
  const message = `reindex: true of ${due.map(({ definition }) => definition.name).join(', ')} is left out, as --no-ledger keeps no record of it: --reindex NAME rebuilds it`
  listener({ type: 'warning', message })
  return { ...profile, indexes: profile.indexes.map((index) => ({ ...index, reindex: undefined })) }
}
