import { PerfdbError } from '../../errors.js'
import type { Profile } from '../../profile/profile.js'
import type { LoadSide } from '../../result/documents/load-result.js'
import type { Config } from '../../settings/config.js'
import type { Invocation } from '../../settings/invocation.js'
import type { Database } from '../connect/database.js'
import { declaredLoad, loadRun, loadSettings } from './load-settings.js'

/** What --ramp does before the builds and after them. Throws BAD_OPTION where no profile says how to load. */
export async function rampOf(
  database: Database,
  invocation: Invocation,
  config: Config,
  profiles: readonly Profile[],
): Promise<() => Promise<LoadSide>> {
  const declared = declaredLoad(profiles)
  if (declared?.rates === undefined && declared?.users === undefined)
    throw new PerfdbError('BAD_OPTION', '--ramp: no profile says how to load', {
      hint: 'load: { rates: [20/s, 100/s] } or load: { users: [10, 50] } in a profile',
    })
  const { what, ...settings } = await loadSettings({}, invocation, config, declared)
  if (!('offers' in what)) throw new PerfdbError('INTERNAL', 'a ramp without steps')
  const { offers } = what
  const { rampSide } = await import('../../commands/load/ramp.js')
  const queries = profiles.flatMap((profile) => profile.queries)
  return async () => {
    await using look = await database.connect('look')
    return await rampSide(look, database.target, queries, {
      ...settings,
      // What apply measures is rolled back, whatever is allowed.
      allowWrites: false,
      ...loadRun(database, invocation),
      offers,
    })
  }
}
