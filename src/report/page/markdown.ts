import { terminated } from '../block/terminated.js'
import type { Block, Cell, Column, Detail, Item, Script } from '../block/block.js'
import { moodOf, type Mood } from '../block/mood.js'
import { codeSpan, escaped, fenced } from './markdown-text.js'
import { several } from '../../text/amounts.js'
import type { ImportResult } from '../../result/documents/import-result.js'

type Of<Kind extends Block['kind']> = Extract<Block, { kind: Kind }>

// GitHub refuses a comment of more than 65,536 characters; SQL goes first, `--format sql` has all of it.
const mostRows = 200
const mostItems = 50
const mostSql = 25_000
const openRows = 25
const openItems = 5

// What a reviewer looks over without scrolling; the rest is folded.
const mostLines = 39

/** A block as it stands in the comment, and folded, where it can be. */
interface Part {
  readonly open: string
  readonly closed?: string
  /** Says what failed: folded last. */
  readonly isBad?: boolean
}

/**
 * Blocks as GitHub-flavoured markdown for a comment on a pull request: verdict as heading, tables, the long parts folded, and so many more, the
 * longest first, that less than 40 lines are open.
 */
export function renderMarkdown(command: string, ok: boolean, blocks: readonly Block[]): string {
  const sign = signs[moodOf(ok, blocks)]
  const parts = blocks.map((block, at): Part => {
    if (block.kind === 'verdict')
      return {
        open:
          at === 0 ? `### ${sign} perfdb ${escaped(command)}: ${escaped(block.text)}` : `**${escaped(block.text)}**`,
      }
    return partOf(block)
  })
  const heading = blocks[0]?.kind === 'verdict' ? [] : [{ open: `### ${sign} perfdb ${escaped(command)}` }]
  return `${withinLines([...heading, ...parts].filter(({ open }) => open !== '')).join('\n\n')}\n`
}

const signs: Readonly<Record<Mood, string>> = { good: '✅', warn: '⚠️', bad: '❌' }

function withinLines(parts: readonly Part[]): readonly string[] {
  const shown = parts.map(({ open }) => open)
  const foldable = [...parts.entries()]
    .filter(([, { open, closed }]) => closed !== undefined && lineCount(closed) < lineCount(open))
    .toSorted(
      ([, one], [, other]) =>
        Number(one.isBad ?? false) - Number(other.isBad ?? false) || lineCount(other.open) - lineCount(one.open),
    )
  for (const [at, { closed }] of foldable) {
    if (lineCount(shown.join('\n\n')) <= mostLines) break
    shown[at] = closed ?? ''
  }
  return shown
}

/** The lines of the source that are to be seen while what is folded is. */
function lineCount(markdown: string): number {
  return markdown.replaceAll(/<details>[^]*?<\/details>/g, '').split('\n').length
}

function partOf(block: Exclude<Block, { kind: 'verdict' }>): Part {
  switch (block.kind) {
    case 'text':
      return { open: escaped(block.text) }
    case 'grid':
      return gridPart(block)
    case 'items':
      return itemsPart(block)
    case 'paste':
      return titled(block.title, block.title, block.lines.length === 0 ? '' : fenced('yaml', block.lines.join('\n')))
    case 'scripts':
      return { open: scriptsText(block) }
  }
}

/** Under its title, or folded with a line that says what is in it. */
function titled(title: string, summary: string, body: string): Part {
  if (body === '') return { open: '' }
  return { open: title === '' ? body : `**${escaped(title)}**\n\n${body}`, closed: folded(summary, body) }
}

function gridPart(grid: Of<'grid'>): Part {
  const shown = [...grid.columns.entries()].filter(([at]) => grid.rows.some((row) => (row[at]?.text ?? '') !== ''))
  if (shown.length === 0) return { open: '' }
  const table = [
    line(shown.map(([, column]) => escaped(column.head))),
    line(shown.map(([, column]) => (column.kind === 'number' ? '---:' : '---'))),
    ...grid.rows.slice(0, mostRows).map((row) => line(shown.map(([at, column]) => cellText(row[at], column)))),
  ].join('\n')
  const left = grid.rows.length - mostRows
  const body = left > 0 ? `${table}\n\nand ${several(left, 'row')} more: \`--format json\` has all` : table
  const subject = grid.columns.find(({ kind }) => kind === 'name')?.head
  const title = grid.title === '' && subject !== undefined ? `each ${subject}` : grid.title
  const summary = `${title === '' ? 'table' : title} (${several(grid.rows.length, 'row')})`
  return grid.rows.length > openRows ? { open: folded(summary, body) } : titled(grid.title, summary, body)
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`
}

function cellText(cell: Cell | undefined, column: Column): string {
  if (cell === undefined || cell.text === '') return ''
  return (column.kind === 'name' && cell.tone !== 'quiet') || column.kind === 'sign'
    ? codeSpan(cell.text)
    : escaped(cell.text)
}

function itemsPart(block: Of<'items'>): Part {
  if (block.items.length === 0) return { open: '' }
  const left = block.items.length - mostItems
  const list = block.items.slice(0, mostItems).map(itemText).join('\n')
  const body = left > 0 ? `${list}\n\nand ${several(left, 'more', 'more')}: \`--format json\` has all` : list
  if (block.limit !== undefined && block.items.length > openItems) return { open: folded(block.title, body) }
  const summary = block.title === '' ? several(block.items.length, 'line') : block.title
  return { ...titled(block.title, summary, body), isBad: block.items.some(({ tone }) => tone === 'bad') }
}

function itemText(item: Item): string {
  return [`- **${escaped(item.label)}** ${escaped(item.text)}`, ...item.details.map(detailText)].join('\n')
}

function detailText({ label, text }: Detail): string {
  return label === '-->' ? `  - ${codeSpan(text)}` : `  - ${escaped(label)}: ${escaped(text)}`
}

function scriptsText(block: Of<'scripts'>): string {
  const texts = block.scripts.map(scriptText)
  const shown: string[] = []
  let size = 0
  for (const text of texts) {
    size += text.length
    if (size > mostSql) break
    shown.push(text)
  }
  if (texts.length === 0) return ''
  const left = texts.length - shown.length
  const note = left === 0 ? '' : `\n\nand ${several(left, 'step')} more: \`perfdb plan --format sql\` prints all`
  return folded(block.title, `${shown.length === 0 ? '' : fenced('sql', shown.join('\n\n'))}${note}`)
}

function scriptText(script: Script): string {
  const statements = script.statements.map(terminated)
  return [`-- ${script.title.replace(/\s+/g, ' ')}`, ...statements].join('\n')
}

function folded(summary: string, body: string): string {
  return `<details><summary>${escaped(summary)}</summary>\n\n${body}\n\n</details>`
}

/** The profile as a block of markdown. */
export function importMarkdown({ profile }: ImportResult): string {
  return `\n${fenced('yaml', profile.trimEnd())}\n`
}
