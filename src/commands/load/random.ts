/** The same arrivals in every run, others in each thread. Mulberry32. */
export function generator(thread = 0): () => number {
  let state = 20_251_130 + thread * 7919
  return () => {
    state = (state + 0x6d_2b_79_f5) | 0
    let value = Math.imul(state ^ (state >>> 15), 1 | state)
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value
    return ((value ^ (value >>> 14)) >>> 0) / 4_294_967_296
  }
}
