import type { ApplyOptions } from '../commands/apply/apply.js'
import type { CompareResult } from '../result/compare-result.js'
import type { ConfigResult } from '../result/config-result.js'
import type { PoolResult } from '../result/pool-result.js'
import type { ApplyResult, ExplainResult, PlanResult, StatusResult, VerifyResult } from '../result/result.js'
import { PerfdbError } from '../errors.js'
import type { SavedPart } from '../result/saved-plan.js'
import type { PlanOptions } from '../plan/options.js'
import type { HazardCode } from '../codes/hazard-codes.js'
import { nameOf, type Named } from '../profile/files.js'
import type { Profile } from '../profile/profile.js'
import { withSettingPlace } from '../settings/setting-place.js'
import { noConfig, readConfig, type Config } from '../settings/config.js'
import { choiceOf } from '../settings/resolve.js'
import type { CounterfactualChoice } from '../commands/apply/proof-hiding.js'
import { openDatabase, schemaInForce, type Database } from './connect/database.js'
import { measuringAs, openReplicas } from './connect/measure-as.js'
import { checkWritable, writeText } from './files/files.js'
import type { Invocation } from '../settings/invocation.js'
import { readSavedPlan } from './files/read-saved-plan.js'
import { formatOfFile } from '../options/readers.js'
import { render } from '../report/render.js'
import type { Result } from '../result/results.js'

/* One function a command: read what it needs, run it, return its result. */

export async function plan(invocation: Invocation, args: readonly Named[]): Promise<PlanResult> {
  const { exitCode = false, failOn, out, export: tool, outDir } = invocation.options
  if (outDir !== undefined && tool === undefined)
    throw new PerfdbError('BAD_OPTION', '--out-dir belongs to --export', { hint: 'perfdb plan --export dbmate' })
  await checkWritable(out === undefined ? [] : [out])
  const { config, profiles } = await inputs(invocation, args)
  const { runPlanCommand } = await import('../commands/apply/plan.js')
  await using database = await openDatabase(invocation, config)
  await using session = await database.connect('ddl')
  let saved: SavedPart | undefined
  const result = await runPlanCommand(session, profiles, {
    ...planOptions(invocation, config),
    exitCode,
    failOn: failOn === 'refused' || failOn === 'work' ? failOn : undefined,
    save: out === undefined ? undefined : (part) => (saved = part),
    ...(invocation.options.whatIf === undefined
      ? {}
      : { whatIf: { connect: async () => database.connect('measure'), signal: invocation.signals.signal } }),
    ...(tool === undefined
      ? {}
      : {
          export: async (made) => {
            const { writeExport } = await import('./export-action.js')
            return writeExport(made, tool, outDir, invocation.cwd)
          },
        }),
  })
  if (out !== undefined && saved !== undefined) {
    const { savedPlanText } = await import('../result/saved-plan.js')
    await writeText(out, savedPlanText(result, saved))
  }
  return result
}

export async function verify(invocation: Invocation, args: readonly Named[]): Promise<VerifyResult> {
  const { config, profiles } = await inputs(invocation, args)
  const { runVerify } = await import('../commands/apply/plan.js')
  await using database = await openDatabase(invocation, config)
  await using session = await database.connect('look')
  return await runVerify(session, profiles, planOptions(invocation, config))
}

/** apply --dry-run is plan. */
export async function applyOrPlan(invocation: Invocation, args: readonly Named[]): Promise<ApplyResult | PlanResult> {
  if (invocation.options.dryRun !== true) return apply(invocation, args)
  return plan(invocation, (await readSavedPlan(invocation))?.profiles ?? args)
}

export async function apply(invocation: Invocation, args: readonly Named[]): Promise<ApplyResult> {
  const kept = await readSavedPlan(invocation)
  if (kept !== undefined && args.length > 0)
    throw new PerfdbError('BAD_OPTION', 'a saved plan names its profiles itself: leave them out beside --plan')
  const { config, profiles } = await inputs(invocation, kept?.profiles ?? args)
  const { runApply } = await import('../commands/apply/apply.js')
  await using database = await openDatabase(invocation, config)
  return await runApply(measuringAs(database, invocation, config), profiles, {
    ...applyOptions(invocation, config),
    expectedFingerprint: invocation.fingerprint,
    savedPlan: kept?.saved,
    counterfactual: choiceFor(database, invocation),
    openReplicas: async () => openReplicas(invocation, config),
  })
}

export async function rollback(invocation: Invocation, args: readonly string[]): Promise<ApplyResult> {
  const config = await configOf(invocation)
  const [run] = args
  if (run !== undefined && !/^\d+$/.test(run))
    throw new PerfdbError('BAD_OPTION', `a run is named by its number: ${run}`, {
      hint: 'perfdb status lists the runs',
    })
  if (run !== undefined && BigInt(run) > 9_223_372_036_854_775_807n)
    throw new PerfdbError('BAD_OPTION', `no run has that number: ${run}`, { hint: 'perfdb status lists the runs' })
  const { runRollback } = await import('../commands/apply/rollback.js')
  await using database = await openDatabase(invocation, config)
  const { dryRun = false, yes = false } = invocation.options
  return await runRollback(database.connect, run === undefined ? null : Number(run), {
    ...applyOptions(invocation, config),
    dryRun,
    confirm: yes ? undefined : invocation.confirm,
  })
}

export async function status(invocation: Invocation): Promise<StatusResult> {
  const config = await configOf(invocation)
  const { runStatus } = await import('../commands/apply/status.js')
  await using database = await openDatabase(invocation, config)
  await using session = await database.connect('look')
  return await runStatus(session, invocation.options.runs)
}

