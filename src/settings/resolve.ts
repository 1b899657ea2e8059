import { PerfdbError, type ErrorCode, type ErrorFields } from '../errors.js'
import { defaultOf, readOption } from '../options/readers.js'
import { attributeOf, keyOf, optionTable, rowsOf, settingKeys, settingsOf, variableNameOf } from '../options/table.js'
import type { OptionRow } from '../options/rows/row.js'
import { noConfig, readConfig, type Config } from './config.js'
import type { Options } from '../options/values.js'

type Environment = Readonly<Record<string, string | undefined>>

/** Commands that look at no configuration of the project: they make one, or use data of their own. */
const apart: ReadonlySet<string> = new Set(['init', 'demo'])

/** What a command line, or a caller of the library, says itself: values by the attribute of their option. */
export type Flags = ReadonlyMap<string, unknown>

export interface ResolvedSettings {
  readonly config: Config
  readonly options: Options
}

/**
 * The options of a command: flags first, then variables (PERFDB_MAX_WAIT for --max-wait), then perfdb.yaml, then defaults, all read by the
 * same readers. Throws what readConfig throws, BAD_OPTION for a variable and BAD_VALUE for a key that cannot be read.
 */
export async function resolveSettings(
  name: string,
  flags: Flags,
  cwd: string,
  environment: Environment,
): Promise<ResolvedSettings> {
  const values = new Map<string, unknown>()
  // Some commands use what they have no option for, as it is left out elsewhere.
  for (const row of [...optionTable, ...rowsOf(name)]) values.set(attributeOf(row), defaultOf(row))
  const config = apart.has(name) ? noConfig : await settings(name, flags, values, cwd, environment)
  for (const [attribute, value] of flags) values.set(attribute, value)
  const options: Options = Object(Object.fromEntries([...values].filter(([, value]) => value !== undefined)))
  return { config, options }
}

async function settings(
  name: string,
  flags: Flags,
  values: Map<string, unknown>,
  cwd: string,
  environment: Environment,
): Promise<Config> {
  const rows = settingsOf(name)
  const flagged = (key: string) => rows.some((row) => keyOf(row) === key && flags.has(attributeOf(row)))
  const said = settingKeys.filter((key) => flagged(key) || variableOf(key, environment) !== undefined)
  // What --allow names is added to the file's.
  const overridden = new Set(said.filter((key) => key !== 'allow' || variableOf(key, environment) !== undefined))
  const choice = { config: text(flags.get('config')), env: text(flags.get('env')) }
  const config = await readConfig(cwd, choiceOf(choice, environment, overridden), environment)
  for (const row of rows.filter((one) => !elsewhere.has(keyOf(one)) && !flags.has(attributeOf(one)))) {
    const key = keyOf(row)
    const variable = variableOf(key, environment)
    const given = config.given.get(key)
    if (given === undefined && variable === undefined) continue
    if (given !== undefined && (await isBesideThePoint(key, flags, config, environment))) continue
    const value =
      variable !== undefined
        ? parsed(row, [variable], 'BAD_OPTION', variableNameOf(key), {})
        : parsed(row, given?.texts ?? [], 'BAD_VALUE', key, { place: given?.place })
    values.set(attributeOf(row), value)
  }
  const allow = variableOf('allow', environment)
  const row = rowsOf('apply').find((one) => keyOf(one) === 'allow')
  if (allow === undefined || row === undefined) return config
  const hazards = parsed(row, [allow], 'BAD_OPTION', variableNameOf('allow'), {})
  return { ...config, allow: hazards instanceof Set ? [...hazards] : [] }
}

/** What is settled by others: databaseUrl, the actions. */
const elsewhere: ReadonlySet<string> = new Set(['url', 'allow'])

/** Which file and which environment of it: --config and --env, else PERFDB_CONFIG and PERFDB_ENV. */
export function choiceOf(
  { config, env }: { readonly config?: string | undefined; readonly env?: string | undefined },
  environment: Environment,
  overridden: ReadonlySet<string> = new Set(),
) {
  return {
    file: config ?? filled(environment['PERFDB_CONFIG']),
    environment: env ?? filled(environment['PERFDB_ENV']),
    overridden,
  }
}

/** What the variable of a setting says, PERFDB_ and its key; that of the url is not one of these. */
export function variableOf(key: string, environment: Environment): string | undefined {
  return key === 'url' || key === 'profiles' || key === 'pools' ? undefined : filled(environment[variableNameOf(key)])
}

/** A script for the embedded server where another is used, and --offline beside a --url, are meant for other runs. */
async function isBesideThePoint(key: string, flags: Flags, config: Config, environment: Environment): Promise<boolean> {
  if (key === 'offline') return flags.has('url')
  if (key !== 'load') return false
  const { databaseUrl } = await import('../server/target/target.js')
  return databaseUrl({ url: text(flags.get('url')), configured: config.url, environment })?.text !== 'embedded'
}

function parsed(row: OptionRow, texts: readonly string[], code: ErrorCode, name: string, fields: ErrorFields): unknown {
  try {
    return texts.reduce<unknown>((before, one) => readOption(row, one, before), undefined)
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause)
    throw new PerfdbError(code, `${name}: ${message}`, { ...fields, cause })
  }
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function filled(value: string | undefined): string | undefined {
  return value === undefined || value.trim() === '' ? undefined : value
}
