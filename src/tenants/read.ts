import { dirname, resolve } from 'node:path'
import { PerfdbError, type Place, type Problem } from '../errors.js'
import { readText, type FoundFile } from '../profile/files/files.js'
import { readingStatement } from '../sql/parser/reading.js'
import { csvTenants } from './csv-tenants.js'
import { duplicateTenants, registryTenants, writtenRegistry, writtenTenant, type Rows } from './rows.js'
import type { WrittenTenants } from '../options/tenants-schema.js'
import type { Registry, RegistryRow } from './tenant.js'

type PlaceOf = (path: readonly (string | number)[], part?: 'key' | 'value') => Place

export interface Asked {
  readonly registry: Registry
  /** false: nobody was there to ask it, so that its tenants are missing. */
  readonly asked: boolean
}

export interface ReadTenants extends Rows {
  readonly registries: readonly Asked[]
}

/** A list that stands by itself, in perfdb.yaml or a file of its own. */
export interface ListedTenants extends Pick<ReadTenants, 'rows' | 'registries'> {
  readonly file: string
}

/**
 * The one reader of lists of tenants, wherever they stand: one by one, from CSV files (relative to the file that names them), from a registry or as the
 * schemas of a database. `placeOf` knows paths below the list. Without `askRegistry` registries are not asked. Problems: BAD_VALUE, BAD_SQL,
 * FILE_NOT_FOUND, FILE_UNREADABLE; throws what askRegistry throws.
 */
export async function readTenants(
  written: readonly WrittenTenants[],
  found: FoundFile,
  placeOf: PlaceOf,
  askRegistry?: (registry: Registry) => Promise<readonly RegistryRow[]>,
): Promise<ReadTenants> {
  const parts = await Promise.all(
    written.map(async (one, index): Promise<Partial<ReadTenants>> => {
      if ('registry' in one || 'schemas' in one) {
        const kind = 'registry' in one ? 'registry' : 'schemas'
        const registry = writtenRegistry(one, placeOf([index, kind], 'key'))
        const problem =
          'schemas' in one
            ? null
            : ((await readingProblem('the registry of tenants', registry.sql, placeOf([index, kind, 'sql']))) ??
              (registry.lookup === undefined
                ? null
                : await readingProblem('the look-up of a tenant', registry.lookup, placeOf([index, 'lookup']))))
        if (problem !== null || askRegistry === undefined)
          return {
            registries: [{ registry, asked: problem !== null }],
            ...(problem !== null && { problems: [problem] }),
          }
        return {
          registries: [{ registry, asked: true }],
          ...registryTenants(await askRegistry(registry), registry),
        }
      }
      if (!('ids_from' in one)) return writtenTenant(one, placeOf([index]))
      const csv = { file: one.ids_from, path: resolve(dirname(found.path), one.ids_from), named: true }
      const content = await readText(csv)
      if ('text' in content) return csvTenants(content.text, csv.file, one, found.file)
      return { problems: [{ ...content.problem, place: placeOf([index, 'ids_from']) }] }
    }),
  )
  const rows = parts.flatMap((part) => part.rows ?? [])
  return {
    rows,
    problems: [...parts.flatMap((part) => part.problems ?? []), ...duplicateTenants(rows)],
    registries: parts.flatMap((part) => part.registries ?? []),
  }
}

/** A statement that only reads is none: all others are refused before any server is asked, offline too. */
async function readingProblem(what: string, sql: string, place: Place): Promise<Problem | null> {
  try {
    await readingStatement(sql)
    return null
  } catch (error) {
    if (!(error instanceof PerfdbError)) throw error
    const { code, message, detail, hint } = error
    return { code, message: `${what}: ${message}`, detail, hint, place }
  }
}
