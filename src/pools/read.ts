import { dirname, resolve } from 'node:path'
import { problemsError, type Problem } from '../errors.js'
import { findFiles, readText, type FoundFile } from '../profile/files.js'
import { readYaml } from '../yaml/read.js'
import { allDemands } from './budget.js'
import { completePools } from './complete.js'
import type { Estate, PoolsFile } from './model.js'
import { poolerDemands } from './pooler.js'
import { mergeEstates, referenceProblems, resolvePools } from './resolve.js'
import { poolsSchema, type WrittenPools } from './schema.js'
import { csvTenants, writtenTenant, type TenantRow } from './tenants.js'
import { withoutUrlVariables } from './url-environment.js'

export interface ReadOptions {
  /** Paths are relative to it, and appear in places as they were given. */
  readonly cwd: string
  readonly environment: Readonly<Record<string, string | undefined>>
}

/**
 * Reads pools files (files, folders and globs of YAML, and the CSV files of their tenants) into complete models whose names are resolved over all files. Throws one
 * PerfdbError with every problem of every file: FILE_NOT_FOUND, FILE_UNREADABLE, those of readYaml, BAD_VALUE, UNBOUNDED_POOL and
 * UNKNOWN_REFERENCE. Variables of a url may be unset: see resolveUrl.
 */
export async function readPools(paths: readonly string[], options: ReadOptions): Promise<readonly PoolsFile[]> {
  const found = await findFiles(paths, options.cwd, ['.pools.yaml', '.pools.yml'])
  const read = await Promise.all(found.files.map((file) => readOne(file, options)))
  const problems = [...found.problems, ...read.flatMap((one) => one.problems)]
  const files = read.flatMap((one) => one.value ?? [])
  // Names of a file that could not be read are unknown to all others: that would be no news.
  const resolved = files.length === found.files.length ? resolvePools(files) : { files, problems: [] }
  const all = [...problems, ...resolved.problems]
  const estate = mergeEstates(resolved.files)
  const last = all.length === 0 ? [...referenceProblems(estate), ...unboundedPoolers(estate)] : all
  const [first, ...rest] = last
  if (first !== undefined) throw problemsError([first, ...rest])
  return resolved.files
}

interface ReadOne {
  readonly value?: PoolsFile
  readonly problems: readonly Problem[]
}

async function readOne(found: FoundFile, options: ReadOptions): Promise<ReadOne> {
  const content = await readText(found)
  if ('problem' in content) return { problems: [content.problem] }
  const { text } = content
  const { value, problems, placeOf } = readYaml(
    text,
    found.file,
    poolsSchema,
    withoutUrlVariables(text, options.environment),
  )
  if (value === undefined) return { problems }
  const tenants = await readTenants(value, found, placeOf)
  const complete = completePools(found.file, value, tenants.rows, (at) => placeOf(at, 'key'))
  return { value: complete.value, problems: [...tenants.problems, ...complete.problems] }
}

/** A CSV file is named relative to the file that names it. */
async function readTenants(
  { tenants = [] }: WrittenPools,
  found: FoundFile,
  placeOf: ReturnType<typeof readYaml>['placeOf'],
): Promise<{ readonly rows: readonly TenantRow[]; readonly problems: readonly Problem[] }> {
  const parts = await Promise.all(
    tenants.map(async (written, index) => {
      if (!('ids_from' in written)) return { rows: [writtenTenant(written, placeOf(['tenants', index]))], problems: [] }
      const csv = { file: written.ids_from, path: resolve(dirname(found.path), written.ids_from), named: true }
      const content = await readText(csv)
      if ('text' in content) return csvTenants(content.text, csv.file, written, found.file)
      return { rows: [], problems: [{ ...content.problem, place: placeOf(['tenants', index, 'ids_from']) }] }
    }),
  )
  return { rows: parts.flatMap((part) => part.rows), problems: parts.flatMap((part) => part.problems) }
}

/** A pool size of 0 is unlimited to pgbouncer: fine only where a limit of the database or the user stands behind it. */
function unboundedPoolers(estate: Estate): readonly Problem[] {
  const unbounded = poolerDemands(estate, allDemands(estate)).filter((one) => one.connections === Infinity)
  const names = new Set(unbounded.map((one) => one.pooler))
  return [...names].map((pooler) => ({
    code: 'UNBOUNDED_POOL',
    message: `${pooler.name}: a pool size of 0 is unlimited, and neither max_db_connections nor max_user_connections bounds it`,
    hint: 'set default_pool_size',
    place: pooler.place,
  }))
}
