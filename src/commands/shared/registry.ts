import { homedir } from 'node:os'
import { PerfdbError } from '../../errors.js'
import { foreignText, readForeignCode } from '../../catalog/trust.js'
import type { Registry, RegistryRow } from '../../tenants/tenant.js'
import { resolveUrl } from '../../text/url-environment.js'
import type { Session } from '../../server/session/session.js'

type Environment = Readonly<Record<string, string | undefined>>

interface Answer {
  readonly until: number
  readonly rows: Promise<readonly RegistryRow[]>
}

const answers = new Map<string, Answer>()
const patienceMs = 30_000

/**
 * Tenants of a registry: one statement, read only, rolled back, at most 30 s. Files that name the same registry share one look, which counts
 * for its ttl as long as the process runs; a failed one is not kept. Throws what connecting and Session.query throw, at the registry's place.
 */
export async function askRegistry(
  registry: Registry,
  environment: Environment,
  connectTo: (url: string) => Promise<Session> = async (url) => usualConnection(url, environment),
  now = Date.now(),
): Promise<readonly RegistryRow[]> {
  const url = resolveUrl(registry.url, environment, registry.place)
  const key = JSON.stringify([url, registry.sql])
  const kept = answers.get(key)
  if (kept !== undefined && kept.until > now) return kept.rows
  const rows = ask(registry, async () => connectTo(url))
  answers.set(key, { until: now + registry.ttlMs, rows })
  rows.catch(() => answers.delete(key))
  return rows
}

async function ask(registry: Registry, connect: () => Promise<Session>): Promise<readonly RegistryRow[]> {
  try {
    await using session = await connect()
    const [foreign = []] = await readForeignCode(session, [registry.sql])
    if (foreign.length > 0)
      throw new PerfdbError('FOREIGN_CODE', `reading it as ${session.user} would run ${foreignText(foreign)}`, {
        hint: 'give registry.url a role that may read the table and nothing else',
      })
    const settings = { readOnly: true, statementTimeoutMs: patienceMs }
    return await session.rolledBack(settings, async () => session.query<RegistryRow>(registry.sql))
  } catch (error) {
    if (!(error instanceof PerfdbError)) throw error
    const { code, detail, hint, sqlstate } = error
    throw new PerfdbError(code, `the registry of tenants: ${error.message}`, {
      detail,
      hint,
      sqlstate,
      place: error.place ?? registry.place,
      cause: error,
    })
  }
}

/** As an application sees it: `look` would pin a search_path without the registry's schema. */
export async function usualConnection(url: string, environment: Environment): Promise<Session> {
  const [{ connect }, { resolveTarget }] = await Promise.all([
    import('../../server/connect.js'),
    import('../../server/target/target.js'),
  ])
  return connect(await resolveTarget({ url, environment, home: homedir() }), 'measure')
}
