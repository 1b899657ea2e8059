import { analyzeTables } from '../../build/analyze.js'
import type { StepResult } from '../../build/context.js'
import { runPlan } from '../../build/run-plan.js'
import { emptySnapshot, readIndex, serverFacts } from '../../catalog/read.js'
import type { ExistingIndex } from '../../catalog/snapshot.js'
import type { TableName } from '../../definition/definition.js'
import { PerfdbError } from '../../errors.js'
import { readLedger } from '../../ledger/history.js'
import type { Ledger, RecordedStep, RunWithSteps } from '../../ledger/ledger.js'
import { isCanonical } from '../../ledger/ownership.js'
import { fingerprint } from '../../plan/fingerprint.js'
import { isKept } from '../../plan/kept.js'
import { withNeeds } from '../../plan/needs.js'
import { newNameFor, oldNameFor } from '../../plan/names.js'
import type { Finding, Plan } from '../../plan/plan.js'
import { undo, type Done } from '../../plan/undo.js'
import { steadySession } from '../../server/steady.js'
import type { Session, Connect } from '../../server/session.js'
import type { ApplyOptions } from './apply.js'
import { buildContext } from './build-context.js'
import { about, analyzedDocument, findingDocument, resultDocument } from '../documents.js'
import { exitCode } from '../../result/exit-code.js'
import { notBegun } from './not-begun.js'
import { openRecord } from './record.js'
import type { ApplyResult } from '../../result/result.js'
import { takeRunLock } from './run-lock.js'
import { windowRefusal } from './window.js'
import { assertWritable } from './writable.js'

/**
 * Undoes a run of the ledger in reverse order, the last one that changed something when none is named. Throws NO_LEDGER,
 * NO_RUN and NOTHING_TO_ROLL_BACK; only indexes that still are what the run left are touched.
 */
export async function runRollback(connect: Connect, run: number | null, options: ApplyOptions): Promise<ApplyResult> {
  const startedAt = new Date()
  await using ddl = await connect('ddl')
  assertWritable(ddl)
  await using watchdog = await steadySession(() => connect('watchdog'))
  const closed = await windowRefusal(watchdog, options.window)
  if (closed !== null) return notBegun(serverFacts(ddl), { command: 'rollback', profiles: [] }, startedAt, closed)
  const interrupted = await takeRunLock(ddl, watchdog, options)
  const ledger = await readLedger(watchdog)
  if (ledger === null) throw new PerfdbError('NO_LEDGER', `the database ${ddl.database} has no ledger of perfdb`)
  const wanted = await runToUndo(watchdog, ledger, run)
  const { plan, findings } = await planUndo(watchdog, wanted)
  const record = await openRecord(watchdog, {
    command: 'rollback',
    profiles: wanted.profiles,
    fingerprint: plan.fingerprint,
    backendPid: ddl.pid,
  })
  const context = await buildContext(connect, ddl, watchdog, record.recorder, options)
  const results = await runPlan(context, plan)
  const analyzed = ddl.lost ? [] : await analyzeTables(ddl, tablesBuiltOn(results), options.signal)
  const failedSteps = results.filter(({ outcome }) => outcome === 'failed').length
  const leftOut = results.filter(({ outcome }) => outcome === 'not_reached').length
  // A run of which everything was left alone is not undone.
  const refusals = findings.filter(({ severity }) => severity === 'error').length + leftOut
  const undone = failedSteps + leftOut === 0 && (results.length > 0 || refusals === 0)
  if (undone && record.run !== null) await ledger.markRolledBack(wanted.run, record.run)
  const code = exitCode({ signal: options.signalName(), failedSteps, refusals })
  const result: ApplyResult = {
    ...about(code, serverFacts(ddl), startedAt),
    command: 'rollback',
    run: record.run,
    profiles: [...wanted.profiles],
    steps: results.map((one) => resultDocument(one, emptySnapshot(ddl))),
    analyzed: analyzed.map(analyzedDocument),
    queries: [],
    comparisons: [],
    findings: [...interrupted, ...findings.map(findingDocument)],
  }
  await record.finish(result)
  return result
}

