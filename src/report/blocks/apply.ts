import type { FindingCode } from '../../codes/codes.js'
import type { ApplyResult, Outcome, ResultStep } from '../../result/documents/result.js'
import type { Block, Cell, Item } from '../block/block.js'
import { detail } from '../block/block.js'
import { errorItem } from './error.js'
import type { Layout } from '../block/layout.js'
import { loadGrid } from './load.js'
import { hazardBlocks } from './hazards.js'
import { aboutText, scriptOf } from './plan.js'
import { priceBlocks, priceTotals } from './price.js'
import { noiseText } from './noise.js'
import { comparedBlocks, measuredBlocks, queryNotes, queryTally } from './queries.js'
import { quoted, signs, stepTones, tableNamer, tally } from './steps.js'
import { bytes, duration, several } from '../../text/amounts.js'
import { comparisonBlocks } from './variants.js'
import { outcomeTones, outcomeWords } from '../block/outcomes.js'

const outcomeOrder: readonly Outcome[] = [
  'failed',
  'refused',
  'not_reached',
  'built',
  'rebuilt',
  'replaced',
  'renamed',
  'dropped',
  'waited',
  'name_taken',
  'already_gone',
  'undone',
  'kept',
]

/** What a run did: the verdict, steps, failures with the repair, queries before and after, the price, how to undo it. */
export function applyBlocks(result: ApplyResult, layout: Layout): Block[] {
  // It was not begun: one line says why.
  if (result.error !== undefined && result.steps.length === 0)
    return [{ kind: 'verdict', tone: 'bad', text: result.error.message }]
  return [
    { kind: 'verdict', tone: result.ok ? 'good' : 'bad', text: applyVerdict(result) },
    { kind: 'text', tone: 'quiet', text: aboutText(result) },
    ...runBlocks(result, layout),
  ]
}

/** All but the verdict and where it was. */
export function runBlocks(result: ApplyResult, layout: Layout): Block[] {
  const refused = result.steps.filter((step) => step.outcome === 'refused')
  return [
    { kind: 'items', title: '', items: result.error === undefined ? [] : [errorItem(withoutHazards(result.error))] },
    stepGrid(result.steps, layout),
    { kind: 'items', title: '', items: result.steps.flatMap(failureItems) },
    { kind: 'items', title: '', items: result.steps.flatMap(waitedItems), limit: 5 },
    ...hazardBlocks(refused),
    ...comparedBlocks(result.queries),
    { kind: 'text', tone: 'quiet', text: noiseText(result) },
    ...measuredBlocks(result.queries),
    ...result.comparisons.flatMap(comparisonBlocks),
    ...rampBlocks(result),
    ...priceBlocks(result, layout),
    ...queryNotes(result.queries, result.findings),
    ...analyzeBlocks(result.analyzed),
    { kind: 'text', tone: 'quiet', text: priceText(result) },
    { kind: 'text', tone: 'plain', next: true, text: nextText(result) },
    { kind: 'scripts', title: 'SQL', scripts: result.steps.filter((step) => step.sql.length > 0).map(scriptOf) },
  ]
}

/** With --ramp: each step ran twice on either side, so that drift shows as a difference between the two. */
function rampBlocks({ load }: ApplyResult): Block[] {
  if (load === undefined) return []
  const sides = [
    { name: 'before', steps: load.before.steps },
    ...(load.after === null ? [] : [{ name: 'after', steps: load.after.steps }]),
  ]
  return [loadGrid(`Load, ${sides.map(({ name }) => name).join(' and ')}`, sides)]
}

/** The hazards are listed below, each once. */
function withoutHazards(error: NonNullable<ApplyResult['error']>): NonNullable<ApplyResult['error']> {
  if (error.code !== 'HAZARD') return error
  const { code, message, hint } = error
  return { code, message, ...(hint === undefined ? {} : { hint }) }
}

/** `31 indexes: 28 built, 3 kept in 9.8 s; 4 queries: 3 faster, 1 same` */
export function applyVerdict(result: ApplyResult): string {
  const outcomes = result.steps.flatMap((step) => (step.outcome === undefined ? [] : [step.outcome]))
  const counted = tally(outcomeOrder, outcomes, outcomeWords)
  const total = several(result.steps.length, 'index', 'indexes')
  // Shown beforehand: what is to be done has no outcome yet.
  const planned = result.run === null && outcomes.length < result.steps.length
  const head =
    result.command === 'rollback' ? `${total} ${result.ok && !planned ? 'rolled back' : 'to roll back'}` : total
  const done = result.already_done === true ? 'already done, ' : ''
  const steps =
    result.steps.length === 0
      ? `${done === '' ? 'no indexes' : 'already done'}: nothing to do`
      : [head, `${done}${counted}`].filter((text) => text !== '').join(': ')
  const { build_ms: built = result.duration_ms, measure_ms: measured } = result
  const time = built === undefined || (result.command === 'rollback' && planned) ? '' : ` in ${duration(built)}`
  const queries = queryTally(result.queries)
  const measuredIn = measured === undefined ? '' : ` in ${duration(measured)}`
  return `${steps}${time}${queries === '' ? '' : `; ${queries}${measuredIn}`}`
}

