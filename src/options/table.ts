import { hazardCodes } from '../codes/hazard-codes.js'
import type { OptionRow } from './rows/row.js'
import { adviseRows } from './rows/advise.js'
import { buildRows } from './rows/build.js'
import { commonRows } from './rows/common.js'
import { loadRows } from './rows/load.js'
import { otherRows } from './rows/other.js'
import { planRows } from './rows/plan.js'
import { tenantRows } from './rows/tenants.js'
import { formats } from './rows/formats.js'

/*
 * Every option once. From here come the flags and their help, the keys of perfdb.yaml and their schema, the PERFDB_ variables, completion,
 * the manual page, the checks of the library, and the defaults. readers.ts reads the texts. Without zod and commander: every run loads it.
 */

/** In the order of the help. */
export const optionTable: readonly OptionRow[] = [
  ...planRows,
  ...otherRows,
  ...adviseRows,
  ...loadRows,
  ...tenantRows,
  ...buildRows,
  ...commonRows,
]

/** What perfdb.yaml may set besides options: what is used when the command line names no file. */
export const fileLists: ReadonlyMap<string, string> = new Map([
  ['profiles', 'Profiles that are used when none is named: files, folders or globs, relative to this file'],
  ['pools', 'Pool configs that check-pool uses when none is named: files, folders or globs, relative to this file'],
])

/** The rows that are keys of perfdb.yaml, by their key. */
export const settings: ReadonlyMap<string, OptionRow> = new Map(
  optionTable.flatMap((row) => (row.setting === undefined ? [] : [[keyOf(row), row] as const])),
)

/** In the order in which `perfdb config` prints them. */
export const settingKeys: readonly string[] = ['url', 'load', ...fileLists.keys(), ...settings.keys()].filter(
  (key, at, all) => all.indexOf(key) === at,
)

export function rowsOf(command: string): readonly OptionRow[] {
  return optionTable.filter(({ commands }) => commands === 'all' || commands.some((one) => one === command))
}

/** The settings that a command takes; `config` tells of all. */
export function settingsOf(command: string): readonly OptionRow[] {
  return command === 'config' ? [...settings.values()] : rowsOf(command).filter(({ setting }) => setting !== undefined)
}

/** `--max-wait` */
export function longOf({ flags }: OptionRow): string {
  return /--[\w-]+/.exec(flags)?.[0] ?? ''
}

/** `maxWait`; `measure` of `--no-measure`. */
export function attributeOf(row: OptionRow): string {
  return keyOf(row).replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())
}

/** `max_wait` */
export function keyOf(row: OptionRow): string {
  return longOf(row)
    .replace(/^--(no-)?/, '')
    .replaceAll('-', '_')
}

/** `PERFDB_MAX_WAIT` */
export function variableNameOf(key: string): string {
  return `PERFDB_${key.toUpperCase()}`
}

export function isNegated(row: OptionRow): boolean {
  return longOf(row).startsWith('--no-')
}

/** The only values of an option, where they are known. */
export function wordsOf({ read, words }: OptionRow): readonly string[] | undefined {
  return read === 'hazards' ? hazardCodes : read === 'format' ? formats : words
}
