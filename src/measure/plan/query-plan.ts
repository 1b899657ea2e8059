import { isObject, numberAt, objectAt, objectsAt, textAt, textsAt, type JsonObject } from './json.js'
import { readBuffers, readNode, total, type Buffers, type PrintedNode, type PlanNode } from './plan-node.js'
import { selfTimes } from './self-time.js'
import { planSignature } from './signature.js'

/** A trigger that ran, foreign keys included: its time is in no node. */
export interface Trigger {
  readonly name: string
  /** Empty for a trigger that is no constraint's. */
  readonly constraint: string
  readonly relation: string
  readonly calls: number
  readonly totalMs: number
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
  readonly triggers: readonly Trigger[]
  /** Turning the rows into text for the client (EXPLAIN SERIALIZE, 17 and later); not in executionMs. */
  readonly serialization: { readonly totalMs: number; readonly kilobytes: number } | null
  /** Waiting for blocks, with track_io_timing; 0 without. */
  readonly ioReadMs: number
  /** EXPLAIN WAL: what a statement that writes left in the log. */
  readonly wal: { readonly records: number; readonly fullPages: number; readonly bytes: number }
  /** Settings that differ from the default, of EXPLAIN (SETTINGS). */
  readonly settings: Readonly<Record<string, string>>
  /** Options of EXPLAIN whose numbers are in it: what rests on another one cannot be judged. */
  readonly options: {
    readonly timing: boolean
    readonly buffers: boolean
    readonly verbose: boolean
    /** Rows of a loop are not rounded, as from 18 on. */
    readonly fractional: boolean
  }
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
  const root = objectAt(top, 'Plan')
  const serialization = readSerialization(top)
  const ofNodes = whenAsked(root, analyzed)
  return {
    // Of a hundred samples those of one are looked at.
    get nodes() {
      return ofNodes().nodes
    },
    get signature() {
      return ofNodes().signature
    },
    get indexes() {
      return ofNodes().indexes
    },
    get options() {
      return ofNodes().options
    },
    rows: Math.round(numberAt(root, 'Actual Rows') * numberAt(root, 'Actual Loops')),
    cost: numberAt(root, 'Total Cost'),
    buffers: readBuffers(root),
    planningMs: numberAt(top, 'Planning Time'),
    executionMs: analyzed ? numberAt(top, 'Execution Time') - (serialization?.totalMs ?? 0) : null,
    jit: readJit(top),
    triggers: objectsAt(top, 'Triggers').map(readTrigger),
    serialization,
    // One name up to 16, one for each kind of block from 17 on.
    ioReadMs: total([root], 'I/O Read Time') + total([root], 'Shared I/O Read Time'),
    wal: {
      records: numberAt(root, 'WAL Records'),
      fullPages: numberAt(root, 'WAL FPI'),
      bytes: numberAt(root, 'WAL Bytes'),
    },
    settings: readSettings(top),
  }
}

type OfNodes = Pick<QueryPlan, 'nodes' | 'signature' | 'indexes' | 'options'>

/** What was printed is let go once it is read: a file may hold thousands of query plans. */
function whenAsked(root: JsonObject, analyzed: boolean): () => OfNodes {
  let state: { readonly printed: JsonObject } | OfNodes = { printed: root }
  return () => ('printed' in state ? (state = readNodes(state.printed, analyzed)) : state)
}

function readNodes(root: JsonObject, analyzed: boolean): OfNodes {
  const drafts: PrintedNode[] = []
  addNode(drafts, root, null, 1)
  const self = selfTimes(drafts)
  const nodes = drafts.map((draft, id) => readNode(draft, self[id] ?? 0))
  return {
    nodes,
    signature: planSignature(nodes),
    indexes: usedIndexes(nodes, analyzed),
    options: {
      timing: drafts.some(({ raw }) => 'Actual Total Time' in raw),
      buffers: drafts.some(({ raw }) => 'Shared Hit Blocks' in raw),
      fractional: drafts.some(
        ({ raw }) => 'Disabled' in raw || 'Fractional' in raw || !Number.isInteger(numberAt(raw, 'Actual Rows')),
      ),
      verbose: drafts.some(({ raw }) => 'Output' in raw || 'Schema' in raw),
    },
  }
}

function addNode(drafts: PrintedNode[], raw: JsonObject, parent: number | null, participants: number): number {
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

const notConditions: ReadonlySet<string> = new Set([
  'Node Type',
  'Output',
  'Subplan Name',
  'Alias',
  'Relation Name',
  'Schema',
  'Index Name',
  'CTE Name',
])

function conditionTexts(raw: JsonObject): readonly string[] {
  const texts: string[] = []
  for (const key of Object.keys(raw)) {
    const value = raw[key]
    if (typeof value === 'number' || notConditions.has(key)) continue
    if (typeof value === 'string') texts.push(value)
    else if (Array.isArray(value)) texts.push(...textsAt(raw, key))
  }
  return texts
}

function usedIndexes(nodes: readonly PlanNode[], analyzed: boolean): readonly string[] {
  const used = nodes.filter((node) => node.index !== '' && (!analyzed || node.loops > 0))
  return [...new Set(used.map((node) => node.index))].toSorted()
}

function readTrigger(raw: JsonObject): Trigger {
  return {
    name: textAt(raw, 'Trigger Name'),
    constraint: textAt(raw, 'Constraint Name'),
    relation: textAt(raw, 'Relation'),
    calls: numberAt(raw, 'Calls'),
    totalMs: numberAt(raw, 'Time'),
  }
}

function readSerialization(top: JsonObject): QueryPlan['serialization'] {
  const raw = top['Serialization']
  if (!isObject(raw)) return null
  return { totalMs: numberAt(raw, 'Time'), kilobytes: numberAt(raw, 'Output Volume') }
}

function readJit(top: JsonObject): QueryPlan['jit'] {
  if (!isObject(top['JIT'])) return null
  return { functions: numberAt(top['JIT'], 'Functions'), totalMs: numberAt(objectAt(top['JIT'], 'Timing'), 'Total') }
}

function readSettings(top: JsonObject): Readonly<Record<string, string>> {
  const settings = Object.entries(objectAt(top, 'Settings'))
  return Object.fromEntries(settings.flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])))
}
