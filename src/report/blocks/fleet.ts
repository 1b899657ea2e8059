import type { Outcome } from '../../result/documents/result.js'
import type { FleetResult, TenantGroup, TenantOutcome, TenantStep } from '../../result/documents/fleet-result.js'
import { tenantOutcomes } from '../../result/documents/fleet-result.js'
import { duration, several, speedup, withThousands } from '../../text/amounts.js'
import type { Block, Cell, Tone } from '../block/block.js'
import { findingBlocks } from '../block/findings.js'
import type { Layout } from '../block/layout.js'
import { outcomeTones, outcomeWords, type Words } from '../block/outcomes.js'
import { intents, signs, stepTones, states, type StepKind } from './steps.js'

export const tenantWords: Words<TenantOutcome> = {
  failed: 'failed',
  interrupted: 'interrupted',
  not_looked: 'not looked at',
  no: 'not in order',
  not_reached: 'not begun',
  to_do: 'to do',
  done: 'done',
  in_order: 'in order',
}

export const tenantTones: Readonly<Record<TenantOutcome, Tone>> = {
  failed: 'bad',
  interrupted: 'warn',
  not_looked: 'bad',
  no: 'bad',
  not_reached: 'warn',
  to_do: 'warn',
  done: 'good',
  in_order: 'good',
}

/** The verdict, tenants that are alike together and the worst first, then each index with the tenants that it is not in order in. */
export function fleetBlocks(result: FleetResult, layout: Layout): Block[] {
  const { groups, tenants, waves, findings } = result
  return [
    {
      kind: 'verdict',
      tone: result.ok ? (result.counts['to_do'] ? 'warn' : 'good') : 'bad',
      text: fleetVerdict(result),
    },
    { kind: 'text', tone: 'quiet', text: aboutText(result) },
    groupGrid(groups, layout),
    indexGrid(result, layout),
    ...waveBlocks(waves),
    {
      kind: 'items',
      title: 'Measured',
      items: tenants.flatMap(({ id, verdicts = [] }) =>
        verdicts.map(({ query, verdict, speedup: interval }) => ({
          tone: verdict === 'slower' ? ('bad' as const) : ('plain' as const),
          label: verdict,
          text: `${query} of ${id}${interval === undefined ? '' : `, ${speedup(interval)}`}`,
          details: [],
        })),
      ),
      limit: 20,
    },
    ...findingBlocks(findings),
    { kind: 'text', tone: 'plain', next: true, text: nextText(result) },
    { kind: 'text', tone: 'quiet', next: true, text: undoText(result) },
  ]
}

/** `200 tenants: 196 in order, 4 not in order`. */
export function fleetVerdict({ counts }: Pick<FleetResult, 'counts'>): string {
  const total = several(counts['total'] ?? 0, 'tenant')
  const parts = [...tenantOutcomes].toReversed().flatMap((outcome) => {
    const number = counts[outcome]
    return number === undefined ? [] : [`${withThousands(number)} ${tenantWords[outcome]}`]
  })
  return parts.length === 0 ? total : `${total}: ${parts.join(', ')}`
}

function aboutText({ tenants, duration_ms: ms }: FleetResult): string {
  const servers = new Set(tenants.map(({ server }) => server)).size
  return servers === 0 ? `in ${duration(ms)}` : `on ${several(servers, 'server')}, in ${duration(ms)}`
}

/** Where something was built. */
function undoText({ command, fleet_run: name, tenants }: FleetResult): string {
  const changed = tenants.some(({ run }) => run !== undefined)
  return command === 'apply' && name !== undefined && changed
    ? `To undo it: perfdb rollback ${name}, with the same options for tenants.`
    : ''
}

/** What a run that was stopped, or of which some failed, goes on with; what comes after a look. */
function nextText({ command, counts, ok, groups }: FleetResult): string {
  const steps = groups.flatMap((group) => group.steps)
  const refused = steps.flatMap(({ outcome, hazards = [] }) => (outcome === 'refused' ? hazards : []))
  if (refused.length > 0)
    return `to allow: perfdb apply --allow ${[...new Set(refused)].join(',')}, for the same tenants`
  if (command === 'verify' && counts['no'])
    return 'what apply would do about it, with its hazards: perfdb plan, for the same tenants'
  if (command === 'plan' && counts['to_do']) return 'to do it: perfdb apply, for the same tenants'
  if (ok) return ''
  const left = ['failed', 'interrupted', 'not_looked', 'no', 'not_reached'].some((outcome) => counts[outcome])
  return left && (command === 'apply' || command === 'rollback')
    ? 'The same command again goes on from here: what is in order is left as it is.'
    : ''
}

