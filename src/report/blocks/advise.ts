import type { Advice, AdviseResult, Removed } from '../../result/documents/advise-result.js'
import { bytes, count, percent, several, withThousands } from '../../text/amounts.js'
import type { Block, Cell, Item } from '../block/block.js'
import { detail } from '../block/block.js'
import type { Layout } from '../block/layout.js'
import { findingBlocks } from '../block/findings.js'
import { serverText } from './steps.js'
import { twinText } from './what-if.js'
import { proofBlocks, proofVerdict } from './advise-proof.js'

/** The advice, best first, with what it rests on; what was tried and not chosen; of what nothing is said. */
export function adviseBlocks(result: AdviseResult, layout: Layout): Block[] {
  const { advice, twin, tried, not_judged: left, proof } = result
  return [
    { kind: 'verdict', tone: result.ok ? 'good' : 'bad', text: verdict(result) },
    { kind: 'text', tone: 'quiet', text: serverText(result.server) },
    ...(advice.length === 0
      ? []
      : [indexGrid(advice), { kind: 'items' as const, title: '', items: advice.map(item) }, queryGrid(advice)]),
    { kind: 'text', tone: 'plain', text: knownText(result) },
    removalGrid(result.removals),
    {
      kind: 'text',
      tone: 'quiet',
      text: `${several(tried, 'index was', 'indexes were')} tried on a twin of the server (PostgreSQL ${twin.version}, its sizes and statistics, none of its rows): ${twinText(twin)}. Costs are estimates of the planner in its own unit, no times${proof === undefined ? `; nothing was built on the server, and no query ran.` : '.'}`,
    },
    ...(proof === undefined ? [] : proofBlocks(proof, layout)),
    {
      kind: 'items',
      title: left.length === 0 ? '' : several(left.length, 'query not judged', 'queries not judged'),
      items: left.map(({ query, params, reason }) => ({
        tone: 'warn',
        label: 'not judged',
        text: `${title(query, params)}: ${reason}`,
        details: [],
      })),
      limit: 10,
    },
    ...findingBlocks(result.findings),
    { kind: 'text', tone: 'plain', next: true, text: nextText(result) },
  ]
}

function nextText({ file, advice, proof }: AdviseResult): string {
  if (file !== undefined) return `${file} holds the advice as a profile: perfdb plan ${file}`
  return advice.length === 0 || proof !== undefined
    ? ''
    : '--out FILE writes the advice as a profile; --prove builds it, measures, and drops what does not pay'
}

function knownText({ known, queries }: AdviseResult): string {
  if (known === undefined) return ''
  if (known === 0) return 'New: the server of the statistics file runs none of these queries yet.'
  const added = queries - known
  return `${several(known, 'query runs', 'queries run')} on the server of the statistics file already, as pg_stat_statements saw it: told, but not counted for --exit-code nor marked at lines; ${added} ${added === 1 ? 'is' : 'are'} new.`
}

function verdict(result: AdviseResult): string {
  const { removals } = result
  const go = removals.length === 0 ? '' : `; ${several(removals.length, 'index', 'indexes')} may go`
  return `${adviceVerdict(result)}${go}`
}

function adviceVerdict({ advice, queries, judged, cost, proof, foreign_keys: keys = 0 }: AdviseResult): string {
  const and = keys === 0 ? '' : ` and ${several(keys, 'foreign key')}`
  const of = `${several(queries, 'query', 'queries')}${and}`
  if (queries === 0 && keys === 0) return 'there is no query to advise for'
  if (judged === 0 && queries > 0) return `nothing can be said of ${of}: none could be judged`
  if (advice.length === 0) return `no index is advised for ${of}: none that was tried saves enough`
  if (proof !== undefined)
    return `${several(advice.length, 'index was', 'indexes were')} advised for ${of}: ${proofVerdict(proof)}`
  const saved = cost.before === 0 ? 0 : (cost.before - cost.after) / cost.before
  return `${several(advice.length, 'index is', 'indexes are')} advised for ${of}: estimated cost ${units(cost.before)} -> ${units(cost.after)} (${percent(saved)} less)`
}

function units(cost: number): string {
  return withThousands(Math.round(cost))
}

function indexGrid(advice: readonly Advice[]): Block {
  return {
    kind: 'grid',
    title: 'Advised, best first',
    columns: [
      { head: 'index', kind: 'name', floor: 20 },
      { head: 'saves', kind: 'number' },
      { head: 'size', kind: 'number' },
      { head: 'for', kind: 'prose', floor: 20, drop: 1 },
    ],
    rows: advice.map(({ index, share, size_bytes: size, serves }): Cell[] => [
      { text: index.name },
      { text: percent(share), tone: 'good' },
      { text: `~${bytes(size)}` },
      { text: [...new Set(serves.map(({ query }) => query))].join(', ') },
    ]),
  }
}

/** What may go: the largest first. */
function removalGrid(removals: readonly Removed[]): Block {
  return {
    kind: 'grid',
    title: 'May go: nobody would miss them',
    columns: [
      { head: 'index', kind: 'name', floor: 20 },
      { head: 'table', kind: 'name', floor: 10, drop: 2 },
      { head: 'size', kind: 'number' },
      { head: 'why', kind: 'prose', floor: 20, whole: true },
    ],
    rows: removals
      .toSorted((one, other) => other.size_bytes - one.size_bytes)
      .map(({ index, size_bytes: size, why }): Cell[] => [
        { text: index.name },
        { text: `${index.schema}.${index.table}` },
        { text: bytes(size) },
        { text: why },
      ]),
  }
}

function item({ index, why, needs, writes, writes_share: share, rejected, size_guessed: guessed }: Advice): Item {
  const other = rejected
    .filter((one) => one.share > 0)
    .slice(0, 3)
    .map(({ definition, share: alone, size_bytes: size }) => `${definition} (alone ${percent(alone)}, ~${bytes(size)})`)
  return {
    tone: 'good',
    label: 'advised',
    text: `${index.name} on ${index.schema}.${index.table}: ${index.definition}`,
    details: [
      ...detail('first', needs === undefined ? undefined : `${needs.sql} (${needs.by})`),
      ...detail('sql', index.sql),
      ...detail('why', why),
      ...detail('size', guessed === true ? 'a guess: it depends on what is in the values' : undefined),
      ...detail(
        'writes',
        writes === undefined
          ? undefined
          : `its table had ${count(writes.inserted)} inserts, ${count(writes.updated)} updates and ${count(writes.deleted)} deletes since its counters were reset; each insert writes the index too${share === undefined ? '' : `; the queries that write pay ${percent(share)} of the whole for it`}`,
      ),
      ...detail('not chosen', other.length === 0 ? undefined : other.join('; ')),
    ],
  }
}

function queryGrid(advice: readonly Advice[]): Block {
  const rows = new Map(
    advice.flatMap(({ serves }) => serves.map((one) => [title(one.query, one.params), one] as const)),
  )
  return {
    kind: 'grid',
    title: 'Queries, as the planner estimates them',
    columns: [
      { head: 'query', kind: 'name', floor: 16 },
      { head: 'cost now', kind: 'number' },
      { head: 'cost then', kind: 'number' },
    ],
    rows: [...rows].map(([name, one]): Cell[] => [
      { text: one.known === true ? `${name}, runs already` : name },
      { text: units(one.cost_before) },
      { text: units(one.cost_after), tone: one.cost_after < one.cost_before ? 'good' : 'plain' },
    ]),
  }
}

function title(query: string, params: string | undefined): string {
  return params === undefined ? query : `${query} (${params})`
}
