import { terminated } from '../block/terminated.js'
import type { Block, Cell, Column, Item, Script } from '../block/block.js'
import { html, htmlLines } from './html-text.js'
import { several } from '../../text/amounts.js'

type Of<Kind extends Block['kind']> = Extract<Block, { kind: Kind }>

// A longer table is folded, so that what comes after it is found.
const openRows = 60

// What is shorter is kept on one line where there is room.
const longText = 40
const longName = 28

/** A block as HTML, without its heading; empty when there is nothing in it. */
export function blockHtml(block: Block): string {
  switch (block.kind) {
    case 'verdict':
      return `<p class="verdict ${block.tone}">${html(block.text)}</p>`
    case 'text':
      return block.text === '' ? '' : `<p class="${block.tone}">${html(block.text)}</p>`
    case 'grid':
      return gridHtml(block)
    case 'items':
      return itemsHtml(block)
    case 'paste':
      return block.lines.length === 0 ? '' : `<pre tabindex="0"><code>${htmlLines(block.lines.join('\n'))}</code></pre>`
    case 'scripts':
      return scriptsHtml(block)
  }
}

/** What stands above the block; scripts are folded and have it on the fold. */
export function headingOf(block: Block): string {
  switch (block.kind) {
    case 'grid':
      return block.title !== '' ? block.title : block.columns.some(({ head }) => head === 'index') ? 'Indexes' : ''
    case 'items':
      return block.title
    case 'paste':
      return block.lines.length === 0 ? '' : block.title
    case 'verdict':
    case 'text':
    case 'scripts':
      return ''
  }
}

/** On a narrow screen the rows become cards; the roles keep it a table for a screen reader there too. */
function gridHtml(grid: Of<'grid'>): string {
  const shown = [...grid.columns.entries()].filter(([at]) => grid.rows.some((row) => (row[at]?.text ?? '') !== ''))
  if (shown.length === 0) return ''
  const head = shown.map(([, column]) =>
    column.head === ''
      ? `<td role="cell" class="${column.kind}"></td>`
      : `<th role="columnheader" scope="col" class="${column.kind}">${html(column.head)}</th>`,
  )
  const rows = grid.rows.map(
    (row) => `<tr role="row">${shown.map(([at, column]) => cellHtml(row[at], column)).join('')}</tr>`,
  )
  const table = [
    `<table role="table" aria-label="${html(labelOf(grid))}">`,
    `<thead role="rowgroup"><tr role="row">${head.join('')}</tr></thead>`,
    `<tbody role="rowgroup">\n${rows.join('\n')}\n</tbody>`,
    '</table>',
  ].join('\n')
  if (grid.rows.length <= openRows) return table
  return `<details><summary>${several(grid.rows.length, 'row')}</summary>\n${table}\n</details>`
}

/** What a screen reader calls the table: its heading, else what its columns are. */
function labelOf(grid: Of<'grid'>): string {
  const heads = grid.columns.map(({ head }) => head).filter((head) => head !== '')
  return headingOf(grid) || heads.join(', ')
}

function cellHtml(cell: Cell | undefined, column: Column): string {
  const text = cell?.text ?? ''
  const long = text.length > (column.kind === 'name' ? longName : longText) ? ['long'] : []
  const classes = [column.kind, ...long, ...(cell?.tone === undefined ? [] : [cell.tone])].join(' ')
  // A name that does not fit is broken between its words.
  const shown = column.kind === 'name' ? html(text).replaceAll('_', '_<wbr>') : html(text)
  return `<td role="cell" class="${classes}" data-head="${html(column.head)}">${shown}</td>`
}

function itemsHtml(block: Of<'items'>): string {
  if (block.items.length === 0) return ''
  const limit = block.limit ?? block.items.length
  const open = list(block.items.slice(0, limit))
  const left = block.items.slice(limit)
  if (left.length === 0) return open
  return `${open}\n<details><summary>${several(left.length, 'more', 'more')}</summary>\n${list(left)}\n</details>`
}

function list(items: readonly Item[]): string {
  return items.length === 0 ? '' : `<ul class="items">\n${items.map(itemHtml).join('\n')}\n</ul>`
}

function itemHtml(item: Item): string {
  const details = item.details.map(({ label, text, tone }) => {
    const place = label === '-->'
    const look = place ? ' class="name"' : tone === undefined ? '' : ` class="name ${tone}"`
    return `<dt${tone === undefined ? '' : ` class="${tone}"`}>${place ? 'at' : html(label)}</dt><dd${look}>${htmlLines(text)}</dd>`
  })
  return `<li class="${item.tone}"><strong>${html(item.label)}</strong> ${html(item.text)}${details.length === 0 ? '' : `<dl>${details.join('')}</dl>`}</li>`
}

function scriptsHtml(block: Of<'scripts'>): string {
  if (block.scripts.length === 0) return ''
  const text = block.scripts.map(scriptText).join('\n\n')
  return `<details><summary>${html(block.title)}</summary>\n<pre tabindex="0"><code>${htmlLines(text)}</code></pre>\n</details>`
}

function scriptText({ title, statements }: Script): string {
  return [`-- ${title.replace(/\s+/g, ' ')}`, ...statements.map(terminated)].join('\n')
}
