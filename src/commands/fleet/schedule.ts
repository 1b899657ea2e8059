/** How many may run at once: in all, and of each key that an item has. */
export interface Limits {
  readonly total: number
  readonly of: (key: string) => number
}

/**
 * Runs the items, as many at once as the limits of all their keys allow, in the order of the list within each first key and in turns between
 * those, so that one server with many tenants keeps no other waiting. Ends when nothing runs and, unless `stopped`, nothing is left. `run`
 * must not throw. Returns what was not begun.
 */
export async function runScheduled<T>(
  items: readonly T[],
  keysOf: (item: T) => readonly [string, ...string[]],
  limits: Limits,
  run: (item: T) => Promise<void>,
  stopped: () => boolean,
): Promise<readonly T[]> {
  const queues = new Map<string, { readonly items: T[]; at: number }>()
  for (const item of items) {
    const [key] = keysOf(item)
    const queue = queues.get(key)
    if (queue === undefined) queues.set(key, { items: [item], at: 0 })
    else queue.items.push(item)
  }
  const turns = [...queues.values()]
  const running = new Map<string, number>()
  let active = 0
  let turn = 0
  const count = (item: T, by: number) => {
    active += by
    for (const key of keysOf(item)) running.set(key, (running.get(key) ?? 0) + by)
  }
  const next = (): T | undefined => {
    for (let passed = 0; passed < turns.length; passed += 1) {
      const queue = turns[(turn + passed) % turns.length]
      const item = queue?.items[queue.at]
      if (queue === undefined || item === undefined) continue
      if (!keysOf(item).every((key) => (running.get(key) ?? 0) < limits.of(key))) continue
      queue.at += 1
      turn = (turn + passed + 1) % turns.length
      return item
    }
    return undefined
  }
  await new Promise<void>((resolve) => {
    const pump = () => {
      while (!stopped() && active < limits.total) {
        const item = next()
        if (item === undefined) break
        count(item, 1)
        void run(item).finally(() => {
          count(item, -1)
          pump()
        })
      }
      if (active === 0) resolve()
    }
    pump()
  })
  return turns.flatMap((queue) => queue.items.slice(queue.at))
}