function stepGrid(steps: readonly ResultStep[], layout: Layout): Block {
  const tableOf = tableNamer(steps)
  const kept = steps.filter((step) => step.outcome === 'kept')
  const shown = layout.verbose ? steps : steps.filter((step) => step.outcome !== 'kept')
  const rows = shown.map((step): Cell[] => [
    { text: signs[step.step], tone: stepTones[step.step] },
    { text: step.index },
    { text: tableOf(step) },
    {
      text: step.outcome === undefined ? '' : outcomeWords[step.outcome],
      tone: step.outcome === undefined ? 'plain' : outcomeTones[step.outcome],
    },
    { text: step.duration_ms === undefined ? '' : duration(step.duration_ms) },
    { text: waitedText(step) },
    { text: step.size_bytes === undefined ? '' : bytes(step.size_bytes) },
  ])
  if (!layout.verbose && kept.length > 0 && rows.length > 0) {
    rows.push([
      { text: '=', tone: 'quiet' },
      { text: several(kept.length, 'index', 'indexes'), tone: 'quiet' },
      { text: '' },
      { text: 'kept', tone: 'quiet' },
    ])
  }
  return {
    kind: 'grid',
    title: '',
    columns: [
      { head: '', kind: 'sign' },
      { head: 'index', kind: 'name', floor: 24 },
      { head: 'table', kind: 'name', floor: 10, drop: 2 },
      { head: 'outcome', kind: 'word' },
      { head: 'time', kind: 'number' },
      { head: 'waited', kind: 'number', drop: 1 },
      { head: 'size', kind: 'number', drop: 3 },
    ],
    rows,
  }
}

/** Waiting under a tenth of a second tells nothing. */
function waitedText(step: ResultStep): string {
  return step.waited_ms === undefined || step.waited_ms < 100 ? '' : duration(step.waited_ms)
}

/** For whom a step waited, with what they ran. */
function waitedItems({ index, waited_ms: waited = 0, waited_for: blockers = [] }: ResultStep): Item[] {
  if (waited < 100 || blockers.length === 0) return []
  return [
    { tone: 'warn', label: 'waited', text: `${index}: ${duration(waited)} for ${blockers.join('; ')}`, details: [] },
  ]
}

function failureItems(step: ResultStep): Item[] {
  if (step.outcome !== 'failed' && step.error === undefined) return []
  if (step.outcome === 'refused') return []
  const item = errorItem(
    step.error ?? { code: 'QUERY_FAILED' satisfies FindingCode, message: 'the step failed' },
    step.index,
  )
  const repair = repairOf(step)
  const hint = step.error?.hint
  return [
    {
      ...item,
      ...(step.outcome === 'not_reached' ? { tone: 'warn', label: 'not reached' } : {}),
      details: [...item.details, ...detail('state', step.state), ...(repair === hint ? [] : detail('repair', repair))],
    },
  ]
}

/** The command that brings the index back in order; what stands there now decides. */
function repairOf(step: ResultStep): string | undefined {
  // Data, constraint, limit: the same build would fail the same way (manual, appendix "PostgreSQL Error Codes").
  const first = /^(22|23|54)/.test(step.error?.sqlstate ?? '') ? 'change the data or the definition first; then ' : ''
  switch (step.state) {
    case 'invalid':
      return `${first}perfdb apply drops it and builds it again; or: drop index concurrently ${quoted(step.schema)}.${quoted(step.index)};`
    case 'missing':
      return step.step === 'drop' ? undefined : `${first}perfdb apply builds it; nothing was left behind`
    case 'building':
      return 'perfdb status shows the build; perfdb apply waits for it'
    case 'valid':
    case undefined:
      return undefined
  }
}

function analyzeBlocks(analyzed: ApplyResult['analyzed']): Block[] {
  const items = analyzed
    .filter((each) => !each.ok)
    .map((each): Item => ({
      tone: 'warn',
      label: 'not analyzed',
      text: each.message === undefined ? each.table : `${each.table}: ${each.message}`,
      details: [],
    }))
  return [{ kind: 'items', title: '', items }]
}

/** What the run cost: disk, waiting, ANALYZE. */
function priceText(result: ApplyResult): string {
  const made = result.steps.filter(
    (step) => step.outcome === 'built' || step.outcome === 'rebuilt' || step.outcome === 'replaced',
  )
  const size = made.reduce((sum, step) => sum + (step.size_bytes ?? 0), 0)
  const waited = made.reduce((sum, step) => sum + (step.waited_ms ?? 0), 0)
  const analyzed = result.analyzed.filter((each) => each.ok)
  const time = analyzed.reduce((sum, each) => sum + each.duration_ms, 0)
  return [
    ...(made.length === 0 ? [] : [`${bytes(size)} of indexes built`]),
    ...priceTotals(result),
    ...(waited < 100 ? [] : [`${duration(waited)} spent waiting for other transactions`]),
    ...(analyzed.length === 0 ? [] : [`${several(analyzed.length, 'table')} analyzed in ${duration(time)}`]),
  ].join(', ')
}

/** The run in the ledger and the command to go on or back with. */
function nextText(result: ApplyResult): string {
  if (result.run === null) return ''
  if (result.command === 'rollback') return `run ${result.run}`
  const again = result.steps.some((step) => step.outcome === 'failed' || step.outcome === 'not_reached')
  // What was only rebuilt where it stood has nothing to go back to.
  const undo = result.steps.some(({ step, outcome }) => outcome !== 'kept' && step !== 'reindex')
  const parts = [
    `run ${result.run}`,
    ...(again ? ['go on: perfdb apply'] : []),
    ...(undo ? [`undo: perfdb rollback ${result.run}`] : []),
  ]
  return parts.join('; ')
}
