import { resolve } from 'node:path'
import { PerfdbError } from '../errors.js'
import type { Named } from '../profile/files.js'
import { isThere } from '../profile/text-file.js'
import type { AdviseResult } from '../result/advise-result.js'
import type { Config } from '../settings/config.js'
import type { Invocation } from '../settings/invocation.js'
import type { Session } from '../server/session/session.js'
import { openDatabase, schemaInForce, type Database } from './connect/database.js'
import { measuringAs, openReplicas } from './connect/measure-as.js'
import { checkWritable, standardInput, writeText } from './files/files.js'
import { applyOptions, choiceFor } from './inputs.js'
import { shownAs } from './shown.js'
import { twinOf } from './twin-action.js'

/**
 * advise for the queries of these files, --query and --top; of the profiles of perfdb.yaml where nothing is named. Throws what reading them throws,
 * before a server is asked.
 */
export async function runAdviseAction(
  invocation: Invocation,
  config: Config,
  args: readonly Named[],
): Promise<AdviseResult> {
  const { options, cwd, environment, signals } = invocation
  const { out, query, top, by, param } = options
  if (out !== undefined && options.force !== true && (await isThere(resolve(cwd, out))))
    throw new PerfdbError('FILE_EXISTS', `${out} exists already`, { hint: 'write over it: --force' })
  if (param !== undefined && query === undefined)
    throw new PerfdbError('BAD_OPTION', '--param needs --query TEXT', { hint: 'see perfdb help advise' })
  await checkWritable(out === undefined ? [] : [out])
  const [{ readQueries }, { readStatements }, { runAdvise }, { limitsOf }, { parameterOfText }, { profileName }] =
    await Promise.all([
      import('../commands/explain/explain-inputs.js'),
      import('../commands/explain/explain-statements.js'),
      import('../commands/advise/advise.js'),
      import('../measure/sample/limits.js'),
      import('../profile/values.js'),
      import('../profile/complete.js'),
    ])
  const files = args.length > 0 || query !== undefined || top !== undefined ? args : config.profiles
  const inputs =
    files.length === 0 && query === undefined && top !== undefined
      ? { queries: [], indexes: [], broken: [], profiles: [] }
      : await readQueries(files, query, {
          cwd,
          environment,
          schema: await schemaInForce(invocation, config),
          parameters: param?.map(parameterOfText),
          stdin: standardInput,
        })
  return shownAs(inputs.profiles, invocation, async (given) => {
    await using database = await openDatabase(given, config)
    const counted =
      top === undefined
        ? undefined
        : await onSession(database, async (look) => readStatements(look, { top, by, allowWrites: false }))
    const queries = [...inputs.queries, ...(counted?.queries ?? [])]
    const counts = counted?.counts ?? new Map()
    const connect = measuringAs(database, given, config)
    await using session = await connect('measure')
    // EXPLAIN alone carries nothing out.
    const rowsOf = ({ name }: { readonly name: string }) => {
      const found = counts.get(name)
      return found === undefined ? undefined : found.rows / Math.max(1, found.calls)
    }
    return await runAdvise(session, queries, {
      limits: limitsOf({ allowWrites: true, signal: signals.signal, rowsOf }),
      mostIndexes: options.maxIndexes,
      mostBytes: options.maxSize,
      exitCode: options.exitCode === true,
      minGain: options.minGain / 100,
      weights: new Map([...counts].map(([name, { calls }]) => [name, calls])),
      twin: async () => twinOf(given, database),
      findings: counted?.findings ?? [],
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
      unread: inputs.broken.map(({ name, problem }) => ({ query: name, reason: problem.message })),
      out:
        out === undefined
          ? undefined
          : { name: profileName(out), file: out, write: async (text) => writeText(out, text) },
    })
  })
}

/** On a session that pins search_path. */
async function onSession<T>(database: Database, read: (session: Session) => Promise<T>): Promise<T> {
  await using session = await database.connect('look')
  return await read(session)
}
