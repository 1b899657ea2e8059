import { Help, InvalidArgumentError, Option, type Command } from 'commander'
import { defaultOf, readOption } from '../options/readers.js'
import { attributeOf, isNegated, rowsOf, settings, wordsOf } from '../options/table.js'
import type { OptionRow } from '../options/rows/row.js'

/** Adds the options that the table has for a command: its own, then those that every command has. */
export function withOptions(command: Command): Command {
  const rows = rowsOf(command.name())
  for (const row of [
    ...rows.filter(({ commands }) => commands !== 'all'),
    ...rows.filter(({ commands }) => commands === 'all'),
  ])
    command.addOption(optionOf(row))
  return command
}

/** Takes every option that perfdb.yaml can set, to tell what it would be; its help names none of them. */
export function withAllSettings(command: Command): Command {
  const own = new Set(rowsOf(command.name()).map(attributeOf))
  const borrowed = [...settings.values()].filter((row) => !own.has(attributeOf(row))).map(optionOf)
  for (const option of borrowed) command.addOption(option)
  const help = new Help()
  return command.configureHelp({
    visibleOptions: (each) => help.visibleOptions(each).filter((option) => !borrowed.includes(option)),
  })
}

/** The values that stand on the command line itself, by their attribute. */
export function flagsOf(command: Command): ReadonlyMap<string, unknown> {
  const values: Readonly<Record<string, unknown>> = command.opts()
  return new Map(Object.entries(values).filter(([name]) => command.getOptionValueSource(name) === 'cli'))
}

function optionOf(row: OptionRow): Option {
  const { flags, read, help, default: written, defaultElsewhere, group } = row
  const option = new Option(flags, defaultElsewhere ? `${help} (default: ${written})` : help)
  if (read !== 'flag') option.argParser((text, before) => valueOf(row, text, before))
  const words = read === 'words' ? wordsOf(row) : undefined
  if (words !== undefined) option.argChoices = [...words]
  const value = defaultOf(row)
  if (written !== undefined && value !== undefined)
    option.default(value, typeof value === 'string' || row.read === 'count' ? undefined : written)
  if (isNegated(row)) option.default(true)
  return group === undefined ? option : option.helpGroup(group)
}

/** commander names the option and its argument in front of what is wrong. */
function valueOf(row: OptionRow, text: string, before: unknown): unknown {
  try {
    return readOption(row, text, before)
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error))
  }
}
