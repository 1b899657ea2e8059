import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Auditable } from '../../commands/explain/explain-top.js'
import type { Finding } from '../../plan/plan.js'
import { parameterOfText } from '../../profile/written/values.js'
import type { ExplainResult } from '../../result/documents/result.js'
import type { PlanOptions } from '../../plan/inputs.js'
import { PerfdbError } from '../../errors.js'
import { nameOf, type Named } from '../../profile/files/files.js'
import { pathFrom } from '../../profile/files/text-file.js'
import type { Config } from '../../settings/config.js'
import type { Session } from '../../server/session/session.js'
import { openDatabase, schemaInForce, type Database } from '../connect/database.js'
import { shownAs } from '../files/shown.js'
import { measuringAs } from '../connect/measure-as.js'
import { checkWritable, writeText } from '../files/files.js'
import { planArguments } from '../files/plan-arguments.js'
import type { Invocation } from '../../settings/invocation.js'

/**
 * explain of these files, --query and the statements of pg_stat_statements that --top, --since and --save-snapshot name; of the
 * profiles of perfdb.yaml where nothing is named. Throws what reading them throws, before anything is measured.
 */
export async function runExplainAction(
  invocation: Invocation,
  config: Config,
  args: readonly Named[],
  planOptions: PlanOptions,
): Promise<ExplainResult> {
  const { options, signals } = invocation
  await checkFiles(invocation)
  if (options.statistics !== undefined)
    return (await import('./twin-action.js')).explainOnTwin(invocation, config, args)
  const [{ readQueries }, { readStatements }, { readBaseline, saveBaseline }, { runExplain }, { planToSuppose }] =
    await Promise.all([
      import('../../commands/explain/explain-inputs.js'),
      import('../../commands/explain/explain-statements.js'),
      import('../../commands/explain/explain-baseline.js'),
      import('../../commands/explain/explain.js'),
      import('./what-if-action.js'),
    ])
  const plans = await planFiles(invocation, config, args)
  if ('command' in plans) return plans
  const fromServer = [options.top, options.since, options.saveSnapshot].some((option) => option !== undefined)
  const named = args.length > 0 || options.query !== undefined || fromServer
  const { cwd, environment } = invocation
  const files = named ? args : config.profiles
  const inputs =
    files.length === 0 && options.query === undefined && fromServer
      ? { queries: [], indexes: [], broken: [], profiles: [] }
      : await readQueries(files, options.query, {
          cwd,
          environment,
          schema: await schemaInForce(invocation, config),
          parameters: options.param?.map(parameterOfText),
          stdin: plans.stdin,
        })
  return shownAs(inputs.profiles, invocation, async (given) => {
    const baseline = options.baseline === undefined ? [] : await readBaseline(options.baseline, cwd)
    await using database = await openDatabase(given, config)
    const whatIf = await planToSuppose(database, given, config, args, planOptions)
    const connect = measuringAs(database, given, config)
    const allowWrites = planOptions.allow.has('WRITE_QUERY')
    const top = fromServer
      ? await statementsOf(database, async (session) => readStatements(session, { ...options, allowWrites, cwd }))
      : { queries: [], findings: [], counts: undefined }
    const saved = options.out === undefined ? [] : await saveProfile(options.out, cwd, top)
    await using session = await connect('measure')
    const { saveBaseline: file } = options
    return await runExplain(session, [...inputs.queries, ...top.queries], {
      allowWrites,
      findings: [...top.findings, ...saved],
      counts: top.counts,
      broken: inputs.broken,
      declared: inputs.indexes,
      baseline,
      whatIf,
      ...(whatIf === undefined
        ? {}
        : { engine: (await import('./twin-action.js')).whatIfEngine(given, database, true) }),
      connect: async () => connect('measure'),
      ...(file === undefined ? {} : { keep: async (measured) => saveBaseline(resolve(cwd, file), session, measured) }),
      signal: signals.signal,
      ...(options.samples === undefined ? {} : { samples: options.samples }),
      ...(options.timeBudget === undefined ? {} : { timeBudgetMs: options.timeBudget }),
      statementTimeoutMs: options.statementTimeout,
      onMeasured: ({ query, measurements }, number, of) =>
        given.listener({
          type: 'measured',
          query: query.name,
          number,
          of,
          executionMs: measurements[0]?.executionMs[0] ?? null,
        }),
    })
  })
}

/** Throws BAD_OPTION for options that go with others, and for files that cannot be written, FILE_EXISTS for a profile that --force does not give up. */
async function checkFiles({ options, cwd }: Invocation): Promise<void> {
  const { out, force, param, query, top, since, saveSnapshot, saveBaseline } = options
  const alone =
    param !== undefined && query === undefined
      ? ['--param', '--query TEXT']
      : out !== undefined && top === undefined && since === undefined
        ? ['--out', '--top N or --since FILE']
        : null
  if (alone !== null)
    throw new PerfdbError('BAD_OPTION', `${alone[0]} needs ${alone[1]}`, { hint: 'see perfdb help explain' })
  if (out !== undefined && force !== true && existsSync(pathFrom(cwd, out)))
    throw new PerfdbError('FILE_EXISTS', `${out} exists already`, { hint: 'write over it: --force' })
  await checkWritable(
    [saveSnapshot, saveBaseline, out].filter((file) => file !== undefined),
    cwd,
  )
}

/** Writes the profile of --out, and says so; nothing where there is no statement. */
async function saveProfile(out: string, cwd: string, { queries, counts }: Auditable): Promise<readonly Finding[]> {
  if (queries.length === 0)
    return [
      { code: 'PROFILE_SAVED', severity: 'info', message: `${out} was not written: there is no statement to save` },
    ]
  const [{ profileOfStatements }, { profileName }, { profileSchemaOf }] = await Promise.all([
    import('../../commands/explain/explain-out.js'),
    import('../../profile/complete/complete.js'),
    import('../../commands/start/init.js'),
  ])
  const schema = await profileSchemaOf(resolve(cwd, out))
  await writeText(out, profileOfStatements(profileName(out), queries, counts, schema), cwd)
  const message = `${out} holds ${queries.length} ${queries.length === 1 ? 'query' : 'queries'} of pg_stat_statements`
  return [{ code: 'PROFILE_SAVED', severity: 'info', message, hint: `later: perfdb explain ${out}` }]
}

/** On a session that pins search_path, which the owner of the database may have set so that operators are his own. */
async function statementsOf<T>(database: Database, read: (session: Session) => Promise<T>): Promise<T> {
  await using session = await database.connect('look')
  return await read(session)
}

/**
 * The audit of files that hold query plans, and of stdin where it does; where the arguments are queries, what stdin held. A server is asked only where --url
 * names one. Throws BAD_OPTION for query plans beside queries, which are measured.
 */
async function planFiles(
  invocation: Invocation,
  config: Config,
  args: readonly Named[],
): Promise<ExplainResult | { readonly stdin: () => Promise<string> }> {
  const { plans, others, stdin } = await planArguments(args, invocation)
  if (plans.length === 0) return { stdin }
  const [other] = others
  if (other !== undefined || invocation.options.query !== undefined)
    throw new PerfdbError(
      'BAD_OPTION',
      `${other === undefined ? '--query' : nameOf(other)} is to be measured, and the other files hold query plans`,
      {
        hint: 'explain query plans in a command of their own',
      },
    )
  const { explainPlanFiles } = await import('../../commands/explain/plan-files.js')
  if (invocation.options.url === undefined) return explainPlanFiles(plans, {})
  await using database = await openDatabase(invocation, config)
  await using session = await database.connect('measure')
  return await explainPlanFiles(plans, { session })
}
