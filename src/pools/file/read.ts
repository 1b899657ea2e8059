import { problemsError, type Problem } from '../../errors.js'
import { findFiles, readText, type FoundFile, type Named } from '../../profile/files.js'
import { readTenants, type Asked } from '../../tenants/read.js'
import type { Registry, RegistryRow } from '../../tenants/tenant.js'
import { literalPassword } from '../../text/postgres-url.js'
import { withoutUrlVariables } from '../../text/url-environment.js'
import { readYaml } from '../../yaml/read.js'
import { completePools } from './complete.js'
import { literalPasswordFinding } from './literal-passwords.js'
import type { PoolFinding, PoolsFile } from '../sums/model.js'
import { mergeEstates, referenceProblems, resolvePools } from './resolve.js'
import { poolsSchema } from './schema.js'

export interface ReadOptions {
  /** Paths are relative to it, and appear in places as they were given. */
  readonly cwd: string
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Reads a registry of tenants; without it REGISTRY_NOT_ASKED is a finding of the file, and its tenants are missing. */
  readonly askRegistry?: (registry: Registry) => Promise<readonly RegistryRow[]>
}

/**
 * Reads pools files (files, folders and globs of YAML, and the CSV files of their tenants) into complete models whose names are resolved over all files. Throws one
 * PerfdbError with every problem of every file: FILE_NOT_FOUND, FILE_UNREADABLE, those of readYaml, BAD_VALUE, UNBOUNDED_POOL and
 * UNKNOWN_REFERENCE. Variables of a url may be unset: see resolveUrl.
 */
export async function readPools(paths: readonly Named[], options: ReadOptions): Promise<readonly PoolsFile[]> {
  const found = await findFiles(paths, options.cwd, ['.pools.yaml', '.pools.yml'])
  const read = await Promise.all(found.files.map((file) => readOne(file, options)))
  const problems = [...found.problems, ...read.flatMap((one) => one.problems)]
  const files = read.flatMap((one) => one.value ?? [])
  // Names of a file that could not be read are unknown to all others: that would be no news.
  const resolved = files.length === found.files.length ? resolvePools(files) : { files, problems: [] }
  const all = [...problems, ...resolved.problems]
  const estate = mergeEstates(resolved.files)
  const last = all.length === 0 ? referenceProblems(estate, registries(files)) : all
  const [first, ...rest] = last
  if (first !== undefined) throw problemsError([first, ...rest])
  return resolved.files
}

/** Some registry was not asked: then no tenants at all are no mistake of the file. */
function registries(files: readonly PoolsFile[]): boolean {
  return files.some((file) => file.findings.some((finding) => finding.code === 'REGISTRY_NOT_ASKED'))
}

interface ReadOne {
  readonly value?: PoolsFile
  readonly problems: readonly Problem[]
}

async function readOne(found: FoundFile, options: ReadOptions): Promise<ReadOne> {
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
  const tenants = await readTenants(
    value.tenants ?? [],
    found,
    (path, part) => placeOf(['tenants', ...path], part),
    options.askRegistry,
  )
  const complete = completePools(found.file, value, tenants.rows, (at) => placeOf(at, 'key'))
  const findings = [...complete.value.findings, ...tenants.registries.flatMap(registryFindings)]
  return { value: { ...complete.value, findings }, problems: [...tenants.problems, ...complete.problems] }
}

/** By its text, not by parsing: one message instead of four unknown keys. */
function isProfile(text: string): boolean {
  return /^(profile|indexes|queries):/m.test(text) && !/^(kind|servers|services|poolers|tenants):/m.test(text)
}

function registryFindings({ registry, asked }: Asked): readonly PoolFinding[] {
  const told =
    literalPassword(registry.url) === undefined ? [] : [literalPasswordFinding('the registry', registry.place)]
  return asked ? told : [...told, registryNotAsked(registry)]
}

/** A warning of a file leaves the verdict unknown: nobody knows how many tenants there are. */
function registryNotAsked({ place }: Registry): PoolFinding {
  return {
    code: 'REGISTRY_NOT_ASKED',
    severity: 'warning',
    message: 'the registry of tenants was not asked: its tenants are not counted',
    hint: 'leave --offline out, or list the tenants: ids_from: tenants.csv',
    place,
  }
}
