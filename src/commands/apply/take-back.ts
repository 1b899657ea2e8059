import type { BuildContext } from '../../build/context.js'
import type { RecordedStep } from '../../ledger/ledger.js'
import type { Finding } from '../../plan/plan.js'
import { exitCode, type SignalName } from '../../result/exit-code.js'
import type { ApplyResult, Price } from '../../result/documents/result.js'
import type { Session } from '../../server/session/session.js'
import { findingDocument } from '../shared/documents.js'
import { noRecord } from './record.js'
import { carryOut, undoing } from './undo-run.js'

/**
 * Drops what this run built and what did not pay, before the run ends: what was not shown to pay does not stay, so that after a signal nothing does. By the
 * records of the run, as a rollback does it; a process that is killed in between leaves a run that never ended, which a rollback undoes. An
 * index that could not be dropped makes the exit code 3. Throws CONNECTION_LOST and the ledger's errors.
 */
export async function takeBackUnpaid(
  context: BuildContext,
  session: Session,
  result: ApplyResult,
  signal: SignalName | undefined,
): Promise<ApplyResult> {
  const { run, prices = [] } = result
  const paying = new Set(prices.filter(({ verdict }) => verdict === 'pays').map(keyOf))
  const unpaid = new Set(
    result.steps.filter((step) => step.outcome === 'built' && !paying.has(keyOf(step))).map((step) => keyOf(step)),
  )
  if (run === null || unpaid.size === 0) return result
  const { openLedger } = await import('../../ledger/records/history.js')
  const ledger = await openLedger(session)
  const recorded = await ledger.run(run)
  if (recorded === null) return result
  const steps = recorded.steps.filter((step) => unpaid.has(keyOf(step)))
  const work = await undoing(session, { ...recorded, steps }, { allow: new Set(['DROP']) })
  // Cleaning up goes on after a signal, and is no step of its own in the ledger.
  const own = {
    ...context,
    signal: new AbortController().signal,
    recorder: noRecord.recorder,
    mayStart: async () => null,
  }
  const gone = new Set<string>()
  const { findings, left } = await carryOut(own, session, work, async (number, outcome) => {
    gone.add(steps.filter((step) => step.number === number).map(keyOf)[0] ?? '')
    await ledger.markUndone(run, number, outcome, run)
  })
  const kept = result.steps.filter((step) => step.outcome === 'built').length - unpaid.size
  if (left === 0 && kept === 0) await ledger.markRolledBack(run, run)
  const code = left > 0 ? exitCode({ signal, failedSteps: left }) : result.exit_code
  const leftBehind = steps.filter((step) => !gone.has(keyOf(step)))
  return {
    ...result,
    ok: code === 0,
    exit_code: code,
    prices: prices.map((price) => (gone.has(keyOf(price)) ? { ...price, dropped: true } : price)),
    findings: [
      ...result.findings,
      ...[...findings, ...leftBehind.map((step) => notDropped(step, run))].map(findingDocument),
    ],
  }
}

function notDropped({ schema, index, table }: RecordedStep, run: number): Finding {
  return {
    code: 'LEFT_BEHIND',
    severity: 'error',
    index,
    table: `${table.schema}.${table.name}`,
    message: `${schema}.${index} was not shown to pay, and could not be dropped again`,
    hint: `perfdb rollback ${run}`,
  }
}

function keyOf({ schema, index }: Pick<Price, 'schema' | 'index'>): string {
  return JSON.stringify([schema, index])
}
