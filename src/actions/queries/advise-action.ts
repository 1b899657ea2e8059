import { resolve } from 'node:path'
import { PerfdbError } from '../../errors.js'
import type { AdviseOptions } from '../../commands/advise/advise.js'
import type { Inputs } from '../../commands/explain/explain-inputs.js'
import type { Finding } from '../../plan/plan.js'
import type { Named } from '../../profile/files/files.js'
import { isThere } from '../../profile/files/text-file.js'
import type { AdviseResult } from '../../result/documents/advise-result.js'
import type { Config } from '../../settings/config.js'
import type { Invocation } from '../../settings/invocation.js'
import type { Session } from '../../server/session/session.js'
import { openDatabase, schemaInForce, type Database } from '../connect/database.js'
import { measuringAs, openReplicas } from '../connect/measure-as.js'
import { checkWritable, writeText } from '../files/files.js'
import { applyOptions, choiceFor } from '../files/inputs.js'
import { planArguments } from '../files/plan-arguments.js'
import { shownAs } from '../files/shown.js'
import { readTwinFiles, schemaFor, twinOf, twinOfFiles } from './twin-action.js'

/**
 * advise for the queries of these files (those of query plans too), --query and --top; of the profiles of perfdb.yaml where nothing is named. With --baseline no server is asked. Throws what reading
 * them throws, before a server is asked.
 */
export async function runAdviseAction(
  invocation: Invocation,
  config: Config,
  args: readonly Named[],
): Promise<AdviseResult> {
  const { options, cwd } = invocation
  const { out, query, param, baseline } = options
  if (out !== undefined && options.force !== true && isThere(resolve(cwd, out)))
    throw new PerfdbError('FILE_EXISTS', `${out} exists already`, { hint: 'write over it: --force' })
  if (param !== undefined && query === undefined)
    throw new PerfdbError('BAD_OPTION', '--param needs --query TEXT', { hint: 'see perfdb help advise' })
  await checkWritable(out === undefined ? [] : [out], cwd)
  if (baseline === undefined) return adviseServer(invocation, config, await inputsOf(invocation, config, args))
  return adviseBaseline(invocation, baseline, await inputsOf(invocation, config, args))
}

/** Queries to advise for, and what is to be said of the files that hold them. */
interface Asked extends Inputs {
  readonly findings: readonly Finding[]
}

/** Throws BAD_VALUE where all that is named is query plans without a text. */
async function inputsOf(invocation: Invocation, config: Config, args: readonly Named[]): Promise<Asked> {
  const { query, top } = invocation.options
  const named = args.length > 0 || query !== undefined || top !== undefined
  const { plans, others, stdin } = await planArguments(named ? args : config.profiles, invocation)
  const ofPlans =
    plans.length === 0
      ? { queries: [], broken: [], findings: [] }
      : await (await import('../../commands/explain/plan-queries.js')).readPlanQueries(plans)
  const isWritten = others.length > 0 || query !== undefined
  const [untold] = ofPlans.findings
  if (!isWritten && top === undefined && ofPlans.queries.length + ofPlans.broken.length === 0 && untold !== undefined)
    throw new PerfdbError('BAD_VALUE', untold.message, { hint: untold.hint, place: untold.place })
  const written =
    isWritten || (plans.length === 0 && top === undefined)
      ? await writtenQueries(invocation, config, others, stdin)
      : { queries: [], indexes: [], broken: [], profiles: [] }
  return {
    ...written,
    queries: [...written.queries, ...ofPlans.queries],
    broken: [...written.broken, ...ofPlans.broken],
    findings: ofPlans.findings,
  }
}

/** Of profiles, .sql files and --query. */
async function writtenQueries(
  invocation: Invocation,
  config: Config,
  files: readonly Named[],
  stdin: () => Promise<string>,
): Promise<Inputs> {
  const { options, cwd, environment } = invocation
  const [{ readQueries }, { parameterOfText }, { findFiles }] = await Promise.all([
    import('../../commands/explain/explain-inputs.js'),
    import('../../profile/written/values.js'),
    import('../../profile/files/files.js'),
  ])
  // The statements of a folder of .sql files, and of those that a glob finds.
  const found = files.flatMap((file) => {
    if (typeof file !== 'string' || file === '-') return [file]
    const { files: below } = findFiles([file], cwd, ['.sql'])
    return below.some(({ named }) => named) || below.length === 0 ? [file] : below.map((one) => one.file)
  })
  return readQueries(found, options.query, {
    cwd,
    environment,
    schema: await schemaInForce(invocation, config),
    parameters: options.param?.map(parameterOfText),
    stdin,
  })
}