function groupGrid(groups: readonly TenantGroup[], layout: Layout): Block {
  const named = layout.verbose ? 20 : 4
  return {
    kind: 'grid',
    title: '',
    columns: [
      { head: 'tenants', kind: 'number' },
      { head: 'outcome', kind: 'word' },
      { head: 'what', kind: 'prose', floor: 24, whole: true },
      { head: 'which', kind: 'prose', floor: 12 },
    ],
    rows: groups.map(({ tenants, outcome, reason, ids, steps }): Cell[] => [
      { text: withThousands(tenants) },
      { text: tenantWords[outcome], tone: tenantTones[outcome] },
      {
        text:
          reason === 'nothing to do' && steps.length > 0
            ? `${several(steps.length, 'index', 'indexes')} as declared`
            : reason,
      },
      { text: idsText(ids, tenants, named), tone: 'quiet' },
    ]),
  }
}

/** `a, b, c, d` or `a, b, c ...`. */
function idsText(ids: readonly string[], tenants: number, most: number): string {
  return tenants > most ? `${ids.slice(0, most - 1).join(', ')} ...` : ids.join(', ')
}

/** The matrix the other way round: a line an index and state, so that any number of tenants fits into any width. */
function indexGrid({ command, groups }: FleetResult, layout: Layout): Block {
  const lines = new Map<string, { readonly step: TenantStep; tenants: number; readonly ids: string[] }>()
  const kept = new Map<string, number>()
  for (const { steps, tenants, ids } of groups) {
    for (const step of steps) {
      const name = JSON.stringify([step.index, step.table])
      if (isAsDeclared(step)) kept.set(name, (kept.get(name) ?? 0) + tenants)
      if (step.step !== 'keep') {
        const key = JSON.stringify([name, step.step, step.outcome, step.error?.code])
        const line = lines.get(key) ?? { step, tenants: 0, ids: [] }
        line.tenants += tenants
        line.ids.push(...ids)
        lines.set(key, line)
      }
    }
  }
  const named = layout.verbose ? 8 : 4
  return {
    kind: 'grid',
    title: lines.size === 0 ? '' : 'By index',
    columns: [
      { head: '', kind: 'sign' },
      { head: 'index', kind: 'name', floor: 20 },
      { head: 'table', kind: 'name', drop: 1 },
      { head: 'tenants', kind: 'number' },
      { head: 'state', kind: 'prose', floor: 12 },
      { head: 'as declared in', kind: 'number', drop: 2 },
      { head: 'which', kind: 'prose', floor: 12 },
    ],
    rows: [...lines.values()]
      .toSorted((one, other) => worseness(one.step) - worseness(other.step) || other.tenants - one.tenants)
      .map(({ step, tenants, ids }): Cell[] => [
        // What plan would create is good news; what verify misses is none.
        { text: signs[step.step], tone: command === 'verify' ? 'bad' : stepTones[step.step] },
        { text: step.index },
        { text: step.table },
        { text: withThousands(tenants) },
        { text: stateText(step), tone: step.outcome === undefined ? 'warn' : outcomeTones[step.outcome] },
        { text: withThousands(kept.get(JSON.stringify([step.index, step.table])) ?? 0) },
        { text: idsText(ids, tenants, named), tone: 'quiet' },
      ]),
  }
}

/** Before the run, or by what it did. */
export function isAsDeclared({ step, outcome }: TenantStep): boolean {
  return outcome === undefined ? step === 'keep' : settled.has(outcome)
}

const settled: ReadonlySet<Outcome> = new Set([
  'built',
  'rebuilt',
  'reindexed',
  'replaced',
  'renamed',
  'waited',
  'kept',
])

function worseness({ outcome, step, error }: TenantStep): number {
  if (error !== undefined || outcome === 'failed') return 0
  const worst: readonly StepKind[] = ['rebuild', 'reindex', 'replace', 'create', 'adopt', 'drop', 'building', 'keep']
  return 1 + worst.indexOf(step)
}

/** What became of a step, or what is to be done. */
export function stateText({ step, outcome, error, hazards = [] }: TenantStep): string {
  if (error !== undefined) return `${outcome === undefined ? '' : outcomeWords[outcome]} ${error.code}`.trim()
  if (outcome !== undefined) return outcomeWords[outcome]
  const gated = hazards.length === 0 ? '' : ` (${hazards.join(', ')})`
  return `${step === 'drop' ? intents[step] : states[step]}${gated}`
}

function waveBlocks(waves: FleetResult['waves']): readonly Block[] {
  if (waves.length < 2) return []
  const stopped = waves.find((wave) => wave.stopped !== undefined)
  return [
    {
      kind: 'grid',
      title: 'Waves',
      columns: [
        { head: 'wave', kind: 'number' },
        { head: 'tenants', kind: 'number' },
        { head: 'begun', kind: 'number' },
        { head: 'not in order', kind: 'number' },
      ],
      rows: waves.map(({ number, tenants, begun, not_in_order: bad }): Cell[] => [
        { text: withThousands(number) },
        { text: withThousands(tenants) },
        { text: withThousands(begun) },
        { text: withThousands(bad), tone: bad > 0 ? 'bad' : 'plain' },
      ]),
    },
    ...(stopped === undefined
      ? []
      : [
          {
            kind: 'text',
            tone: 'bad',
            text: `No wave after ${stopped.number} was begun: ${stopped.stopped}.`,
          } as const,
        ]),
  ]
}
