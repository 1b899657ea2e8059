import type { PoolResult, PoolServer } from '../../result/documents/pool-result.js'
import type { Block, Cell, Tone } from '../block/block.js'
import { findingBlocks } from '../block/findings.js'
import { serverBlocks } from './pool-server.js'
import { headroomTone } from './pool-waterfall.js'
import { tally } from './steps.js'
import { suggestionBlocks } from './pool-suggestion.js'
import { several, withThousands } from '../../text/amounts.js'

type Verdict = PoolResult['verdict']

const verdictTones: Readonly<Record<Verdict, Tone>> = { OK: 'good', WARN: 'warn', FAIL: 'bad', UNKNOWN: 'warn' }
const verdictWords: Readonly<Record<Verdict, string>> = { FAIL: 'FAIL', UNKNOWN: 'UNKNOWN', WARN: 'WARN', OK: 'OK' }
const verdictOrder: readonly Verdict[] = ['FAIL', 'UNKNOWN', 'WARN', 'OK']

/** Servers that are shown in full, and rows of the table of servers, without verbose. */
const shownInFull = 3
const shownServers = 20
/** Causes that stand before the tables. */
const shownCauses = 3

/** What no other cause matters beside. */
const gravest = ['SERVER_FULL', 'POOL_OVER', 'POOL_SURGE', 'ROLE_LIMIT', 'DATABASE_LIMIT', 'POOL_NEAR']

/**
 * The budget of every server: the verdict, what caused it and which line to change, all servers in a table, the worst of them in full, other findings. With several servers those that are OK
 * are shown in full under verbose only.
 */
export function poolBlocks(result: PoolResult, verbose = false): Block[] {
  const servers = result.servers.toSorted(
    (a, b) => verdictOrder.indexOf(a.verdict) - verdictOrder.indexOf(b.verdict) || spare(a) - spare(b),
  )
  const full = fullyShown(servers, verbose)
  const causes = causesOf(result, servers)
  const first = causes.slice(0, shownCauses)
  return [
    { kind: 'verdict', tone: verdictTones[result.verdict], text: poolVerdict(result, servers, causes) },
    { kind: 'text', tone: 'quiet', text: sourceText(result, servers) },
    ...causeBlocks(causes, first),
    ...suggestionBlocks(result.suggestion),
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
    ...findingBlocks(result.findings.filter((finding) => !first.includes(finding))),
  ]
}

type Finding = PoolResult['findings'][number]

/** Findings that made the verdict what it is: those of the worst server first, and its slots before all else. */
function causesOf({ verdict, findings }: PoolResult, servers: readonly PoolServer[]): readonly Finding[] {
  if (verdict === 'OK') return []
  const severity = findings.some((finding) => finding.severity === 'error') ? 'error' : 'warning'
  const rank = ({ code, server }: Finding) => {
    const at = servers.findIndex(({ name }) => name === server)
    const gravity = gravest.indexOf(code)
    return (gravity < 0 ? gravest.length : gravity) + gravest.length * 2 * (at < 0 ? servers.length : at)
  }
  return findings.filter((finding) => finding.severity === severity).toSorted((a, b) => rank(a) - rank(b))
}

function causeBlocks(causes: readonly Finding[], first: readonly Finding[]): readonly Block[] {
  const blocks = findingBlocks(first)
  if (first.length === causes.length) return blocks
  const title = `${first.length} of ${several(causes.length, first[0]?.severity === 'error' ? 'error' : 'warning')}, the others below`
  return blocks.map((block) => (block.kind === 'items' ? { ...block, title } : block))
}

function fullyShown(servers: readonly PoolServer[], verbose: boolean): readonly PoolServer[] {
  if (verbose || servers.length < 2) return servers
  return servers.filter((server) => server.verdict !== 'OK').slice(0, shownInFull)
}

function sourceText({ files, offline, what_if: given, changed }: PoolResult, servers: readonly PoolServer[]): string {
  const [before] = servers.flatMap((server) => server.before ?? [])
  const declared = before === undefined ? '' : ` (as declared: ${before.verdict}, headroom ${before.headroom ?? '?'})`
  return [
    files.join(', '),
    offline ? 'no server was asked' : '',
    given === undefined ? '' : `with ${changed === undefined ? given.join(', ') : changesText(changed)}${declared}`,
  ]
    .filter((part) => part !== '')
    .join('; ')
}

/** `web.pool.max: 10 -> 5`, a change a key. */
function changesText(changed: NonNullable<PoolResult['changed']>): string {
  if (changed.length === 0) return 'nothing changed'
  const rest = changed.length - 20
  const told = changed
    .slice(0, 20)
    .map(
      ({ name, key, from, to }) =>
        `${name === key ? key : `${name}.${key}`}: ${from ?? 'not declared'} -> ${to ?? 'none'}`,
    )
  return told.join(', ') + (rest > 0 ? ` and ${rest} more` : '')
}

function spare({ headroom }: PoolServer): number {
  return headroom ?? -Infinity
}

function poolVerdict(result: PoolResult, servers: readonly PoolServer[], [cause]: readonly Finding[]): string {
  const [first] = servers
  if (first === undefined) return `${result.verdict}: no servers are declared`
  const room = causeText(first, cause)
  if (servers.length === 1) return `${result.verdict}: ${room}`
  const counted = tally(
    verdictOrder,
    servers.map((server) => server.verdict),
    verdictWords,
  )
  return `${result.verdict}: ${several(servers.length, 'server')}, ${counted}${result.verdict === 'OK' ? '' : `; ${room}`}`
}

/** Codes whose story is the number of slots. */
const bySlots = ['POOL_OVER', 'POOL_SURGE', 'POOL_NEAR', 'SERVER_FULL']

/** What made the verdict: the slots of the server, or in the words of the finding what else it is. */
function causeText(server: PoolServer, cause: Finding | undefined): string {
  const slots = `${server.name} ${roomText(server, cause)}`
  if (cause === undefined || bySlots.includes(cause.code)) return slots
  return `${cause.message}; ${slots}`
}

/** `needs 132 of 97 connections at the peak, 35 too many` */
function roomText(server: PoolServer, cause: Finding | undefined): string {
  if (cause?.code === 'SERVER_FULL' && cause.server === server.name) return 'has no free connection now'
  if (server.available === null || server.headroom === null)
    return `needs ${withThousands(server.declared.peak)} connections at the peak, its limit is not known`
  const needed = server.available - server.headroom
  const rest =
    server.headroom < 0 ? `${withThousands(-server.headroom)} too many` : `${withThousands(server.headroom)} left`
  return `needs ${withThousands(needed)} of ${withThousands(server.available)} connections at the peak, ${rest}`
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
