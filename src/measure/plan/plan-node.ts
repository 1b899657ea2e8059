import { numberAt, objectAt, objectsAt, textAt, textsAt, type JsonObject } from './json.js'
import { withThousands } from '../../text/amounts.js'
import type { TimedNode } from './self-time.js'

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
  /** The planner's estimate, for all rows of one loop, of it and what is below. */
  readonly cost: number
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
  readonly removedByRecheck: number
  readonly joinFilter: string
  readonly removedByJoinFilter: number
  readonly heapFetches: number
  readonly lossyBlocks: number
  /** null for a node that is no Gather or Gather Merge. */
  readonly workers: { readonly planned: number; readonly launched: number } | null
  readonly spill: Spill | null
  /** Temporary blocks written, with everything below. */
  readonly tempWritten: number
  readonly sortMethod: string
  readonly sortKeys: readonly string[]
  readonly groupKeys: readonly string[]
  /** null for a node that is no Memoize. */
  readonly memoize: Memoize | null
  /** Descents into the index; 0 before 18. */
  readonly indexSearches: number
  /** The planner had no other way than a kind of node that enable_* forbids. */
  readonly disabled: boolean
}

export interface Memoize {
  readonly hits: number
  readonly misses: number
  readonly evictions: number
  readonly overflows: number
}

/** Work that did not fit in work_mem. `batches` is 1 where the node has none. */
export interface Spill {
  readonly kind: 'sort' | 'hash' | 'aggregate' | 'tuplestore'
  readonly diskKb: number
  readonly batches: number
  readonly keys: readonly string[]
}

/** A node as EXPLAIN prints it, with what the time needs. */
export interface PrintedNode extends TimedNode {
  readonly raw: JsonObject
}

/** Rows and times of the server are averages of one loop; here they are totals. */
export function readNode(draft: PrintedNode, selfMs: number): PlanNode {
  const { raw } = draft
  const workers = objectsAt(raw, 'Workers')
  // Each member by name: with a spread in front of so many a query plan of 2 MB took 230 ms to read, so 28.
  return {
    id: draft.id,
    parent: draft.parent,
    children: draft.children,
    type: draft.type,
    relation: draft.relation,
    relationship: draft.relationship,
    subplanName: draft.subplanName,
    cteName: draft.cteName,
    functionName: draft.functionName,
    loops: draft.loops,
    wallMs: draft.wallMs,
    conditions: draft.conditions,
    output: draft.output,
    schema: textAt(raw, 'Schema'),
    alias: textAt(raw, 'Alias'),
    index: textAt(raw, 'Index Name'),
    joinType: textAt(raw, 'Join Type'),
    strategy: textAt(raw, 'Strategy'),
    partialMode: textAt(raw, 'Partial Mode'),
    operation: textAt(raw, 'Operation'),
    backward: textAt(raw, 'Scan Direction') === 'Backward',
    parallel: raw['Parallel Aware'] === true,
    cost: numberAt(raw, 'Total Cost'),
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
    workers: draft.type.startsWith('Gather')
      ? { planned: numberAt(raw, 'Workers Planned'), launched: numberAt(raw, 'Workers Launched') }
      : null,
    spill: readSpill(raw, [raw, ...workers]),
    removedByRecheck: numberAt(raw, 'Rows Removed by Index Recheck') * draft.loops,
    joinFilter: textAt(raw, 'Join Filter'),
    removedByJoinFilter: numberAt(raw, 'Rows Removed by Join Filter') * draft.loops,
    tempWritten: numberAt(raw, 'Temp Written Blocks'),
    sortMethod: textAt(raw, 'Sort Method'),
    sortKeys: textsAt(raw, 'Sort Key'),
    groupKeys: textsAt(raw, 'Group Key'),
    memoize: draft.type === 'Memoize' ? readMemoize([raw, ...workers]) : null,
    indexSearches: numberAt(raw, 'Index Searches'),
    disabled: raw['Disabled'] === true || ownCost(raw) >= disabledCost,
  }
}

/** Up to 17 enable_* = off adds this to the cost of a node; 18 says `Disabled`. */
const disabledCost = 1e10

function ownCost(raw: JsonObject): number {
  return numberAt(raw, 'Total Cost') - total(objectsAt(raw, 'Plans'), 'Total Cost')
}

function readMemoize(participants: readonly JsonObject[]): Memoize {
  return {
    hits: total(participants, 'Cache Hits'),
    misses: total(participants, 'Cache Misses'),
    evictions: total(participants, 'Cache Evictions'),
    overflows: total(participants, 'Cache Overflows'),
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

export function total(objects: readonly JsonObject[], key: string): number {
  return objects.reduce((sum, object) => sum + numberAt(object, key), 0)
}

export function readBuffers(raw: JsonObject): Buffers {
  return {
    hit: numberAt(raw, 'Shared Hit Blocks'),
    read: numberAt(raw, 'Shared Read Blocks'),
    temp: numberAt(raw, 'Temp Read Blocks') + numberAt(raw, 'Temp Written Blocks'),
  }
}

/** `schema.table`; empty for a node that reads no table. */
export function tableOf(node: PlanNode): string {
  return node.schema === '' ? node.relation : `${node.schema}.${node.relation}`
}

/** `1,234` */
export function count(value: number): string {
  return withThousands(Math.round(value))
}
