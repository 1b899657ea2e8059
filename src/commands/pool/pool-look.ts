import { homedir } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import { PerfdbError } from '../../errors.js'
import { readConsole, consoleShows, type PoolerLive } from '../../pools/server/console.js'
import type { PoolFinding, Server } from '../../pools/sums/model.js'
import type { Pooler } from '../../pools/sums/pooler-model.js'
import { usualSampling, type Sampling } from '../../pools/server/live.js'
import type { Live } from '../../pools/server/sessions.js'
import { resolveUrl } from '../../text/url-environment.js'
import type { Session } from '../../server/session/session.js'

type Environment = Readonly<Record<string, string | undefined>>

/** The server that --url, the environment or perfdb.yaml names. */
export interface GivenServer {
  /** --url was written: then it must be clear which server it is. */
  readonly explicit: boolean
  readonly connect: () => Promise<Session>
}

export interface LookOptions {
  /** Asks no server: the file's limits count. */
  readonly offline: boolean
  readonly environment: Environment
  readonly given?: GivenServer | undefined
  readonly sampling?: Sampling
  /** Opens a session to a server by its url; the usual connection unless given. */
  readonly connectTo?: (url: string) => Promise<Session>
}

/** What came of asking a server. */
export interface ServerLook {
  readonly server: Server
  /** `not_asked`: it has no url, or perfdb is offline. */
  readonly state: 'seen' | 'not_asked' | 'full' | 'unreached'
  readonly live: Live | null
  /** Why there is no look although there should be one. */
  readonly findings: readonly PoolFinding[]
}

export interface ConsoleLook {
  readonly pooler: string
  /** Of the replicas that answered. */
  readonly lives: readonly PoolerLive[]
  readonly findings: readonly PoolFinding[]
}

/** How to open a session to each server; null for those that are not asked. Throws BAD_OPTION when --url could be several of them. */
export function connectionsTo(
  servers: readonly Server[],
  options: LookOptions,
): ReadonlyMap<string, (() => Promise<Session>) | null> {
  const given = options.offline ? undefined : options.given
  const one = given === undefined ? null : meant(servers, given)
  return new Map(
    servers.map(({ name, url, place }) => {
      if (given !== undefined && name === one) return [name, given.connect]
      if (options.offline || url === null) return [name, null]
      const connectTo = options.connectTo ?? usualConnection(options.environment)
      return [name, async () => connectTo(resolveUrl(url, options.environment, place))]
    }),
  )
}

/** The only server, or the only one without a url; a url that was not written for this command takes nobody's place. */
function meant(servers: readonly Server[], { explicit }: GivenServer): string | null {
  const open = servers.filter((server) => server.url === null)
  const [only] = explicit && servers.length === 1 ? servers : open
  if (only !== undefined && (open.length === 1 || servers.length === 1)) return only.name
  if (!explicit || servers.length === 0) return null
  const names = (open.length === 0 ? servers : open).map((server) => server.name).join(', ')
  throw new PerfdbError('BAD_OPTION', `--url could be any of the servers ${names}`, {
    hint: 'give each a url in the file: url: ${NAME_OF_A_VARIABLE}',
  })
}

/** One look at each url, however many names it has: two sessions would take two slots of one server. */
export async function oneLookByUrl(
  servers: readonly Server[],
  look: (server: Server) => Promise<ServerLook>,
): Promise<readonly ServerLook[]> {
  const firsts = new Map<string, Promise<ServerLook>>()
  return Promise.all(
    servers.map(async (server) => {
      const before = server.url === null ? undefined : firsts.get(server.url)
      if (before !== undefined) return { ...(await before), server }
      const first = look(server)
      if (server.url !== null) firsts.set(server.url, first)
      return first
    }),
  )
}

