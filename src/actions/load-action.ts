import type { Named } from '../profile/files.js'
import type { LoadResult } from '../result/load-result.js'
import type { Invocation } from '../settings/invocation.js'
import { openDatabase } from './connect/database.js'
import { inputs } from './inputs.js'
import { declaredLoad, loadRun, loadSettings } from './load-settings.js'
import { shownAs } from './shown.js'

/** load of these profiles, or of those of perfdb.yaml. Throws BAD_OPTION, what reading them throws, and what runLoad throws. */
export async function runLoadAction(invocation: Invocation, args: readonly Named[]): Promise<LoadResult> {
  const { config, profiles } = await inputs(invocation, args)
  const settings = loadSettings(invocation.options, declaredLoad(profiles))
  return shownAs(profiles, invocation, async (given) => {
    const [{ runLoad }, { openLoadConnection }] = await Promise.all([
      import('../commands/load/load.js'),
      import('../server/load-connection.js'),
    ])
    await using database = await openDatabase(given, config)
    await using look = await database.connect('look')
    const queries = profiles.flatMap((profile) => profile.queries)
    return await runLoad(look, queries, async () => openLoadConnection(database.target, settings.timeoutMs), {
      ...settings,
      ...loadRun(database, given),
      signalName: given.signals.name,
    })
  })
}
