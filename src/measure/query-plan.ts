import { isObject, numberAt, objectAt, objectsAt, textAt, textsAt, type JsonObject } from './json.js'
import { selfTimes, type TimedNode } from './self-time.js'
import { planSignature } from './signature.js'

/** Blocks of 8 kB; of a node with everything below it, in all loops and workers. */
export interface Buffers {
  readonly hit: number
  readonly read: number
  /** Temporary blocks read and written. */
  readonly temp: number
}

/** One node of a query plan; numbers are totals over loops and workers unless the name says otherwise. */
export interface PlanNode extends TimedNode {
  readonly schema: string
  readonly alias: string
  readonly index: string
  readonly joinType: string
  readonly strategy: string
  readonly partialMode: string
  readonly operation: string
  readonly backward: boolean
  readonly parallel: boolean
  /** The planner's guess, for one loop (for one participant of a parallel node). */
  readonly estimatedRows: number
  readonly rowsPerLoop: number
  readonly rows: number
  readonly selfMs: number
  readonly buffers: Buffers
  readonly filter: string
  readonly indexCondition: string
  /** Join Filter, Hash Cond or Merge Cond. */
  readonly joinCondition: string
  readonly removedByFilter: number
  readonly heapFetches: number
  readonly lossyBlocks: number
  /** null for a node that is no Gather or Gather Merge. */
  readonly workers: { readonly planned: number; readonly launched: number } | null
  readonly spill: Spill | null
}

/** Work that did not fit in work_mem. `batches` is 1 where the node has none. */
export interface Spill {
  readonly kind: 'sort' | 'hash' | 'aggregate' | 'tuplestore'
  readonly diskKb: number
  readonly batches: number
  readonly keys: readonly string[]
}

/** A query plan, from EXPLAIN of PostgreSQL 14 to 18. Nodes stand in pre-order: the first is the root. */
export interface QueryPlan {
  readonly nodes: readonly PlanNode[]
  /** Node types with relations and indexes, no numbers of the run: equal for equal query plans. */
  readonly signature: string
  /** Names, sorted, of the indexes of nodes that ran (of all nodes when nothing ran). */
  readonly indexes: readonly string[]
  readonly rows: number
  readonly cost: number
  readonly buffers: Buffers
  readonly planningMs: number
  /** null for EXPLAIN without ANALYZE. */
  readonly executionMs: number | null
  readonly jit: { readonly functions: number; readonly totalMs: number } | null
  /** Settings that differ from the default, of EXPLAIN (SETTINGS). */
  readonly settings: Readonly<Record<string, string>>
}

/**
 * Reads what `explain (format json)` returns: parsed, or as text. null when it is no query plan.
 * https://www.postgresql.org/docs/current/using-explain.html
 * Rows and times of the server are averages of one loop; here they are totals, and times of parallel nodes are divided
 * by the processes that took part, so that they can be compared with the execution time.
 */
export function readQueryPlan(answer: unknown): QueryPlan | null {
  const parsed: unknown = typeof answer === 'string' ? JSON.parse(answer) : answer
  const top: unknown = Array.isArray(parsed) ? parsed[0] : parsed
  if (!isObject(top) || !isObject(top['Plan'])) return null
  const analyzed = typeof top['Execution Time'] === 'number'
  const drafts: Draft[] = []
  addNode(drafts, top['Plan'], null, 1)
  const self = selfTimes(drafts)
  const nodes = drafts.map((draft, id) => readNode(draft, self[id] ?? 0))
  const root = objectAt(top, 'Plan')
  return {
    nodes,
    signature: planSignature(nodes),
    indexes: usedIndexes(nodes, analyzed),
    rows: Math.round(numberAt(root, 'Actual Rows') * numberAt(root, 'Actual Loops')),
    cost: numberAt(root, 'Total Cost'),
    buffers: readBuffers(root),
    planningMs: numberAt(top, 'Planning Time'),
    executionMs: analyzed ? numberAt(top, 'Execution Time') : null,
    jit: readJit(top),
    settings: readSettings(top),
  }
}

interface Draft extends TimedNode {
  readonly raw: JsonObject
}

function addNode(drafts: Draft[], raw: JsonObject, parent: number | null, participants: number): number {
  const id = drafts.length
  const loops = numberAt(raw, 'Actual Loops')
  const type = textAt(raw, 'Node Type')
  const children: number[] = []
  drafts.push({
    id,
    parent,
    children,
    type,
    relation: textAt(raw, 'Relation Name'),
    relationship: textAt(raw, 'Parent Relationship'),
    subplanName: textAt(raw, 'Subplan Name'),
    cteName: textAt(raw, 'CTE Name'),
    functionName: textAt(raw, 'Function Name'),
    loops,
    wallMs: (numberAt(raw, 'Actual Total Time') * loops) / participants,
    conditions: conditionTexts(raw),
    output: textsAt(raw, 'Output'),
    raw,
  })
  for (const child of objectsAt(raw, 'Plans')) {
    children.push(addNode(drafts, child, id, gathers(type) ? participantsOf(child, loops) : participants))
  }
  return id
}

export function gathers(type: string): boolean {
  return type === 'Gather' || type === 'Gather Merge'
}