/** What a server and a statistics file are asked alike. */
async function optionsOf(
  { cwd, options }: Invocation,
  { broken, findings }: Asked,
): Promise<Omit<AdviseOptions, 'limits' | 'withoutTrigrams'>> {
  const { profileName } = await import('../../profile/complete/complete.js')
  const { out } = options
  return {
    mostIndexes: options.maxIndexes,
    mostBytes: options.maxSize,
    exitCode: options.exitCode === true,
    minGain: options.minGain / 100,
    weights: new Map(),
    findings,
    unread: broken.map(({ name, problem: { message, place } }) => ({
      query: name,
      reason: place === undefined ? message : `${message} (${place.file}:${place.line}:${place.column})`,
    })),
    out:
      out === undefined
        ? undefined
        : { name: profileName(out), file: out, write: async (text) => writeText(out, text, cwd) },
  }
}

async function adviseBaseline(invocation: Invocation, file: string, inputs: Asked): Promise<AdviseResult> {
  const load = schemaFor(invocation.options, 'baseline', 'perfdb advise queries/')
  const [{ runAdviseOnTwin }, { knownQueries, knownFindings }, { limitsOf }, files] = await Promise.all([
    import('../../commands/advise/advise.js'),
    import('../../commands/shared/known-statements.js'),
    import('../../measure/sample/limits.js'),
    readTwinFiles(file, load, invocation.cwd),
  ])
  const limits = limitsOf({ allowWrites: true, runs: false, signal: invocation.signals.signal })
  return shownAs(inputs.profiles, invocation, async (given) => {
    const made = await twinOfFiles(given, files, limits, 1)
    await using _ = made.twin
    const { server, statements } = files.statistics
    return await runAdviseOnTwin(made, server.version_num, inputs.queries, {
      ...(await optionsOf(given, inputs)),
      limits,
      known: await knownQueries(statements, inputs.queries),
      findings: [...inputs.findings, ...knownFindings(files.statistics, file)],
      withoutTrigrams: `nobody knows whether the server of ${file} could have it`,
    })
  })
}

async function adviseServer(invocation: Invocation, config: Config, inputs: Asked): Promise<AdviseResult> {
  const { options, signals } = invocation
  const { top, by } = options
  const [{ readStatements }, { runAdvise }, { withGiven }, { limitsOf }] = await Promise.all([
    import('../../commands/explain/explain-statements.js'),
    import('../../commands/advise/advise.js'),
    import('../../commands/shared/known-statements.js'),
    import('../../measure/sample/limits.js'),
  ])
  return shownAs(inputs.profiles, invocation, async (given) => {
    await using database = await openDatabase(given, config)
    const { allow } = applyOptions(given, config)
    // Planned alone they carry nothing out; they look for rows, and pay for each index.
    const allowWrites = options.prove !== true || allow.has('WRITE_QUERY')
    const counted =
      top === undefined
        ? undefined
        : await onSession(database, async (look) => readStatements(look, { top, by, allowWrites, cwd: given.cwd }))
    const { queries, counts } = await withGiven(inputs.queries, counted?.queries ?? [], counted?.counts ?? new Map())
    const mayCreate = options.prove !== true || allow.has('CREATE_EXTENSION')
    const connect = measuringAs(database, given, config)
    await using session = await connect('measure')
    // EXPLAIN alone carries nothing out.
    const rowsOf = ({ name }: { readonly name: string }) => {
      const found = counts.get(name)
      return found === undefined ? undefined : found.rows / Math.max(1, found.calls)
    }
    return await runAdvise(session, queries, {
      ...(await optionsOf(given, inputs)),
      limits: limitsOf({ allowWrites: true, runs: false, signal: signals.signal, rowsOf }),
      weights: new Map([...counts].map(([name, { calls }]) => [name, calls])),
      twin: async () => twinOf(given, database, mayCreate),
      withoutTrigrams: mayCreate
        ? 'the server of the twin has none'
        : '--prove creates no extension without --allow CREATE_EXTENSION',
      findings: [...inputs.findings, ...(counted?.findings ?? [])],
      openReplicas: async () => openReplicas(given, config),
      prove:
        options.prove === true
          ? {
              connect,
              apply: {
                ...applyOptions(given, config),
                ledger: true,
                measure: true,
                counterfactual: choiceFor(database, given),
                openReplicas: async () => openReplicas(given, config),
              },
            }
          : undefined,
    })
  })
}

/** On a session that pins search_path. */
async function onSession<T>(database: Database, read: (session: Session) => Promise<T>): Promise<T> {
  await using session = await database.connect('look')
  return await read(session)
}
