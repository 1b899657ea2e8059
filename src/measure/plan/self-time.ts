/** What is needed of a node to say where the time went. */
export interface TimedNode {
  /** Its place in the pre-order list of all nodes. */
  readonly id: number
  readonly parent: number | null
  readonly children: readonly number[]
  readonly type: string
  readonly relation: string
  /** Outer, Inner, Member, InitPlan, SubPlan, Subquery; empty for the root. */
  readonly relationship: string
  readonly subplanName: string
  readonly cteName: string
  readonly functionName: string
  readonly loops: number
  /** Of all loops, with everything below it; parallel loops count once. */
  readonly wallMs: number
  /** Texts of the node that may mention a parameter: filters, index conditions, keys. */
  readonly conditions: readonly string[]
  /** Columns it returns; only with VERBOSE. */
  readonly output: readonly string[]
}

/**
 * Self time of each node in ms, by id: its own wall time without that of its children. The time of a CTE is charged to
 * the CTE Scans that pull its rows, that of an InitPlan to the node that asks for its value, since the server counts it
 * there and not in the node below which EXPLAIN lists it (as pev2 does, services/plan-service.ts). The self times add
 * up to the wall time of the root.
 */
export function selfTimes(nodes: readonly TimedNode[]): readonly number[] {
  const own = nodes.map((node) => node.wallMs)
  for (const node of nodes) {
    if (node.parent !== null && node.relationship !== 'InitPlan') charge(own, node.parent, node.wallMs)
  }
  for (const node of nodes) {
    if (node.parent === null || node.relationship !== 'InitPlan') continue
    if (node.subplanName.startsWith('CTE ')) chargeScans(own, nodes, node)
    else chargeAskers(own, nodes, node, node.parent)
  }
  return own.map((value) => Math.max(0, value))
}

function charge(own: number[], id: number, ms: number): void {
  own[id] = (own[id] ?? 0) - ms
}

/** In proportion to the time of each scan. What a CTE that writes does after its last scan is in no scan's time. */
function chargeScans(own: number[], nodes: readonly TimedNode[], cte: TimedNode): void {
  const name = cte.subplanName.slice('CTE '.length)
  const scans = nodes.filter((node) => node.cteName === name && definitionOf(nodes, node, cte.subplanName) === cte.id)
  const scanned = scans.reduce((sum, scan) => sum + scan.wallMs, 0)
  const share = scanned === 0 ? 0 : Math.min(cte.wallMs, scanned) / scanned
  for (const scan of scans) charge(own, scan.id, scan.wallMs * share)
}

/** The nearest enclosing CTE of that name: inner WITH clauses may use a name again. */
function definitionOf(nodes: readonly TimedNode[], scan: TimedNode, subplanName: string): number | undefined {
  for (const ancestor of ancestorsOf(nodes, scan)) {
    const found = ancestor.children.find((id) => nodes[id]?.subplanName === subplanName)
    if (found !== undefined) return found
  }
  return undefined
}

/**
 * To the deepest node that mentions the InitPlan's value and spent long enough; the Gather above it when workers need it. Where none did, to all of them, the
 * longest first: waiting for an InitPlan's workers to end is time of the node below which it is listed (ExecShutdownNode in execProcnode.c).
 */
function chargeAskers(own: number[], nodes: readonly TimedNode[], init: TimedNode, owner: number): void {
  const mentions = mentioner(init.subplanName)
  // In pre-order everything below a node follows it.
  const end = nodes.findIndex((node) => node.id > owner && (node.parent ?? -1) < owner)
  const deepestFirst = nodes.slice(owner, end < 0 ? undefined : end).toReversed()
  const candidates = [
    ...deepestFirst.filter((node) => node.conditions.some(mentions)),
    ...deepestFirst.filter((node) => node.output.some(mentions)),
  ].map((node) => gatherAbove(nodes, node, owner) ?? node.id)
  const enough = candidates.find((id) => (own[id] ?? 0) >= init.wallMs)
  const askers = enough === undefined ? longestFirst(own, [owner, ...candidates]) : [enough]
  let rest = init.wallMs
  for (const id of askers) {
    const part = Math.min(rest, Math.max(0, own[id] ?? 0))
    charge(own, id, part)
    rest -= part
  }
}

function longestFirst(own: readonly number[], ids: readonly number[]): readonly number[] {
  return ids.toSorted((a, b) => (own[b] ?? 0) - (own[a] ?? 0))
}

/** `InitPlan 1 (returns $1,$2)` up to 16, `InitPlan 1` with `(InitPlan 1).col1` from 17 on. */
function mentioner(subplanName: string): (text: string) => boolean {
  const returned = /\(returns (.*)\)/.exec(subplanName)?.[1]
  if (returned === undefined) return (text) => text.includes(`(${subplanName}).`)
  const numbers = returned.split(',').map((name) => name.trim().replace('$', ''))
  const mention = new RegExp(`\\$(?:${numbers.join('|')})(?!\\d)`)
  return (text) => mention.test(text)
}

/** A Gather evaluates the values its workers need before it starts them (ExecParallel in nodeGather.c). */
function gatherAbove(nodes: readonly TimedNode[], node: TimedNode, owner: number): number | undefined {
  const above = ancestorsOf(nodes, node).filter(({ id, type }) => id >= owner && type.startsWith('Gather'))
  return above.at(-1)?.id
}

function ancestorsOf(nodes: readonly TimedNode[], node: TimedNode): readonly TimedNode[] {
  const ancestors: TimedNode[] = []
  let at = node.parent
  while (at !== null) {
    const ancestor = nodes[at]
    if (ancestor === undefined) break
    ancestors.push(ancestor)
    at = ancestor.parent
  }
  return ancestors
}