/**
 * Counted, not computed from `Workers Launched`: the leader takes part or not (parallel_leader_participation, Single
 * Copy), and each process that took part adds a loop to the node below the Gather.
 */
function participantsOf(child: JsonObject, gatherLoops: number): number {
  if (textAt(child, 'Parent Relationship') === 'InitPlan') return 1
  return Math.max(1, numberAt(child, 'Actual Loops') / Math.max(1, gatherLoops))
}

const notConditions = [
  'Node Type',
  'Output',
  'Subplan Name',
  'Alias',
  'Relation Name',
  'Schema',
  'Index Name',
  'CTE Name',
]

function conditionTexts(raw: JsonObject): readonly string[] {
  return Object.entries(raw).flatMap(([key, value]) => {
    if (notConditions.includes(key)) return []
    return typeof value === 'string' ? [value] : textsAt(raw, key)
  })
}

function readNode(draft: Draft, selfMs: number): PlanNode {
  const { raw, ...timed } = draft
  const workers = objectsAt(raw, 'Workers')
  return {
    ...timed,
    schema: textAt(raw, 'Schema'),
    alias: textAt(raw, 'Alias'),
    index: textAt(raw, 'Index Name'),
    joinType: textAt(raw, 'Join Type'),
    strategy: textAt(raw, 'Strategy'),
    partialMode: textAt(raw, 'Partial Mode'),
    operation: textAt(raw, 'Operation'),
    backward: textAt(raw, 'Scan Direction') === 'Backward',
    parallel: raw['Parallel Aware'] === true,
    estimatedRows: numberAt(raw, 'Plan Rows'),
    rowsPerLoop: numberAt(raw, 'Actual Rows'),
    rows: numberAt(raw, 'Actual Rows') * draft.loops,
    selfMs,
    buffers: readBuffers(raw),
    filter: textAt(raw, 'Filter'),
    indexCondition: textAt(raw, 'Index Cond'),
    joinCondition: textAt(raw, 'Join Filter') || textAt(raw, 'Hash Cond') || textAt(raw, 'Merge Cond'),
    removedByFilter: numberAt(raw, 'Rows Removed by Filter') * draft.loops,
    heapFetches: numberAt(raw, 'Heap Fetches'),
    // 18 counts the blocks of workers apart.
    lossyBlocks: total([raw, ...workers], 'Lossy Heap Blocks'),
    workers: gathers(draft.type)
      ? { planned: numberAt(raw, 'Workers Planned'), launched: numberAt(raw, 'Workers Launched') }
      : null,
    spill: readSpill(raw, [raw, ...workers]),
  }
}

function readSpill(raw: JsonObject, participants: readonly JsonObject[]): Spill | null {
  const sorted = participants.filter((part) => textAt(part, 'Sort Space Type') === 'Disk')
  const groups = ['Full-sort Groups', 'Pre-sorted Groups'].flatMap((key) =>
    participants.map((part) => objectAt(objectAt(part, key), 'Sort Space Disk')),
  )
  const sortKb = total(sorted, 'Sort Space Used') + total(groups, 'Peak Sort Space Used')
  if (sortKb > 0) return { kind: 'sort', diskKb: sortKb, batches: 1, keys: textsAt(raw, 'Sort Key') }
  const hashBatches = numberAt(raw, 'Hash Batches')
  const diskKb = (numberAt(raw, 'Temp Written Blocks') * 8192) / 1024
  if (hashBatches > 1) return { kind: 'hash', diskKb, batches: hashBatches, keys: [] }
  const aggregateKb = total(participants, 'Disk Usage')
  const aggregateBatches = Math.max(...participants.map((part) => numberAt(part, 'HashAgg Batches')))
  if (aggregateKb > 0 || aggregateBatches > 1) {
    return { kind: 'aggregate', diskKb: aggregateKb, batches: aggregateBatches, keys: textsAt(raw, 'Group Key') }
  }
  if (textAt(raw, 'Storage') !== 'Disk') return null
  return { kind: 'tuplestore', diskKb: numberAt(raw, 'Maximum Storage'), batches: 1, keys: [] }
}

function total(objects: readonly JsonObject[], key: string): number {
  return objects.reduce((sum, object) => sum + numberAt(object, key), 0)
}

function readBuffers(raw: JsonObject): Buffers {
  return {
    hit: numberAt(raw, 'Shared Hit Blocks'),
    read: numberAt(raw, 'Shared Read Blocks'),
    temp: numberAt(raw, 'Temp Read Blocks') + numberAt(raw, 'Temp Written Blocks'),
  }
}

function usedIndexes(nodes: readonly PlanNode[], analyzed: boolean): readonly string[] {
  const used = nodes.filter((node) => node.index !== '' && (!analyzed || node.loops > 0))
  return [...new Set(used.map((node) => node.index))].toSorted()
}

function readJit(top: JsonObject): QueryPlan['jit'] {
  if (!isObject(top['JIT'])) return null
  return { functions: numberAt(top['JIT'], 'Functions'), totalMs: numberAt(objectAt(top['JIT'], 'Timing'), 'Total') }
}

function readSettings(top: JsonObject): Readonly<Record<string, string>> {
  const settings = Object.entries(objectAt(top, 'Settings'))
  return Object.fromEntries(settings.flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])))
}
