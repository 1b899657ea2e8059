import { terminated } from '../block/terminated.js'
import type { Block, Item, Script } from '../block/block.js'
import type { Layout } from '../block/layout.js'
import { roomOf } from '../block/layout.js'
import type { Paint } from './paint.js'
import { paintOf } from './paint.js'
import { several } from '../../text/amounts.js'
import { visible } from './width.js'
import { wrap, wrapSql } from './wrap.js'

/** Blocks as text for a terminal: no line wider than the layout, an empty line between blocks, a newline at the end. */
export async function renderText(blocks: readonly Block[], layout: Layout): Promise<string> {
  const paint = paintOf(layout.color)
  const parts: string[][] = []
  for (const block of blocks) {
    const lines = await blockLines(block, layout, paint)
    if (lines.length > 0) parts.push(lines)
  }
  return `${parts.map((lines) => lines.join('\n')).join('\n\n')}\n`
}

async function blockLines(block: Block, layout: Layout, paint: Paint): Promise<string[]> {
  const room = roomOf(layout)
  switch (block.kind) {
    case 'verdict':
      return wrap(block.text, room).map((line) => paint('strong', paint(block.tone, line)))
    case 'text':
      return block.text === '' ? [] : wrap(block.text, room).map((line) => paint(block.tone, line))
    case 'grid': {
      if (block.rows.length === 0) return []
      // An error document or an empty plan needs no table: cli-table3 costs 12 ms to load.
      const { tableLines } = await import('./table.js')
      return [...titleLines(block.title, room, paint), ...tableLines(block, layout, paint)]
    }
    case 'items': {
      if (block.items.length === 0) return []
      const limit = layout.verbose ? block.items.length : (block.limit ?? block.items.length)
      const left = block.items.length - limit
      return [
        ...titleLines(block.title, room, paint),
        ...block.items.slice(0, limit).flatMap((item) => itemLines(item, room, paint)),
        ...(left > 0 ? [paint('quiet', `and ${several(left, 'more', 'more')}: --verbose shows all`)] : []),
      ]
    }
    case 'paste':
      // As wide as they are, or they could not be pasted.
      return block.lines.length === 0
        ? []
        : [...titleLines(block.title, room, paint), ...block.lines.map((line) => visible(line).trimEnd())]
    case 'scripts':
      if (block.scripts.length === 0 || !layout.verbose) return []
      return [
        ...titleLines(block.title, room, paint),
        ...block.scripts.flatMap((each, at) => [...(at === 0 ? [] : ['']), ...scriptLines(each, room, paint)]),
      ]
  }
}

function titleLines(title: string, room: number, paint: Paint): string[] {
  return title === '' ? [] : wrap(title, room).map((line) => paint('strong', line))
}

function itemLines(item: Item, room: number, paint: Paint): string[] {
  const [first = '', ...others] = wrap(`${item.label}: ${item.text}`, room, '', '  ')
  const painted = first.startsWith(item.label) ? paint(item.tone, item.label) + first.slice(item.label.length) : first
  const details = item.details.flatMap(({ label, text, tone }) => {
    const lead = label === '-->' ? '  --> ' : tone === undefined ? `  ${label}: ` : `  ${label} `
    const lines = wrap(text, room, lead, '    ')
    if (tone !== undefined) return lines.map((line) => paint(tone, line))
    return lines.map((line, at) =>
      at === 0 && line.startsWith(lead) ? paint('quiet', lead) + line.slice(lead.length) : line,
    )
  })
  return [painted, ...others, ...details]
}

function scriptLines(script: Script, room: number, paint: Paint): string[] {
  const comment = wrap(script.title, room, '  -- ', '  -- ').map((line) => paint('quiet', line))
  return [...comment, ...script.statements.flatMap((statement) => wrapSql(terminated(statement), room, '  '))]
}
