import { PerfdbError } from '../../errors.js'
import { runLockKey } from '../../server/session/lock.js'
import { beforeBuildSql } from '../../sql/catalog/progress.js'
import type { BuildContext } from '../context.js'

/** What was seen right before a build. */
export interface BeforeBuild {
  /** Who holds the run lock. */
  readonly lockPid: number | null
  /** Another session builds something in this database. */
  readonly building: boolean
  /** An index of the name that is wanted. */
  readonly there: boolean
}

/** Looks once, in one statement. Throws what the server says. */
export async function lookBefore(
  { watchdog, ddl }: Pick<BuildContext, 'watchdog' | 'ddl'>,
  schema: string,
  index: string,
): Promise<BeforeBuild> {
  const [seen] = await watchdog.query<BeforeBuild>(beforeBuildSql, [...runLockKey, ddl.pid, schema, index])
  if (seen === undefined) throw new PerfdbError('INTERNAL', 'a look before a build gave no row')
  return seen
}
