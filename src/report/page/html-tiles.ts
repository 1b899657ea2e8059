import type {
  ApplyResult,
  ExplainResult,
  PlanResult,
  ResultQuery,
  VerifyResult,
} from '../../result/documents/result.js'
import type { PoolResult } from '../../result/documents/pool-result.js'
import type { Tone } from '../block/block.js'
import { html } from './html-text.js'
import type { AdviseResult } from '../../result/documents/advise-result.js'
import type { LoadResult } from '../../result/documents/load-result.js'
import { tenantOutcomes, type FleetResult } from '../../result/documents/fleet-result.js'
import { tenantTones, tenantWords } from '../blocks/fleet.js'
import { isGated } from '../blocks/hazards.js'
import { intents, states, stepOrder } from '../blocks/steps.js'
import { bytes, duration, percent, withThousands } from '../../text/amounts.js'
import { type Result, isError, isFleet } from '../../result/results.js'

interface Tile {
  readonly label: string
  readonly value: string
  readonly tone?: Tone
}

/** The few numbers to see first, in large type; empty when a document has none. */
export function tilesHtml(result: Result): string {
  const tiles = tilesOf(result)
  if (tiles.length === 0) return ''
  const items = tiles.map(
    ({ label, value, tone = 'plain' }) => `<div><dt>${html(label)}</dt><dd class="${tone}">${html(value)}</dd></div>`,
  )
  return `<dl class="tiles">${items.join('')}</dl>`
}

function tilesOf(result: Result): readonly Tile[] {
  if (isError(result)) return []
  if (isFleet(result)) return fleetTiles(result)
  switch (result.command) {
    case 'apply':
    case 'rollback':
      return [...applyTiles(result), ...queryTiles(result.queries)]
    case 'explain':
      return explainTiles(result)
    case 'check-pool':
      return poolTiles(result)
    case 'demo':
      return [...applyTiles(result.apply), ...queryTiles(result.apply.queries)]
    case 'plan':
    case 'verify':
      return [...stepTiles(result), ...warningTile(result.findings)]
    case 'status':
    case 'history':
    case 'doctor':
    case 'init':
    case 'config':
    case 'import':
    case 'compare':
    case 'statistics':
      return []
    case 'advise':
      return adviseTiles(result)
    case 'load':
      return loadTiles(result)
  }
}

function adviseTiles({ advice, removals, cost, not_judged: left, findings }: AdviseResult): readonly Tile[] {
  const saved = cost.before === 0 ? 0 : (cost.before - cost.after) / cost.before
  return [
    { label: advice.length === 1 ? 'index advised' : 'indexes advised', value: String(advice.length) },
    ...(advice.length === 0
      ? []
      : [
          { label: 'estimated cost saved', value: percent(saved), tone: 'good' as const },
          { label: 'on disk', value: `~${bytes(advice.reduce((sum, one) => sum + one.size_bytes, 0))}` },
        ]),
    ...(removals.length === 0 ? [] : [{ label: 'may go', value: String(removals.length) }]),
    ...(left.length === 0 ? [] : [{ label: 'not judged', value: String(left.length), tone: 'warn' as const }]),
    ...warningTile(findings),
  ]
}

/** Of the step in which the most was answered. */
function loadTiles({ load: { after }, connections }: LoadResult): readonly Tile[] {
  const [best] = after.steps.toSorted((one, other) => other.achieved - one.achieved)
  if (best === undefined) return []
  const { p95 } = best.latency_ms
  const rate = after.knee?.rate ?? null
  return [
    ...(rate === null ? [] : [{ label: `keep ${duration(after.knee?.limit_ms ?? 0)} at p95`, value: `${rate}/s` }]),
    { label: 'answered at the most', value: `${best.achieved}/s` },
    ...(p95 === null ? [] : [{ label: 'p95 there', value: `${p95} ms` }]),
    { label: 'success there', value: percent(best.success), tone: best.success < 0.99 ? 'bad' : 'good' },
    { label: connections === 1 ? 'connection' : 'connections', value: String(connections) },
  ]
}

function fleetTiles({ counts }: FleetResult): readonly Tile[] {
  return [
    { label: 'tenants', value: withThousands(counts['total'] ?? 0) },
    ...tenantOutcomes.flatMap((outcome) => {
      const number = counts[outcome]
      return number === undefined
        ? []
        : [{ label: tenantWords[outcome], value: withThousands(number), tone: tenantTones[outcome] }]
    }),
  ]
}

