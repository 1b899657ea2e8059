import { terminated } from '../block/terminated.js'
import type { Block, Cell, Column, Detail, Item, Script } from '../block/block.js'
import { codeSpan, escaped, fenced } from './markdown-text.js'
import { several } from '../../text/amounts.js'
import type { ImportResult } from '../../result/import-result.js'

type Of<Kind extends Block['kind']> = Extract<Block, { kind: Kind }>

// GitHub refuses a comment of more than 65,536 characters; SQL goes first, `--format sql` has all of it.
const mostRows = 200
const mostItems = 50
const mostSql = 25_000
const openRows = 25
const openItems = 5

/** Blocks as GitHub-flavoured markdown for a comment on a pull request: verdict as heading, tables, the long parts folded. */
export function renderMarkdown(command: string, ok: boolean, blocks: readonly Block[]): string {
  const parts = blocks.map((block, at) => {
    if (block.kind === 'verdict')
      return at === 0
        ? `### ${ok ? '✅' : '❌'} perfdb ${escaped(command)}: ${escaped(block.text)}`
        : `**${escaped(block.text)}**`
    return blockText(block)
  })
  const heading = blocks[0]?.kind === 'verdict' ? [] : [`### ${ok ? '✅' : '❌'} perfdb ${escaped(command)}`]
  return `${[...heading, ...parts].filter((part) => part !== '').join('\n\n')}\n`
}

function blockText(block: Exclude<Block, { kind: 'verdict' }>): string {
  switch (block.kind) {
    case 'text':
      return escaped(block.text)
    case 'grid':
      return gridText(block)
    case 'items':
      return itemsText(block)
    case 'paste':
      return block.lines.length === 0 ? '' : `**${escaped(block.title)}**\n\n${fenced('yaml', block.lines.join('\n'))}`
    case 'scripts':
      return scriptsText(block)
  }
}

function gridText(grid: Of<'grid'>): string {
  const shown = [...grid.columns.entries()].filter(([at]) => grid.rows.some((row) => (row[at]?.text ?? '') !== ''))
  if (shown.length === 0) return ''
  const table = [
    line(shown.map(([, column]) => escaped(column.head))),
    line(shown.map(([, column]) => (column.kind === 'number' ? '---:' : '---'))),
    ...grid.rows.slice(0, mostRows).map((row) => line(shown.map(([at, column]) => cellText(row[at], column)))),
  ].join('\n')
  const left = grid.rows.length - mostRows
  const body = left > 0 ? `${table}\n\nand ${several(left, 'row')} more: \`--format json\` has all` : table
  if (grid.rows.length > openRows)
    return folded(`${grid.title === '' ? 'table' : grid.title} (${several(grid.rows.length, 'row')})`, body)
  return grid.title === '' ? body : `**${escaped(grid.title)}**\n\n${body}`
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

function itemsText(block: Of<'items'>): string {
  if (block.items.length === 0) return ''
  const left = block.items.length - mostItems
  const list = block.items.slice(0, mostItems).map(itemText).join('\n')
  const body = left > 0 ? `${list}\n\nand ${several(left, 'more', 'more')}: \`--format json\` has all` : list
  if (block.limit !== undefined && block.items.length > openItems) return folded(block.title, body)
  return block.title === '' ? body : `**${escaped(block.title)}**\n\n${body}`
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
