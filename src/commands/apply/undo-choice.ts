import { PerfdbError } from '../../errors.js'
import type { FleetPart, Ledger, Run, RunWithSteps } from '../../ledger/ledger.js'
import type { Session } from '../../server/session/session.js'
import { planUndo } from './undo-plan.js'

/** The run of that number, or the last one when none is named. Throws NO_RUN, NOTHING_TO_ROLL_BACK and RUN_NOT_NAMED. */
export async function runToUndo(
  session: Session,
  ledger: Ledger,
  number: number | null,
  fleet?: Pick<FleetPart, 'run' | 'tenant'>,
): Promise<RunWithSteps> {
  const named = number ?? (fleet === undefined ? null : await partOf(ledger, fleet)) ?? (await lastRun(session, ledger))
  const run = await ledger.run(named)
  if (run === null) throw new PerfdbError('NO_RUN', `there is no run ${named} in the ledger`)
  if (run.rolledBackAt !== null)
    throw new PerfdbError(
      'NOTHING_TO_ROLL_BACK',
      `run ${named} was rolled back by run ${run.rolledBackBy ?? '?'} already`,
    )
  if (run.command !== 'apply')
    throw new PerfdbError('NOTHING_TO_ROLL_BACK', `run ${named} is itself a ${run.command}`, {
      hint: `perfdb apply ${run.profiles.join(' ')} does again what it undid`,
    })
  return run
}

/** The tenant's part of a run for many. Throws NO_RUN where that run did nothing here. */
async function partOf(ledger: Ledger, fleet: Pick<FleetPart, 'run' | 'tenant'>): Promise<number> {
  const parts = (await ledger.runs(100_000)).filter(
    (run) => run.command === 'apply' && run.fleet?.run === fleet.run && run.fleet.tenant === fleet.tenant,
  )
  const [part] = parts
  if (part === undefined) throw new PerfdbError('NO_RUN', `run ${fleet.run} did nothing for ${fleet.tenant}`)
  return part.run
}

async function lastRun(session: Session, ledger: Ledger): Promise<number> {
  const runs = await ledger.runs(1000)
  const candidates: Run[] = []
  for (const run of runs.filter(({ command, rolledBackAt }) => command === 'apply' && rolledBackAt === null)) {
    if (run.changed > 0 || (await leftSomething(session, ledger, run))) candidates.push(run)
  }
  const [first] = candidates
  if (first === undefined)
    throw new PerfdbError(
      'NOTHING_TO_ROLL_BACK',
      'no run in the ledger has changed anything that is not undone already',
    )
  const [last] = runs
  if (last === undefined || last.command !== 'rollback') return first.run
  throw new PerfdbError('RUN_NOT_NAMED', `the last run, ${last.run}, is itself a rollback: name the run to undo`, {
    detail: candidates.slice(0, 10).map(aboutRun).join('; '),
    hint: `perfdb rollback ${first.run}`,
  })
}

/** A run that was cut short and has no finished step may still have changed something. */
async function leftSomething(session: Session, ledger: Ledger, { run, unfinished }: Run): Promise<boolean> {
  const whole = unfinished === 0 ? null : await ledger.run(run)
  return whole !== null && (await planUndo(session, whole, false)).some((entry) => 'step' in entry.undo)
}

function aboutRun({ run, startedAt, profiles, built, dropped }: Run): string {
  const at = startedAt.toISOString().slice(0, 16).replace('T', ' ')
  return `run ${run}: apply ${profiles.join(' ')}, ${at} UTC, ${built} built, ${dropped} dropped`
}