function applyTiles({ steps, build_ms: buildMs, measure_ms: measureMs }: ApplyResult): readonly Tile[] {
  const made = steps.filter(({ outcome }) => outcome === 'built' || outcome === 'rebuilt' || outcome === 'replaced')
  const failed = steps.filter(({ outcome }) => outcome === 'failed').length
  const undone = steps.filter(({ outcome }) => outcome === 'not_reached' || outcome === 'refused').length
  const waited = steps.reduce((sum, step) => sum + (step.waited_ms ?? 0), 0)
  return [
    { label: made.length === 1 ? 'index built' : 'indexes built', value: String(made.length) },
    ...(failed === 0 ? [] : [{ label: 'failed', value: String(failed), tone: 'bad' as const }]),
    ...(undone === 0 ? [] : [{ label: 'not done', value: String(undone), tone: 'warn' as const }]),
    ...(made.length === 0
      ? []
      : [{ label: 'on disk', value: bytes(made.reduce((sum, step) => sum + (step.size_bytes ?? 0), 0)) }]),
    ...(made.length === 0 || buildMs === undefined ? [] : [{ label: 'building', value: duration(buildMs) }]),
    ...(waited < 100 ? [] : [{ label: 'of it waiting', value: duration(waited), tone: 'warn' as const }]),
    ...(measureMs === undefined ? [] : [{ label: 'measuring', value: duration(measureMs) }]),
  ]
}

function queryTiles(queries: readonly ResultQuery[]): readonly Tile[] {
  const of = (verdict: ResultQuery['verdict']) => queries.filter((query) => query.verdict === verdict).length
  const missed = queries.flatMap((query) => query.expectations).filter((expectation) => !expectation.met).length
  const slower = of('slower')
  return [
    ...(of('faster') === 0 ? [] : [{ label: 'queries faster', value: String(of('faster')), tone: 'good' as const }]),
    ...(of('same') === 0 ? [] : [{ label: 'the same', value: String(of('same')) }]),
    ...(slower === 0 ? [] : [{ label: 'slower', value: String(slower), tone: 'bad' as const }]),
    ...(missed === 0 ? [] : [{ label: 'expectations missed', value: String(missed), tone: 'bad' as const }]),
  ]
}

function explainTiles({ queries, findings }: ExplainResult): readonly Tile[] {
  const measured = queries.filter((query) => query.status === 'measured' || query.status === 'planned').length
  return queries.length === 0
    ? []
    : [
        {
          label: queries.some((query) => query.status === 'planned') ? 'queries planned' : 'queries measured',
          value: `${measured} of ${queries.length}`,
        },
        ...slowestTile(queries),
        ...queryTiles(queries),
        ...warningTile([...findings, ...queries.flatMap((query) => query.findings)]),
      ]
}

function slowestTile(queries: readonly ResultQuery[]): readonly Tile[] {
  const times = queries.flatMap(({ after, before }) => (after ?? before)?.execution_ms.median ?? [])
  return times.length < 2 ? [] : [{ label: 'the slowest', value: duration(Math.max(...times)) }]
}

function warningTile(findings: readonly { readonly severity: string }[]): readonly Tile[] {
  const count = (wanted: string) => findings.filter(({ severity }) => severity === wanted).length
  return [...countTile(count('error'), 'error', 'bad'), ...countTile(count('warning'), 'warning', 'warn')]
}

/** None for none; the word is that of one. */
function countTile(count: number, word: string, tone: 'bad' | 'warn'): readonly Tile[] {
  return count === 0 ? [] : [{ label: count === 1 ? word : `${word}s`, value: withThousands(count), tone }]
}

function stepTiles({ steps, command }: PlanResult | VerifyResult): readonly Tile[] {
  const hazards = command === 'verify' ? 0 : steps.flatMap((step) => step.hazards).filter(isGated).length
  return [
    ...stepOrder.flatMap((kind): readonly Tile[] => {
      const count = steps.filter(({ step }) => step === kind).length
      if (count === 0) return []
      const label = command === 'verify' || kind === 'keep' || kind === 'building' ? states[kind] : intents[kind]
      const tone = kind === 'keep' ? 'good' : command === 'verify' && kind !== 'building' ? 'bad' : 'plain'
      return [{ label, value: withThousands(count), tone }]
    }),
    ...(hazards === 0
      ? []
      : [
          {
            label: `${hazards === 1 ? 'hazard' : 'hazards'} to allow`,
            value: withThousands(hazards),
            tone: 'warn' as const,
          },
        ]),
  ]
}

function poolTiles({ servers }: PoolResult): readonly Tile[] {
  const [only] = servers
  if (only === undefined || servers.length > 1) return []
  const { declared, available, headroom } = only
  return [
    { label: 'available', value: available === null ? '?' : String(available) },
    { label: 'declared, steady', value: String(declared.steady) },
    { label: 'declared, peak', value: String(declared.peak) },
    ...(headroom === null
      ? []
      : [{ label: 'headroom', value: String(headroom), tone: headroom < 0 ? ('bad' as const) : ('good' as const) }]),
  ]
}
