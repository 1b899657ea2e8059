import type { Price, ResultStep, WriteCost } from '../../result/documents/result.js'
import type { DeclaredIndex } from '../../profile/profile.js'
import { indexKey, type IndexUse } from './price-uses.js'
import type { QueryMeasurement } from '../sample/measurement.js'
import { noScans, type Scans } from './scans.js'
import type { Weights } from './weights.js'
import { count } from '../plan/plan-node.js'
import { milliseconds } from '../rules/rule.js'
import { ratio } from '../../text/amounts.js'

/** What the measurements know of the declared indexes. */
export interface PriceEvidence {
  /** By indexKey. */
  readonly uses: ReadonlyMap<string, readonly IndexUse[]>
  readonly after: readonly QueryMeasurement[]
  /** Indexes that no query uses on tables too small to tell, by name. */
  readonly tooSmall: ReadonlySet<string>
  readonly writes: readonly WriteCost[]
  /** Before this run. */
  readonly scans?: Scans
  readonly weights?: Weights
}

type Judgement = Pick<Price, 'verdict' | 'reason'>

/**
 * The price of each declared index that exists after the run, and the verdict. `pays`: the queries that use it gain more than others lose, each
 * by its weight; where several new indexes of one query plan were not measured one by one they get the credit together, and it says so.
 * `does_not_pay`: it is new and no declared query uses it, or those that do gained nothing. `cannot_say`: nothing was measured, a table
 * too small to tell, a unique index that no query needs, an index that already existed. `evidence` is null when nothing was measured.
 */
export function prices(
  steps: readonly ResultStep[],
  declared: readonly DeclaredIndex[],
  evidence: PriceEvidence | null,
): Price[] {
  const byKey = new Map(
    declared.map((index) => [indexKey(index.definition.table.schema, index.definition.name), index]),
  )
  return steps.flatMap((step) => {
    const index = byKey.get(indexKey(step.schema, step.index))
    if (index === undefined || step.state !== 'valid') return []
    const { wal_bytes, wal_shared } = step
    const uses = evidence?.uses.get(indexKey(step.schema, step.index)) ?? []
    return [
      {
        index: step.index,
        table: step.table,
        schema: step.schema,
        ...judge(step, index, uses, evidence),
        queries: [...new Set(uses.map(({ query }) => query))],
        ...(step.size_bytes === undefined ? {} : { size_bytes: step.size_bytes }),
        ...(isNew(step) ? { build_ms: Math.max(0, (step.duration_ms ?? 0) - (step.waited_ms ?? 0)) } : {}),
        ...(wal_bytes === undefined ? {} : { wal_bytes }),
        ...(wal_shared === undefined ? {} : { wal_shared }),
      },
    ]
  })
}

function isNew({ outcome }: ResultStep): boolean {
  return outcome === 'built' || outcome === 'rebuilt' || outcome === 'replaced' || outcome === 'waited'
}

function judge(
  step: ResultStep,
  index: DeclaredIndex,
  uses: readonly IndexUse[],
  evidence: PriceEvidence | null,
): Judgement {
  if (evidence === null || evidence.after.length === 0) return cannotSay('no query was measured')
  if (uses.length === 0) return unused(step, index, evidence)
  const names = new Set(uses.map(({ query }) => query))
  const one = names.size === 1
  const users = `${listed([...names])} ${one ? 'uses' : 'use'} it`
  if (!isNew(step)) return cannotSay(`${users}; the gain is not known, for the index already existed`)
  const faster = uses.filter(({ verdict }) => verdict === 'faster')
  const best = faster.toSorted((a, b) => (b.ratio ?? 0) - (a.ratio ?? 0))
  const net = uses.reduce((sum, use) => sum + (evidence.weights?.of.get(use.query) ?? 1) * conclusiveMs(use), 0)
  if (best.length > 0 && net < 0)
    return {
      verdict: 'does_not_pay',
      reason: `${gains(best, step.index)}${losses(uses)}, which costs more than it saves`,
    }
  if (best.length > 0)
    return {
      verdict: 'pays',
      reason: `${gains(best, step.index)}${losses(uses)}${balance(step, best, evidence.writes)}`,
    }
  const compared = uses.filter(({ verdict }) => verdict !== null)
  if (compared.length === 0) return cannotSay(`${users}, and ${one ? 'was' : 'were'} not measured before`)
  if (uses.some(({ verdict }) => verdict === 'inconclusive'))
    return cannotSay(`${users}, and the measurements do not tell whether ${one ? 'it is' : 'they are'} faster`)
  if (uses.every(({ small }) => small)) return cannotSay(`${users}, on a table too small to tell`)
  const than = step.outcome === 'replaced' ? 'than with the definition that it replaced' : 'than without it'
  return { verdict: 'does_not_pay', reason: `${users} and ${one ? 'is' : 'are'} no faster ${than}` }
}

