import type { Command } from 'commander'
import { knownCodes } from '../../codes/help-texts.js'
import { PerfdbError } from '../../errors.js'
import { codesText, codeText } from '../../report/blocks/help.js'
import { nearest } from '../../text/nearest.js'
import type { Outside } from '../../settings/outside.js'
import { layoutOf } from '../terminal/streams.js'
import { wantedOutput } from './usage.js'

/**
 * `perfdb help CODE ...` and `perfdb help codes`: the text for stdout. undefined when the command line asks for the help of a command.
 * Throws BAD_OPTION, with the nearest code, for what looks like a code and is none.
 */
export function explainedCodes(program: Command, args: readonly string[], outside: Outside): string | undefined {
  const [help, ...rest] = args
  const names = rest.filter((arg, at) => !arg.startsWith('-') && rest[at - 1] !== '--format')
  const commands = ['help', ...program.commands.map((command) => command.name())]
  if (help !== 'help' || names.length === 0 || commands.includes(names[0] ?? '')) return undefined
  const layout = layoutOf(outside, 'stdout', { color: 'auto', verbose: false })
  const json = wantedOutput(args).format === 'json'
  if (names[0] === 'codes') {
    const all = [...knownCodes.values()]
    return json ? `${JSON.stringify(all, null, 2)}\n` : codesText(all, layout)
  }
  const found = names.map((name) => ({ name, known: knownCodes.get(name.toUpperCase().replaceAll('-', '_')) }))
  const unknown = found.find(({ known }) => known === undefined)
  if (unknown !== undefined) return refuse(unknown.name, commands)
  const codes = found.flatMap(({ known }) => known ?? [])
  if (json) return `${JSON.stringify(codes, null, 2)}\n`
  return codes.map((code) => codeText(code, layout)).join('\n')
}

/** A word in small letters that is no near code was meant as a command, which is refused elsewhere. */
function refuse(name: string, commands: readonly string[]): undefined {
  const meant = nearest(name.toUpperCase(), [...knownCodes.keys()])
  const capitals = /^[A-Z0-9_]+$/.test(name)
  if (!capitals && (meant === undefined || nearest(name, commands) !== undefined)) return undefined
  throw new PerfdbError('BAD_OPTION', `there is no code ${name}`, {
    hint: `${meant === undefined ? '' : `did you mean ${meant}? `}perfdb help codes lists them all`,
  })
}
