import { readFile } from 'node:fs/promises'
import { PerfdbError } from '../errors.js'
import type { Role } from '../server/pin.js'
import type { Session } from '../server/session.js'
import type { Config } from './config.js'
import type { Invocation } from './invocation.js'

/** Where a command connects: the user's server, or an embedded one that lives as long as this. */
export interface Database extends AsyncDisposable {
  /** A new session; a signal cancels what it runs. */
  readonly connect: (role: Role) => Promise<Session>
}

/**
 * Where databaseUrl says: --url beats the environment, which beats perfdb.yaml. `embedded` starts a private server.
 * Throws NO_URL, BAD_URL, UNKNOWN_URL_PARAMETER, BAD_OPTION and what starting the embedded server throws.
 */
export async function openDatabase(invocation: Invocation, config: Config): Promise<Database> {
  const { options, environment, home } = invocation
  const [{ connect }, { databaseUrl, resolveTarget }] = await Promise.all([
    import('../server/connect.js'),
    import('../server/target.js'),
  ])
  const sources = { url: options.url, configured: config.url, environment }
  const connectAt = (target: Awaited<ReturnType<typeof resolveTarget>>) => async (role: Role) =>
    cancelledBySignal(await connect(target, role), role, invocation)
  if (databaseUrl(sources)?.text !== 'embedded') {
    if (options.load !== undefined) throw new PerfdbError('BAD_OPTION', '--load goes with --url embedded only')
    const target = await resolveTarget({ ...sources, home })
    for (const message of target.warnings) invocation.listener({ type: 'warning', message })
    return { connect: connectAt(target), [Symbol.asyncDispose]: async () => {} }
  }
  const { startEmbedded } = await import('../server/embedded.js')
  invocation.listener({ type: 'stage', stage: 'connect', message: 'starting the embedded server' })
  // Without it there is nothing that --top could read.
  const settings = options.top === undefined ? {} : { shared_preload_libraries: 'pg_stat_statements' }
  const server = await startEmbedded({ settings })
  const database = {
    connect: connectAt(await resolveTarget({ url: server.url, environment: {}, home })),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
  try {
    if (options.load !== undefined) await load(database, options.load)
    return database
  } catch (error) {
    await database[Symbol.asyncDispose]()
    throw error
  }
}

/** As psql would run the script, statement by statement. */
async function load(database: Database, file: string): Promise<void> {
  const text = await readFile(file, 'utf8').catch(() => undefined)
  if (text === undefined) throw new PerfdbError('FILE_NOT_FOUND', `there is no file ${file}`)
  const { parseStatements } = await import('../sql/parser.js')
  const statements = await parseStatements(text, file)
  await using session = await database.connect('measure')
  for (const statement of statements) {
    await session.query(statement.text).catch((error: unknown) => {
      if (!(error instanceof PerfdbError)) throw error
      throw new PerfdbError(error.code, error.message, {
        detail: error.detail,
        hint: error.hint,
        sqlstate: error.sqlstate,
        place: { file, line: statement.line, column: statement.column },
        cause: error,
      })
    })
  }
}

/** A run that cleans up decides itself what a signal does to a build; everywhere else the statement that runs is cancelled. */
function cancelledBySignal(session: Session, role: Role, { signals }: Invocation): Session {
  if (!signals.cleansUp || (role !== 'ddl' && role !== 'watchdog'))
    signals.signal.addEventListener('abort', () => void session.cancel().catch(() => undefined), { once: true })
  return session
}
