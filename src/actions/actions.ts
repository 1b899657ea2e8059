import type { AdviseResult } from '../result/documents/advise-result.js'
import type { CompareResult } from '../result/documents/compare-result.js'
import type { ConfigResult } from '../result/documents/config-result.js'
import type { HistoryResult } from '../result/documents/history-result.js'
import type { StatisticsResult } from '../result/documents/statistics-result.js'
import type { PoolResult } from '../result/documents/pool-result.js'
import type { ApplyResult, ExplainResult, PlanResult, StatusResult, VerifyResult } from '../result/documents/result.js'
import { PerfdbError } from '../errors.js'
import type { SavedPart } from '../result/parts/saved-part.js'
import { nameOf, type Named } from '../profile/files/files.js'
import { withSettingPlace } from '../settings/setting-place.js'
import { noConfig } from '../settings/config.js'
import { openDatabase } from './connect/database.js'
import { measuringAs, openReplicas } from './connect/measure-as.js'
import { checkWritable, writeText } from './files/files.js'
import type { Invocation } from '../settings/invocation.js'
import { readSavedPlan } from './files/read-saved-plan.js'
import { applyOptions, choiceFor, configOf, inputs, planOptions } from './files/inputs.js'
import { shownAs } from './files/shown.js'
import { asWritten } from '../profile/as-written.js'
import { shownDocument } from '../result/shown.js'
import { formatOfFile } from '../options/readers.js'
import { render } from '../report/render.js'
import type { SingleResult } from '../result/results.js'

/* One function a command: read what it needs, run it, return its result. */

export async function plan(invocation: Invocation, args: readonly Named[]): Promise<PlanResult> {
  const { exitCode = false, failOn, out, export: tool, outDir } = invocation.options
  if (outDir !== undefined && tool === undefined)
    throw new PerfdbError('BAD_OPTION', '--out-dir belongs to --export', { hint: 'perfdb plan --export dbmate' })
  await checkWritable(out === undefined ? [] : [out], invocation.cwd)
  const { config, profiles } = await inputs(invocation, args)
  return shownAs(profiles, invocation, async (given) => {
    const { runPlanCommand } = await import('../commands/apply/plan.js')
    await using database = await openDatabase(given, config)
    await using session = await database.connect('ddl')
    let saved: SavedPart | undefined
    const result = await runPlanCommand(session, profiles, {
      ...planOptions(given, config),
      exitCode,
      failOn: failOn === 'refused' || failOn === 'work' ? failOn : undefined,
      save: out === undefined && given.keepsPlan !== true ? undefined : (part) => (saved = part),
      ...(given.options.whatIf === undefined
        ? {}
        : {
            whatIf: {
              connect: async () => database.connect('measure'),
              signal: given.signals.signal,
              ...(await import('./queries/twin-action.js')).whatIfEngine(given, database),
            },
          }),
      ...(tool === undefined
        ? {}
        : {
            export: async (made) => {
              const { writeExport } = await import('./start/export-action.js')
              return writeExport(made, tool, outDir, given.cwd)
            },
          }),
    })
    if (out !== undefined && saved !== undefined) {
      const { savedPlanText } = await import('../result/documents/saved-plan.js')
      await writeText(out, savedPlanText(shownDocument(result, asWritten(profiles)), saved), given.cwd)
    }
    return given.keepsPlan === true && saved !== undefined ? { ...result, saved } : result
  })
}

