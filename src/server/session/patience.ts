/** How often it is looked whether the time is over, in ms. */
const tickMs = 100

/**
 * Calls `over` once when `ms` have passed in which this process was able to hear an answer: while it is busy itself, or stopped, an answer may lie there unread, and the
 * server is not to blame. Of a longer gap between two looks no more than two ticks count, and it is never the last one. Returns what ends the waiting. It keeps no process alive.
 */
export function patience(ms: number, over: () => void): () => void {
  const tick = Math.min(tickMs, ms)
  let left = ms
  let before = performance.now()
  const timer = setInterval(() => {
    const passed = performance.now() - before
    before += passed
    left -= Math.min(passed, 2 * tick)
    if (left > 0 || passed > 2 * tick) return
    clearInterval(timer)
    over()
  }, tick).unref()
  return () => clearInterval(timer)
}
