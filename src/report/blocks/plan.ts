import type { PlanResult, ResultStep, VerifyResult } from '../../result/documents/result.js'
import type { Block, Cell, Item, Script } from '../block/block.js'
import { findingBlocks } from '../block/findings.js'
import type { Layout } from '../block/layout.js'
import { hazardBlocks, isGated } from './hazards.js'
import { intents, serverText, signs, states, stepOrder, stepTones, tableNamer, tally } from './steps.js'
import { bytes, count, withThousands, several } from '../../text/amounts.js'
import { whatIfBlocks } from './what-if.js'

/** What apply would do: the verdict, one line a step, hazards with how to allow them, findings, SQL, and the count. */
export function planBlocks(result: PlanResult, layout: Layout): Block[] {
  const work = result.steps.filter((one) => one.step !== 'keep' && one.step !== 'building' && !isRefused(one))
  return [
    { kind: 'verdict', tone: planTone(result, work.length), text: planVerdict(result, work.length) },
    { kind: 'text', tone: 'quiet', text: aboutText(result) },
    planGrid(result.steps, layout),
    { kind: 'items', title: '', items: result.steps.flatMap(definitionItems), limit: 20 },
    {
      kind: 'text',
      tone: 'plain',
      text: result.extensions.length === 0 ? '' : `Created first: extension ${result.extensions.join(', ')}.`,
    },
    ...hazardBlocks(result.steps),
    ...whatIfBlocks(result.what_if),
    ...findingBlocks(result.findings),
    ...(result.notes ?? []).map((note) => ({ kind: 'text', tone: 'plain', text: `note: ${note}` }) as const),
    { kind: 'scripts', title: 'SQL', scripts: work.map(scriptOf) },
    { kind: 'text', tone: 'plain', text: exportText(result.exported) },
    { kind: 'verdict', tone: 'plain', text: `Plan: ${planTally(result.steps)}.` },
    { kind: 'text', tone: 'plain', next: true, text: nextText(work) },
  ]
}

/** Where nothing is to be allowed first. */
function nextText(work: readonly ResultStep[]): string {
  return work.length === 0 || work.some(({ hazards }) => hazards.some(isGated)) ? '' : 'to do it: perfdb apply'
}

/** What --export wrote. */
function exportText(files: readonly string[] | undefined): string {
  if (files === undefined) return ''
  if (files.length === 0) return 'Nothing to export.'
  const more = files.length > 3 ? ` and ${files.length - 3} more` : ''
  return `Written: ${files.slice(0, 3).join(', ')}${more}; perfdb verify proves them after they ran.`
}

/** What the profile and the catalog disagree on. */
export function verifyBlocks(result: VerifyResult, layout: Layout): Block[] {
  const drift = result.steps.filter((step) => step.step !== 'keep')
  const total = several(result.steps.length, 'index', 'indexes')
  const text =
    result.steps.length === 0
      ? 'no indexes are declared'
      : drift.length === 0
        ? `${total}: all as declared`
        : `${total}: ${tally(
            [...stepOrder].toReversed(),
            result.steps.map((step) => step.step),
            states,
          )}`
  const failing = result.findings.some((finding) => finding.severity === 'error')
  return [
    {
      kind: 'verdict',
      tone: result.ok ? 'good' : 'bad',
      text: result.ok || drift.length > 0 || !failing ? text : `${text}, but not in order`,
    },
    { kind: 'text', tone: 'quiet', text: aboutText(result) },
    verifyGrid(result.steps, layout),
    ...findingBlocks(result.findings),
    {
      kind: 'text',
      tone: 'plain',
      next: true,
      text: drift.length === 0 ? '' : 'what apply would do about it, with its hazards: perfdb plan',
    },
    {
      kind: 'scripts',
      title: 'SQL that apply would run',
      scripts: drift.filter((step) => step.sql.length > 0).map(scriptOf),
    },
  ]
}

/** `3 to create, 28 to keep, 1 refused`, or what to say when there is nothing. */
export function planTally(steps: readonly ResultStep[]): string {
  if (steps.length === 0) return 'nothing is declared'
  const able = steps.filter((step) => !isRefused(step))
  const refused = steps.length - able.length
  const words =
    able.length === 0
      ? []
      : [
          tally(
            stepOrder,
            able.map(({ step }) => step),
            intents,
          ),
        ]
  return [...words, ...(refused === 0 ? [] : [`${refused} refused`])].join(', ')
}

/** What PostgreSQL or perfdb would refuse, whatever is allowed. */
function isRefused({ hazards }: ResultStep): boolean {
  return hazards.some(({ refused }) => refused === true)
}

/** `+ public.idx on public.jobs: reason`, and its statements. */
export function scriptOf(step: ResultStep): Script {
  return {
    title: `${step.step} ${step.schema}.${step.index} on ${step.table}: ${withNeeds(step)}`,
    statements: step.sql,
  }
}

/** The server and the profiles in one line. */
export function aboutText(result: Pick<PlanResult, 'server' | 'profiles'>): string {
  const profiles = result.profiles.length === 0 ? '' : `profile ${result.profiles.join(', ')}`
  return [serverText(result.server), profiles].filter((part) => part !== '').join('; ')
}

