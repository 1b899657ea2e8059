import { quoteName } from '../../definition/quote.js'
import { PerfdbError } from '../../errors.js'
import type { Session } from '../../server/session/session.js'
import type { PlanNode } from '../plan/plan-node.js'
import { builtInControl, type Limits } from './limits.js'
import { explainOnce } from './sample.js'
import type { Control, Subject } from './subject.js'
import { readRelations, smallPages } from './tables.js'

/**
 * A control query that feels what these statements feel: it counts the rows of the largest table that they read, without index scans, with the
 * parallel workers that their query plan has. No index of any kind may serve it, so that its time changes with the machine alone. Where the
 * statements look rows up and do not read the table whole it counts those of its first 8 MB, else it would take longer than they do. The
 * built-in control (no table) where they read none of 50 pages, or where the role may not count. Nothing is executed.
 */
export async function likeControl(
  session: Session,
  subjects: readonly Subject[],
  limits: Limits,
): Promise<Control | null> {
  if (limits.control === null) return null
  const plain: Control = { text: limits.control, set: {} }
  if (limits.control !== builtInControl) return plain
  try {
    const nodes: PlanNode[] = []
    for (const subject of subjects) nodes.push(...(await explainOnce(session, subject, 'plain', limits)).nodes)
    const { tables } = await readRelations(session, { nodes }, limits)
    const largest = tables.toSorted((a, b) => b.pages - a.pages)[0]
    if (largest === undefined || largest.pages < smallPages) return plain
    const read = nodes.filter((node) => `${node.schema}.${node.relation}` === largest.table)
    const control = countOf(read, largest.pages, Math.max(0, ...nodes.map(({ workers }) => workers?.planned ?? 0)))
    if (control === null) return plain
    await explainOnce(session, subjectOf(control), 'plain', limits, control.set)
    return control
  } catch (error) {
    // Whatever the statement itself meets is told when it is measured.
    if (session.lost || limits.signal?.aborted === true || !(error instanceof PerfdbError)) throw error
    return plain
  }
}

export function subjectOf({ text }: Control): Subject {
  return { text, values: [], writes: false }
}

const partPages = 1024

function countOf(read: readonly PlanNode[], pages: number, workers: number): Control | null {
  const [node] = read
  if (node === undefined) return null
  const whole = pages <= partPages || read.some(({ type }) => type === 'Seq Scan')
  const table = `${quoteName(node.schema)}.${quoteName(node.relation)}`
  const part = whole ? '' : ` where ctid operator(pg_catalog.<) '(${partPages},0)'::pg_catalog.tid`
  return {
    text: `select pg_catalog.count(*) from only ${table}${part}`,
    set: {
      enable_indexscan: 'off',
      enable_indexonlyscan: 'off',
      enable_bitmapscan: 'off',
      jit: 'off',
      max_parallel_workers_per_gather: String(whole ? workers : 0),
    },
  }
}
