import type { Definition } from '../../definition/definition.js'
import type { Finding } from '../../plan/plan.js'
import type { Query } from '../../profile/profile.js'
import type { ApplyResult } from '../../result/documents/result.js'
import type { Connect } from '../../server/session/session.js'
import { runApply, type ApplyOptions } from '../apply/apply.js'
import { runRollback } from '../apply/rollback.js'
import { adviceProfile, type Named } from './advice-document.js'

/** How the advice is built and measured: as apply does it. */
export interface Proving {
  readonly connect: Connect
  readonly apply: ApplyOptions
}

/** What the ledger has as the file of such a run. */
const proofFile = 'advise --prove'

/**
 * Builds the advice, measures the queries without and with it, and drops what was not shown to pay before the run ends. A hazard that is not
 * allowed builds nothing, and is told in the document. Throws as runApply does.
 */
export async function proveAdvice(
  { connect, apply }: Proving,
  name: string,
  named: readonly Named[],
  queries: readonly Query[],
): Promise<ApplyResult> {
  const profile = adviceProfile(name, proofFile, named, queries)
  return runApply(connect, [profile], { ...apply, takesBackUnpaid: true })
}

/** Whether it was built and paid, so that it is there now. */
export function isPaying({ prices = [] }: ApplyResult, { name, table }: Definition): boolean {
  return prices.some(
    ({ index, schema, verdict, dropped }) =>
      index === name && schema === table.schema && verdict === 'pays' && dropped !== true,
  )
}

export function wasBuilt(proof: ApplyResult | undefined, { name, table }: Definition): boolean {
  return (
    proof?.steps.some(
      ({ index, schema, outcome }) => index === name && schema === table.schema && outcome === 'built',
    ) === true
  )
}

/**
 * Takes back what earlier proofs left that were killed: their runs have no end in the ledger, so nobody knows what of them pays. Gives what was
 * done as findings. Throws what keeps a rollback from starting.
 */
export async function undoKilled({ connect, apply }: Proving): Promise<readonly Finding[]> {
  const killed = await killedRuns(connect)
  const findings: Finding[] = []
  for (const run of killed) {
    const { ok, steps } = await runRollback(connect, run, { ...apply, allow: new Set([...apply.allow, 'DROP']) })
    findings.push({
      code: ok ? 'TAKEN_BACK' : 'LEFT_BEHIND',
      severity: ok ? 'info' : 'error',
      message: `run ${run}, an earlier advise --prove, was killed: ${ok ? `what it left was dropped (${steps.map(({ index }) => index).join(', ')})` : 'not all that it left could be dropped'}`,
      ...(ok ? {} : { hint: `perfdb rollback ${run}` }),
    })
  }
  return findings
}

async function killedRuns(connect: Connect): Promise<readonly number[]> {
  const { readLedger } = await import('../../ledger/records/history.js')
  await using session = await connect('look')
  const ledger = await readLedger(session)
  if (ledger === null) return []
  const unended = new Set((await ledger.interruptedRuns()).map(({ run }) => run))
  const runs = (await ledger.runs(mostRuns)).filter(
    ({ run, profiles, outcome, rolledBackAt, changed, unfinished }) =>
      profiles[0] === proofFile &&
      rolledBackAt === null &&
      (outcome === 'interrupted' || unended.has(run)) &&
      changed + unfinished > 0,
  )
  return runs.map(({ run }) => run)
}

/** So far back killed runs are looked for. */
const mostRuns = 1000
