import type { Argument, Command, Option } from 'commander'
import { knownCodes } from '../../codes/help-texts.js'
import { hazardCodes } from '../../codes/hazard-codes.js'
import { formats } from '../../options/formats.js'

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
    options: [...command.options.filter((option) => !option.hidden).map(optionOf), helpOption],
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

function optionOf(option: Option): CompletedOption {
  const { long, short, description, required, optional, argChoices } = option
  const placeholder = /[<[](.+?)[\]>]/.exec(option.flags)?.[1] ?? ''
  return {
    long: long ?? '',
    short: short ?? null,
    description,
    repeatable: option.variadic || /repeatable/.test(description),
    value: required || optional ? (argChoices === undefined ? valueOf(placeholder) : words(argChoices)) : null,
    optional,
  }
}

/** By the placeholder, which is what the help shows too. */
function valueOf(placeholder: string): Completed {
  switch (placeholder) {
    case 'hazards':
      return { kind: 'words', words: hazardCodes, list: true }
    case 'format':
      return words(formats)
    case 'format=file':
      return { kind: 'reports', formats }
    case 'dir':
    case 'folder':
      return { kind: 'folders' }
    default:
      return { kind: /file|profile|pools/.test(placeholder) ? 'files' : 'nothing' }
  }
}

function argumentOf(argument: Argument | undefined): Completed {
  if (argument === undefined) return { kind: 'nothing' }
  return argument.argChoices === undefined ? valueOf(argument.name()) : words(argument.argChoices)
}

function words(list: readonly string[]): Completed {
  return { kind: 'words', words: list, list: false }
}