/** A look through `work`, closed at once afterwards. A connection that fails is a finding. */
export async function lookAt(
  server: Server,
  connect: (() => Promise<Session>) | null,
  work: (session: Session) => Promise<Live>,
): Promise<ServerLook> {
  if (connect === null) return { server, state: 'not_asked', live: null, findings: [] }
  try {
    await using session = await connect()
    return { server, state: 'seen', live: await work(session), findings: [] }
  } catch (error) {
    if (!(error instanceof PerfdbError)) throw error
    return failedLook(server, error)
  }
}

/** A refused connection for want of a slot is the answer itself: FAIL, with the limit that was hit. */
export async function failedLook(server: Server, error: PerfdbError): Promise<ServerLook> {
  const { exhaustedLimit } = await import('../../server/session/failure.js')
  const full = error.code === 'TOO_MANY_CONNECTIONS'
  const codes = { role: 'ROLE_LIMIT', database: 'DATABASE_LIMIT', reserved: 'SERVER_FULL', all: 'SERVER_FULL' } as const
  const finding: PoolFinding = {
    code: full ? codes[exhaustedLimit(error) ?? 'all'] : 'NOT_REACHED',
    severity: full ? 'error' : 'warning',
    server: server.name,
    message: `${server.name}: ${error.message}`,
    hint: full ? whoHolds(error.hint) : error.hint,
    place: error.place ?? server.place,
  }
  return { server, state: full ? 'full' : 'unreached', live: null, findings: [finding] }
}

/** Nobody without a slot can see who holds them. */
function whoHolds(hint: string): string {
  return `${hint.replace(/; perfdb check-pool .*$/, '')}; a url with a member of pg_use_reserved_connections or a superuser shows who holds them`
}

/** Asks the admin console of each replica that has one; a console that does not answer is a finding, and the numbers of the others or of the file count. */
export async function askConsoles(poolers: readonly Pooler[], options: LookOptions): Promise<readonly ConsoleLook[]> {
  if (options.offline) return []
  const looks = poolers
    .filter((pooler) => pooler.adminUrls.length > 0)
    .map(async (pooler): Promise<ConsoleLook> => {
      const answers = await Promise.all(pooler.adminUrls.map(async (url) => askOne(pooler, url, options)))
      return {
        pooler: pooler.name,
        lives: answers.flatMap((answer) => ('live' in answer ? [answer.live] : [])),
        findings: answers.flatMap((answer) => ('finding' in answer ? [answer.finding] : [])),
      }
    })
  return Promise.all(looks)
}

async function askOne(
  { name, place, adminUrls }: Pooler,
  adminUrl: string,
  { environment, sampling = usualSampling }: LookOptions,
): Promise<{ readonly live: PoolerLive } | { readonly finding: PoolFinding }> {
  try {
    const [{ askConsole }, { resolveTarget }] = await Promise.all([
      import('../../server/admin-console.js'),
      import('../../server/target/target.js'),
    ])
    const target = await resolveTarget({ url: resolveUrl(adminUrl, environment, place), environment, home: homedir() })
    const started = performance.now()
    const first = await askConsole(target, ['STATS'])
    await pause((sampling.samples - 1) * sampling.intervalMs)
    const rows = await askConsole(target, consoleShows)
    const seconds = (performance.now() - started) / 1000
    return { live: readConsole(rows, { rows: first['STATS'] ?? [], seconds }) }
  } catch (error) {
    if (!(error instanceof PerfdbError)) throw error
    const others = adminUrls.length > 1 ? 'the other replicas count, else the file' : "the file's numbers count"
    const message = `${name}: ${error.message}; ${others}`
    return {
      finding: { code: 'NOT_REACHED', severity: 'warning', message, hint: error.hint, place: error.place ?? place },
    }
  }
}

function usualConnection(environment: Environment): (url: string) => Promise<Session> {
  return async (url) => {
    const [{ connect }, { resolveTarget }] = await Promise.all([
      import('../../server/connect.js'),
      import('../../server/target/target.js'),
    ])
    return connect(await resolveTarget({ url, environment, home: homedir() }), 'look')
  }
}