/** What was built again has no statistics of its expressions yet (fault 28). */
function tablesBuiltOn(results: readonly StepResult[]): readonly TableName[] {
  const built = results.filter(({ outcome }) => outcome === 'built' || outcome === 'replaced')
  return [...new Map(built.map(({ step: { table } }) => [JSON.stringify(table), table])).values()]
}

async function runToUndo(session: Session, ledger: Ledger, number: number | null): Promise<RunWithSteps> {
  const named = number ?? (await lastRunToUndo(session, ledger))
  const run = await ledger.run(named)
  if (run === null) throw new PerfdbError('NO_RUN', `there is no run ${named} in the ledger`)
  if (run.rolledBackAt !== null)
    throw new PerfdbError(
      'NOTHING_TO_ROLL_BACK',
      `run ${named} was rolled back by run ${run.rolledBackBy ?? '?'} already`,
    )
  if (run.command !== 'apply') throw new PerfdbError('NOTHING_TO_ROLL_BACK', `run ${named} is itself a ${run.command}`)
  return run
}

async function lastRunToUndo(session: Session, ledger: Ledger): Promise<number> {
  const runs = await ledger.runs(1000)
  for (const one of runs.filter((run) => run.command === 'apply' && run.rolledBackAt === null)) {
    if (one.changed > 0) return one.run
    const unfinished = one.unfinishedReplaces > 0 ? await ledger.run(one.run) : null
    if (unfinished !== null && (await planUndo(session, unfinished)).plan.steps.length > 0) return one.run
  }
  throw new PerfdbError('NOTHING_TO_ROLL_BACK', 'no run in the ledger has changed anything that is not undone already')
}

async function planUndo(
  session: Session,
  run: RunWithSteps,
): Promise<{ readonly plan: Plan; readonly findings: readonly Finding[] }> {
  const done = run.steps
    // Of a replace that did not come to its end the names may be exchanged already: the catalog says.
    .filter((step) => step.state === 'done' || step.step === 'replace')
    .map(doneStep)
    .toReversed()
  const gone = await goneTables(session, done)
  const existing = new Map<string, ExistingIndex | undefined>()
  for (const { schema, index, indexBefore } of done)
    for (const name of [index, indexBefore ?? index, newNameFor(index), oldNameFor(index)])
      existing.set(JSON.stringify([schema, name]), await readIndex(session, schema, name))
  const undone = done.map((step) =>
    step.outcome === 'dropped' && gone.has(JSON.stringify(step.table))
      ? { finding: ofGoneTable(step) }
      : undo(step, (schema, name) => existing.get(JSON.stringify([schema, name]))),
  )
  const steps = undone.flatMap((one) => (one !== null && 'step' in one ? [one.step] : []))
  const findings = undone.flatMap((one) => (one !== null && 'finding' in one ? [one.finding] : []))
  const ordered = withNeeds(steps, { partitionTrees: [] })
  return { plan: { steps: ordered, extensions: [], findings: [], fingerprint: fingerprint(steps) }, findings }
}

async function goneTables(session: Session, done: readonly Done[]): Promise<ReadonlySet<string>> {
  const gone = new Set<string>()
  for (const { table } of done) {
    const [found] = await session.query<{ there: boolean }>(
      `select exists (select from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
         where n.nspname = $1 and c.relname = $2) as there`,
      [table.schema, table.name],
    )
    if (found?.there === false) gone.add(JSON.stringify(table))
  }
  return gone
}

/** Its index went with it or before it: there is nothing to build it on, now or later. */
function ofGoneTable({ index, table }: Done): Finding {
  const name = `${table.schema}.${table.name}`
  const message = `${index} was dropped by the run that is undone, and there is no table ${name} any more`
  return { code: 'CHANGED', severity: 'warning', index, table: name, message }
}

function doneStep(step: RecordedStep): Done {
  return {
    outcome: step.state === 'done' ? (step.outcome ?? '') : 'replaced',
    schema: step.schema,
    index: step.index,
    indexBefore: step.indexBefore,
    table: step.table,
    ddlBefore: step.ddlBefore,
    kept: isKept(step.keptBefore) ? step.keptBefore : null,
    canonical: isCanonical(step.canonical) ? step.canonical : null,
  }
}
