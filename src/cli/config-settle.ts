import type { Command, Option } from 'commander'
import { settingKeys, type SettingKey } from '../options/config-keys.js'
import { PerfdbError, type ErrorCode, type ErrorFields } from '../errors.js'
import { noConfig, readConfig, type Config } from './config.js'
import { allowOption } from './options.js'
import { knownChoices } from './usage.js'

type Environment = Readonly<Record<string, string | undefined>>

/** Commands that look at no configuration of the project: they make one, or use data of their own. */
const apart: ReadonlySet<string> = new Set(['init', 'demo'])

/**
 * Gives the options of a parsed command what variables (PERFDB_MAX_WAIT for --max-wait) and perfdb.yaml say, wherever no flag does, read by
 * the very parsers of the command line. Throws what readConfig throws, BAD_OPTION for a variable and BAD_VALUE for a key that cannot be read.
 */
export async function settle(command: Command, cwd: string, environment: Environment): Promise<Config> {
  if (apart.has(command.name())) return noConfig
  const said = settingKeys.filter((key) => isFlag(command, key) || variableOf(key, environment) !== undefined)
  // What --allow names is added to the file's.
  const overridden = new Set(said.filter((key) => key !== 'allow' || variableOf(key, environment) !== undefined))
  const config = await readConfig(cwd, choiceOf(command.opts(), environment, overridden), environment)
  for (const key of settingKeys.filter((key) => !elsewhere.has(key) && !isFlag(command, key))) {
    const option = command.options.find((one) => one.attributeName() === attributeOf(key))
    const variable = variableOf(key, environment)
    const given = config.given.get(key)
    if (option === undefined || (given === undefined && variable === undefined)) continue
    if (given !== undefined && (await isBesideThePoint(key, command, config, environment))) continue
    if (variable !== undefined) set(command, option, [variable], 'env', 'BAD_OPTION', `PERFDB_${key.toUpperCase()}`, {})
    else if (given !== undefined) set(command, option, given.texts, 'config', 'BAD_VALUE', key, { place: given.place })
  }
  const allow = variableOf('allow', environment)
  if (allow === undefined) return config
  return { ...config, allow: [...parsed(() => allowOption(allow), 'BAD_OPTION', 'PERFDB_ALLOW', {})] }
}

/** What is settled by others: databaseUrl, the actions. */
const elsewhere: ReadonlySet<SettingKey> = new Set(['url', 'profiles', 'pools', 'allow'])

/** Which file and which environment of it: --config and --env, else PERFDB_CONFIG and PERFDB_ENV. */
export function choiceOf(
  { config, env }: { readonly config?: string; readonly env?: string },
  environment: Environment,
  overridden: ReadonlySet<SettingKey> = new Set(),
) {
  return {
    file: config ?? filled(environment['PERFDB_CONFIG']),
    environment: env ?? filled(environment['PERFDB_ENV']),
    overridden,
  }
}

/** Whether the command line itself says it. */
export function isFlag(command: Command, key: SettingKey): boolean {
  return command.getOptionValueSource(attributeOf(key)) === 'cli'
}

/** What the variable of a setting says, PERFDB_ and its key; that of the url is not one of these. */
export function variableOf(key: SettingKey, environment: Environment): string | undefined {
  return key === 'url' || key === 'profiles' || key === 'pools'
    ? undefined
    : filled(environment[`PERFDB_${key.toUpperCase()}`])
}

/** The name that commander gives to a setting's value: maxWait for max_wait. */
export function attributeOf(key: SettingKey): string {
  return key.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())
}

/** A script for the embedded server where another is used, and --offline beside a --url, are meant for other runs. */
async function isBesideThePoint(
  key: SettingKey,
  command: Command,
  config: Config,
  environment: Environment,
): Promise<boolean> {
  if (key === 'offline') return isFlag(command, 'url')
  if (key !== 'load') return false
  const { databaseUrl } = await import('../server/target.js')
  const url = command.opts<{ readonly url?: string }>().url
  return databaseUrl({ url, configured: config.url, environment })?.text !== 'embedded'
}

function set(
  command: Command,
  option: Option,
  texts: readonly string[],
  source: 'env' | 'config',
  code: ErrorCode,
  name: string,
  fields: ErrorFields,
): void {
  const value = parsed(
    () => texts.reduce<unknown>((before, text) => valueOf(option, text, before), undefined),
    code,
    name,
    fields,
  )
  command.setOptionValueWithSource(option.attributeName(), value, source)
}

function valueOf(option: Option, text: string, before: unknown): unknown {
  if (option.parseArg !== undefined) return option.parseArg(text, before)
  if (!option.isBoolean() && !option.negate) return text
  if (/^(true|yes|on|1)$/i.test(text)) return true
  if (/^(false|no|off|0)$/i.test(text)) return false
  throw new PerfdbError('BAD_OPTION', 'expected true or false')
}

function parsed<T>(parse: () => T, code: ErrorCode, name: string, fields: ErrorFields): T {
  try {
    return parse()
  } catch (cause) {
    throw new PerfdbError(code, `${name}: ${knownChoices(cause instanceof Error ? cause.message : String(cause))}`, {
      ...fields,
      cause,
    })
  }
}

function filled(text: string | undefined): string | undefined {
  return text === undefined || text.trim() === '' ? undefined : text
}
