import type { Price, ResultStep, WriteCost } from '../../result/result.js'
import type { DeclaredIndex } from '../../profile/profile.js'
import { indexKey, type IndexUse } from './price-uses.js'
import type { QueryMeasurement } from '../sample/measurement.js'
import { milliseconds } from '../rules/rule.js'

/** What the measurements know of the declared indexes. */
export interface PriceEvidence {
  /** By indexKey. */
  readonly uses: ReadonlyMap<string, readonly IndexUse[]>
  readonly after: readonly QueryMeasurement[]
  /** Indexes that no query uses on tables too small to tell, by name. */
  readonly tooSmall: ReadonlySet<string>
  readonly writes: readonly WriteCost[]
}

type Judgement = Pick<Price, 'verdict' | 'reason'>

/**
 * The price of each declared index that stands after the run, and the verdict. `pays`: a query that uses it became faster.
 * `does_not_pay`: no declared query uses it, or those that do gained nothing. `cannot_say`: nothing was measured, a table
 * too small to tell, a unique index that no query needs, an index that stood there before. `evidence` is null when nothing was measured.
 */
export function prices(
  steps: readonly ResultStep[],
  declared: readonly DeclaredIndex[],
  evidence: PriceEvidence | null,
): Price[] {
  return steps.flatMap((step) => {
    const index = declared.find(
      ({ definition }) => definition.name === step.index && definition.table.schema === step.schema,
    )
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
  if (uses.length === 0) return unused(index, evidence)
  const names = new Set(uses.map(({ query }) => query))
  const one = names.size === 1
  const users = `${listed([...names])} ${one ? 'uses' : 'use'} it`
  if (!isNew(step)) return cannotSay(`${users}; the gain is not known, for the index stood there before`)
  const faster = uses.filter(({ verdict }) => verdict === 'faster')
  const best = faster.toSorted((a, b) => (b.ratio ?? 0) - (a.ratio ?? 0))
  if (best.length > 0)
    return { verdict: 'pays', reason: `${gains(best)}${losses(uses)}${balance(step, best, evidence.writes)}` }
  const compared = uses.filter(({ verdict }) => verdict !== null)
  if (compared.length === 0) return cannotSay(`${users}, and ${one ? 'was' : 'were'} not measured before`)
  if (uses.some(({ verdict }) => verdict === 'inconclusive'))
    return cannotSay(`${users}, and the measurements do not tell whether ${one ? 'it is' : 'they are'} faster`)
  if (uses.every(({ small }) => small)) return cannotSay(`${users}, on a table too small to tell`)
  const than = step.outcome === 'replaced' ? 'than with the definition that it replaced' : 'than without it'
  return { verdict: 'does_not_pay', reason: `${users} and ${one ? 'is' : 'are'} no faster ${than}` }
}

function unused({ definition, for: wanted }: DeclaredIndex, { after, tooSmall }: PriceEvidence): Judgement {
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
  return { verdict: 'does_not_pay', reason: reasons[0] ?? 'no declared query uses it' }
}

function cannotSay(reason: string): Judgement {
  return { verdict: 'cannot_say', reason }
}

function gains(best: readonly IndexUse[]): string {
  const texts = best.map(({ query, params, ratio }) => {
    const set = params === null || params === 'default' ? '' : ` (${params})`
    return ratio === null ? `${query}${set} ends in time` : `${query}${set} ${factor(ratio)} faster`
  })
  return listed(texts)
}

/** Who lost by it is told beside who gained. */
function losses(uses: readonly IndexUse[]): string {
  const slower = uses.filter(({ verdict }) => verdict === 'slower')
  return slower.length === 0 ? '' : `; ${listed(slower.map(({ query }) => query))} slower`
}

/** `12x`; two digits, more than an interval of 10 % would be a lie. */
function factor(ratio: number): string {
  return `${Number(ratio.toPrecision(2))}x`
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
