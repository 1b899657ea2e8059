import type { PoolResult, PoolServer } from '../commands/pool-result.js'
import type { Block, Cell, Tone } from './block.js'
import { findingBlocks } from './findings.js'
import { headroomTone, serverBlocks } from './pool-server.js'
import { tally } from './steps.js'
import { several } from './units.js'

type Verdict = PoolResult['verdict']

const verdictTones: Readonly<Record<Verdict, Tone>> = { OK: 'good', WARN: 'warn', FAIL: 'bad', UNKNOWN: 'warn' }
const verdictWords: Readonly<Record<Verdict, string>> = { FAIL: 'FAIL', UNKNOWN: 'UNKNOWN', WARN: 'WARN', OK: 'OK' }
const verdictOrder: readonly Verdict[] = ['FAIL', 'UNKNOWN', 'WARN', 'OK']

/** Servers that are shown in full, and rows of the table of servers, without verbose. */
const shownInFull = 3
const shownServers = 20

/**
 * The budget of every server: the verdict, all servers in a table, the worst of them in full, findings. With several servers those that are OK
 * are shown in full under verbose only.
 */
export function poolBlocks(result: PoolResult, verbose = false): Block[] {
  const servers = result.servers.toSorted(
    (a, b) => verdictOrder.indexOf(a.verdict) - verdictOrder.indexOf(b.verdict) || spare(a) - spare(b),
  )
  const full = fullyShown(servers, verbose)
  return [
    { kind: 'verdict', tone: verdictTones[result.verdict], text: poolVerdict(result, servers) },
    { kind: 'text', tone: 'quiet', text: sourceText(result) },
    ...(servers.length > 1 ? [serverGrid(verbose ? servers : servers.slice(0, shownServers))] : []),
    {
      kind: 'text',
      tone: 'quiet',
      text:
        full.length < servers.length
          ? `${full.length === 0 ? '' : `in full below: ${full.map((server) => server.name).join(', ')}; `}--verbose shows all ${servers.length} in full`
          : '',
    },
    ...full.flatMap((server) => serverBlocks(server, verbose)),
    ...findingBlocks(result.findings),
  ]
}

function fullyShown(servers: readonly PoolServer[], verbose: boolean): readonly PoolServer[] {
  if (verbose || servers.length < 2) return servers
  return servers.filter((server) => server.verdict !== 'OK').slice(0, shownInFull)
}

function sourceText({ files, offline, what_if: changes = [] }: PoolResult): string {
  return [
    files.join(', '),
    offline ? 'no server was asked' : '',
    changes.length === 0 ? '' : `with ${changes.join(', ')}`,
  ]
    .filter((part) => part !== '')
    .join('; ')
}

function spare({ headroom }: PoolServer): number {
  return headroom ?? -Infinity
}

function poolVerdict(result: PoolResult, servers: readonly PoolServer[]): string {
  const [first] = servers
  if (first === undefined) return `${result.verdict}: no servers are declared`
  if (servers.length === 1) return `${result.verdict}: ${first.name} ${roomText(first)}`
  const counted = tally(
    verdictOrder,
    servers.map((server) => server.verdict),
    verdictWords,
  )
  return `${result.verdict}: ${several(servers.length, 'server')}, ${counted}${result.verdict === 'OK' ? '' : `; ${first.name} ${roomText(first)}`}`
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
      ...(servers.some((server) => server.live !== null) ? [{ head: 'live', kind: 'number', drop: 2 } as const] : []),
      { head: 'headroom', kind: 'number' },
    ],
    rows: servers.map((server): Cell[] => [
      { text: server.name },
      { text: server.verdict, tone: verdictTones[server.verdict] },
      { text: known(server.max_connections) },
      { text: known(server.available) },
      { text: String(server.declared.steady) },
      { text: String(server.declared.peak) },
      ...(servers.some((one) => one.live !== null) ? [{ text: known(server.live) }] : []),
      { text: known(server.headroom), tone: headroomTone(server.headroom) },
    ]),
  }
}

function known(value: number | null): string {
  return value === null ? '?' : String(value)
}
