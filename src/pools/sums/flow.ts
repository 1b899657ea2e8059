/** Edges of a network by node: capacity from one node to another; Infinity is no limit. */
export interface Edge {
  readonly from: string
  readonly to: string
  readonly capacity: number
}

/**
 * Largest flow from `source` to `sink`, by shortest augmenting paths (Edmonds and Karp, J. ACM 19, 1972). Infinity
 * when a path without any limit leads through.
 */
export function maxFlow(edges: readonly Edge[], source: string, sink: string): number {
  const residual = new Map<string, Map<string, number>>()
  for (const { from, to, capacity } of edges) {
    add(residual, from, to, capacity)
    add(residual, to, from, 0)
  }
  let total = 0
  for (;;) {
    const path = shortestPath(residual, source, sink)
    if (path === null) return total
    const amount = Math.min(...path.map(({ from, to }) => residual.get(from)?.get(to) ?? 0))
    if (amount === Infinity) return Infinity
    for (const { from, to } of path) {
      add(residual, from, to, -amount)
      add(residual, to, from, amount)
    }
    total += amount
  }
}

function add(residual: Map<string, Map<string, number>>, from: string, to: string, amount: number): void {
  const out = residual.get(from) ?? new Map<string, number>()
  residual.set(from, out)
  out.set(to, (out.get(to) ?? 0) + amount)
}

function shortestPath(
  residual: ReadonlyMap<string, ReadonlyMap<string, number>>,
  source: string,
  sink: string,
): readonly { readonly from: string; readonly to: string }[] | null {
  const cameFrom = new Map<string, string>([[source, source]])
  const queue = [source]
  for (let node = queue.shift(); node !== undefined && !cameFrom.has(sink); node = queue.shift()) {
    for (const [next, left] of residual.get(node) ?? []) {
      if (left <= 0 || cameFrom.has(next)) continue
      cameFrom.set(next, node)
      queue.push(next)
    }
  }
  if (!cameFrom.has(sink)) return null
  const path: { from: string; to: string }[] = []
  for (let to = sink; to !== source;) {
    const from = cameFrom.get(to) ?? source
    path.unshift({ from, to })
    to = from
  }
  return path
}
