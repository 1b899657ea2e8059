import type { Option } from 'commander'
import { settingKeys, type SettingKey } from '../options/config-keys.js'
import type { ConfigResult, ConfigSetting } from '../result/config-result.js'
import { perfdbVersion } from '../result/version.js'
import { attributeOf, isFlag, variableOf } from './config-settle.js'
import { fileSetting, shown } from './config-setting.js'
import { urlSetting } from './config-url.js'
import type { Config } from './config.js'
import type { Invocation } from './invocation.js'

/**
 * What is in force, and where each value comes from: flag, variable, section of perfdb.yaml, its top level, default. Connects to nothing, and
 * shows values of the file as they are written, so that `${NAME}` stays `${NAME}`.
 */
export async function runConfigAction(invocation: Invocation, config: Config): Promise<ConfigResult> {
  const url = await urlSetting(invocation, config)
  return {
    perfdb: perfdbVersion(),
    ok: true,
    exit_code: 0,
    command: 'config',
    file: config.file,
    environment: config.environment,
    environments: [...config.environments],
    settings: settingKeys.map((key) => (key === 'url' ? url : settingOf(key, invocation, config))),
  }
}

function settingOf(key: SettingKey, { command, environment }: Invocation, config: Config): ConfigSetting {
  const option = command?.options.find((one) => one.attributeName() === attributeOf(key))
  const flags = command !== undefined && option !== undefined && isFlag(command, key) ? flagTexts(option) : undefined
  const variable = variableOf(key, environment)
  const beneath: ConfigSetting =
    variable !== undefined
      ? { key, value: variable, source: 'variable', name: `PERFDB_${key.toUpperCase()}` }
      : (fileSetting(key, config) ?? { key, value: defaultOf(option), source: 'default' })
  if (flags === undefined) return beneath
  const added = key === 'allow' && beneath.source !== 'default' ? { note: `added to ${beneathText(beneath)}` } : {}
  return { key, value: flags, source: 'flag', name: option?.long ?? '', ...added }
}

/** What --allow adds to. */
function beneathText({ value, name, place }: ConfigSetting): string {
  const names = Array.isArray(value) ? value.join(', ') : String(value)
  return `${names} of ${name ?? (place === undefined ? '' : `${place.file}:${place.line}:${place.column}`)}`
}

/** As the help tells it: of some options the default stands in the description, since it belongs to another room. */
function defaultOf(option: Option | undefined): ConfigSetting['value'] {
  if (option === undefined) return null
  const { defaultValueDescription, defaultValue, description } = option
  const value: unknown = defaultValueDescription ?? defaultValue ?? /\(default: (.*)\)/.exec(description)?.[1]
  if (value !== undefined) return shown(value)
  return option.negate ? true : option.isBoolean() ? false : null
}

/** What stands on the command line for an option: commander keeps only what it was parsed to. */
function flagTexts(option: Option): ConfigSetting['value'] {
  if (option.negate) return false
  if (option.isBoolean()) return true
  const args = process.argv.slice(2)
  const texts = args.flatMap((arg, at) => {
    if (arg === option.long) return [args[at + 1] ?? '']
    return option.long !== undefined && arg.startsWith(`${option.long}=`) ? [arg.slice(option.long.length + 1)] : []
  })
  return texts.length > 1 ? texts : (texts[0] ?? '')
}
