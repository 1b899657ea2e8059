import type { Command, CommanderError } from 'commander'
import { PerfdbError } from '../../errors.js'
import { commonRows } from '../../options/rows/common.js'
import { nearest } from '../../text/nearest.js'
import type { Report } from '../../options/readers.js'
import { formats, type Format } from '../../options/rows/formats.js'

/** commander's usage error as BAD_OPTION: what is wrong in a few words, and as hint what was meant and where the help is. */
export function usageError(error: CommanderError, program: Command, args: readonly string[]): PerfdbError {
  const [text = '', meant] = error.message.replace(/^error: /, '').split(/\s*\(Did you mean (?:one of )?(.*?)\?\)$/s)
  const command = program.commands.find((one) => one.name() === args[0])
  const isFile = error.code === 'commander.unknownCommand' && /\.(ya?ml|sql)$/i.test(args[0] ?? '')
  return new PerfdbError('BAD_OPTION', inFewWords(error.code, text), {
    hint: isFile ? `perfdb plan ${args[0]}: a command comes first` : hint(meant, command?.name()),
  })
}

/** `perfdb help nope`, which commander answers with the whole help. */
export function unknownHelp(program: Command, [help, name]: readonly string[]): PerfdbError | undefined {
  const names = program.commands.map((command) => command.name())
  if (help !== 'help' || name === undefined || name.startsWith('-') || [...names, help].includes(name)) return undefined
  return new PerfdbError('BAD_OPTION', `there is no command ${name}`, { hint: hint(nearest(name, names), undefined) })
}

/** `perfdb --env ci plan` as `perfdb plan --env ci`: options that every command has may stand before it, as git and kubectl take them. */
export function commandFirst(args: readonly string[]): readonly string[] {
  const common = commonRows.map(({ flags }) => ({ words: flags.split(/[ ,]+/), valued: /[<[]/.test(flags) }))
  let at = 0
  for (let arg = args[at]; arg?.startsWith('-') === true; arg = args[at]) {
    const [name] = arg.split('=')
    const row = common.find(({ words }) => words.includes(name ?? ''))
    if (row === undefined) return args
    at += row.valued && !arg.includes('=') ? 2 : 1
  }
  const command = args[at]
  return command === undefined ? args : [command, ...args.slice(0, at), ...args.slice(at + 1)]
}

/** The format and the reports that a command line asks for, as far as they can be read in one that could not be parsed. */
export function wantedOutput(args: readonly string[]): {
  readonly format: Format
  readonly reports: readonly Report[]
} {
  const valuesOf = (option: string) =>
    args.flatMap((arg, at) => {
      if (arg.startsWith(`${option}=`)) return [arg.slice(option.length + 1)]
      return arg === option ? [args[at + 1] ?? ''] : []
    })
  const format = formats.find((one) => one === valuesOf('--format').at(-1)) ?? 'text'
  const reports = valuesOf('--report').flatMap((text) => {
    const [name, ...rest] = text.split('=')
    const known = formats.find((one) => one === name)
    const file = rest.join('=')
    return known === undefined || file === '' ? [] : [{ format: known, file }]
  })
  return { format, reports }
}

function hint(meant: string | undefined, command: string | undefined): string {
  const help = command === undefined ? 'perfdb help lists the commands' : `perfdb help ${command} lists its options`
  return meant === undefined ? help : `did you mean ${meant}? ${help}`
}

function inFewWords(code: string, text: string): string {
  switch (code) {
    case 'commander.unknownCommand':
      return text.replace(/^unknown command '(.*)'$/s, 'there is no command $1')
    case 'commander.unknownOption':
      // What follows the = may be a secret.
      return text.replace(/^unknown option '([^=']*).*'$/s, 'there is no option $1')
    case 'commander.invalidArgument':
      return knownChoices(
        text
          .replace(/^option '.*?(--[\w-]+).*?' argument '(.*?)' is invalid\. /s, '$1 $2: ')
          .replace(/^command-argument value '(.*?)' is invalid for argument '(.*?)'\. /s, '$2 $1: '),
      )
    case 'commander.optionMissingArgument':
      return text.replace(/^option '.*?(--[\w-]+).*' argument missing$/s, '$1 needs a value')
    case 'commander.excessArguments':
      return text.replace(
        /^too many arguments for '(.*)'\. Expected (\d+) .* got (\d+)\.$/,
        '$1 takes $2 names, not $3',
      )
    default:
      return text
  }
}

/** commander's sentence as the rest of perfdb would say it. */
export function knownChoices(text: string): string {
  return text.replace(/Allowed choices are (.*)\.$/, 'known are $1')
}
