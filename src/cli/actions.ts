import { readFile } from 'node:fs/promises'
import type { ApplyOptions } from '../commands/apply.js'
import { PerfdbError } from '../errors.js'
import type { PlanOptions } from '../plan/options.js'
import type { HazardCode } from '../plan/plan.js'
import type { Profile } from '../profile/profile.js'
import type { Result } from '../report/render.js'
import { readConfig, type Config } from './config.js'
import { openDatabase } from './database.js'
import { checkWritable, standardInput, writeText } from './files.js'
import type { Invocation } from './invocation.js'
import { formatOfFile } from './options.js'
import { render } from '../report/render.js'

/* One function a command: read what it needs, run it, return its result. */

export async function plan(invocation: Invocation, args: readonly string[]): Promise<Result> {
  const { exitCode = false, out } = invocation.options
  await checkWritable(out === undefined ? [] : [out])
  const { config, profiles } = await inputs(invocation, args)
  const { runPlanCommand } = await import('../commands/plan.js')
  await using database = await openDatabase(invocation, config)
  await using session = await database.connect('ddl')
  const result = await runPlanCommand(session, profiles, {
    ...planOptions(invocation, config),
    exitCode,
  })
  if (out !== undefined) await writeText(out, `${JSON.stringify(result, null, 2)}\n`)
  return result
}

export async function verify(invocation: Invocation, args: readonly string[]): Promise<Result> {
  const { config, profiles } = await inputs(invocation, args)
  const { runVerify } = await import('../commands/plan.js')
  await using database = await openDatabase(invocation, config)
  await using session = await database.connect('look')
  return await runVerify(session, profiles, planOptions(invocation, config))
}

export async function apply(invocation: Invocation, args: readonly string[]): Promise<Result> {
  const kept = await keptPlan(invocation)
  if (kept !== undefined && args.length > 0)
    throw new PerfdbError('BAD_OPTION', 'a kept plan names its profiles itself: leave them out beside --plan')
  const { config, profiles } = await inputs(invocation, kept?.profiles ?? args)
  const { runApply } = await import('../commands/apply.js')
  await using database = await openDatabase(invocation, config)
  return await runApply(database.connect, profiles, {
    ...applyOptions(invocation, config),
    expectedFingerprint: kept?.fingerprint,
  })
}

export async function rollback(invocation: Invocation, args: readonly string[]): Promise<Result> {
  const config = await configOf(invocation)
  const [run] = args
  if (run !== undefined && !/^\d+$/.test(run))
    throw new PerfdbError('BAD_OPTION', `a run is named by its number: ${run}`, {
      hint: 'perfdb status lists the runs',
    })
  const { runRollback } = await import('../commands/rollback.js')
  await using database = await openDatabase(invocation, config)
  return await runRollback(database.connect, run === undefined ? null : Number(run), applyOptions(invocation, config))
}

export async function status(invocation: Invocation): Promise<Result> {
  const config = await configOf(invocation)
  const { runStatus } = await import('../commands/status.js')
  await using database = await openDatabase(invocation, config)
  await using session = await database.connect('look')
  return await runStatus(session, invocation.options.runs ?? 10)
}

export async function explain(invocation: Invocation, args: readonly string[]): Promise<Result> {
  const { options, signals } = invocation
  const config = await configOf(invocation)
  const [{ readQueries }, { topQueries }, { readBaseline, saveBaseline }, { runExplain }] = await Promise.all([
    import('../commands/explain-inputs.js'),
    import('../commands/explain-top.js'),
    import('../commands/explain-baseline.js'),
    import('../commands/explain.js'),
  ])
  const named = args.length > 0 || options.query !== undefined || options.top !== undefined
  const { cwd, environment } = invocation
  const files = named ? args : config.profiles
  const inputs =
    files.length === 0 && options.query === undefined && options.top !== undefined
      ? { queries: [], broken: [] }
      : await readQueries(files, options.query, { cwd, environment, stdin: standardInput })
  const baseline = options.baseline === undefined ? [] : await readBaseline(options.baseline)
  await using database = await openDatabase(invocation, config)
  await using session = await database.connect('measure')
  const allowWrites = allowed(invocation, config).has('WRITE_QUERY')
  const top =
    options.top === undefined ? [] : await topQueries(session, options.top, options.by ?? 'total', allowWrites)
  const { saveBaseline: file } = options
  return await runExplain(session, [...inputs.queries, ...top], {
    allowWrites,
    broken: inputs.broken,
    baseline,
    ...(file === undefined ? {} : { keep: async (measured) => saveBaseline(file, session, measured) }),
    signal: signals.signal,
    ...(options.samples === undefined ? {} : { samples: options.samples }),
    ...(options.timeBudget === undefined ? {} : { timeBudgetMs: options.timeBudget }),
    statementTimeoutMs: options.statementTimeout,
    onMeasured: ({ query, measurements }, number, of) =>
      invocation.listener({
        type: 'measured',
        query: query.name,
        number,
        of,
        executionMs: measurements[0]?.executionMs[0] ?? null,
      }),
  })
}

