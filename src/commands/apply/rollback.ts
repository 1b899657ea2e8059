import { analyzeTables } from '../../build/run/analyze.js'
import type { StepResult } from '../../build/context.js'
import { emptySnapshot, serverFacts } from '../../catalog/read/read.js'
import type { TableName } from '../../definition/definition.js'
import { PerfdbError } from '../../errors.js'
import { readLedger } from '../../ledger/records/history.js'
import type { FleetPart, RunWithSteps } from '../../ledger/ledger.js'
import type { Finding, Step } from '../../plan/plan.js'
import { undoBase } from '../../plan/undo/undo-parts.js'
import { exitCode } from '../../result/exit-code.js'
import type { ApplyResult, ResultFinding, ResultStep } from '../../result/documents/result.js'
import type { Connect, Session } from '../../server/session/session.js'
import { about, analyzedDocument, findingDocument, resultDocument, stepDocument } from '../shared/documents.js'
import type { ApplyOptions } from './apply.js'
import { buildContext } from './build-context.js'
import { notBegun } from './not-begun.js'
import { ownOnlooker } from './onlookers.js'
import { openRecord, type RunRecord } from './record.js'
import { takeRunLock } from './run-lock.js'
import { runToUndo } from './undo-choice.js'
import type { Entry } from './undo-plan.js'
import { carryOut, undoing, type Undoing } from './undo-run.js'
import { windowRefusal } from './window.js'
import { assertWritable } from './writable.js'

export interface RollbackOptions extends ApplyOptions {
  /** Shows what would be done, and changes nothing. */
  readonly dryRun?: boolean
  /** A tenant's part of a run for many; then no number is given. */
  readonly undoes?: Pick<FleetPart, 'run' | 'tenant'> | undefined
  /** Asked with what would be done before anything is; absent where nobody is to be asked. */
  readonly confirm?: ((planned: ApplyResult) => Promise<boolean>) | undefined
}

/**
 * Undoes a run of the ledger in reverse order, the last run when none is named. Every step of it gets an outcome; what cannot be undone, as
 * somebody has changed it since, is left and named, and the same command goes on with what is left. Throws NO_LEDGER, NO_RUN, RUN_NOT_NAMED,
 * NOTHING_TO_ROLL_BACK and LEDGER_UNTRUSTED.
 */
export async function runRollback(
  connect: Connect,
  run: number | null,
  options: RollbackOptions,
): Promise<ApplyResult> {
  const startedAt = new Date()
  if (options.dryRun === true) {
    await using session = await connect('look')
    const ledger = await ledgerOf(session)
    return planned(
      session,
      await undoing(session, await runToUndo(session, ledger, run, options.undoes), options),
      startedAt,
    )
  }
  await using ddl = await connect('ddl')
  assertWritable(ddl)
  await using onlooker = await ownOnlooker(connect)
  const { watchdog } = onlooker
  const closed = await windowRefusal(watchdog, options.window)
  if (closed !== null) return notBegun(serverFacts(ddl), { command: 'rollback', profiles: [] }, startedAt, closed)
  const { findings: interrupted } = await takeRunLock(ddl, watchdog, options)
  const ledger = await ledgerOf(watchdog)
  const work = await undoing(watchdog, await runToUndo(watchdog, ledger, run, options.undoes), options)
  if (options.confirm !== undefined) {
    const shown = planned(ddl, work, startedAt)
    if (!(await options.confirm(shown))) {
      if (options.signal.aborted) throw new PerfdbError('INTERRUPTED', 'ended at the question; nothing was changed')
      return declined(shown)
    }
  }
  const { wanted, entries, plan } = work
  const record = await openRecord(watchdog, watchdog, {
    command: 'rollback',
    profiles: wanted.profiles.map((file, at) => ({ file, name: wanted.profileNames[at] ?? file, indexes: [] })),
    fingerprint: plan.fingerprint,
    backendPid: ddl.pid,
    fleet: options.fleet,
  })
  const context = await buildContext(connect, ddl, onlooker, record.recorder, options)
  const { results, findings, left } = await carryOut(context, watchdog, work, async (number, outcome) => {
    if (record.run !== null) await ledger.markUndone(wanted.run, number, outcome, record.run)
  })
  const all = [...results.values()]
  const analyzed = ddl.lost ? [] : await analyzeTables(ddl, tablesBuiltOn(all), options.signal)
  if (left === 0 && record.run !== null) await ledger.markRolledBack(wanted.run, record.run)
  const failedSteps = all.filter(({ outcome }) => outcome === 'failed').length
  const code = exitCode({ signal: options.signalName(), failedSteps, refusals: left })
  const steps = entries.map((entry) => stepOf(ddl, entry, results))
  const notes = [...findings, ...(await extensionNotes(watchdog, wanted))].map(findingDocument)
  const result = document(code, ddl, startedAt, work, record, steps, [...interrupted, ...notes])
  const whole = { ...result, analyzed: analyzed.map(analyzedDocument) }
  await record.finish(whole)
  return whole
}

