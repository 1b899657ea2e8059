import type { ApplyResult, Price, WriteCost } from '../../result/documents/result.js'
import type { Block, Cell, Tone } from '../block/block.js'
import type { Layout } from '../block/layout.js'
import { bytes, count, duration } from '../../text/amounts.js'

const verdictWords: Readonly<Record<Price['verdict'], string>> = {
  pays: 'pays',
  does_not_pay: 'does not pay',
  cannot_say: 'cannot say',
}
const verdictTones: Readonly<Record<Price['verdict'], Tone>> = {
  pays: 'good',
  does_not_pay: 'bad',
  cannot_say: 'quiet',
}

/**
 * Each index with its size, build time and WAL, and whether it pays; then what writes cost before and after. Where nothing
 * can be said of any index the steps say it all; indexes that already existed are shown when they do not pay or no declared query uses them,
 * else under --verbose.
 */
export function priceBlocks({ prices = [], write_costs: writes = [] }: ApplyResult, { verbose }: Layout): Block[] {
  const told = verbose || prices.some(({ verdict }) => verdict !== 'cannot_say')
  const shown = prices.filter(
    (price) =>
      verbose || price.build_ms !== undefined || price.verdict !== 'cannot_say' || price.reason.includes(' since '),
  )
  return [
    {
      kind: 'grid',
      title: 'What each index costs, and whether it pays',
      columns: [
        { head: 'index', kind: 'name', floor: 20 },
        { head: 'size', kind: 'number' },
        { head: 'build', kind: 'number', drop: 1 },
        { head: 'WAL', kind: 'number', drop: 2 },
        { head: 'verdict', kind: 'word' },
        { head: 'why', kind: 'prose', floor: 20, drop: 3 },
      ],
      rows: told ? shown.map(priceRow) : [],
    },
    {
      kind: 'grid',
      title: 'What a write costs with the indexes built on its table',
      columns: [
        { head: 'query', kind: 'name', floor: 16 },
        { head: 'indexes', kind: 'number', drop: 3 },
        { head: 'before', kind: 'number' },
        { head: 'after', kind: 'number' },
        { head: 'buffers', kind: 'number', drop: 2 },
        { head: 'WAL records', kind: 'number', drop: 1 },
      ],
      rows: writes.map(writeRow),
    },
  ]
}

const weightWords = {
  calls: 'queries weighed by their calls',
  declared: 'queries weighed by their weight',
  equal: 'all queries weighed alike',
} as const

/** `1.2 MB of WAL written`, `23 of 31 pay, 3 do not, 5 cannot be judged`: what follows the size of what was built. */
export function priceTotals({ prices = [], weights }: ApplyResult): readonly string[] {
  const wal = prices.reduce((sum, price) => sum + (price.wal_bytes ?? 0), 0)
  const shared = prices.some((price) => price.wal_shared === true)
  const of = (verdict: Price['verdict']) => prices.filter((price) => price.verdict === verdict).length
  const [pay, not, untold] = [of('pays'), of('does_not_pay'), of('cannot_say')]
  return [
    ...(wal === 0 ? [] : [`${bytes(wal)} of WAL written${shared ? ' (that of other sessions is in it)' : ''}`]),
    ...(pay + not === 0
      ? []
      : [
          `${pay} of ${prices.length} ${pay === 1 ? 'pays' : 'pay'}, ${not} ${not === 1 ? 'does' : 'do'} not${untold === 0 ? '' : `, ${untold} cannot be judged`}${weights === undefined ? '' : ` (${weightWords[weights]})`}`,
        ]),
  ]
}

function priceRow(price: Price): Cell[] {
  const wal = price.wal_bytes === undefined ? '' : `${price.wal_shared === true ? '< ' : ''}${bytes(price.wal_bytes)}`
  return [
    { text: price.index },
    { text: price.size_bytes === undefined ? '' : bytes(price.size_bytes) },
    { text: price.build_ms === undefined ? '' : duration(price.build_ms) },
    { text: wal },
    { text: verdictWords[price.verdict], tone: verdictTones[price.verdict] },
    { text: price.reason },
  ]
}

function writeRow({ query, params, indexes, before, after }: WriteCost): Cell[] {
  return [
    { text: params === undefined ? query : `${query} (${params})` },
    { text: String(indexes) },
    { text: duration(before.execution_ms.median) },
    { text: duration(after.execution_ms.median) },
    { text: `${count(before.buffers)} -> ${count(after.buffers)}` },
    { text: `${count(before.wal_records)} -> ${count(after.wal_records)}` },
  ]
}