export async function explain(invocation: Invocation, args: readonly Named[]): Promise<ExplainResult> {
  const config = await configOf(invocation)
  const { runExplainAction } = await import('./explain-action.js')
  return await runExplainAction(invocation, config, args, planOptions(invocation, config))
}

export async function compare(_: Invocation, args: readonly Named[]): Promise<CompareResult> {
  const [before, after] = args.map(nameOf)
  if (before === undefined || after === undefined || args.length > 2)
    throw new PerfdbError('BAD_OPTION', 'compare takes two files', { hint: 'perfdb compare before.json after.json' })
  const { runCompare } = await import('../commands/explain/compare.js')
  return runCompare(before, after)
}

export async function checkPool(invocation: Invocation, args: readonly Named[]): Promise<PoolResult> {
  const config = await configOf(invocation)
  const paths = args.length > 0 ? args : config.pools
  if (paths.length === 0)
    throw new PerfdbError('NO_PROFILE', 'no pools file is named, and there is no perfdb.yaml that names one', {
      hint: 'perfdb check-pool my.pools.yaml',
    })
  const { runCheckPoolAction } = await import('./check-pool-action.js')
  const checked = runCheckPoolAction(invocation, config, paths)
  return await (args.length > 0 ? checked : checked.catch(withSettingPlace('pools', config)))
}

export async function doctor(invocation: Invocation): Promise<Result> {
  return (await import('./doctor-action.js')).runDoctorAction(invocation, await configOf(invocation))
}

export async function init(invocation: Invocation, args: readonly string[] = []): Promise<Result> {
  const { runInitAction } = await import('./init-action.js')
  return runInitAction(invocation, args)
}

export async function config(invocation: Invocation): Promise<ConfigResult> {
  const { runConfigAction } = await import('./config-action.js')
  return runConfigAction(invocation, await configOf(invocation))
}

export async function importIndexes(invocation: Invocation, args: readonly string[]): Promise<Result> {
  const { runImportAction } = await import('./import-action.js')
  return runImportAction(invocation, async () => configOf(invocation), args[0])
}

export async function demo(invocation: Invocation): Promise<Result> {
  const { options, signals, listener } = invocation
  const report = options.out ?? 'perfdb-report.html'
  const format = formatOfFile(report)
  await checkWritable([report])
  const { runDemo } = await import('../commands/start/demo.js')
  await using database = await openDatabase({ ...invocation, options: { ...options, url: 'embedded' } }, noConfig)
  const apply = {
    ...applyOptions(invocation, noConfig),
    samples: 31,
    timeBudgetMs: 600,
    counterfactual: 'allowed' as const,
  }
  const result = await runDemo(database.connect, { scale: options.scale, report, apply, listener })
  if (signals.signal.aborted)
    throw new PerfdbError('INTERRUPTED', 'ended by a signal; the embedded server is gone and left nothing')
  await writeText(report, await render(result, format, { width: 120, color: false, unicode: true, verbose: false }))
  return result
}

async function configOf(invocation: Invocation): Promise<Config> {
  const { config, cwd, environment, options } = invocation
  return config ?? readConfig(cwd, choiceOf(options, environment), environment)
}

async function inputs(
  invocation: Invocation,
  args: readonly Named[],
): Promise<{ config: Config; profiles: readonly Profile[] }> {
  const config = await configOf(invocation)
  const paths = args.length > 0 ? args : config.profiles
  if (paths.length === 0)
    throw new PerfdbError('NO_PROFILE', 'no profile is named, and there is no perfdb.yaml that names one')
  const { readProfiles } = await import('../profile/read.js')
  const { cwd, environment } = invocation
  const read = readProfiles(paths, { cwd, environment, schema: await schemaInForce(invocation, config) })
  return { config, profiles: await (args.length > 0 ? read : read.catch(withSettingPlace('profiles', config))) }
}

function allowed({ options }: Invocation, config: Config): ReadonlySet<HazardCode> {
  return new Set([...(options.allow ?? []), ...config.allow])
}

/** On a private server nobody is disturbed by a hidden index. */
function choiceFor({ embedded }: Database, { options }: Invocation): CounterfactualChoice {
  const { counterfactual = 'auto' } = options
  if (counterfactual === 'auto') return embedded ? 'allowed' : 'auto'
  if (counterfactual === 'true') return 'allowed'
  return counterfactual === 'false' ? 'off' : counterfactual
}

function planOptions(invocation: Invocation, config: Config): PlanOptions {
  const { prune = false, maxWait, maxSize } = invocation.options
  return {
    allow: allowed(invocation, config),
    prune,
    maxWaitMs: maxWait,
    maxSizeBytes: maxSize,
  }
}

function applyOptions(invocation: Invocation, config: Config): ApplyOptions {
  const { options, signals, listener } = invocation
  return {
    ...planOptions(invocation, config),
    lockWaitMs: options.lockWait,
    retries: options.retries,
    jobs: options.jobs,
    onQueue: options.onQueue,
    onDisconnect: options.onDisconnect,
    window: options.window ?? null,
    maxLagMs: options.maxLag ?? null,
    ledger: options.ledger,
    measure: options.measure,
    samples: options.samples,
    timeBudgetMs: options.timeBudget,
    expectedFingerprint: undefined,
    savedPlan: undefined,
    signal: signals.signal,
    signalName: signals.name,
    listener: (event) => {
      if (event.type === 'step-started')
        signals.lastWords = `${event.index} on ${event.table} may be left invalid: perfdb verify shows it, perfdb apply heals it`
      if (event.type === 'step-done') signals.lastWords = ''
      listener(event)
    },
  }
}
