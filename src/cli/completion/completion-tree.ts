import type { Argument, Command, Option } from 'commander'
import { knownCodes } from '../../codes/help-texts.js'
import { formats } from '../../options/rows/formats.js'
import type { OptionRow } from '../../options/rows/row.js'
import { longOf, rowsOf, settings, wordsOf } from '../../options/table.js'

/** What can be written at one place of the command line. */
export type Completed =
  | { readonly kind: 'nothing' | 'files' | 'folders' }
  /** `list`: several of them, separated by commas. */
  | { readonly kind: 'words'; readonly words: readonly string[]; readonly list: boolean }
  /** `format=file` */
  | { readonly kind: 'reports'; readonly formats: readonly string[] }

export interface CompletedOption {
  readonly long: string
  readonly short: string | null
  readonly description: string
  readonly repeatable: boolean
  /** null for one that takes no value. */
  readonly value: Completed | null
  /** The value may be left out. */
  readonly optional: boolean
}

export interface CompletedCommand {
  readonly name: string
  readonly description: string
  readonly options: readonly CompletedOption[]
  readonly rest: Completed
}

/** commander's tree as what can be completed, `help` with every code included. Plain data: the scripts hold all of it and start no Node. */
export function completionTree(program: Command): readonly CompletedCommand[] {
  const commands = program.commands.map((command) => ({
    name: command.name(),
    description: command.description(),
    options: [
      ...command.options.filter((option) => !option.hidden).map((option) => optionOf(command.name(), option)),
      helpOption,
    ],
    rest: argumentOf(command.registeredArguments[0]),
  }))
  const words = [...commands.map(({ name }) => name), 'codes', ...knownCodes.keys()]
  const rest = { kind: 'words', words, list: false } as const
  return [...commands, { name: 'help', description: 'explain a command or a code', options: [], rest }]
}

const helpOption: CompletedOption = {
  long: '--help',
  short: '-h',
  description: 'print help',
  repeatable: false,
  value: null,
  optional: false,
}

/** What commander says of its flags, and the option table of its value. */
function optionOf(command: string, option: Option): CompletedOption {
  const { long, short, description, required, optional } = option
  // `config` takes what any command could be set to.
  const row = [...rowsOf(command), ...settings.values()].find((one) => longOf(one) === long)
  return {
    long: long ?? '',
    short: short ?? null,
    description,
    repeatable: row?.read === 'texts' || row?.read === 'reports',
    value: row !== undefined && (required || optional) ? valueOf(row) : null,
    optional,
  }
}

function valueOf(row: OptionRow): Completed {
  const known = wordsOf(row)
  if (row.read === 'reports') return { kind: 'reports', formats }
  if (known !== undefined) return { kind: 'words', words: known, list: row.read === 'hazards' }
  if (row.read === 'folder') return { kind: 'folders' }
  return { kind: row.read === 'file' || row.completes === 'files' ? 'files' : 'nothing' }
}

/** Arguments without choices are files, but for those that name something else. */
function argumentOf(argument: Argument | undefined): Completed {
  if (argument === undefined || argument.name() === 'run') return { kind: 'nothing' }
  const { argChoices } = argument
  if (argChoices !== undefined) return { kind: 'words', words: argChoices, list: false }
  return { kind: argument.name() === 'folder' ? 'folders' : 'files' }
}
