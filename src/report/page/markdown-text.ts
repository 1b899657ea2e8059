import { visible } from '../text/width.js'

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' }

/**
 * Text on one line that markdown shows as it is, in a table cell too. Underscores inside words need no care in GitHub's
 * markdown, and names are full of them. What would begin a heading or a list
 * at the start of a line is escaped too, and a name after @ is nobody's. https://github.github.com/gfm/#backslash-escapes
 */
export function escaped(text: string): string {
  return visible(text)
    .replace(/[\\`*|[\]~]|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, (character) => `\\${character}`)
    .replace(/^(\d*)([#+.)=-])/, '$1\\$2')
    .replace(/[&<>]/g, (character) => entities[character] ?? character)
    .replace(/(?<![\p{L}\p{N}])@(?=[\p{L}\p{N}])/gu, '@<!-- -->')
}

/**
 * Text in the type of code, in a table cell too. A pipe or a backtick can not be written there (the table takes the pipe
 * before the code does), so such a text is HTML with every sign of markdown as a number.
 */
export function codeSpan(text: string): string {
  const line = visible(text)
  if (/^[^`|\\]*$/.test(line) && line.trim() !== '') return `\`${line}\``
  const html = line.replace(/[^\p{L}\p{N} ]/gu, (character) => `&#${character.codePointAt(0) ?? 0};`)
  return `<code>${html}</code>`
}

/** A block of code whose fence is longer than any run of backticks in it; each line shows control characters by their code. */
export function fenced(language: string, raw: string): string {
  const text = raw.split(/\r?\n/).map(visible).join('\n')
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map((run) => run[0].length))
  const fence = '`'.repeat(longest + 1)
  return `${fence}${language}\n${text}\n${fence}`
}
