import type { MadeTwin } from '../commands/twin/twins.js'
import type { WhatIfEngine } from '../commands/explain/what-if.js'
import { PerfdbError } from '../errors.js'
import { nameOf, type Named } from '../profile/files.js'
import { readNamedFile } from '../profile/text-file.js'
import type { ExplainResult } from '../result/result.js'
import type { Config } from '../settings/config.js'
import { readScript, type Database } from './connect/database.js'
import type { Invocation } from '../settings/invocation.js'
import { shownAs } from './shown.js'

/** By what --what-if supposes indexes: a twin of the database, or HypoPG where it is named, or where no twin can be made and nobody named one. */
export function whatIfEngine(invocation: Invocation, database: Database): WhatIfEngine {
  const { whatIfEngine: engine } = invocation.options
  if (engine === 'hypopg') return {}
  return {
    otherwise: engine === undefined,
    twin: async () => twinOf(invocation, database),
  }
}

/** A twin of the database. Throws NO_EMBEDDED, EMBEDDED_FAILED, INTERRUPTED and the server's errors. */
export async function twinOf(invocation: Invocation, database: Database): Promise<MadeTwin> {
  const [{ twinOfServer }, { limitsOf }, from] = await Promise.all([
    import('../commands/twin/twins.js'),
    import('../measure/sample/limits.js'),
    placesOf(invocation),
  ])
  await using session = await database.connect('look')
  return await twinOfServer(session, limitsOf({ allowWrites: true, signal: invocation.signals.signal }), {
    from,
    scale: 1,
  })
}

async function placesOf(invocation: Invocation): Promise<readonly string[]> {
  const { embeddedPlaces } = await import('./connect/embedded-places.js')
  const from = await embeddedPlaces(invocation)
  invocation.listener({ type: 'stage', stage: 'connect', message: 'making a twin on an embedded server' })
  return from
}

/** explain --statistics: the queries are planned on a twin of that file, with the schema of --load; no server is asked. Throws BAD_OPTION and what reading throws. */
export async function explainOnTwin(
  invocation: Invocation,
  config: Config,
  args: readonly Named[],
): Promise<ExplainResult> {
  const { options, cwd, environment, signals } = invocation
  const { statistics: file, load, url, query } = options
  if (file === undefined || url !== 'embedded' || load === undefined)
    throw new PerfdbError(
      'BAD_OPTION',
      '--statistics needs --url embedded and --load: a statistics file holds no schema',
      {
        hint: `perfdb explain my.yaml --url embedded --load schema.sql --statistics ${file ?? 'shop.stats.json'}`,
      },
    )
  const other = (['top', 'since', 'saveSnapshot', 'saveBaseline', 'baseline', 'whatIf'] as const).find(
    (one) => options[one] !== undefined,
  )
  if (other !== undefined)
    throw new PerfdbError(
      'BAD_OPTION',
      `--${other.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} does not go with --statistics: it needs a server`,
    )
  const startedAt = new Date()
  const [{ readQueries }, { runExplainOnTwin }, { twinOfFile }, { limitsOf }, { parseStatistics }, { schemaOfScript }] =
    await Promise.all([
      import('../commands/explain/explain-inputs.js'),
      import('../commands/explain/explain-on-twin.js'),
      import('../commands/twin/twins.js'),
      import('../measure/sample/limits.js'),
      import('../twin/statistics.js'),
      import('../twin/script.js'),
    ])
  const [{ parameterOfText }, { standardInput }] = await Promise.all([
    import('../profile/values.js'),
    import('./files/files.js'),
  ])
  const named = args.length > 0 || query !== undefined ? args : config.profiles
  const inputs = await readQueries(named, query, {
    cwd,
    environment,
    parameters: options.param?.map(parameterOfText),
    stdin: standardInput,
  })
  const text = await readNamedFile(file, cwd, 'perfdb statistics --out FILE writes one', mostBytes)
  const statistics = parseStatistics(text, nameOf(file))
  const schema = schemaOfScript(await readScript(load, cwd), statistics)
  const limits = limitsOf({
    allowWrites: true,
    signal: signals.signal,
    statementTimeoutMs: options.statementTimeout,
  })
  return shownAs(inputs.profiles, invocation, async (given) => {
    const made = await twinOfFile(statistics, schema, limits, { from: await placesOf(given), scale: options.scale })
    await using _ = made.twin
    return await runExplainOnTwin(made, inputs, limits, startedAt)
  })
}

/** Of 1,000 tables it has about 50 MB. */
const mostBytes = 500 * 1024 ** 2
