import type { PoolLine, PoolServer } from '../../result/documents/pool-result.js'
import type { Block, Cell } from '../block/block.js'
import { placeText } from '../block/findings.js'
import { tenantGrid } from './pool-tenants.js'
import { shownLines, waterfallGrid } from './pool-waterfall.js'
import { duration, percent, several } from '../../text/amounts.js'

/** One server: from max_connections down to the headroom with who takes what, what would fit, limits, queues, sessions. */
export function serverBlocks(server: PoolServer, verbose: boolean): Block[] {
  return [
    waterfallGrid(server, verbose),
    { kind: 'text', tone: 'quiet', text: aboutText(server) },
    changeGrid(server, verbose),
    {
      kind: 'items',
      title: '',
      items: adviceOf(server).map((text) => ({ tone: 'quiet', label: 'advice', text, details: [] })),
      limit: 4,
    },
    tenantGrid(server, verbose),
    limitGrid(server, verbose),
    queueGrid(server),
    sessionGrid(server, verbose),
  ]
}

function aboutText(server: PoolServer): string {
  const elsewhere = server.services.filter((line) => line.via !== undefined).map((line) => `${line.name}: ${line.sum}`)
  const live =
    server.live === null
      ? ''
      : `PostgreSQL ${server.version ?? ''}: ${several(server.live, 'client backend')} now${server.hidden > 0 ? `, ${server.hidden} of them hidden from this role` : ''}${loginsText(server)}`
  const { before } = server
  const change =
    before === undefined
      ? ''
      : `as declared: peak ${before.peak}, headroom ${before.headroom ?? '?'}, ${before.verdict}; with the change: peak ${server.declared.peak}, headroom ${server.headroom ?? '?'}, ${server.verdict}`
  return [live, server.waterfall.length === 0 ? `${server.name}: limits not known` : '', ...elsewhere, change]
    .filter((part) => part !== '')
    .join('; ')
}

/** Before 18 pg_stat_activity does not show connections that still authenticate, and they hold slots. */
function loginsText({ version = '' }: PoolServer): string {
  return Number.parseInt(version, 10) < 18 ? '; logins under way hold slots too, and only 18 and later show them' : ''
}

/** The largest value of each number of the file, alone, and the line to change. */
function changeGrid({ name, changes = [] }: PoolServer, verbose: boolean): Block {
  const needed = changes
    .filter((one) => one.largest !== null || verbose)
    .toSorted((a, b) => Number(isShrinking(b)) - Number(isShrinking(a)))
  return {
    kind: 'grid',
    title: `What fits on ${name}, one change at a time`,
    columns: [
      { head: 'service', kind: 'name', floor: 10 },
      { head: 'key', kind: 'word' },
      { head: 'now', kind: 'number' },
      { head: 'at most', kind: 'number' },
      { head: 'where', kind: 'name', floor: 20, drop: 1 },
    ],
    rows: needed
      .slice(0, verbose ? undefined : shownLines)
      .map((one): Cell[] => [
        { text: one.name },
        { text: one.change },
        { text: String(one.now) },
        { text: one.largest === null ? 'none' : String(one.largest), tone: isShrinking(one) ? 'bad' : 'good' },
        { text: placeText(one.place), tone: 'quiet' },
      ]),
  }
}

function isShrinking({ now, largest }: NonNullable<PoolServer['changes']>[number]): boolean {
  return largest === null || largest < now
}

/** The changes are a table of their own; what is left is what the queue and the field's rules say. */
function adviceOf({ changes, recommendations }: PoolServer): readonly string[] {
  return changes === undefined ? recommendations : recommendations.slice(changes.length)
}

/** All that are exceeded; of the others only under verbose. */
function limitGrid(server: PoolServer, verbose: boolean): Block {
  const shown = server.limits
    .filter((limit) => verbose || limit.peak > limit.limit * 0.8)
    .slice(0, verbose ? undefined : 10)
  return {
    kind: 'grid',
    title: `Connection limits of ${server.name}`,
    columns: [
      { head: 'of', kind: 'word' },
      { head: 'name', kind: 'name' },
      { head: 'limit', kind: 'number' },
      { head: 'peak', kind: 'number' },
      { head: 'services', kind: 'prose', floor: 16, drop: 1 },
    ],
    rows: shown.map((limit): Cell[] => [
      { text: limit.kind },
      { text: limit.name },
      { text: String(limit.limit) },
      { text: String(limit.peak), tone: limit.peak > limit.limit ? 'bad' : 'plain' },
      { text: someOf(limit.services), tone: 'quiet' },
    ]),
  }
}

/** Two hundred services may share a role. */
function someOf(names: readonly string[]): string {
  const rest = names.length - 3
  return names.slice(0, 3).join(', ') + (rest > 0 ? ` and ${rest} more` : '')
}

function queueGrid(server: PoolServer): Block {
  const lines = server.services.filter((line) => line.queue !== undefined)
  return {
    kind: 'grid',
    title: `Waiting for a connection`,
    columns: [
      { head: 'service', kind: 'name', floor: 14 },
      { head: 'pools', kind: 'number' },
      { head: 'of', kind: 'number' },
      { head: 'busy', kind: 'number' },
      { head: 'wait', kind: 'number', drop: 2 },
      { head: 'p99 wait', kind: 'number' },
      { head: 'load', kind: 'word', drop: 1 },
    ],
    rows: lines.map((line): Cell[] => [
      { text: line.name },
      { text: String(line.queue?.pools ?? '') },
      { text: String(line.queue?.connections ?? '') },
      { text: line.queue === undefined ? '' : percent(line.queue.utilization) },
      { text: line.queue === undefined ? '' : percent(line.queue.waits) },
      waitCell(line),
      { text: line.queue?.measured === true ? 'measured' : 'declared', tone: 'quiet' },
    ]),
  }
}

/** A queue that only grows has no 99th percentile. */
function waitCell({ queue }: PoolLine): Cell {
  if (queue === undefined) return { text: '' }
  return queue.p99_wait_ms === null ? { text: 'endless', tone: 'bad' } : { text: duration(queue.p99_wait_ms) }
}

/** Who holds slots now, the largest first. */
function sessionGrid({ name, sessions = [] }: PoolServer, verbose: boolean): Block {
  const shown = sessions.slice(0, verbose ? undefined : 8)
  const rest = sessions.slice(shown.length)
  const count = (each: (typeof sessions)[number]) => each.connections + each.hidden
  return {
    kind: 'grid',
    title: `Who holds connections of ${name} now`,
    columns: [
      { head: 'count', kind: 'number' },
      { head: 'busy', kind: 'number', drop: 2 },
      { head: 'role', kind: 'name', floor: 8 },
      { head: 'database', kind: 'name', floor: 8 },
      { head: 'application', kind: 'name', floor: 8, drop: 1 },
      { head: 'declared as', kind: 'name', floor: 11 },
    ],
    rows: [
      ...shown.map((each): Cell[] => [
        { text: String(count(each)) },
        { text: String(each.busy) },
        { text: each.role },
        { text: each.database },
        { text: each.application_name ?? '?', tone: 'quiet' },
        each.services.length === 0 ? { text: 'nobody', tone: 'warn' } : { text: someOf(each.services) },
      ]),
      ...(rest.length === 0
        ? []
        : [
            [
              { text: String(rest.reduce((sum, each) => sum + count(each), 0)) },
              { text: '' },
              { text: several(rest.length, 'other') },
              { text: '' },
              { text: '' },
              { text: '' },
            ],
          ]),
    ],
  }
}
