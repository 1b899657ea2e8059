import type { MadeTwin } from '../../commands/shared/twins.js'
import type { WhatIfEngine } from '../../commands/explain/what-if.js'
import { PerfdbError } from '../../errors.js'
import type { Limits } from '../../measure/sample/limits.js'
import type { Named } from '../../profile/files/files.js'
import { readNamedFile } from '../../profile/files/text-file.js'
import type { ExplainResult } from '../../result/documents/result.js'
import type { Config } from '../../settings/config.js'
import { readScript, type Database } from '../connect/database.js'
import type { Invocation } from '../../settings/invocation.js'
import { shownAs } from '../files/shown.js'
import type { Schema } from '../../twin/load.js'
import type { Statistics } from '../../twin/statistics.js'
import type { LoneTwin } from '../../twin/twin.js'

/** By what --what-if supposes indexes: a twin of the database (`trigrams`: as for twinOf), or HypoPG where it is named, or where no twin can be made and nobody named one. */
export function whatIfEngine(invocation: Invocation, database: Database, trigrams = false): WhatIfEngine {
  const { whatIfEngine: engine } = invocation.options
  if (engine === 'hypopg') return {}
  return {
    otherwise: engine === undefined,
    twin: async () => twinOf(invocation, database, trigrams),
  }
}

/** A twin of the database; `trigrams`: with pg_trgm, though the database lacks it. Throws NO_EMBEDDED, EMBEDDED_FAILED, INTERRUPTED and the server's errors. */
export async function twinOf(invocation: Invocation, database: Database, trigrams = false): Promise<MadeTwin> {
  const [{ twinOfServer }, { limitsOf }, from] = await Promise.all([
    import('../../commands/shared/twins.js'),
    import('../../measure/sample/limits.js'),
    placesOf(invocation),
  ])
  await using session = await database.connect('look')
  return await twinOfServer(session, limitsOf({ allowWrites: true, signal: invocation.signals.signal }), {
    from,
    scale: 1,
    trigrams,
  })
}

async function placesOf(invocation: Invocation): Promise<readonly string[]> {
  const { embeddedPlaces } = await import('../connect/embedded-places.js')
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
  const { options, cwd, environment, signals, streams } = invocation
  const { statistics: file = '', query } = options
  const load = schemaFor(options, 'statistics', 'perfdb explain my.yaml')
  const startedAt = new Date()
  const [{ readQueries }, { runExplainOnTwin }, { limitsOf }] = await Promise.all([
    import('../../commands/explain/explain-inputs.js'),
    import('../../commands/explain/explain-on-twin.js'),
    import('../../measure/sample/limits.js'),
  ])
  const [{ parameterOfText }, { standardInput }] = await Promise.all([
    import('../../profile/written/values.js'),
    import('../files/files.js'),
  ])
  const named = args.length > 0 || query !== undefined ? args : config.profiles
  const inputs = await readQueries(named, query, {
    cwd,
    environment,
    parameters: options.param?.map(parameterOfText),
    stdin: async () => standardInput(streams.stdin),
  })
  const known = await readTwinFiles(file, load, cwd)
  const limits = limitsOf({
    allowWrites: true,
    signal: signals.signal,
    statementTimeoutMs: options.statementTimeout,
  })
  return shownAs(inputs.profiles, invocation, async (given) => {
    const made = await twinOfFiles(given, known, limits, options.scale)
    await using _ = made.twin
    return await runExplainOnTwin(made, known.statistics.server.version_num, inputs, limits, startedAt)
  })
}

const needServer = {
  statistics: ['top', 'since', 'saveSnapshot', 'saveBaseline', 'baseline', 'whatIf'],
  baseline: ['top', 'prove'],
} as const

/** The script of --load, without which a statistics file is of no use. Throws BAD_OPTION where it or --url embedded is missing, and for an option that needs a server. */
export function schemaFor(options: Invocation['options'], flag: 'statistics' | 'baseline', example: string): string {
  const { load, url } = options
  if (url !== 'embedded' || load === undefined)
    throw new PerfdbError(
      'BAD_OPTION',
      `--${flag} needs --url embedded and --load: a statistics file holds no schema`,
      { hint: `${example} --url embedded --load schema.sql --${flag} ${options[flag] ?? 'shop.stats.json'}` },
    )
  const other = needServer[flag].find((one) => options[one] !== undefined)
  if (other !== undefined)
    throw new PerfdbError(
      'BAD_OPTION',
      `--${other.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} does not go with --${flag}: it needs a server`,
    )
  return load
}

/** What a twin is made of where no server is asked. */
export interface TwinFiles {
  readonly statistics: Statistics
  readonly schema: Schema
}

/** The statistics of `file` and the schema of the script `load`. Throws what reading them throws. */
export async function readTwinFiles(file: string, load: string, cwd: string): Promise<TwinFiles> {
  const [{ parseStatistics }, { schemaOfScript }] = await Promise.all([
    import('../../twin/statistics.js'),
    import('../../twin/script.js'),
  ])
  const text = await readNamedFile(file, cwd, 'perfdb statistics --out FILE writes one', mostBytes)
  const statistics = parseStatistics(text, file)
  return { statistics, schema: schemaOfScript(await readScript(load, cwd), statistics) }
}

/** Throws as twinOf does. */
export async function twinOfFiles(
  invocation: Invocation,
  { statistics, schema }: TwinFiles,
  limits: Limits,
  scale: number,
): Promise<MadeTwin<LoneTwin>> {
  const { twinOfFile } = await import('../../commands/shared/twins.js')
  return await twinOfFile(statistics, schema, limits, { from: await placesOf(invocation), scale })
}

/** Of 1,000 tables it has about 50 MB. */
const mostBytes = 500 * 1024 ** 2
