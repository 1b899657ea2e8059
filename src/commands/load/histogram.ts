/** Times in ms, each within 0.1 % of what it was; as large for an hour as for a second. Plain data: it passes from thread to thread. */
export interface Histogram {
  readonly counts: Uint32Array
  count: number
  max: number
}

const exact = 2048
const half = exact / 2
const octaves = 22

/**
 * Microseconds up to 2,047 have a counter each, then every doubling has 1,024: the layout of HdrHistogram with three digits. Its own package
 * is 141 kB when bundled, for what these lines do: it brings WebAssembly, a compressor and a direct eval along.
 */
export function makeHistogram(): Histogram {
  return { counts: new Uint32Array(exact + octaves * half), count: 0, max: 0 }
}

export function record(of: Histogram, ms: number): void {
  const us = Math.max(0, Math.round(ms * 1000))
  const octave = us < exact ? 0 : Math.floor(Math.log2(us)) - 10
  const at = octave === 0 ? us : exact + (octave - 1) * half + (Math.floor(us / 2 ** octave) - half)
  const place = Math.min(at, of.counts.length - 1)
  of.counts[place] = (of.counts[place] ?? 0) + 1
  of.count += 1
  if (ms > of.max) of.max = ms
}

/** The least time that this share (0 to 1) of all does not exceed; null where there is none. */
export function percentile({ counts, count, max }: Histogram, share: number): number | null {
  if (count === 0) return null
  let left = Math.max(1, Math.ceil(count * share))
  for (const [at, times] of counts.entries()) {
    left -= times
    if (left > 0) continue
    if (at < exact) return at / 1000
    const octave = Math.floor((at - exact) / half) + 1
    return Math.min(max, (((at - exact) % half) + half + 0.5) * (2 ** octave / 1000))
  }
  return max
}

export function clear(of: Histogram): void {
  of.counts.fill(0)
  of.count = 0
  of.max = 0
}

/** All times of several. */
export function merged(parts: readonly Histogram[]): Histogram {
  const sum = makeHistogram()
  for (const { counts, count, max } of parts) {
    for (const [at, times] of counts.entries()) sum.counts[at] = (sum.counts[at] ?? 0) + times
    sum.count += count
    sum.max = Math.max(sum.max, max)
  }
  return sum
}
