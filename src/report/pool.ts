import type { PoolLine, PoolResult, PoolServer } from '../commands/pool-result.js'
import type { Block, Cell, Tone } from './block.js'
import { findingBlocks } from './findings.js'
import { tally } from './steps.js'
import { duration, several } from './units.js'

type Verdict = PoolResult['verdict']

const verdictTones: Readonly<Record<Verdict, Tone>> = { OK: 'good', WARN: 'warn', FAIL: 'bad', UNKNOWN: 'warn' }
const verdictWords: Readonly<Record<Verdict, string>> = { FAIL: 'FAIL', UNKNOWN: 'UNKNOWN', WARN: 'WARN', OK: 'OK' }
const verdictOrder: readonly Verdict[] = ['FAIL', 'UNKNOWN', 'WARN', 'OK']

/** The budget of every server: the verdict, from max_connections down to the headroom, who takes what, findings, what would fit. */
export function poolBlocks(result: PoolResult): Block[] {
  return [
    { kind: 'verdict', tone: verdictTones[result.verdict], text: poolVerdict(result) },
    {
      kind: 'text',
      tone: 'quiet',
      text: [result.files.join(', '), result.offline ? 'no server was asked' : '']
        .filter((part) => part !== '')
        .join('; '),
    },
    ...(result.servers.length > 1 ? [serverGrid(result.servers)] : []),
    ...result.servers.flatMap(serverBlocks),
    ...findingBlocks(result.findings),
  ]
}

function poolVerdict(result: PoolResult): string {
  const [only] = result.servers
  if (only === undefined) return `${result.verdict}: no servers are declared`
  if (result.servers.length === 1) return `${result.verdict}: ${only.name} ${roomText(only)}`
  const counted = tally(
    verdictOrder,
    result.servers.map((server) => server.verdict),
    verdictWords,
  )
  const worst = result.servers.find((server) => server.verdict === result.verdict)
  return `${result.verdict}: ${several(result.servers.length, 'server')}, ${counted}${worst === undefined || result.verdict === 'OK' ? '' : `; ${worst.name} ${roomText(worst)}`}`
}

/** `needs 132 of 97 connections at the peak, 35 too many` */
function roomText(server: PoolServer): string {
  if (server.available === null || server.headroom === null)
    return `needs ${server.declared.peak} connections at the peak, its limit is not known`
  const needed = server.available - server.headroom
  const rest = server.headroom < 0 ? `${-server.headroom} too many` : `${server.headroom} left`
  return `needs ${needed} of ${server.available} connections at the peak, ${rest}`
}

function serverGrid(servers: readonly PoolServer[]): Block {
  return {
    kind: 'grid',
    title: 'Servers',
    columns: [
      { head: 'server', kind: 'name', floor: 12 },
      { head: 'verdict', kind: 'word' },
      { head: 'max', kind: 'number', drop: 1 },
      { head: 'available', kind: 'number' },
      { head: 'steady', kind: 'number', drop: 3 },
      { head: 'peak', kind: 'number' },
      { head: 'live', kind: 'number', drop: 2 },
      { head: 'headroom', kind: 'number' },
    ],
    rows: servers.map((server): Cell[] => [
      { text: server.name },
      { text: server.verdict, tone: verdictTones[server.verdict] },
      { text: known(server.max_connections) },
      { text: known(server.available) },
      { text: String(server.declared.steady) },
      { text: String(server.declared.peak) },
      { text: known(server.live) },
      { text: known(server.headroom), tone: headroomTone(server.headroom) },
    ]),
  }
}

function serverBlocks(server: PoolServer): Block[] {
  return [
    waterfallGrid(server),
    { kind: 'text', tone: 'quiet', text: liveText(server) },
    lineGrid(server),
    limitGrid(server),
    {
      kind: 'items',
      title: server.recommendations.length === 0 ? '' : `What fits on ${server.name}, one change at a time`,
      items: server.recommendations.map((text) => ({ tone: 'good', label: 'fits', text, details: [] })),
      limit: 12,
    },
  ]
}

function waterfallGrid(server: PoolServer): Block {
  return {
    kind: 'grid',
    title: `${server.name}: from max_connections down to the headroom`,
    columns: [
      { head: '', kind: 'sign' },
      { head: 'what', kind: 'name' },
      { head: 'connections', kind: 'number' },
    ],
    rows: server.waterfall.map((line): Cell[] => [
      { text: line.total ? '=' : '', tone: 'quiet' },
      { text: line.label },
      { text: String(line.connections), tone: line.total ? headroomTone(line.connections) : 'plain' },
    ]),
  }
}

function liveText(server: PoolServer): string {
  const origins: Readonly<Record<PoolServer['limits_from'], string>> = {
    live: 'limits read from the server',
    file: 'limits from the file',
    provider: 'limits of the provider',
    unknown: 'limits not known',
  }
  return [
    server.version === undefined ? '' : `PostgreSQL ${server.version}`,
    origins[server.limits_from],
    server.live === null
      ? ''
      : `${several(server.live, 'client backend')} now${server.hidden > 0 ? `, ${server.hidden} of them hidden from this role` : ''}`,
  ]
    .filter((part) => part !== '')
    .join('; ')
}

function lineGrid(server: PoolServer): Block {
  return {
    kind: 'grid',
    title: `Who opens connections to ${server.name}`,
    columns: [
      { head: 'service', kind: 'name', floor: 14 },
      { head: 'steady', kind: 'number' },
      { head: 'peak', kind: 'number' },
      { head: 'at boot', kind: 'number', drop: 3 },
      { head: 'busy', kind: 'number', drop: 4 },
      { head: 'p99 wait', kind: 'number', drop: 2 },
      { head: 'sum', kind: 'prose', floor: 24, drop: 1 },
    ],
    rows: server.services.map((line): Cell[] => [
      { text: line.via === undefined ? line.name : `${line.name} (via ${line.via})` },
      { text: String(line.steady) },
      { text: String(line.peak) },
      { text: line.warm === 0 ? '' : String(line.warm) },
      { text: line.queue === undefined ? '' : `${Math.round(line.queue.utilization * 100)} %` },
      waitCell(line),
      { text: line.sum, tone: 'quiet' },
    ]),
  }
}

/** A queue that only grows has no 99th percentile. */
function waitCell({ queue }: PoolLine): Cell {
  if (queue === undefined) return { text: '' }
  return queue.p99_wait_ms === null ? { text: 'endless', tone: 'bad' } : { text: duration(queue.p99_wait_ms) }
}

function limitGrid(server: PoolServer): Block {
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
    rows: server.limits.map((limit): Cell[] => [
      { text: limit.kind },
      { text: limit.name },
      { text: String(limit.limit) },
      { text: String(limit.peak), tone: limit.peak > limit.limit ? 'bad' : 'plain' },
      { text: limit.services.join(', '), tone: 'quiet' },
    ]),
  }
}

function known(value: number | null): string {
  return value === null ? '?' : String(value)
}

function headroomTone(headroom: number | null): Tone {
  return headroom === null ? 'warn' : headroom < 0 ? 'bad' : 'good'
}
