import type { PoolResult } from '../../result/documents/pool-result.js'
import type { Block, Cell } from '../block/block.js'

/** How the connections of each server are divided, the verdict with that, and the YAML to paste. */
export function suggestionBlocks(suggestion: PoolResult['suggestion']): readonly Block[] {
  if (suggestion === undefined) return []
  const { servers, yaml, verdict } = suggestion
  return [
    {
      kind: 'grid',
      title: 'Suggested sizes, judged together',
      columns: [
        { head: 'server', kind: 'name', floor: 8 },
        { head: 'name', kind: 'name', floor: 10 },
        { head: 'key', kind: 'word' },
        { head: 'now', kind: 'number' },
        { head: 'suggested', kind: 'number' },
      ],
      rows: servers.flatMap((server) =>
        server.sizes.map((size): Cell[] => [
          { text: server.name },
          { text: size.name },
          { text: size.key },
          { text: String(size.from) },
          { text: String(size.to), tone: size.to < size.from ? 'warn' : 'plain' },
        ]),
      ),
    },
    ...servers.map(({ name, reason }): Block => ({
      kind: 'text',
      tone: 'warn',
      text: reason === null ? '' : `no sizes for ${name}: ${reason}`,
    })),
    {
      kind: 'paste',
      title: `To paste; with it the verdict is ${verdict}`,
      lines: yaml === '' ? [] : yaml.split('\n'),
    },
    {
      kind: 'text',
      tone: 'quiet',
      text:
        yaml === '' && servers.every(({ reason }) => reason === null)
          ? 'The sizes of the file are the suggested ones.'
          : '',
    },
  ]
}
