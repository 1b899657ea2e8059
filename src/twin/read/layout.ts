import type { Domain } from './domains.js'

/** A value of a domain in its order: equal values have one rank. */
export interface Ranked {
  readonly value: string
  readonly rank: number
  /** Where it lies; null where the type has no distances. */
  readonly position: number | null
  /** It stands for itself: the schema or a query that was given says it. */
  readonly named: boolean
}

/** What a type has besides its values: it stays as it is. */
const outside = /^(-?infinity|nan)$/i

/** Ranks that follow one another between two named ones, or beyond the last. */
interface Segment {
  readonly below: Ranked | undefined
  readonly free: readonly number[]
  readonly above: Ranked | undefined
}

/**
 * The stand-in of each value. Nothing but order and equality are kept: named values stay, the others lie evenly between them, and beyond the outermost as far from each
 * other as those between them on the average. null where there is no room for so many.
 */
export function layOut(domain: Domain, ranked: readonly Ranked[]): ReadonlyMap<string, string> | null {
  const inside = ranked.filter(({ value }) => !outside.test(value))
  const named = new Map(inside.flatMap((one) => (one.named ? [[one.rank, one] as const] : [])))
  const ranks = [...new Set(inside.map(({ rank }) => rank))].toSorted((one, other) => one - other)
  const usual = usualStep(domain, ranks, [...named.values()])
  const found = new Map<number, string>()
  for (const segment of segmentsOf(ranks, named)) {
    const made = domain.position === null ? words(domain, segment) : places(domain, segment, usual)
    if (made === null) return null
    for (const [at, rank] of segment.free.entries()) found.set(rank, made[at] ?? '')
  }
  return new Map(ranked.map(({ value, rank }) => [value, found.get(rank) ?? named.get(rank)?.value ?? value]))
}

function segmentsOf(ranks: readonly number[], named: ReadonlyMap<number, Ranked>): readonly Segment[] {
  const found: Segment[] = []
  let below: Ranked | undefined
  let free: number[] = []
  for (const rank of ranks) {
    const above = named.get(rank)
    if (above === undefined) free.push(rank)
    else {
      found.push({ below, free, above })
      below = above
      free = []
    }
  }
  return [...found, { below, free, above: undefined }]
}

/** What lies between two neighbours on the average, from the least named value to the greatest. */
function usualStep({ step }: Domain, ranks: readonly number[], named: readonly Ranked[]): number {
  const sorted = named.toSorted((one, other) => one.rank - other.rank)
  const [first, last] = [sorted[0], sorted.at(-1)]
  if (first === undefined || last === undefined || first.rank === last.rank) return step
  const steps = ranks.filter((rank) => rank > first.rank && rank <= last.rank).length
  return Math.max(0, (last.position ?? 0) - (first.position ?? 0)) / steps || step
}

/** Numbers and moments. */
function places({ grid, limit, from: start, write }: Domain, { below, free, above }: Segment, usual: number) {
  const [low, high] = [below?.position ?? null, above?.position ?? null]
  const count = free.length + 1
  const width =
    low !== null && high !== null
      ? (high - low) / count
      : Math.min(Math.max(usual, grid), (low === null ? limit + (high ?? -start) : limit - low) / count)
  if (width < grid && free.length > 0) return null
  const from = low ?? (high === null ? start : Math.floor((high - count * width) / grid) * grid)
  return free.map((_, at) => write(from + Math.floor(((at + 1) * width) / grid) * grid))
}

/** Digits, after the named one below: they sort alike in every language. */
function words({ width, write }: Domain, { below, free }: Segment): readonly string[] | null {
  const digits = String(free.length).length
  const made = free.map((_, at) => write(`${below?.value ?? ''}${String(at + 1).padStart(digits, '0')}`))
  return made.every((one) => one.length <= width) ? made : null
}
