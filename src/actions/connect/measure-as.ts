import { PerfdbError, problemsError } from '../../errors.js'
import type { Connect, Session } from '../../server/session/session.js'
import type { Config } from '../../settings/config.js'
import { cancelledBySignal, type Database } from './database.js'
import type { Invocation } from '../../settings/invocation.js'

/**
 * How to connect where queries are measured as another role: sessions of the role `measure` go to --measure-url (measure_url of perfdb.yaml),
 * all others where the command connects. Throws MISSING_ENVIRONMENT, and when it connects BAD_URL and BAD_OPTION for another database than
 * the command's.
 */
export function measuringAs(database: Database, invocation: Invocation, config: Config): Connect {
  const { measureUrl } = invocation.options
  if (measureUrl === undefined) return database.connect
  const problem = config.laterProblems?.get('measure_url')
  if (problem !== undefined && measureUrl === config.given.get('measure_url')?.texts[0]) throw problemsError([problem])
  return async (role) => {
    if (role !== 'measure') return database.connect(role)
    const session = await connectTo(measureUrl, 'measure', invocation)
    try {
      await using own = await database.connect('look')
      if ((await identityOf(own)) === (await identityOf(session))) return session
      throw new PerfdbError(
        'BAD_OPTION',
        `the measure URL leads to another database: ${session.label}, not ${own.label}`,
        {
          hint: 'give the URL of this database with the role of the application',
        },
      )
    } catch (error) {
      await session[Symbol.asyncDispose]()
      throw error
    }
  }
}

/** Sessions on the standbys of --replicas (replicas of perfdb.yaml); one that does not answer is warned of and left out. */
export async function openReplicas(
  invocation: Invocation,
  { given, laterProblems }: Config,
): Promise<{ readonly sessions: readonly Session[] } & AsyncDisposable> {
  const { replicas = [] } = invocation.options
  const problem = laterProblems?.get('replicas')
  if (problem !== undefined && replicas[0] === given.get('replicas')?.texts[0]) throw problemsError([problem])
  const sessions: Session[] = []
  for (const url of replicas) {
    const session = await connectTo(url, 'look', invocation).catch((error: unknown) => {
      if (!(error instanceof PerfdbError) || error.code === 'INTERRUPTED') throw error
      invocation.listener({ type: 'warning', message: `a replica was not asked: ${error.message}` })
      return null
    })
    if (session !== null) sessions.push(session)
  }
  return {
    sessions,
    [Symbol.asyncDispose]: async () => {
      await Promise.all(sessions.map((session) => session[Symbol.asyncDispose]()))
    },
  }
}

async function connectTo(url: string, role: 'measure' | 'look', invocation: Invocation): Promise<Session> {
  const [{ connect }, { resolveTarget }] = await Promise.all([
    import('../../server/connect.js'),
    import('../../server/target/target.js'),
  ])
  const { environment, home, options } = invocation
  const { passwordCommand } = options
  const target = await resolveTarget({ url, environment, home, passwordCommand })
  return cancelledBySignal(await connect(target, role), role, invocation)
}

/** Of the running server and the database, whoever asks and through whatever pooler. */
async function identityOf(session: Session): Promise<string> {
  const [row] = await session.query<{ readonly started: string; readonly database: string }>(
    'select pg_catalog.pg_postmaster_start_time()::pg_catalog.text as started, pg_catalog.current_database() as database',
  )
  return `${row?.started} ${row?.database}`
}
