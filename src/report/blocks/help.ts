import type { CodeKind, KnownCode } from '../../codes/help-texts.js'
import { roomOf, type Layout } from '../block/layout.js'
import { paintOf } from '../text/paint.js'
import { wrap } from '../text/wrap.js'

const singular: Readonly<Record<CodeKind, string>> = {
  errors: 'error',
  hazards: 'hazard',
  'findings about indexes': 'finding about an index',
  'findings about queries': 'finding about a query',
  'checks of doctor': 'check of doctor',
  'findings of check-pool': 'finding of check-pool',
}

/** `perfdb help CODE`: a heading, then a short paragraph under each question, at most 100 columns wide. */
export function codeText({ code, kind, text, why, rule, todo, option }: KnownCode, layout: Layout): string {
  const room = Math.min(100, roomOf(layout))
  const paint = paintOf(layout.color)
  const [first = '', ...rest] = wrap(`${code}: ${text} (${singular[kind]})`, room, '', '  ')
  const parts = [
    ['Why it matters', why],
    ['How it is decided', rule],
    ['What to do', todo],
    ['What changes it', option ?? ''],
  ] as const
  return [
    [paint('strong', code) + first.slice(code.length), ...rest].join('\n'),
    ...parts
      .filter(([, part]) => part !== '')
      .map(([title, part]) => [paint('strong', `${title}:`), ...wrap(part, room, '  ', '  ')].join('\n')),
    '',
  ]
    .join('\n\n')
    .replace(/\n\n$/, '\n')
}

/** `perfdb help codes`: all of them by kind, one a line, each with what it means. */
export function codesText(codes: readonly KnownCode[], layout: Layout): string {
  const room = roomOf(layout)
  const paint = paintOf(layout.color)
  const kinds = [...new Set(codes.map(({ kind }) => kind))]
  const blocks = kinds.map((kind) => {
    const own = codes.filter((each) => each.kind === kind)
    const column = 4 + Math.max(...own.map(({ code }) => code.length))
    const title = `${kind.charAt(0).toUpperCase()}${kind.slice(1)}:`
    const lines = own.flatMap(({ code, text }) => wrap(text, room, `  ${code}`.padEnd(column), ' '.repeat(column)))
    return [paint('strong', title), ...lines].join('\n')
  })
  return `${blocks.join('\n\n')}\n`
}
