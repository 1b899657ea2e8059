import { dirname, isAbsolute, join } from 'node:path'
import { settingKeys, settings } from '../options/table.js'
import { PerfdbError, problemsError, type Place, type Problem } from '../errors.js'
import { hazardCodes, type HazardCode } from '../codes/hazard-codes.js'
import { suggestion } from '../text/nearest.js'
import { findConfig } from './config-find.js'
import { missingByPath, membersOf, valueAt } from './config-missing.js'

type Environment = Readonly<Record<string, string | undefined>>

/** What perfdb.yaml says where no flag and no variable says otherwise; every key may be left out. */
export interface Config {
  readonly file: string | null
  /** The section that was chosen, and the names of all. */
  readonly environment: string | null
  readonly environments: readonly string[]
  readonly url?: string | undefined
  /** A variable of the url that is not set: of no interest until somebody connects there. */
  readonly urlProblem?: Problem | undefined
  /** The same of measure_url and replicas. */
  readonly laterProblems?: ReadonlyMap<string, Problem> | undefined
  /** Relative to the working folder. */
  readonly profiles: readonly string[]
  readonly pools: readonly string[]
  readonly allow: readonly HazardCode[]
  readonly given: ReadonlyMap<string, Given>
}

/** One setting of the file, its paths relative to the working folder. */
export interface Given {
  readonly texts: readonly string[]
  /** As it stands in the file, `${NAME}` included. */
  readonly written: unknown
  readonly place: Place
  readonly section: string | null
}

export interface ConfigChoice {
  /** --config */
  readonly file?: string | undefined
  /** --env, else PERFDB_ENV. */
  readonly environment?: string | undefined
  /** What a flag or a variable says already: the file's own value may then be anything that its schema takes. */
  readonly overridden?: ReadonlySet<string>
}

export const noConfig: Config = {
  file: null,
  environment: null,
  environments: [],
  profiles: [],
  pools: [],
  allow: [],
  given: new Map(),
}

/**
 * perfdb.yaml as findConfig finds it: the chosen environment's section key by key over the top level. Only variables of settings that are in
 * force must be set, those of the url only when it is used. Throws what findConfig throws, BAD_OPTION for an environment that the file does not
 * have, and every problem of its content at once. The YAML reader is loaded only when there is a file.
 */
export async function readConfig(cwd: string, choice: ConfigChoice, variables: Environment): Promise<Config> {
  const found = await findConfig(cwd, choice.file)
  if (found === undefined) {
    if (choice.environment !== undefined) throw unknownEnvironment(choice.environment, [], 'there is no perfdb.yaml')
    return noConfig
  }
  const { file, text } = found
  const [{ anySchema, configSchema, settingsSchema }, { readYaml }] = await Promise.all([
    import('../options/config-schema.js'),
    import('../yaml/read.js'),
  ])
  const read = readYaml(text, file, configSchema, variables)
  const written = readYaml(text, file, anySchema, asWritten).plain
  const environments = Object.keys(membersOf(valueAt(read.plain, ['environments'])))
  const missing = missingByPath(read)
  const others = read.problems.filter((problem) => problem.code !== 'MISSING_ENVIRONMENT')
  const { environment, overridden = new Set() } = choice
  if (others.length === 0 && environment !== undefined && !environments.includes(environment))
    throw unknownEnvironment(environment, environments, `${file} has no such section`)

  const paths = inForce(read.plain, environment).filter(([key]) => !overridden.has(key))
  const needed = paths.filter(([key]) => !later.has(key)).flatMap(([, path]) => missing(path))
  const [first, ...rest] = others.length > 0 ? read.problems : [...new Set(needed)]
  if (first !== undefined) throw problemsError([first, ...rest])

  const values = settingsSchema.parse(Object.fromEntries(paths.map(([key, path]) => [key, valueAt(read.plain, path)])))
  const given = new Map(
    paths.map(([key, path]): [string, Given] => [
      key,
      {
        texts: textsOf(commandText(key, values[key])).map((text) => relocated(key, text, dirname(file))),
        written: valueAt(written, path),
        place: read.placeOf(path),
        section: path.length > 1 ? (environment ?? null) : null,
      },
    ]),
  )
  const problems = new Map(
    paths
      .filter(([key]) => later.has(key))
      .flatMap(([key, path]) => missing(path).map((problem) => [key, problem] as const)),
  )
  return {
    file,
    environment: environment ?? null,
    environments,
    url: given.get('url')?.texts[0],
    urlProblem: problems.get('url'),
    laterProblems: problems,
    profiles: given.get('profiles')?.texts ?? [],
    pools: given.get('pools')?.texts ?? [],
    allow: hazardCodes.filter((code) => given.get('allow')?.texts.includes(code)),
    given,
  }
}

/** The words of a command are one value. */
function commandText(key: string, value: unknown): unknown {
  return settings.get(key)?.read === 'command' && Array.isArray(value) ? JSON.stringify(value) : value
}

/** One text for a value, several for a list. */
function textsOf(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(textsOf)
  return typeof value === 'string'
    ? [value]
    : typeof value === 'number' || typeof value === 'boolean'
      ? [String(value)]
      : []
}

/** Where somebody connects: a variable of these may be missing until then. */
const later: ReadonlySet<string> = new Set(['url', 'measure_url', 'replicas'])

/** Every variable stands for itself. */
const asWritten: Environment = new Proxy({}, { get: (_, name) => `\${${String(name)}}` })

function inForce(plain: unknown, environment: string | undefined): readonly (readonly [string, readonly string[]])[] {
  const section = environment === undefined ? [] : ['environments', environment]
  const there = (path: readonly string[]) => valueAt(plain, path) !== undefined
  return settingKeys.flatMap((key) => {
    const path = [[...section, key], [key]].find(there)
    return path === undefined ? [] : [[key, path] as const]
  })
}

/** What names files of the user's, relative to the folder of perfdb.yaml. */
function relocated(key: string, text: string, folder: string): string {
  const [, format = '', path = text] = key === 'report' ? (/^(\w+=)(.*)$/s.exec(text) ?? []) : []
  const isPath = ['profiles', 'pools', 'report'].includes(key) || settings.get(key)?.read === 'file'
  return !isPath || folder === '.' || isAbsolute(path) ? text : `${format}${join(folder, path)}`
}

function unknownEnvironment(name: string, known: readonly string[], detail: string): PerfdbError {
  return new PerfdbError('BAD_OPTION', `there is no environment ${name}${suggestion(name, known)}`, {
    detail,
    hint: known.length === 0 ? 'environments: in perfdb.yaml declares them' : `known are ${known.join(', ')}`,
  })
}
