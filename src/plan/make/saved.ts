import { createHash } from 'node:crypto'
import { oldNameFor } from '../match/names.js'
import { stepKey } from '../match/needs.js'
import type { ExistingIndex } from '../../catalog/snapshot.js'
import type { Plan, Step, StepKind } from '../plan.js'

/** What a saved plan says of one step, so that a later run can tell whether the database is further along it or somewhere else. */
export interface SavedStep {
  readonly step: StepKind
  readonly schema: string
  readonly index: string
  /** Over everything that the step rests on: its statements, the declaration, and the index that is there with its flags. */
  readonly fingerprint: string
  /** Over what is to be there afterwards: table and definition; null after a drop. */
  readonly target: string | null
  /** Over the index that was there, whatever its flags; null when there was none. */
  readonly before: string | null
}

export function savedStep({ step, schema, index, table, statements, canonical, existing }: Step): SavedStep {
  const before = existing === null ? null : identityOf(existing)
  const flags = existing === null ? null : [existing.valid, existing.ready, existing.live]
  const sql = statements.map((statement) => statement.sql)
  return {
    step,
    schema,
    index,
    fingerprint: hashOf([step, schema, index, table, sql, canonical, before, flags]),
    target: canonical === null ? null : hashOf([table, canonical]),
    before: existing === null ? null : beforeHash(existing),
  }
}

/**
 * Where the database, or a profile, is not what it was when the plan was saved, nor further along that plan; one sentence for each index,
 * empty when the plan can be run, or gone on with. Done is what the step was to bring about; a leftover of its own build is gone on with.
 */
export function movedSince(saved: readonly SavedStep[], plan: Plan): readonly string[] {
  const now = new Map(plan.steps.map((step) => [stepKey(step), savedStep(step)]))
  const known = new Set(saved.map(stepKey))
  const leftovers = new Set(
    saved
      .filter(({ step }) => step === 'replace')
      .map(({ schema, index }) => stepKey({ schema, index: oldNameFor(index) })),
  )
  return [
    ...saved.flatMap((before) => {
      const step = now.get(stepKey(before))
      return isFurther(before, step) ? [] : [`${nameOf(before)} ${howMoved(before, step)}`]
    }),
    ...[...now.values()]
      .filter((step) => !known.has(stepKey(step)) && !(step.step === 'drop' && leftovers.has(stepKey(step))))
      .map((step) => `${nameOf(step)} is not in the saved plan: ${meaning[step.step]} now`),
  ]
}

/** True when nothing of a saved plan is left to do. */
export function isDone(plan: Plan): boolean {
  return plan.extensions.length === 0 && plan.steps.every(({ step }) => step === 'keep')
}

function isFurther(before: SavedStep, now: SavedStep | undefined): boolean {
  if (now === undefined) return before.step === 'drop'
  if (now.fingerprint === before.fingerprint) return true
  if (now.target !== before.target) return false
  switch (before.step) {
    case 'keep':
      return now.step === 'keep'
    case 'create':
    case 'rebuild':
    case 'reindex':
    case 'building':
      return now.step === 'keep' || building.has(now.step)
    case 'replace':
      return now.step === 'keep' || (now.step === 'replace' && now.before === before.before)
    case 'adopt':
      return now.step === 'keep'
    case 'drop':
      return now.step === 'drop' && now.before === before.before
  }
}

/** Between these a build goes on its way: begun by this plan, left not valid, or gone again. */
const building: ReadonlySet<StepKind> = new Set(['create', 'rebuild', 'building'])

const meaning: Readonly<Record<StepKind, string>> = {
  keep: 'it is as declared',
  create: 'it is missing',
  rebuild: 'it is not valid',
  reindex: 'it is to be rebuilt',
  building: 'another session builds it',
  replace: 'it has another definition',
  adopt: 'it has another name',
  drop: 'it is to be dropped',
}

function howMoved(before: SavedStep, now: SavedStep | undefined): string {
  if (now === undefined) return 'is not declared any more'
  if (now.target !== before.target) return 'is declared otherwise now'
  return now.step === before.step
    ? 'is another one than it was when the plan was saved'
    : `moved: when the plan was saved ${meaning[before.step]}, now ${meaning[now.step]}`
}

function nameOf({ schema, index }: SavedStep): string {
  return `${schema}.${index}`
}

function hashOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex')
}

function identityOf({ oid, name, canonical }: ExistingIndex) {
  return [oid, name, canonical]
}

/** `before` of a saved step, for the index that is there now. */
export function beforeHash(existing: ExistingIndex): string {
  return hashOf(identityOf(existing))
}
