import type { Named } from '../../profile/files/files.js'
import type { LoadResult } from '../../result/documents/load-result.js'
import type { Invocation } from '../../settings/invocation.js'
import { openDatabase } from '../connect/database.js'
import { inputs } from '../files/inputs.js'
import { declaredLoad, loadRun, loadSettings } from './load-settings.js'
import { shownAs } from '../files/shown.js'

/** load of these profiles, or of those of perfdb.yaml. Throws BAD_OPTION, what reading them throws, and what runLoad throws. */
export async function runLoadAction(invocation: Invocation, args: readonly Named[]): Promise<LoadResult> {
  const { config, profiles } = await inputs(invocation, args)
  const settings = await loadSettings(invocation.options, invocation, config, declaredLoad(profiles))
  return shownAs(profiles, invocation, async (given) => {
    const { runLoad } = await import('../../commands/load/load.js')
    await using database = await openDatabase(given, config)
    await using look = await database.connect('look')
    const queries = profiles.flatMap((profile) => profile.queries)
    return await runLoad(look, database.target, queries, {
      ...settings,
      ...loadRun(database, given),
      allowWrites: given.options.allow?.has('WRITE_QUERY') ?? false,
      signalName: given.signals.name,
    })
  })
}
