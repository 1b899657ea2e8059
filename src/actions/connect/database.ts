import { PerfdbError, problemsError } from '../../errors.js'
import { readNamedFile } from '../../profile/files/text-file.js'
import type { Role } from '../../server/session/pin.js'
import type { Session } from '../../server/session/session.js'
import type { Target } from '../../server/target/target.js'
import { laterMajor } from '../../server/session/version.js'
import type { ParsedStatement } from '../../sql/parser/parser.js'
import { withSettingPlace } from '../../settings/setting-place.js'
import type { Config } from '../../settings/config.js'
import type { Invocation } from '../../settings/invocation.js'

/** Where a command connects: the user's server, or an embedded one that lives as long as this. */
export interface Database extends AsyncDisposable {
  /** A new session; a signal cancels what it runs. */
  readonly connect: (role: Role) => Promise<Session>
  readonly target: Target
  /** Of this run alone: nobody else is disturbed by what is tried on it. */
  readonly embedded: boolean
}

/**
 * Where databaseUrl says: --url beats the environment, which beats perfdb.yaml. `embedded` starts a private server.
 * Throws NO_URL, BAD_URL, UNKNOWN_URL_PARAMETER, MISSING_ENVIRONMENT, BAD_OPTION and what starting the embedded server throws.
 */
export async function openDatabase(invocation: Invocation, config: Config): Promise<Database> {
  const { options, environment, home } = invocation
  const [{ connect }, { databaseUrl, resolveTarget }] = await Promise.all([
    import('../../server/connect.js'),
    import('../../server/target/target.js'),
  ])
  const { passwordCommand } = options
  const sources = { url: options.url, configured: config.url, environment, passwordCommand }
  let warned = false
  const connectAt = (target: Awaited<ReturnType<typeof resolveTarget>>) => async (role: Role) => {
    const session = await connect(target, role)
    try {
      await invocation.admit?.(session)
    } catch (error) {
      await session[Symbol.asyncDispose]()
      throw error
    }
    const message = laterMajor(session.versionNum)
    if (message !== null && !warned) invocation.listener({ type: 'warning', message })
    warned = true
    return cancelledBySignal(session, role, invocation)
  }
  const found = databaseUrl(sources)
  if (found?.origin === 'perfdb.yaml' && config.urlProblem !== undefined) throw problemsError([config.urlProblem])
  warnOfBeatenUrl(found?.origin, invocation, config)
  if (found?.text !== 'embedded') {
    if (options.load !== undefined)
      throw new PerfdbError('BAD_OPTION', '--load goes with --url embedded only', {
        hint: 'perfdb plan my.yaml --url embedded --load schema.sql',
      })
    const resolved = resolveTarget({ ...sources, home })
    const target = await (found?.origin === 'perfdb.yaml' ? resolved.catch(withSettingPlace('url', config)) : resolved)
    for (const message of target.warnings) invocation.listener({ type: 'warning', message })
    return { target, connect: connectAt(target), embedded: false, [Symbol.asyncDispose]: async () => {} }
  }
  const script = options.load === undefined ? undefined : await readScript(options.load, invocation.cwd)
  const { startEmbedded } = await import('../../server/embedded/embedded.js')
  invocation.listener({ type: 'stage', stage: 'connect', message: 'starting the embedded server' })
  // Without it there is nothing that --top could read.
  const settings = options.top === undefined ? {} : { shared_preload_libraries: 'pg_stat_statements' }
  const { embeddedPlaces } = await import('./embedded-places.js')
  const server = await startEmbedded({ settings, from: await embeddedPlaces(invocation) })
  const target = await resolveTarget({ url: server.url, environment: {}, home })
  const database = {
    embedded: true,
    target,
    connect: connectAt(target),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
  try {
    if (options.load !== undefined && script !== undefined) await load(database, options.load, script)
    return database
  } catch (error) {
    await database[Symbol.asyncDispose]()
    throw error
  }
}

/** The schema that the URL in force names; undefined where it names none, or cannot be read: connecting says so. */
export async function schemaInForce({ options, environment }: Invocation, config: Config): Promise<string | undefined> {
  const { schemaOfUrl } = await import('../../server/target/target.js')
  try {
    return schemaOfUrl({ url: options.url, configured: config.url, environment })
  } catch {
    return undefined
  }
}

/** Who chose an environment expects its server: a variable beats the file, but not silently. */
function warnOfBeatenUrl(origin: string | undefined, { listener }: Invocation, config: Config): void {
  if (origin === undefined || origin === '--url' || origin === 'perfdb.yaml') return
  const section = config.given.get('url')?.section ?? null
  if (section !== null)
    listener({ type: 'warning', message: `${origin} is set, and beats the url of the environment ${section}` })
}

/** A script as statements. The lines that pg_dump writes for psql alone are left out. Throws what readNamedFile throws, and BAD_SQL. */
export async function readScript(file: string, cwd: string): Promise<readonly ParsedStatement[]> {
  const text = await readNamedFile(file, cwd, 'pg_dump --schema-only --file schema.sql writes one')
  const { parseStatements } = await import('../../sql/parser/parser.js')
  return parseStatements(text.replace(/^\\(un)?restrict .*$/gm, ''), file)
}

/** As psql would run the script, statement by statement. */
async function load(database: Database, file: string, statements: readonly ParsedStatement[]): Promise<void> {
  await using session = await database.connect('measure')
  // What the script runs is the application's, and counts for --top.
  await session.query(
    "select pg_catalog.set_config(name, 'top', false) from pg_catalog.pg_settings where name operator(pg_catalog.=) 'pg_stat_statements.track'",
  )
  for (const { text, line, column } of statements) {
    // Rows that this session wrote are counted a second later, and would make fresh statistics look stale.
    if (/^(analyze|vacuum)\b/i.test(text)) await session.query('select pg_catalog.pg_stat_force_next_flush()')
    await session.query(text).catch((error: unknown) => {
      if (!(error instanceof PerfdbError)) throw error
      const { code, message, detail, hint, sqlstate } = error
      throw new PerfdbError(code, message, { detail, hint, sqlstate, place: { file, line, column }, cause: error })
    })
  }
}

/** A run that cleans up decides itself what a signal does to a build; everywhere else the statement that runs is cancelled. */
export function cancelledBySignal(session: Session, role: Role, { signals }: Invocation): Session {
  if (!signals.cleansUp || (role !== 'ddl' && role !== 'watchdog'))
    signals.signal.addEventListener('abort', () => void session.cancel().catch(() => undefined), { once: true })
  return session
}