async function ledgerOf(session: Session) {
  const ledger = await readLedger(session)
  if (ledger === null) throw new PerfdbError('NO_LEDGER', `the database ${session.database} has no ledger of perfdb`)
  return ledger
}

/** What a rollback would do; nothing is changed. */
function planned(session: Session, work: Undoing, startedAt: Date): ApplyResult {
  const findings = work.entries.flatMap(({ undo }) =>
    'ended' in undo && undo.ended.finding !== null ? [undo.ended.finding] : [],
  )
  const steps = work.entries.map((entry) => stepOf(session, entry, new Map()))
  const code = exitCode({ refusals: findings.length })
  return document(code, session, startedAt, work, null, steps, findings.map(findingDocument))
}

function declined(shown: ApplyResult): ApplyResult {
  return {
    ...shown,
    ok: false,
    exit_code: 1,
    steps: shown.steps.map((step) => ({ ...step, outcome: step.outcome ?? 'not_reached' })),
    error: { code: 'DECLINED', message: 'nothing was changed: the rollback was declined' },
  }
}

function stepOf(session: Session, { done, undo }: Entry, results: ReadonlyMap<Step, StepResult>): ResultStep {
  const nothing = emptySnapshot(session)
  if ('step' in undo) {
    const result = results.get(undo.step)
    return result === undefined ? stepDocument(undo.step, nothing) : resultDocument(result, nothing)
  }
  const { outcome, finding } = undo.ended
  const step = {
    ...undoBase(done),
    step: kinds[done.outcome] ?? 'keep',
    reason: finding?.message ?? 'as it was before the run',
    statements: [],
  } as const
  return { ...stepDocument(step, nothing), outcome }
}

/** What would undo a step that did this. */
const kinds: Readonly<Record<string, Step['step']>> = {
  built: 'drop',
  rebuilt: 'drop',
  replaced: 'replace',
  renamed: 'adopt',
  dropped: 'create',
}

function document(
  code: number,
  session: Session,
  startedAt: Date,
  { wanted }: Undoing,
  record: RunRecord | null,
  steps: ResultStep[],
  findings: ResultFinding[],
): ApplyResult {
  return {
    ...about(code, serverFacts(session), startedAt),
    command: 'rollback',
    run: record?.run ?? null,
    profiles: [...wanted.profiles],
    steps,
    ...(wanted.extensions.length === 0 ? {} : { extensions: [...wanted.extensions] }),
    analyzed: [],
    queries: [],
    comparisons: [],
    findings,
  }
}

/** Others may use by now what the run created: it is named, and stays. */
async function extensionNotes(session: Session, { run, extensions }: RunWithSteps): Promise<readonly Finding[]> {
  if (extensions.length === 0) return []
  const rows = await session.query<{ name: string; quoted: string }>(
    `select extname as name, pg_catalog.quote_ident(extname) as quoted from pg_catalog.pg_extension where extname = any ($1::text[]) order by 1`,
    [extensions],
  )
  return rows.map(({ name, quoted }) => ({
    code: 'CREATE_EXTENSION',
    severity: 'warning',
    message: `the extension ${name}, which run ${run} created, stays: others may use it by now`,
    hint: `if nobody does: drop extension ${quoted}`,
  }))
}

/** What was built again has no statistics of its expressions yet (fault 28). */
function tablesBuiltOn(results: readonly StepResult[]): readonly TableName[] {
  const built = results.filter(({ outcome }) => outcome === 'built' || outcome === 'replaced')
  return [...new Map(built.map(({ step: { table } }) => [JSON.stringify(table), table])).values()]
}
