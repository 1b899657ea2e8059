import { createHash } from 'node:crypto'
import { lstat, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { askRegistry } from '../../commands/shared/registry.js'
import { PerfdbError, type ErrorCode } from '../../errors.js'
import type { ResultFinding } from '../../result/documents/result.js'
import { cacheFolder } from '../../server/embedded/embedded-install.js'
import type { Invocation } from '../../settings/invocation.js'
import type { Registry, RegistryRow } from '../../tenants/tenant.js'
import { columnsOf, takesCredentials } from '../../tenants/url-template.js'
import { moment } from '../../text/amounts.js'
import { addressOf, partsOf } from '../../text/postgres-url.js'
import { resolveUrl } from '../../text/url-environment.js'

/** A registry that cannot be asked now; what it refuses is no reason to believe an old answer. */
const down: ReadonlySet<ErrorCode> = new Set(['CONNECTION_REFUSED', 'CONNECTION_LOST', 'TOO_MANY_CONNECTIONS'])

/**
 * Asks registries and keeps of each answer what is read of it in the user's cache, mode 0600 and without passwords; nothing of one whose rows say how to
 * log in. With --stale-ok the last answer of one that is down
 * counts, and `told` says so; else, and without an answer, what asking throws is thrown.
 */
export function rememberingRegistry(invocation: Invocation, told: ResultFinding[]) {
  const { environment, home, options } = invocation
  return async (registry: Registry): Promise<readonly RegistryRow[]> => {
    const keepable = registry.urlTemplate === null || !takesCredentials(registry.urlTemplate)
    const file = join(cacheFolder({ environment, home }), '..', 'registries', `${nameOf(registry, environment)}.json`)
    try {
      const rows = await askRegistry(registry, environment)
      await (keepable ? save(file, rows, registry) : rm(file, { force: true })).catch(() => undefined)
      return rows
    } catch (error) {
      if (!(error instanceof PerfdbError) || !down.has(error.code) || !keepable) throw error
      const kept = options.staleOk === true ? await load(file) : undefined
      if (kept === undefined) throw options.staleOk === true ? error : withHint(error)
      told.push({
        code: 'REGISTRY_STALE',
        severity: 'warning',
        message: `the registry of tenants did not answer: its answer of ${moment(kept.at)} counts, ${kept.rows.length} rows`,
        place: registry.place,
      })
      return kept.rows
    }
  }
}

/** By where the url leads now: one variable may name another master tomorrow. */
function nameOf(registry: Registry, environment: Invocation['environment']): string {
  const url = resolveUrl(registry.url, environment, registry.place, '')
  return createHash('sha256')
    .update(JSON.stringify([addressOf(url), partsOf(url), registry.sql, columnsRead(registry)]))
    .digest('hex')
    .slice(0, 32)
}

interface Kept {
  readonly at: string
  readonly rows: readonly RegistryRow[]
}

async function save(file: string, rows: readonly RegistryRow[], registry: Registry): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  const columns = columnsRead(registry)
  const kept = { at: new Date().toISOString(), rows: rows.map((row) => withoutSecrets(row, columns)) }
  const partial = `${file}.${process.pid}`
  await writeFile(partial, JSON.stringify(kept), { mode: 0o600, flag: 'wx' })
  await rename(partial, file)
}

function columnsRead({ urlTemplate, labelColumns }: Registry): readonly string[] {
  const where = urlTemplate === null ? ['url'] : columnsOf(urlTemplate)
  return [
    ...new Set(['id', 'server', 'database', 'role', 'schema', 'connection_limit', ...where, ...labelColumns]),
  ].toSorted()
}

function withoutSecrets(row: RegistryRow, columns: readonly string[]): RegistryRow {
  return Object.fromEntries(
    columns.flatMap((name) => {
      const value = row[name]
      const url = typeof value === 'string' && (name === 'url' || value.includes('://'))
      return name in row ? [[name, url ? withoutPassword(value) : value]] : []
    }),
  )
}

/** null for a url of which nobody can say where its password ends. */
function withoutPassword(url: string): string | null {
  if (addressOf(url) === null) return null
  const [, where = '', query] = /^([^?]*)(?:\?(.*))?$/s.exec(url) ?? []
  const settings = (query ?? '').split('&').filter((setting) => setting !== '' && !/password|secret/i.test(setting))
  if (settings.some((setting) => setting.includes('@'))) return null
  const bare = where.replace(/^(\w+:\/\/[^:@/]*):[^/]*@/, '$1@')
  return settings.length === 0 ? bare : `${bare}?${settings.join('&')}`
}

/** undefined where there is none, or where somebody else could have written it. */
async function load(file: string): Promise<Kept | undefined> {
  try {
    const status = await lstat(file)
    const own = process.getuid === undefined || status.uid === process.getuid()
    if (!status.isFile() || !own || (status.mode & 0o022) !== 0) return undefined
    const kept: unknown = JSON.parse(await readFile(file, 'utf8'))
    return isKept(kept) ? kept : undefined
  } catch {
    return undefined
  }
}

function isKept(value: unknown): value is Kept {
  return (
    typeof value === 'object' &&
    value !== null &&
    'at' in value &&
    typeof value.at === 'string' &&
    'rows' in value &&
    Array.isArray(value.rows)
  )
}

function withHint(error: PerfdbError): PerfdbError {
  const { code, message, detail, sqlstate, place, hint } = error
  return new PerfdbError(code, message, {
    detail,
    sqlstate,
    place,
    hint: `${hint}; --stale-ok takes its last answer`,
    cause: error,
  })
}
