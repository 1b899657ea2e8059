/** Times in ms, each within 0.1 % of what it was; as large for an hour as for a second. */
export interface Histogram {
  record(ms: number): void
  /** The least time that this share (0 to 1) of all does not exceed; null where there is none. */
  percentile(share: number): number | null
  clear(): void
  readonly count: number
  readonly max: number
}

const exact = 2048
const half = exact / 2
const octaves = 22

/**
 * Microseconds up to 2,047 have a counter each, then every doubling has 1,024: the layout of HdrHistogram with three digits. Its own package
 * is 141 kB when bundled, for what these lines do: it brings WebAssembly, a compressor and a direct eval along.
 */
export function makeHistogram(): Histogram {
  const counts = new Uint32Array(exact + octaves * half)
  let [count, max] = [0, 0]
  return {
    record(ms) {
      const us = Math.max(0, Math.round(ms * 1000))
      const octave = us < exact ? 0 : Math.floor(Math.log2(us)) - 10
      const at = octave === 0 ? us : exact + (octave - 1) * half + (Math.floor(us / 2 ** octave) - half)
      const place = Math.min(at, counts.length - 1)
      counts[place] = (counts[place] ?? 0) + 1
      count += 1
      max = Math.max(max, ms)
    },
    percentile(share) {
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
    },
    clear() {
      counts.fill(0)
      count = 0
      max = 0
    },
    get count() {
      return count
    },
    get max() {
      return max
    },
  }
}