export async function verify(invocation: Invocation, args: readonly Named[]): Promise<VerifyResult> {
  const { config, profiles } = await inputs(invocation, args)
  return shownAs(profiles, invocation, async (given) => {
    const { runVerify } = await import('../commands/apply/plan.js')
    await using database = await openDatabase(given, config)
    await using session = await database.connect('look')
    const { signals, listener, options } = given
    const deep = options.deep === true ? { signal: signals.signal, listener } : undefined
    return await runVerify(session, profiles, { ...planOptions(given, config), deep })
  })
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
  return shownAs(profiles, invocation, async (given) => {
    const { runApply } = await import('../commands/apply/apply.js')
    const { options } = given
    const saved = kept?.saved ?? given.keptPlan?.saved
    await using database = await openDatabase(given, config)
    return await runApply(measuringAs(database, given, config), profiles, {
      ...applyOptions(given, config),
      expectedFingerprint: given.keptPlan?.saved === undefined ? given.keptPlan?.fingerprint : undefined,
      savedPlan: saved,
      ...(saved === undefined ? {} : { reindexSaved: savedReindexes(saved) }),
      counterfactual: choiceFor(database, given),
      openReplicas: async () => openReplicas(given, config),
      ramp:
        options.ramp === true
          ? await (await import('./load/ramp.js')).rampOf(database, given, config, profiles)
          : undefined,
    })
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
    fleet: undefined,
    dryRun,
    undoes: invocation.fleet,
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

export async function history(invocation: Invocation, [name]: readonly Named[]): Promise<HistoryResult> {
  const config = await configOf(invocation)
  const { runHistory } = await import('../commands/apply/history.js')
  await using database = await openDatabase(invocation, config)
  await using session = await database.connect('look')
  return await runHistory(session, typeof name === 'string' ? name : undefined, invocation.options.runs)
}

export async function explain(invocation: Invocation, args: readonly Named[]): Promise<ExplainResult> {
  const config = await configOf(invocation)
  const { runExplainAction } = await import('./queries/explain-action.js')
  return await runExplainAction(invocation, config, args, planOptions(invocation, config))
}

export async function advise(invocation: Invocation, args: readonly Named[]): Promise<AdviseResult> {
  const config = await configOf(invocation)
  const { runAdviseAction } = await import('./queries/advise-action.js')
  return await runAdviseAction(invocation, config, args)
}

export async function statistics(invocation: Invocation, args: readonly Named[]): Promise<StatisticsResult> {
  const config = await configOf(invocation)
  const { runStatisticsAction } = await import('./queries/statistics-action.js')
  return await runStatisticsAction(invocation, config, args)
}

export async function compare({ cwd }: Invocation, args: readonly Named[]): Promise<CompareResult> {
  const [before, after] = args.map(nameOf)
  if (before === undefined || after === undefined || args.length > 2)
    throw new PerfdbError('BAD_OPTION', 'compare takes two files', { hint: 'perfdb compare before.json after.json' })
  const { runCompare } = await import('../commands/explain/compare.js')
  return runCompare(before, after, cwd)
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

export async function load(invocation: Invocation, args: readonly Named[]): Promise<SingleResult> {
  return (await import('./load/load-action.js')).runLoadAction(invocation, args)
}

export async function doctor(invocation: Invocation): Promise<SingleResult> {
  return (await import('./start/doctor-action.js')).runDoctorAction(invocation, await configOf(invocation))
}

export async function init(invocation: Invocation, args: readonly string[] = []): Promise<SingleResult> {
  const { runInitAction } = await import('./start/init-action.js')
  return runInitAction(invocation, args)
}

export async function config(invocation: Invocation): Promise<ConfigResult> {
  const { runConfigAction } = await import('./start/config-action.js')
  return runConfigAction(invocation, await configOf(invocation))
}

export async function importIndexes(invocation: Invocation, args: readonly string[]): Promise<SingleResult> {
  const { runImportAction } = await import('./start/import-action.js')
  return runImportAction(invocation, async () => configOf(invocation), args[0])
}

export async function demo(invocation: Invocation, args: readonly string[] = []): Promise<SingleResult> {
  const [named = 'job-shop'] = args
  const { demoNames } = await import('../commands/start/demo-shops.js')
  const name = demoNames.find((one) => one === named)
  if (name === undefined)
    throw new PerfdbError('BAD_OPTION', `no demo ${named}`, { hint: `there are ${demoNames.join(', ')}` })
  const { cwd, options, signals, listener } = invocation
  const report = options.out ?? 'perfdb-report.html'
  const format = formatOfFile(report)
  await checkWritable([report], cwd)
  const { runDemo } = await import('../commands/start/demo.js')
  await using database = await openDatabase({ ...invocation, options: { ...options, url: 'embedded' } }, noConfig)
  const apply = {
    ...applyOptions(invocation, noConfig),
    samples: 31,
    timeBudgetMs: 600,
    counterfactual: 'allowed' as const,
  }
  const result = await runDemo(database.connect, { name, scale: options.scale, report, apply, listener })
  if (signals.signal.aborted)
    throw new PerfdbError('INTERRUPTED', 'ended by a signal; the embedded server is gone and left nothing')
  const layout = { width: 120, color: false, unicode: true, verbose: false }
  await writeText(report, await render(result, format, layout), cwd)
  return result
}

/** What a saved plan was to rebuild: `apply --plan` has no --reindex of its own. */
function savedReindexes({ steps }: SavedPart): ReadonlyMap<string, string | null> {
  return new Map(
    steps.flatMap(({ step, schema, index, before }) => (step === 'reindex' ? [[`${schema}.${index}`, before]] : [])),
  )
}
