/** Where a value stands on a chart: percent of its width from the left, never outside 0 to 100. */
export interface Scale {
  readonly percent: (value: number) => number
  readonly ticks: readonly number[]
}

/** From the smallest to the largest value and 0, with about five round ticks. */
export function linearScale(values: readonly number[]): Scale {
  const known = values.filter((value) => Number.isFinite(value))
  const low = Math.min(0, ...known)
  const high = Math.max(0, ...known)
  const span = high - low || 1
  const step = roundStep(span / 4)
  const first = Math.ceil(low / step)
  const last = Math.floor((low + span) / step)
  return {
    percent: (value) => clamp(((value - low) / span) * 100),
    ticks: Array.from({ length: Math.min(12, Math.max(0, last - first + 1)) }, (_, at) => (first + at) * step),
  }
}

/**
 * Logarithmic, from a power of ten to another around the values, those up to 0 left out; ticks at powers of ten, at most
 * seven, and at 2 and 5 between them where there is room. A speedup and its inverse stand equally far from 1.
 */
export function logScale(values: readonly number[]): Scale {
  const known = values.filter((value) => Number.isFinite(value) && value > 0).map(exponent)
  const least = known.length === 0 ? 0 : Math.min(...known)
  const most = known.length === 0 ? 1 : Math.max(...known)
  // A little air at both ends, so that no dot is cut.
  const air = Math.max(0.05, (most - least) * 0.04)
  const low = least - air
  const span = most + air - low
  const powers = Array.from({ length: Math.floor(low + span) - Math.ceil(low) + 1 }, (_, at) => Math.ceil(low) + at)
  const every = Math.max(1, Math.ceil(powers.length / 7))
  const between =
    powers.length > 2
      ? []
      : [...powers, Math.ceil(low) - 1].flatMap((power) => [2, 5].map((digit) => digit * 10 ** power))
  const ticks = [...powers.filter((power) => power % every === 0).map((power) => 10 ** power), ...between]
  return {
    percent: (value) => clamp(value > 0 ? ((exponent(value) - low) / span) * 100 : 0),
    ticks: ticks
      .filter((tick) => exponent(tick) >= low && exponent(tick) <= low + span)
      .toSorted((one, other) => one - other),
  }
}

/** Beyond these a speedup or a time is an accident of division. */
function exponent(value: number): number {
  return Math.min(12, Math.max(-9, Math.log10(value)))
}

/** 1, 2 or 5 times a power of ten, not below the value. */
function roundStep(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value))
  const factor = value / power
  return (factor <= 1 ? 1 : factor <= 2 ? 2 : factor <= 5 ? 5 : 10) * power
}

function clamp(percent: number): number {
  return Number.isFinite(percent) ? Math.min(100, Math.max(0, percent)) : 0
}
