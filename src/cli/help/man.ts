import { Help, type Command, type Option } from 'commander'
import { knownCodes } from '../../codes/help-texts.js'
import { perfdbVersion } from '../../result/version.js'
import { examples, exitCodes } from './examples.js'
import { environment, files } from './man-texts.js'

/**
 * The manual page perfdb(1) in roff with the man macros, from what `perfdb help` says of every command, the codes that `perfdb help CODE`
 * explains, and man-texts.ts. It holds no date, so that the same sources give the same page. man(7), groff_man(7)
 */
export function manPage(program: Command): string {
  const commands = program.commands.filter((command) => command.name() !== 'help')
  return [
    `.TH PERFDB 1 "" ${quoted(`perfdb ${perfdbVersion()}`)} "User Commands"`,
    section(
      'NAME',
      'perfdb \\- builds declared PostgreSQL indexes, proves that they pay, and adds up connection pools',
    ),
    section(
      'SYNOPSIS',
      '.B perfdb',
      '.I command',
      '[\\fIoptions\\fR] [\\fIfiles\\fR...]',
      '.br',
      '.B perfdb help',
      '[\\fIcommand\\fR | \\fICODE\\fR]',
    ),
    section('DESCRIPTION', text(program.description())),
    section('COMMANDS', ...commands.map(commandText)),
    section(
      'COMMON OPTIONS',
      'Every command that looks at something has these.',
      ...commonOptions(commands).map(optionText),
    ),
    section('EXIT STATUS', ...linesOf(exitCodes, 'Exit codes').map(exitText)),
    section('ENVIRONMENT', ...pairs(environment)),
    section('FILES', ...pairs(files)),
    section(
      'CODES',
      text(
        'perfdb help CODE tells of each why it matters, how it is decided, what to do, and which option changes it.',
      ),
      ...[...knownCodes.values()].map(({ code, text: means }) => `.TP\n.B ${escaped(code)}\n${text(`${means}.`)}`),
    ),
    section('EXAMPLES', block(linesOf(exitCodes, 'First steps'))),
    section('SEE ALSO', '.BR psql (1),', '.BR pg_dump (1)'),
    '',
  ].join('\n')
}

function section(title: string, ...parts: readonly string[]): string {
  return [`.SH ${quoted(title)}`, ...parts].join('\n')
}

const groups = ['Connection:', 'Output:']

/** Those of the groups that all commands share, as the first command has them. */
function commonOptions([first]: readonly Command[]): readonly Option[] {
  return first === undefined ? [] : visible(first).filter(isCommon)
}

function isCommon({ helpGroupHeading }: Option): boolean {
  return groups.includes(helpGroupHeading ?? '')
}

/** Without what a command takes and does not show. */
function visible(command: Command): readonly Option[] {
  const help = Object.assign(new Help(), command.configureHelp())
  return help.visibleOptions(command).filter((option) => option.long !== '--help')
}

function commandText(command: Command): string {
  const own = visible(command).filter((option) => !isCommon(option))
  const shown = linesOf(examples[command.name()] ?? '', 'Examples')
  return [
    `.SS ${quoted(`perfdb ${command.name()} ${command.usage()}`)}`,
    text(`${command.description()}.`),
    ...own.map(optionText),
    ...(shown.length === 0 ? [] : ['.PP', 'Examples:', block(shown)]),
  ].join('\n')
}

function optionText(option: Option): string {
  const { flags, description, argChoices, defaultValue, defaultValueDescription } = option
  const told: unknown = defaultValueDescription ?? defaultValue
  const more = [
    ...(argChoices === undefined ? [] : [`choices: ${argChoices.join(', ')}`]),
    ...(typeof told === 'string' || typeof told === 'number' ? [`default: ${told}`] : []),
  ]
  return `.TP\n.B ${escaped(flags)}\n${text(`${description}${more.length === 0 ? '' : ` (${more.join('; ')})`}`)}`
}

/** The lines below a title of examples.ts, without their indent. */
function linesOf(help: string, title: string): readonly string[] {
  const lines = help.split('\n')
  const from = lines.indexOf(`${title}:`) + 1
  const rest = lines.slice(from)
  const end = rest.findIndex((line) => !line.startsWith('  '))
  return from === 0 ? [] : (end < 0 ? rest : rest.slice(0, end)).map((line) => line.trim())
}

function exitText(line: string): string {
  const [code = '', means = ''] = line.split(/ {2,}/)
  return `.TP\n.B ${escaped(code)}\n${text(means)}`
}

function pairs(list: readonly (readonly [name: string, means: string])[]): readonly string[] {
  return list.map(([name, means]) => `.TP\n.B ${escaped(name)}\n${text(means)}`)
}

function block(lines: readonly string[]): string {
  return ['.PP', '.nf', '.RS 4', ...lines.map(text), '.RE', '.fi'].join('\n')
}

/** A line of text that no macro is made of, however it begins. */
function text(line: string): string {
  const safe = escaped(line)
  return /^[.']/.test(safe) ? `\\&${safe}` : safe
}

/** A minus is to stay one when it is copied; a backslash is `\e`; beyond ASCII groff wants `\[uXXXX]`. */
function escaped(line: string): string {
  return line
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll("'", '\\(aq')
    .replaceAll('`', '\\(ga')
    .replaceAll('^', '\\(ha')
    .replaceAll('~', '\\(ti')
    .replace(/[^ -~]/gu, (found) => `\\[u${(found.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}]`)
}

/** An argument of a macro. */
function quoted(line: string): string {
  return `"${escaped(line).replaceAll('"', '\\(dq')}"`
}
