import type { ExplainResult } from '../result/result.js'
import type { PlanOptions } from '../plan/options.js'
import type { Named } from '../profile/files.js'
import type { Config } from './config.js'
import type { Session } from '../server/session.js'
import { openDatabase, type Database } from './database.js'
import { measuringAs } from './measure-as.js'
import { checkWritable, standardInput } from './files.js'
import type { Invocation } from './invocation.js'

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
  await checkWritable([options.saveSnapshot, options.saveBaseline].filter((file) => file !== undefined))
  const [{ readQueries }, { readStatements }, { readBaseline, saveBaseline }, { runExplain }, { planToSuppose }] =
    await Promise.all([
      import('../commands/explain/explain-inputs.js'),
      import('../commands/explain/explain-statements.js'),
      import('../commands/explain/explain-baseline.js'),
      import('../commands/explain/explain.js'),
      import('./what-if-action.js'),
    ])
  const fromServer = [options.top, options.since, options.saveSnapshot].some((option) => option !== undefined)
  const named = args.length > 0 || options.query !== undefined || fromServer
  const { cwd, environment } = invocation
  const files = named ? args : config.profiles
  const inputs =
    files.length === 0 && options.query === undefined && fromServer
      ? { queries: [], indexes: [], broken: [] }
      : await readQueries(files, options.query, { cwd, environment, stdin: standardInput })
  const baseline = options.baseline === undefined ? [] : await readBaseline(options.baseline)
  await using database = await openDatabase(invocation, config)
  const whatIf = await planToSuppose(database, invocation, config, args, planOptions)
  const connect = measuringAs(database, invocation, config)
  const allowWrites = planOptions.allow.has('WRITE_QUERY')
  const top = fromServer
    ? await statementsOf(database, async (session) => readStatements(session, { ...options, allowWrites }))
    : { queries: [], findings: [] }
  await using session = await connect('measure')
  const { saveBaseline: file } = options
  return await runExplain(session, [...inputs.queries, ...top.queries], {
    allowWrites,
    findings: top.findings,
    broken: inputs.broken,
    declared: inputs.indexes,
    baseline,
    whatIf,
    connect: async () => connect('measure'),
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

/** On a session that pins search_path, which the owner of the database may have set so that operators are his own. */
async function statementsOf<T>(database: Database, read: (session: Session) => Promise<T>): Promise<T> {
  await using session = await database.connect('look')
  return await read(session)
}
