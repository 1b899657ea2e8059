import { createHash } from 'node:crypto'
import { lstat, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { askRegistry } from '../../commands/registry.js'
import { PerfdbError, type ErrorCode } from '../../errors.js'
import type { ResultFinding } from '../../result/result.js'
import { cacheFolder } from '../../server/embedded/embedded-install.js'
import type { Invocation } from '../../settings/invocation.js'
import type { Registry, RegistryRow } from '../../tenants/tenant.js'
import { moment } from '../../text/amounts.js'
import { addressOf, partsOf } from '../../text/postgres-url.js'
import { resolveUrl } from '../../text/url-environment.js'

/** A registry that cannot be asked now; what it refuses is no reason to believe an old answer. */
const down: ReadonlySet<ErrorCode> = new Set(['CONNECTION_REFUSED', 'CONNECTION_LOST', 'TOO_MANY_CONNECTIONS'])

/**
 * Asks registries and keeps each answer in the user's cache, mode 0600 and without passwords. With --stale-ok the last answer of one that is down
 * counts, and `told` says so; else, and without an answer, what asking throws is thrown.
 */
export function rememberingRegistry(invocation: Invocation, told: ResultFinding[]) {
  const { environment, home, options } = invocation
  return async (registry: Registry): Promise<readonly RegistryRow[]> => {
    const file = join(cacheFolder({ environment, home }), '..', 'registries', `${nameOf(registry, environment)}.json`)
    try {
      const rows = await askRegistry(registry, environment)
      await save(file, rows).catch(() => undefined)
      return rows
    } catch (error) {
      if (!(error instanceof PerfdbError) || !down.has(error.code)) throw error
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
    .update(JSON.stringify([addressOf(url), partsOf(url), registry.sql]))
    .digest('hex')
    .slice(0, 32)
}

interface Kept {
  readonly at: string
  readonly rows: readonly RegistryRow[]
}

async function save(file: string, rows: readonly RegistryRow[]): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  const kept = { at: new Date().toISOString(), rows: rows.map(withoutPasswords) }
  const partial = `${file}.${process.pid}`
  await writeFile(partial, JSON.stringify(kept), { mode: 0o600, flag: 'wx' })
  await rename(partial, file)
}

function withoutPasswords(row: RegistryRow): RegistryRow {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      typeof value === 'string' ? value.replace(/(:\/\/[^:@/?]*):[^@]*@/, '$1@') : value,
    ]),
  )
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
