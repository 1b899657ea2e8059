import { problemsError } from '../../errors.js'
import { findFiles, readText, type FoundFile, type Named } from '../../profile/files/files.js'
import type { ListedTenants } from '../../tenants/read.js'
import type { Registry, RegistryRow } from '../../tenants/tenant.js'
import { withoutUrlVariables } from '../../text/url-environment.js'
import { readYaml } from '../../yaml/read.js'
import type { PoolsFile } from '../sums/model.js'
import { modelOfTenants, readModel, resolved, type ReadModel } from './read-model.js'
import { poolsSchema } from './schema.js'

export interface ReadOptions {
  /** Paths are relative to it, and appear in places as they were given. */
  readonly cwd: string
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Reads a registry of tenants; without it REGISTRY_NOT_ASKED is a finding of the file, and its tenants are missing. */
  readonly askRegistry?: (registry: Registry) => Promise<readonly RegistryRow[]>
  /** Tenants of a list of their own, besides those of the files. */
  readonly listed?: ListedTenants | undefined
}

/**
 * Reads pools files (files, folders and globs of YAML, and the CSV files of their tenants) into complete models whose names are resolved over all files. Throws one
 * PerfdbError with every problem of every file: FILE_NOT_FOUND, FILE_UNREADABLE, those of readYaml, BAD_VALUE, UNBOUNDED_POOL and
 * UNKNOWN_REFERENCE. Variables of a url may be unset: see resolveUrl.
 */
export async function readPools(paths: readonly Named[], options: ReadOptions): Promise<readonly PoolsFile[]> {
  const found = findFiles(paths, options.cwd, ['.pools.yaml', '.pools.yml'])
  const read = await Promise.all(found.files.map((file) => readOne(file, options)))
  const listed = options.listed === undefined ? [] : [modelOfTenants(options.listed)]
  const problems = [...found.problems, ...[...read, ...listed].flatMap((one) => one.problems)]
  const files = [...read, ...listed].flatMap((one) => one.value ?? [])
  // Names of a file that could not be read are unknown to all others: that would be no news.
  if (files.length === found.files.length + listed.length) return resolved(files, problems)
  const [first, ...rest] = problems
  if (first !== undefined) throw problemsError([first, ...rest])
  return files
}

async function readOne(found: FoundFile, options: ReadOptions): Promise<ReadModel> {
  const content = await readText(found)
  if ('problem' in content) return { problems: [content.problem] }
  const { text } = content
  if (isProfile(text)) {
    const place = { file: found.file, line: 1, column: 1 }
    const hint = `perfdb plan ${found.file}`
    return { problems: [{ code: 'BAD_VALUE', message: 'this is a profile, not a pool config', hint, place }] }
  }
  const { value, problems, placeOf } = readYaml(
    text,
    found.file,
    poolsSchema,
    withoutUrlVariables(text, options.environment),
  )
  if (value === undefined) return { problems }
  return readModel(value, found, placeOf, options.askRegistry)
}

/** By its text, not by parsing: one message instead of four unknown keys. */
function isProfile(text: string): boolean {
  return /^(profile|indexes|queries):/m.test(text) && !/^(kind|servers|services|poolers|tenants):/m.test(text)
}
