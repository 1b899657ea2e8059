import { chmod } from 'node:fs/promises'
import { resolve } from 'node:path'
import { PerfdbError } from '../../errors.js'
import type { Named } from '../../profile/files/files.js'
import { isThere } from '../../profile/files/text-file.js'
import type { StatisticsResult } from '../../result/documents/statistics-result.js'
import type { Config } from '../../settings/config.js'
import { openDatabase, schemaInForce, type Database } from '../connect/database.js'
import { checkWritable, standardInput, writeText } from '../files/files.js'
import type { Invocation } from '../../settings/invocation.js'

/**
 * statistics of the database into the file of --out, which nobody else may read. Where values are left out, the constants of the queries of these files keep their meaning. Throws BAD_OPTION,
 * FILE_EXISTS, and what connecting and reading the files throw.
 */
export async function runStatisticsAction(
  invocation: Invocation,
  config: Config,
  args: readonly Named[],
): Promise<StatisticsResult> {
  const { out, force, hide = [], values } = invocation.options
  if (out === undefined)
    throw new PerfdbError('BAD_OPTION', 'statistics needs a file: --out FILE', {
      hint: 'perfdb statistics --url $DATABASE_URL --out shop.stats.json',
    })
  if (args.length > 0 && values && hide.length === 0)
    throw new PerfdbError(
      'BAD_OPTION',
      'queries are named for --no-values and --hide only: without them every value is in the file',
    )
  if (force !== true && isThere(resolve(invocation.cwd, out)))
    throw new PerfdbError('FILE_EXISTS', `${out} exists already`, { hint: 'write over it: --force' })
  await checkWritable([out], invocation.cwd)
  const { runStatistics } = await import('../../commands/shared/statistics.js')
  await using database = await openDatabase(invocation, config)
  const named = await constantsOfFiles(database, invocation, config, args)
  await using session = await database.connect('look')
  return await runStatistics(session, {
    noValues: !values,
    hide,
    named,
    file: out,
    write: async (text) => {
      await writeText(out, '', invocation.cwd)
      // It may hold values of people.
      await chmod(resolve(invocation.cwd, out), 0o600)
      await writeText(out, text, invocation.cwd)
    },
  })
}

async function constantsOfFiles(
  database: Database,
  invocation: Invocation,
  config: Config,
  args: readonly Named[],
): Promise<readonly string[]> {
  if (args.length === 0) return []
  const { cwd, environment, signals, streams } = invocation
  const [{ readQueries }, { constantsOf }, { limitsOf }] = await Promise.all([
    import('../../commands/explain/explain-inputs.js'),
    import('../../twin/read/named-constants.js'),
    import('../../measure/sample/limits.js'),
  ])
  const schema = await schemaInForce(invocation, config)
  const stdin = async () => standardInput(streams.stdin)
  const { queries } = await readQueries(args, undefined, { cwd, environment, schema, stdin })
  await using session = await database.connect('measure')
  return await constantsOf(session, queries, limitsOf({ allowWrites: true, signal: signals.signal }))
}
