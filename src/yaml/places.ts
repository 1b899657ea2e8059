import { isAlias, isMap, isPair, isScalar, isSeq, type Document, type Node } from 'yaml'

export type Path = readonly (string | number)[]

export interface Spot {
  /** The key that leads to the value, where the value belongs to a map. */
  readonly key: Node | undefined
  readonly value: Node | undefined
  /** False when the path ends before: then key and value are those of the deepest part that is there. */
  readonly found: boolean
}

/** Where a path leads in a document: through aliases and merge keys. */
export function spotAt(document: Document.Parsed, path: Path): Spot {
  let spot: Spot = { key: undefined, value: document.contents ?? undefined, found: true }
  for (const step of path) {
    const next = childOf(document, spot.value, step)
    if (next === undefined) return { ...spot, found: false }
    spot = next
  }
  return spot
}

function childOf(document: Document.Parsed, node: Node | undefined, step: string | number): Spot | undefined {
  const parent = isAlias(node) ? node.resolve(document) : node
  if (isSeq(parent)) {
    const item = parent.items[Number(step)]
    return isNodeLike(item) ? { key: undefined, value: item, found: true } : undefined
  }
  if (!isMap(parent)) return undefined
  const pairs = parent.items.filter((item) => isPair(item))
  const own = pairs.find((pair) => isScalar(pair.key) && String(pair.key.value) === String(step))
  if (own !== undefined) {
    const key = isScalar(own.key) ? own.key : undefined
    return { key, value: isNodeLike(own.value) ? own.value : key, found: true }
  }
  for (const { key, value } of pairs) {
    if (!isMergeKey(key) || !isNodeLike(value)) continue
    for (const source of isSeq(value) ? value.items : [value]) {
      const merged = isNodeLike(source) ? childOf(document, source, step) : undefined
      if (merged !== undefined) return merged
    }
  }
  return undefined
}

/** With merging switched on, yaml gives the key as a symbol. */
function isMergeKey(key: unknown): boolean {
  return isScalar(key) && typeof key.value === 'symbol' && key.value.description === '<<'
}

function isNodeLike(value: unknown): value is Node {
  return isAlias(value) || isScalar(value) || isMap(value) || isSeq(value)
}
