import type { MutableJsonObject } from './json.js'
import { nodeFields } from './text-node.js'
import { nodeDetail, topDetail } from './text-details.js'

/** One node with how far it is indented. */
interface Open {
  readonly indent: number
  readonly node: MutableJsonObject
}

/** A query plan in text, and which lines of it were not understood. */
export interface TextPlan {
  readonly document: MutableJsonObject
  readonly unread: readonly { readonly line: number; readonly text: string }[]
}

/** The first line of a query plan: a node with its costs, or with what ran. */
export function beginsPlan(line: string): boolean {
  return (
    /^\s*(?:->\s+)?[A-Z][\w "().$-]*.*\((?:cost=\d|actual (?:time|rows)=|never executed)/.test(line) ||
    (/^[A-Z][A-Za-z ]+(?: on \S.*| using \S.*)?$/.test(line.trimEnd()) && plainNode.test(line))
  )
}

/** Nodes of EXPLAIN (COSTS OFF), which nothing else tells from prose. */
const plainNode =
  /^(?:(?:Parallel )?(?:Seq|Index(?: Only)?|Bitmap Heap|CTE|Function|Subquery) Scan|Limit|Sort|Aggregate|HashAggregate|GroupAggregate|Hash(?: \w+)? Join|Nested Loop|Merge(?: \w+)? Join|Append|Merge Append|Gather|Gather Merge|Result|Unique|WindowAgg|Insert|Update|Delete|ModifyTable)\b/

/**
 * Reads EXPLAIN's text form, of any of its options, into what the JSON form says of the same query plan; null when the first line is no node.
 * https://www.postgresql.org/docs/current/using-explain.html
 */
export function readTextPlan(lines: readonly string[]): TextPlan | null {
  const first = lines.findIndex((line) => line.trim() !== '')
  const root = nodeFields((lines[first] ?? '').trim())
  if (root === null) return null
  const document: MutableJsonObject = { Plan: root }
  const unread: { line: number; text: string }[] = []
  const open: Open[] = [{ indent: indentOf(lines[first] ?? ''), node: root }]
  let subplan: { readonly indent: number; readonly name: string } | null = null
  let section = ''
  for (const [at, line] of lines.entries()) {
    const text = line.trim()
    if (at <= first || text === '') continue
    const indent = indentOf(line)
    const head = /^(?:InitPlan|SubPlan|CTE) .*$/.exec(text)
    if (head !== null && !text.includes(': ')) {
      subplan = { indent, name: text }
      continue
    }
    if (text.startsWith('->') || (subplan !== null && indent > subplan.indent && nodeFields(text) !== null)) {
      const node = nodeFields(text.replace(/^->\s*/, ''))
      if (node === null) {
        unread.push({ line: at + 1, text })
        continue
      }
      while (open.length > 1 && (open.at(-1)?.indent ?? 0) >= indent) open.pop()
      if (subplan !== null && subplan.indent >= indent) subplan = null
      addChild(open.at(-1)?.node ?? root, node, subplan?.name ?? null)
      subplan = null
      open.push({ indent, node })
      section = ''
      continue
    }
    if (indent <= (open[0]?.indent ?? 0) || section !== '') {
      const next = topDetail(document, text, section)
      if (next !== null) {
        section = next
        continue
      }
    }
    // A detail stands two columns behind its node's name, which `->  ` moves by four.
    while (open.length > 1 && (open.at(-1)?.indent ?? 0) + 2 > indent) open.pop()
    if (!nodeDetail(open.at(-1)?.node ?? root, text)) unread.push({ line: at + 1, text })
  }
  return { document, unread }
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length
}

const joinTypes = /Nested Loop|Join$/

function addChild(parent: MutableJsonObject, node: MutableJsonObject, subplan: string | null): void {
  const plans: MutableJsonObject[] = Array.isArray(parent['Plans']) ? parent['Plans'] : []
  parent['Plans'] = plans
  const others = plans.filter((one) => one['Subplan Name'] === undefined).length
  if (subplan === null)
    node['Parent Relationship'] = /Append|Bitmap(?:And|Or)/.test(String(parent['Node Type']))
      ? 'Member'
      : String(parent['Node Type']) === 'Subquery Scan'
        ? 'Subquery'
        : others === 0
          ? 'Outer'
          : joinTypes.test(String(parent['Node Type']))
            ? 'Inner'
            : 'Member'
  else {
    node['Parent Relationship'] = subplan.startsWith('SubPlan') ? 'SubPlan' : 'InitPlan'
    node['Subplan Name'] = subplan
  }
  plans.push(node)
}