/** Only of what became faster or slower for certain. */
function conclusiveMs({ verdict, savedMs }: IndexUse): number {
  return verdict === 'faster' || verdict === 'slower' ? (savedMs ?? 0) : 0
}

function unused(
  step: ResultStep,
  { definition, for: wanted }: DeclaredIndex,
  { after, tooSmall, scans = noScans }: PriceEvidence,
): Judgement {
  if (definition.unique) return cannotSay('no declared query uses it; it is unique, and keeps duplicates out')
  if (tooSmall.has(definition.name)) return cannotSay('no declared query uses it, on a table too small to tell')
  const own = after.filter(({ query }) => wanted.includes(query.name))
  const unmeasured = own.find(({ measurements }) => !measurements.some(({ status }) => status === 'measured'))
  if (unmeasured !== undefined)
    return cannotSay(`${unmeasured.query.name}, which it was declared for, could not be measured`)
  const reasons = own.flatMap(({ query, measurements }) =>
    measurements.flatMap(({ unchosen }) =>
      unchosen.filter(({ index }) => index === definition.name).map(({ reason }) => `${query.name}: ${reason}`),
    ),
  )
  if (isNew(step) && scans.unasked === 0)
    return { verdict: 'does_not_pay', reason: reasons[0] ?? 'no declared query uses it' }
  return cannotSay(['no declared query', ...scansTexts(scans, step, isNew(step))].join('; '))
}

function cannotSay(reason: string): Judgement {
  return { verdict: 'cannot_say', reason }
}

function gains(best: readonly IndexUse[], own: string): string {
  const texts = best.map(({ query, params, ratio, together }) => {
    const set = params === null || params === 'default' ? '' : ` (${params})`
    const gain = ratio === null ? `${query}${set} ends in time` : `${query}${set} ${factor(ratio)} faster`
    return together.length === 0 ? gain : `${listed([own, ...together])} together: ${gain}`
  })
  return listed(texts)
}

/** `233 scans since 2026-03-01`, and who was not asked. */
function scansTexts({ of, unasked }: Scans, { schema, index }: ResultStep, fresh: boolean): readonly string[] {
  const known = of.get(indexKey(schema, index))
  const counted =
    known === undefined
      ? ''
      : `${known.scans === 0 ? 'no' : count(known.scans)} scan${known.scans === 1 ? '' : 's'} since ${known.since}`
  return [
    ...(fresh || counted === '' ? [] : [counted]),
    ...(unasked === 0 ? [] : [`${unasked} standby${unasked === 1 ? '' : 's'} not asked (replicas)`]),
  ]
}

/** Who lost by it is told beside who gained. */
function losses(uses: readonly IndexUse[]): string {
  const slower = uses.filter(({ verdict }) => verdict === 'slower')
  return slower.length === 0 ? '' : `; ${listed(slower.map(({ query }) => query))} slower`
}

/** `12x`, `1,000x`. */
function factor(value: number): string {
  return `${ratio(value)}x`
}

/** The first two, and how many more. */
function listed(all: readonly string[]): string {
  const texts = [...new Set(all)]
  const [first = '', second, ...rest] = texts
  if (second === undefined) return first
  return rest.length === 0 ? `${first} and ${second}` : `${first}, ${second} and ${rest.length} more`
}

/** How many writes one run of the query that gains most makes up for; empty without a write that became dearer for certain. */
function balance(step: ResultStep, best: readonly IndexUse[], writes: readonly WriteCost[]): string {
  const [saver] = best.toSorted((a, b) => (b.savedMs ?? 0) - (a.savedMs ?? 0))
  const table = step.table.startsWith(`${step.schema}.`) ? step.table : `${step.schema}.${step.table}`
  const dearer = writes.filter((one) => one.table === table && isDearer(one))
  const worst = dearer.toSorted((a, b) => extraMs(b) - extraMs(a))[0]
  if (saver === undefined || saver.savedMs === null || worst === undefined) return ''
  const runs = Math.floor(saver.savedMs / extraMs(worst))
  const shared = worst.indexes > 1 ? ` by the ${worst.indexes} new indexes of the table together` : ''
  return `; ${worst.query} takes ${milliseconds(extraMs(worst))} more${shared}, so one ${saver.query} pays for ${runs} of them`
}

/** More work, which has no noise, and intervals of the time that do not even touch. */
function isDearer({ before, after }: WriteCost): boolean {
  const more = after.buffers > before.buffers || after.wal_records > before.wal_records
  return more && after.execution_ms.low > before.execution_ms.high
}

function extraMs({ before, after }: WriteCost): number {
  return after.execution_ms.median - before.execution_ms.median
}
