import { problemsError, PerfdbError, type Problem } from '../../errors.js'
import { byPlace } from '../../yaml/issues.js'
import { readYaml } from '../../yaml/read.js'
import { completeProfile } from '../complete/complete.js'
import { findFiles, nameOf, readText, type FoundFile, type Named } from '../files/files.js'
import { duplicateNames, indexNames, namesOf, type IndexName } from './names.js'
import type { Profile } from '../profile.js'
import { profileSchema } from '../written/schema.js'
import { unqualifiedProfile } from './unqualify.js'

export interface ReadOptions {
  readonly cwd: string
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Where unqualified tables live when a profile does not say so; public when left out. */
  readonly schema?: string | undefined
  /** Where unqualified tables live whatever a profile says: that of a tenant that is a schema. */
  readonly everySchema?: string | undefined
}

/**
 * Reads profiles: YAML or SQL files, folders or globs, relative to `cwd`. Pool configs (`kind: pools`) that lie in a
 * folder with them are passed over. Throws NO_PROFILE for no paths at all, else one error with all problems of all
 * files (`problems`): FILE_NOT_FOUND, FILE_UNREADABLE, BAD_YAML, BAD_SQL, UNKNOWN_KEY, BAD_VALUE, MISSING_ENVIRONMENT,
 * NAME_TOO_LONG, DUPLICATE_NAME (over all files), UNKNOWN_REFERENCE.
 */
export async function readProfiles(paths: readonly Named[], options: ReadOptions): Promise<readonly Profile[]> {
  if (paths.length === 0) throw new PerfdbError('NO_PROFILE', 'no profile is named')
  const found = findFiles(paths, options.cwd, ['.yaml', '.yml', '.sql'])
  const read = (await Promise.all(found.files.map((file) => readProfile(file, options)))).flatMap((each) => each ?? [])
  const problems = [
    ...found.problems,
    ...read.flatMap((each) => each.problems),
    ...duplicateNames(read.flatMap((each) => each.names)),
  ]
  const [first, ...rest] = problems
  if (first !== undefined) throw problemsError([first, ...rest])
  if (read.length === 0)
    throw new PerfdbError('FILE_NOT_FOUND', `no profile in ${paths.map(nameOf).join(', ')}, only pool configs`)
  return Promise.all(read.flatMap(({ profile }) => (profile === undefined ? [] : unqualifiedProfile(profile))))
}

/** One YAML profile from its text, for what is not in a file. Throws as readProfiles does. */
export function parseProfile(text: string, file: string, environment: ReadOptions['environment'] = {}): Profile {
  const { profile, names, problems } = readYamlProfile(text, file, environment)
  const [first, ...rest] = [...problems, ...duplicateNames(names)]
  if (first !== undefined || profile === undefined)
    throw problemsError([first ?? { code: 'BAD_YAML', message: file }, ...rest])
  return profile
}

interface ReadProfile {
  readonly profile?: Profile | undefined
  readonly names: readonly IndexName[]
  readonly problems: readonly Problem[]
}

async function readProfile(
  found: FoundFile,
  { environment, schema, everySchema }: ReadOptions,
): Promise<ReadProfile | undefined> {
  const read = await readText(found)
  if ('problem' in read) return { names: [], problems: [read.problem] }
  if (/\.sql$/i.test(found.file)) {
    // The parser is a WebAssembly of 2 MB: loaded only when there is SQL to read.
    const { readSqlProfile } = await import('../sql/sql.js')
    const { profile, problems } = await readSqlProfile(read.text, found.file, everySchema ?? schema)
    return { profile, problems, names: indexNames(profile) }
  }
  if (!isPoolConfig(found.file, read.text))
    return readYamlProfile(read.text, found.file, environment, schema, everySchema)
  if (!found.named) return undefined
  const place = { file: found.file, line: 1, column: 1 }
  const message = 'this is a pool config, not a profile'
  return { names: [], problems: [{ code: 'BAD_VALUE', message, hint: `perfdb check-pool ${found.file}`, place }] }
}

/** By name or text, not by parsing: a broken pool config among profiles is no problem of theirs. */
function isPoolConfig(file: string, text: string): boolean {
  return /\.pools\.ya?ml$/i.test(file) || /^(\uFEFF)?kind:\s*["']?pools\b/m.test(text)
}

function readYamlProfile(
  text: string,
  file: string,
  environment: ReadOptions['environment'],
  schema?: string,
  everySchema?: string,
): ReadProfile {
  const read = readYaml(text, file, profileSchema, environment)
  const { plain, problems, placeOf, show } = read
  const value =
    read.value === undefined
      ? undefined
      : { schema, ...read.value, ...(everySchema !== undefined && { schema: everySchema }) }
  const source = { file, placeOf, show }
  const names = namesOf(value, plain, source)
  const filled = read.filled.filter(({ keys }) => keys.some((key) => sqlKeys.has(key)))
  const complete = value === undefined ? undefined : completeProfile(value, source)
  const profile = complete === undefined || filled.length === 0 ? complete : { ...complete, filled }
  return { profile, names: names.indexes, problems: byPlace([...problems, ...names.problems]) }
}

/** Values of these are SQL, or constants of it; all others are names and numbers, which results are read by. */
const sqlKeys: ReadonlySet<string> = new Set(['sql', 'variants', 'params', 'where', 'expression', 'keys', 'comment'])
