import { changed, leastMs } from './changed.js'
import type { Measurement, QueryMeasurement } from './measurement.js'
import { namesakeOf } from './namesake.js'
import { shapeOf } from './shape.js'
import { median, roundRatios, speedupInTurns, type Rounds } from './statistics.js'
import type { Block } from './subject.js'

/** What two measurements of the same thing differed by, from 1 on. */
export interface NoisePair {
  readonly query: string
  /** The two halves of a block, two blocks of one side, a query whose query plan and buffers did not change, a control query, or the odd and the
   * even rounds of two sides in turns. */
  readonly of: 'halves' | 'blocks' | 'unchanged' | 'control' | 'turns'
  readonly ratio: number
}

/** The noise of a run: 95 of 100 pairs of the same thing differed by no more than `floor`; of fewer than 20 pairs all. 1 without pairs. */
export interface Noise {
  readonly floor: number
  readonly pairs: readonly NoisePair[]
}

/**
 * What a run measured twice although nothing had changed in between: a difference that is not larger says nothing. Queries of either side may
 * have several parameter sets and several blocks.
 */
export function noiseOf(before: readonly QueryMeasurement[], after: readonly QueryMeasurement[]): Noise {
  const pairs = [
    ...[...before, ...after].flatMap((one) => measuredOf(one).flatMap((each) => ownPairs(one.query.name, each))),
    ...after.flatMap((one) => acrossPairs(namesakeOf(before, one.query), one)),
  ]
  return noiseOfPairs(pairs)
}

export function noiseOfPairs(pairs: readonly NoisePair[]): Noise {
  return { floor: floorOf(pairs.map(({ ratio }) => ratio)), pairs }
}

export function floorOf(ratios: readonly number[]): number {
  const sorted = ratios.toSorted((a, b) => a - b)
  return sorted[Math.ceil(0.95 * sorted.length) - 1] ?? 1
}

/** The largest ratio between the blocks of one side; 1 for one block. */
export function ownNoise(measurement: Pick<Measurement, 'blocks' | 'executionMs' | 'controlMs'>): number {
  return Math.max(1, ...blockPairs(blocksOf(measurement)))
}

/** The rounds of two sides that took turns, where they are as many as an interval of 95 % wants; null elsewhere. */
export function inTurns({ rounds: before }: Measurement, { rounds: after }: Measurement): Turns | null {
  if (before === undefined || after === undefined) return null
  return speedupInTurns(before, after).sound ? { before, after } : null
}

export interface Turns {
  readonly before: Rounds
  readonly after: Rounds
}

/** What the odd and the even rounds differ by; 1 where nothing would be claimed of so small a difference. */
export function turnsNoise({ before, after }: Turns): number {
  const ratios = roundRatios(before, after)
  const [odd, even] = [0, 1].map((rest) => Math.exp(median(ratios.filter((_, round) => round % 2 === rest))))
  if (odd === undefined || even === undefined) return 1
  return Math.abs(odd - even) * median(after.flat()) < leastMs ? 1 : Math.max(odd / even, even / odd)
}

export function blocksOf({
  blocks,
  executionMs,
  controlMs,
}: Pick<Measurement, 'blocks' | 'executionMs' | 'controlMs'>) {
  return blocks ?? [{ executionMs, controlMs }]
}

function measuredOf({ measurements, query }: QueryMeasurement): readonly Measurement[] {
  return query.variants.length > 0 ? [] : measurements.filter(({ status }) => status === 'measured')
}

function ownPairs(query: string, measured: Measurement): readonly NoisePair[] {
  const blocks = blocksOf(measured)
  const halves = blocks.flatMap(({ executionMs, controlMs }) => [
    ...halvesRatio(executionMs).map((ratio) => ({ query, of: 'halves' as const, ratio })),
    ...halvesRatio(controlMs).map((ratio) => ({ query, of: 'control' as const, ratio })),
  ])
  return [...halves, ...blockPairs(blocks).map((ratio) => ({ query, of: 'blocks' as const, ratio }))]
}

function acrossPairs(before: QueryMeasurement | undefined, after: QueryMeasurement): readonly NoisePair[] {
  if (before === undefined) return []
  const query = after.query.name
  const sides = measuredOf(after).flatMap((one) => {
    const other = measuredOf(before).find(({ params }) => params === one.params)
    return other === undefined ? [] : [{ one, other }]
  })
  const unchanged = sides
    .filter(({ one, other }) => shapeOf(one) === shapeOf(other) && !changed(one.buffers, other.buffers))
    .flatMap(({ one, other }) => ratioOf(wholeOf(other), wholeOf(one)))
    .map((ratio) => ({ query, of: 'unchanged' as const, ratio }))
  const controls = sides
    .slice(0, 1)
    .flatMap(({ one, other }) => plainRatio(other.controlMs, one.controlMs))
    .map((ratio) => ({ query, of: 'control' as const, ratio }))
  return [...unchanged, ...controls]
}

function wholeOf({ executionMs, controlMs }: Measurement): Block {
  return { executionMs, controlMs }
}

function blockPairs(blocks: readonly Block[]): readonly number[] {
  return blocks.flatMap((one, at) => blocks.slice(at + 1).flatMap((other) => ratioOf(one, other)))
}

/** Three samples a half at least. */
function halvesRatio(samples: readonly number[]): readonly number[] {
  const middle = Math.floor(samples.length / 2)
  return middle < 3 ? [] : plainRatio(samples.slice(0, middle), samples.slice(samples.length - middle))
}

/** With the drift of the control query taken out where that explains the difference. */
function ratioOf(one: Block, other: Block): readonly number[] {
  const seen = logRatio(one.executionMs, other.executionMs)
  if (seen === null) return []
  const drift = logRatio(other.controlMs, one.controlMs) ?? 0
  const [low, high] = [Math.min(seen, seen + drift), Math.max(seen, seen + drift)]
  return [Math.exp(low <= 0 && high >= 0 ? 0 : Math.min(Math.abs(low), Math.abs(high)))]
}

function plainRatio(one: readonly number[], other: readonly number[]): readonly number[] {
  const seen = logRatio(one, other)
  return seen === null ? [] : [Math.exp(Math.abs(seen))]
}

/** null for no samples; 0 where nothing would be claimed of so small a difference. */
function logRatio(one: readonly number[], other: readonly number[]): number | null {
  if (one.length === 0 || other.length === 0) return null
  const [a, b] = [median(one), median(other)]
  return Math.abs(a - b) < leastMs ? 0 : Math.log(a / b)
}
