import { chmod } from 'node:fs/promises'
import { resolve } from 'node:path'
import { PerfdbError } from '../../errors.js'
import { isThere } from '../../profile/files/text-file.js'
import type { StatisticsResult } from '../../result/documents/statistics-result.js'
import type { Config } from '../../settings/config.js'
import { openDatabase } from '../connect/database.js'
import { checkWritable, writeText } from '../files/files.js'
import type { Invocation } from '../../settings/invocation.js'

/** statistics of the database into the file of --out, which nobody else may read. Throws BAD_OPTION, FILE_EXISTS and what connecting throws. */
export async function runStatisticsAction(invocation: Invocation, config: Config): Promise<StatisticsResult> {
  const { out, force, hide = [], values } = invocation.options
  if (out === undefined)
    throw new PerfdbError('BAD_OPTION', 'statistics needs a file: --out FILE', {
      hint: 'perfdb statistics --url $DATABASE_URL --out shop.stats.json',
    })
  if (force !== true && isThere(resolve(invocation.cwd, out)))
    throw new PerfdbError('FILE_EXISTS', `${out} exists already`, { hint: 'write over it: --force' })
  await checkWritable([out])
  const { runStatistics } = await import('../../commands/shared/statistics.js')
  await using database = await openDatabase(invocation, config)
  await using session = await database.connect('look')
  return await runStatistics(session, {
    noValues: !values,
    hide,
    file: out,
    write: async (text) => {
      await writeText(out, '')
      // It may hold values of people.
      await chmod(out, 0o600)
      await writeText(out, text)
    },
  })
}
