import { problemsError, type Place, type Problem } from '../../errors.js'
import type { FoundFile } from '../../profile/files/files.js'
import { readTenants, type Asked, type ListedTenants } from '../../tenants/read.js'
import type { Registry, RegistryRow } from '../../tenants/tenant.js'
import { literalPassword } from '../../text/postgres-url.js'
import { completePools } from './complete.js'
import { literalPasswordFinding } from './literal-passwords.js'
import { mergeEstates, referenceProblems, resolvePools } from './resolve.js'
import { poolsSchema, type WrittenPools } from './schema.js'
import type { PoolFinding, PoolsFile } from '../sums/model.js'

type PlaceOf = (path: readonly (string | number)[], part?: 'key' | 'value') => Place
type AskRegistry = (registry: Registry) => Promise<readonly RegistryRow[]>

export interface ReadModel {
  readonly value?: PoolsFile
  readonly problems: readonly Problem[]
}

/** What is written, as its schema has it, with its tenants and every default. */
export async function readModel(
  written: WrittenPools,
  found: FoundFile,
  placeOf: PlaceOf,
  askRegistry?: AskRegistry,
): Promise<ReadModel> {
  const tenants = await readTenants(
    written.tenants ?? [],
    found,
    (path, part) => placeOf(['tenants', ...path], part),
    askRegistry,
  )
  const registries = tenants.registries.map(({ registry }) => registry)
  const complete = completePools(found.file, written, tenants.rows, (at) => placeOf(at, 'key'), registries)
  const findings = [...complete.value.findings, ...tenants.registries.flatMap(registryFindings)]
  return { value: { ...complete.value, findings }, problems: [...tenants.problems, ...complete.problems] }
}

/** A list of tenants that stands by itself, as a pools file that has nothing else. */
export function modelOfTenants({ file, rows, registries }: ListedTenants): ReadModel {
  const place = { file, line: 1, column: 1 }
  const asked = registries.map(({ registry }) => registry)
  const { value, problems } = completePools(file, { version: 1 }, rows, () => place, asked)
  return { value: { ...value, findings: [...value.findings, ...registries.flatMap(registryFindings)] }, problems }
}

/**
 * A parsed pools file; no YAML is read, and `${NAME}` counts in urls alone. `found` is what messages call it, and the place of its CSV files.
 * Throws one PerfdbError with every problem, as readPools does.
 */
export async function readPoolsObject(
  object: unknown,
  found: FoundFile,
  askRegistry?: AskRegistry,
): Promise<PoolsFile> {
  const place = { file: found.file, line: 1, column: 1 }
  const parsed = poolsSchema.safeParse(object)
  if (!parsed.success) {
    const [first, ...rest] = parsed.error.issues.map(({ path, message }): Problem => ({
      code: 'BAD_VALUE',
      message: `${path.join('.') || 'the pools file'}: ${message}`,
      place,
    }))
    if (first !== undefined) throw problemsError([first, ...rest])
  }
  const { value, problems } = await readModel(parsed.data ?? { version: 1 }, found, () => place, askRegistry)
  const [file] = resolved(value === undefined ? [] : [value], problems)
  if (file === undefined) throw problemsError([{ code: 'BAD_VALUE', message: 'this is not a pools file', place }])
  return file
}

/** All files with their names resolved. Throws one PerfdbError with every problem. */
export function resolved(files: readonly PoolsFile[], problems: readonly Problem[]): readonly PoolsFile[] {
  const names = resolvePools(files)
  const all = [...problems, ...names.problems]
  const last = all.length === 0 ? referenceProblems(mergeEstates(names.files), someUnasked(files)) : all
  const [first, ...rest] = last
  if (first !== undefined) throw problemsError([first, ...rest])
  return names.files
}

/** Some registry was not asked: then no tenants at all are no mistake of the file. */
function someUnasked(files: readonly PoolsFile[]): boolean {
  return files.some((file) => file.findings.some((finding) => finding.code === 'REGISTRY_NOT_ASKED'))
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