export async function checkPool(invocation: Invocation, args: readonly string[]): Promise<Result> {
  const config = await configOf(invocation)
  const paths = args.length > 0 ? args : config.pools
  if (paths.length === 0)
    throw new PerfdbError('NO_PROFILE', 'no pools file is named, and there is no perfdb.yaml that names one', {
      hint: 'perfdb check-pool my.pools.yaml',
    })
  const { runCheckPoolAction } = await import('./check-pool-action.js')
  return await runCheckPoolAction(invocation, config, paths)
}

export async function init(invocation: Invocation): Promise<Result> {
  const { runInit } = await import('../commands/init.js')
  return runInit(invocation.cwd)
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
  const { runDemo } = await import('../commands/demo.js')
  await using database = await openDatabase(
    { ...invocation, options: { ...options, url: 'embedded' } },
    { file: null, profiles: [], pools: [], allow: [] },
  )
  const apply = {
    ...applyOptions(invocation, { file: null, profiles: [], pools: [], allow: [] }),
    samples: 31,
    timeBudgetMs: 600,
  }
  const result = await runDemo(database.connect, { scale: options.scale ?? 1, report, apply, listener })
  if (signals.signal.aborted)
    throw new PerfdbError('INTERRUPTED', 'ended by a signal; the embedded server is gone and left nothing')
  await writeText(report, await render(result, format, { width: 120, color: false, unicode: true, verbose: false }))
  return result
}

async function configOf(invocation: Invocation): Promise<Config> {
  return readConfig(invocation.cwd, invocation.options.config, invocation.environment)
}

async function inputs(
  invocation: Invocation,
  args: readonly string[],
): Promise<{ config: Config; profiles: readonly Profile[] }> {
  const config = await configOf(invocation)
  const paths = args.length > 0 ? args : config.profiles
  if (paths.length === 0)
    throw new PerfdbError('NO_PROFILE', 'no profile is named, and there is no perfdb.yaml that names one')
  const { readProfiles } = await import('../profile/read.js')
  return { config, profiles: await readProfiles(paths, { cwd: invocation.cwd, environment: invocation.environment }) }
}

function allowed({ options }: Invocation, config: Config): ReadonlySet<HazardCode> {
  return new Set([...(options.allow ?? []), ...config.allow])
}

function planOptions(invocation: Invocation, config: Config): PlanOptions {
  const { prune, maxWait, maxSize } = invocation.options
  return {
    allow: allowed(invocation, config),
    prune: prune ?? false,
    maxWaitMs: maxWait ?? 600_000,
    maxSizeBytes: maxSize ?? 50 * 1024 ** 3,
  }
}

function applyOptions(invocation: Invocation, config: Config): ApplyOptions {
  const { options, signals, listener } = invocation
  return {
    ...planOptions(invocation, config),
    lockWaitMs: options.lockWait ?? 0,
    retries: options.retries ?? 2,
    jobs: options.jobs ?? 1,
    onQueue: options.onQueue ?? 'report',
    onDisconnect: options.onDisconnect ?? 'cancel',
    window: options.window ?? null,
    maxLagMs: options.maxLag ?? null,
    ledger: options.ledger ?? true,
    measure: options.measure ?? true,
    samples: options.samples,
    timeBudgetMs: options.timeBudget,
    expectedFingerprint: undefined,
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

/** `plan --out` writes the result document; apply needs its profiles and its fingerprint. */
async function keptPlan({
  options,
}: Invocation): Promise<{ readonly profiles: readonly string[]; readonly fingerprint: string } | undefined> {
  if (options.plan === undefined) return undefined
  const text = await readFile(options.plan, 'utf8').catch(() => undefined)
  if (text === undefined)
    throw new PerfdbError('FILE_NOT_FOUND', `there is no file ${options.plan}`, {
      hint: 'perfdb plan profile.yaml --out plan.json writes one',
    })
  const { planResult } = await import('../commands/result.js')
  const parsed = planResult.safeParse(parseJson(text))
  if (!parsed.success)
    throw new PerfdbError('BAD_VALUE', `${options.plan} is not a plan that perfdb plan --out wrote`, {
      hint: 'perfdb plan profile.yaml --out plan.json writes one',
    })
  return parsed.data
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
