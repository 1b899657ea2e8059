import type { ResultWhatIf } from '../../result/parts/what-if-result.js'
import type { Block, Cell, Item, Tone } from '../block/block.js'
import { bytes, withThousands, several } from '../../text/amounts.js'

type Index = ResultWhatIf['indexes'][number]

/** What the planner would do with the declared indexes that are not there yet: nothing without --what-if. */
export function whatIfBlocks(whatIf: ResultWhatIf | undefined): Block[] {
  if (whatIf === undefined) return []
  if (!whatIf.available) return [{ kind: 'text', tone: 'warn', text: `No what-if: ${whatIf.reason ?? 'no engine'}.` }]
  const supposed = whatIf.indexes.filter(({ status }) => status !== 'exists')
  const existing = whatIf.indexes.length - supposed.length
  if (supposed.length === 0)
    return [{ kind: 'text', tone: 'plain', text: 'What if: every declared index is there already.' }]
  return [
    queryGrid(whatIf),
    indexGrid(supposed),
    {
      kind: 'text',
      tone: 'quiet',
      text: [
        engineText(whatIf),
        'Costs are estimates of the planner in its own unit, no times; sizes are guesses. perfdb apply builds the indexes and measures.',
        existing === 0 ? '' : `${several(existing, 'declared index is', 'declared indexes are')} there already.`,
      ]
        .filter((text) => text !== '')
        .join(' '),
    },
    {
      kind: 'items',
      title:
        whatIf.not_planned.length === 0
          ? ''
          : several(whatIf.not_planned.length, 'query not planned', 'queries not planned'),
      items: whatIf.not_planned.map((query): Item => ({
        tone: 'warn',
        label: 'not planned',
        text: `${titleOf(query)}: ${query.reason}`,
        details: [],
      })),
      limit: 10,
    },
  ]
}

function engineText({ engine, version = '', twin }: ResultWhatIf): string {
  if (engine !== 'twin' || twin === undefined)
    return `Supposed by HypoPG ${version}: nothing was built, and no query run for it.`
  return `Supposed on a twin of the server (PostgreSQL ${version}, its sizes and statistics, none of its rows): ${twinText(twin)}. Nothing was built on the server, and no query run.`
}

/** `14 of 14 present query plans are equal`; what is not equal is said. */
export function twinText({ equal, of, near = [], differ = [] }: NonNullable<ResultWhatIf['twin']>): string {
  if (equal === null) return 'there is no server to compare its query plans with'
  const parts = [
    `${equal} of ${several(of, 'present query plan')} ${equal === 1 ? 'is' : 'are'} equal there`,
    near.length === 0 ? '' : `${near.length} but for the cost (by up to a tenth)`,
    differ.length === 0
      ? ''
      : `${differ.length} ${differ.length === 1 ? 'differs' : 'differ'}, of which nothing is said`,
  ]
  return parts.filter((part) => part !== '').join(', ')
}

function queryGrid({ queries }: ResultWhatIf): Block {
  return {
    kind: 'grid',
    title: 'What if the declared indexes were there: estimated cost',
    columns: [
      { head: 'query', kind: 'name', floor: 16 },
      { head: 'cost now', kind: 'number' },
      { head: 'cost then', kind: 'number' },
      { head: 'would use', kind: 'prose', floor: 20 },
    ],
    rows: queries.map((query): Cell[] => {
      const cheaper = query.cost_after < query.cost_before
      return [
        { text: titleOf(query) },
        { text: costText(query.cost_before) },
        { text: costText(query.cost_after), tone: cheaper ? 'good' : 'plain' },
        query.would_use.length === 0 ? { text: 'none of them', tone: 'quiet' } : { text: query.would_use.join(', ') },
      ]
    }),
  }
}

const statusWords: Readonly<Record<Index['status'], readonly [word: string, tone: Tone]>> = {
  would_be_used: ['would be used', 'good'],
  would_not_be_used: ['would not be used', 'warn'],
  exists: ['is there', 'quiet'],
  not_judged: ['not judged', 'quiet'],
}

function indexGrid(indexes: readonly Index[]): Block {
  return {
    kind: 'grid',
    title: 'Declared indexes that are not there yet',
    columns: [
      { head: 'index', kind: 'name', floor: 20 },
      { head: 'the planner', kind: 'word' },
      { head: 'size', kind: 'number', drop: 2 },
      { head: 'for', kind: 'prose', floor: 20, drop: 1 },
    ],
    rows: indexes.map(({ name, status, size_bytes: size, queries, reason }): Cell[] => {
      const [word, tone] = statusWords[status]
      const why = [queries.join(', '), reason ?? ''].filter((text) => text !== '').join('; ')
      return [
        { text: name },
        { text: word, tone },
        { text: size === undefined ? '' : `~${bytes(size)}` },
        { text: why },
      ]
    }),
  }
}

/** `jobs-by-status (hot)`, `dashboard-stats (four-queries 2)` */
function titleOf({ name, params, statement }: ResultWhatIf['not_planned'][number] | ResultWhatIf['queries'][number]) {
  const more = [statement ?? '', params === undefined || params === 'default' ? '' : params].filter(
    (text) => text !== '',
  )
  return more.length === 0 ? name : `${name} (${more.join(', ')})`
}

function costText(cost: number): string {
  return Number.isFinite(cost) ? withThousands(Math.round(cost * 100) / 100) : '-'
}
