import { PerfdbError } from '../../errors.js'
import type { PlanOptions } from '../../plan/inputs.js'
import { nameOf, type Named } from '../../profile/files/files.js'
import { readProfiles } from '../../profile/read/read.js'
import type { Config } from '../../settings/config.js'
import { schemaInForce, type Database } from '../connect/database.js'
import type { Invocation } from '../../settings/invocation.js'
import type { Planned } from '../../commands/shared/planned.js'

/**
 * What `explain --what-if` supposes: the plan of the profiles among what is named, else of those of perfdb.yaml; undefined
 * without the option. Throws NO_PROFILE without any, and what reading and planning a profile throw.
 */
export async function planToSuppose(
  database: Database,
  invocation: Invocation,
  config: Config,
  args: readonly Named[],
  options: PlanOptions,
): Promise<Planned | undefined> {
  const {
    options: { whatIf },
    cwd,
    environment,
  } = invocation
  if (whatIf === undefined) return undefined
  const named = args.filter((path) => nameOf(path) !== '-' && !nameOf(path).endsWith('.sql'))
  const paths = named.length > 0 ? named : config.profiles
  if (paths.length === 0)
    throw new PerfdbError('NO_PROFILE', '--what-if supposes the indexes that a profile declares, and none is named', {
      hint: 'perfdb explain queries.sql my.yaml --what-if',
    })
  const [profiles, { makePlan }] = await Promise.all([
    readProfiles(paths, { cwd, environment, schema: await schemaInForce(invocation, config) }),
    import('../../commands/apply/make-plan.js'),
  ])
  await using session = await database.connect('look')
  return await makePlan(session, profiles, options)
}