function planVerdict(result: PlanResult, work: number): string {
  const total = several(result.steps.length, 'index', 'indexes')
  const all = result.steps.flatMap((step) => step.hazards)
  const hazards = all.filter(isGated).length
  const refused =
    all.filter((hazard) => hazard.refused === true).length +
    result.findings.filter(({ code }) => code === 'DROP_REFUSED').length
  const waiting = result.steps.filter((step) => step.step === 'building').length
  const rest = [
    ...(waiting > 0 ? [`${waiting} being built by another session`] : []),
    ...(hazards > 0 ? [`${several(hazards, 'hazard')} to allow by name`] : []),
    ...(refused > 0 ? [`${withThousands(refused)} refused`] : []),
  ].join(', ')
  if (result.steps.length === 0)
    return refused > 0 ? `nothing to do, ${rest}` : 'no indexes are declared: nothing to do'
  const head = work === 0 ? `${total}: nothing to do` : `${total}: ${withThousands(work)} to work on`
  return rest === '' ? head : `${head}, ${rest}`
}

function planTone(result: PlanResult, work: number): 'good' | 'warn' | 'bad' {
  if (!result.ok && result.findings.some((finding) => finding.severity === 'error')) return 'bad'
  return work === 0 ? 'good' : 'warn'
}

/** What is built, and for a replace what was there. */
function definitionItems({ step, index, definition, definition_before: before }: ResultStep): Item[] {
  if (definition === undefined) return []
  const label = `${signs[step]} ${index}`
  if (before === undefined) return [{ tone: stepTones[step], label, text: definition, details: [] }]
  const details = [
    { label: '-', text: before, tone: 'bad' },
    { label: '+', text: definition, tone: 'good' },
  ] as const
  return [{ tone: stepTones[step], label, text: 'another definition', details }]
}

function planGrid(steps: readonly ResultStep[], layout: Layout): Block {
  const tableOf = tableNamer(steps)
  const kept = steps.filter((step) => step.step === 'keep')
  const shown = layout.verbose ? steps : steps.filter((step) => step.step !== 'keep')
  const rows = shown.map((step): Cell[] => {
    const tone = stepTones[step.step]
    const cells: Cell[] = [
      { text: signs[step.step], tone },
      { text: step.index, tone },
      { text: tableOf(step) },
      { text: rowsText(step) },
      { text: step.table_bytes === undefined ? '' : bytes(step.table_bytes) },
      { text: step.predicted_bytes === undefined ? '' : `~${bytes(step.predicted_bytes)}` },
      { text: withNeeds(step), tone: 'quiet' },
    ]
    return step.step === 'keep' ? cells.map(({ text }) => ({ text, tone })) : cells
  })
  if (!layout.verbose && kept.length > 0 && rows.length > 0) {
    rows.push([
      { text: '=', tone: 'quiet' },
      { text: `${several(kept.length, 'index', 'indexes')} as declared`, tone: 'quiet' },
    ])
  }
  return {
    kind: 'grid',
    title: '',
    columns: [
      { head: '', kind: 'sign' },
      { head: 'index', kind: 'name', floor: 24 },
      { head: 'table', kind: 'name', floor: 12 },
      { head: 'rows', kind: 'number', drop: 2 },
      { head: 'size', kind: 'number', drop: 3 },
      { head: 'index size', kind: 'number', drop: 4 },
      { head: 'why', kind: 'prose', floor: 18, drop: 1 },
    ],
    rows,
  }
}

/** `?` where the table was never analyzed. */
function rowsText({ table_rows: rows, table_bytes: size }: ResultStep): string {
  if (rows !== undefined) return count(rows)
  return size === undefined ? '' : '?'
}

/** The reason of a step, and what must be there before it. */
function withNeeds({ reason, schema, needs = [], needs_more: unnamed = 0 }: ResultStep): string {
  if (needs.length === 0) return reason
  const names = needs.map((need) => (need.schema === schema ? need.index : `${need.schema}.${need.index}`))
  const left = names.length - 3 + unnamed
  const more = left > 0 ? ` and ${left} more` : ''
  return `${reason}; after ${names.slice(0, 3).join(', ')}${more}`
}

function verifyGrid(steps: readonly ResultStep[], layout: Layout): Block {
  const tableOf = tableNamer(steps)
  return {
    kind: 'grid',
    title: '',
    columns: [
      { head: 'found', kind: 'word' },
      { head: 'index', kind: 'name', floor: 24 },
      { head: 'table', kind: 'name', floor: 12 },
      { head: 'size', kind: 'number', drop: 2 },
      { head: 'why', kind: 'prose', floor: 18, drop: 1 },
    ],
    rows: (layout.verbose ? steps : steps.filter((step) => step.step !== 'keep')).map((step): Cell[] => [
      { text: states[step.step], tone: step.step === 'keep' ? 'quiet' : step.step === 'building' ? 'warn' : 'bad' },
      { text: step.index },
      { text: tableOf(step) },
      { text: step.size_bytes === undefined ? '' : bytes(step.size_bytes) },
      { text: step.reason === states[step.step] ? '' : step.reason, tone: 'quiet' },
    ]),
  }
}
