import { PerfdbError } from '../errors.js'
import type { AdviseResult } from '../result/documents/advise-result.js'
import type { FleetResult } from '../result/documents/fleet-result.js'
import type { PoolResult } from '../result/documents/pool-result.js'
import type { ApplyResult, ExplainResult, PlanResult, StatusResult, VerifyResult } from '../result/documents/result.js'
import type {
  AdviseOptions,
  ApplyOptions,
  CheckPoolOptions,
  ExplainOptions,
  FleetOptions,
  PlanOptions,
  VerifyOptions,
  RollbackOptions,
  StatusOptions,
} from './options.js'

/*
 * `import { plan, apply, verify, explain, advise, checkPool, rollback, status, fleet } from 'perfdb'`: each runs the same line as the command of
 * that name (fleet: for many tenants) and returns the document that `--format json` prints. Everything is loaded when it is first needed.
 */
export { PerfdbError } from '../errors.js'

/** What apply would do, and why. Never writes. Throws PerfdbError: what is wrong with a profile, a connection, an option. */
export async function plan(options: PlanOptions = {}): Promise<PlanResult> {
  const failure = calledFrom(plan)
  const [{ run }, { plan: action }] = await loaded()
  return run('plan', options, action, failure)
}

/** Declared against existing indexes; `ok` is false when anything differs. Never writes. Throws as plan does. */
export async function verify(options: VerifyOptions = {}): Promise<VerifyResult> {
  const failure = calledFrom(verify)
  const [{ run }, { verify: action }] = await loaded()
  return run('verify', options, action, failure)
}

/**
 * Builds what the profiles declare, concurrently, and measures their queries before and after. A step that fails and a hazard that is
 * not allowed are told in the result (`ok`, `exit_code`, `error`); only what keeps the run from starting is thrown, as by plan.
 */
export async function apply(options: ApplyOptions = {}): Promise<ApplyResult> {
  const failure = calledFrom(apply)
  const [{ run }, { apply: action }] = await loaded()
  return run('apply', options, action, failure)
}

/** Measures queries and reports findings; `ok` is false when an expectation is missed. Throws as plan does. */
export async function explain(options: ExplainOptions = {}): Promise<ExplainResult> {
  const failure = calledFrom(explain)
  const [{ run }, { explain: action }] = await loaded()
  return run('explain', options, action, failure)
}

/** Which indexes would help these queries, each tried on a twin; builds nothing on the server, and no query runs. Throws as plan does. */
export async function advise(options: AdviseOptions = {}): Promise<AdviseResult> {
  const failure = calledFrom(advise)
  const [{ run }, { advise: action }] = await loaded()
  return run('advise', options, action, failure)
}

/** Adds up every pool against what each server leaves. Throws what is wrong with a file or an option, nothing of a connection. */
export async function checkPool(options: CheckPoolOptions = {}): Promise<PoolResult> {
  const failure = calledFrom(checkPool)
  const [{ run }, { checkPool: action }] = await loaded()
  const { withTenants } = await import('../actions/fleet/over-tenants.js')
  return run('checkPool', options, async (given, files) => action(await withTenants(given), files), failure)
}

/** Undoes a run of the ledger, the last one when none is named. Throws NO_LEDGER, NO_RUN, RUN_NOT_NAMED, NOTHING_TO_ROLL_BACK, LEDGER_UNTRUSTED, and as plan does. */
export async function rollback(options: RollbackOptions = {}): Promise<ApplyResult> {
  const failure = calledFrom(rollback)
  const [{ run }, { rollback: action }] = await loaded()
  const args = options.run === undefined ? [] : [String(options.run)]
  return run('rollback', options, async (invocation) => action(invocation, args), failure)
}

/** Runs in the ledger, builds under way, who blocks them. Throws as plan does. */
export async function status(options: StatusOptions = {}): Promise<StatusResult> {
  const failure = calledFrom(status)
  const [{ run }, { status: action }] = await loaded()
  return run('status', options, action, failure)
}

/**
 * A command for every tenant of perfdb.yaml or of a list. What goes wrong with one is its outcome in the result; thrown is what keeps the run from starting, as by
 * the function of the command.
 */
export async function fleet<Name extends keyof FleetOptions>(
  command: Name,
  options: FleetOptions[Name],
): Promise<FleetResult> {
  const failure = calledFrom(fleet)
  const [{ run }, actions] = await loaded()
  const { runFleetAction } = await import('../actions/fleet/fleet-action.js')
  const given: { readonly run?: string } & object = { ...options }
  return run(
    `fleet ${command}`,
    given,
    async (invocation, files) => {
      const { rollback: undo, ...others } = actions
      const name: keyof FleetOptions = command
      if (name !== 'rollback') return runFleetAction(name, others[name], invocation, files)
      return runFleetAction(name, undo, invocation, given.run === undefined ? [] : [given.run])
    },
    failure,
  )
}

/** The error that is thrown if the call fails: its stack is the caller's, not that of the bundle, whose one line Node would print. */
function calledFrom(called: (...args: never) => unknown): PerfdbError {
  const failure = new PerfdbError('INTERNAL', '')
  Error.captureStackTrace(failure, called)
  return failure
}

async function loaded() {
  return Promise.all([import('./run.js'), import('../actions/actions.js')])
}
