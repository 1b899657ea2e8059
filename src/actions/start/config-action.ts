import { attributeOf, isNegated, longOf, settingKeys, settings, variableNameOf } from '../../options/table.js'
import type { OptionRow } from '../../options/rows/row.js'
import type { ConfigResult, ConfigSetting } from '../../result/documents/config-result.js'
import { headOf } from '../../result/head.js'
import { variableOf } from '../../settings/resolve.js'
import { fileSetting } from '../../settings/config-setting.js'
import { shownUrl, urlSetting } from '../../settings/config-url.js'
import type { Config } from '../../settings/config.js'
import type { Invocation } from '../../settings/invocation.js'

/**
 * What is in force, and where each value comes from: flag, variable, section of perfdb.yaml, its top level, default. Connects to nothing, and
 * shows values of the file as they are written, so that `${NAME}` stays `${NAME}`.
 */
export async function runConfigAction(invocation: Invocation, config: Config): Promise<ConfigResult> {
  const url = await urlSetting(invocation, config)
  const settingFor = async (key: string): Promise<ConfigSetting> => {
    if (key === 'url') return url
    const setting = settingOf(key, invocation, config)
    return key === 'measure_url' || key === 'replicas' ? withoutPasswords(setting) : setting
  }
  return {
    ...headOf(0),
    command: 'config',
    file: config.file,
    environment: config.environment,
    environments: [...config.environments],
    settings: await Promise.all(settingKeys.map(settingFor)),
  }
}

/** Each URL as `url` is shown. */
async function withoutPasswords(setting: ConfigSetting): Promise<ConfigSetting> {
  const { value } = setting
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return setting
  if (typeof value === 'string') return { ...setting, ...(await shownUrl(value)) }
  return { ...setting, value: await Promise.all(value.map(async (url) => String((await shownUrl(url)).value))) }
}

function settingOf(key: string, { argv = [], flags, environment }: Invocation, config: Config): ConfigSetting {
  const row = settings.get(key)
  const flag = row !== undefined && flags?.has(attributeOf(row)) ? flagTexts(row, argv.slice(2)) : undefined
  const variable = variableOf(key, environment)
  const beneath: ConfigSetting =
    variable !== undefined
      ? { key, value: variable, source: 'variable', name: variableNameOf(key) }
      : (fileSetting(key, config) ?? { key, value: withoutAny(row), source: 'default' })
  if (row === undefined || flag === undefined) return beneath
  const added = key === 'allow' && beneath.source !== 'default' ? { note: `added to ${beneathText(beneath)}` } : {}
  return { key, value: flag, source: 'flag', name: longOf(row), ...added }
}

/** What --allow adds to. */
function beneathText({ value, name, place }: ConfigSetting): string {
  const names = Array.isArray(value) ? value.join(', ') : String(value)
  return `${names} of ${name ?? (place === undefined ? '' : `${place.file}:${place.line}:${place.column}`)}`
}

/** The default as the help tells it. */
function withoutAny(row: OptionRow | undefined): ConfigSetting['value'] {
  if (row === undefined) return null
  if (row.read === 'flag') return isNegated(row)
  return row.default === undefined ? null : row.read === 'count' ? Number(row.default) : row.default
}

/** What stands on the command line for an option: commander keeps only what it was parsed to. */
function flagTexts(row: OptionRow, args: readonly string[]): ConfigSetting['value'] {
  if (row.read === 'flag') return !isNegated(row)
  const long = longOf(row)
  const texts = args.flatMap((arg, at) => {
    if (arg === long) return [args[at + 1] ?? '']
    return arg.startsWith(`${long}=`) ? [arg.slice(long.length + 1)] : []
  })
  return texts.length > 1 ? texts : (texts[0] ?? '')
}
