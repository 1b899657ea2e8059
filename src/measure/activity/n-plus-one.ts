import type { Finding } from '../../plan/plan.js'
import type { StatementShape } from '../../sql/rewrite/shape.js'
import { milliseconds } from '../rules/rule.js'
import { percent } from '../../text/amounts.js'
import { count } from '../plan/plan-node.js'

/** A statement with what it did between two snapshots. */
export interface Activity extends StatementShape {
  readonly name: string
  readonly calls: number
  readonly rows: number
  readonly total_ms: number
}

/** How tables refer to one another, by names without schema; see tableLinksSql. */
export interface TableLink {
  readonly kind: 'reference' | 'unique' | 'named'
  readonly table: string
  readonly column: string
  readonly to_table: string | null
  readonly to_column: string | null
}

const leastCalls = 50
const mostMeanMs = 5
const mostRows = 1.5
/** Of a lookup by a foreign key: the lines of an order. */
const mostRowsOfMany = 10
const leastRowsOfParent = 5

/** Worth parsing: often, quick, one or few rows. */
export function mayRepeat({ calls, rows, total_ms }: Omit<Activity, 'name' | 'keys' | 'relations'>): boolean {
  return calls >= leastCalls && rows / calls <= mostRowsOfMany && total_ms / calls < mostMeanMs
}

/** Worth parsing: it returns enough rows to be looped over. */
export function mayBeParent({ calls, rows }: Omit<Activity, 'name' | 'keys' | 'relations'>): boolean {
  return calls > 0 && rows >= leastCalls / 3 && rows / calls >= leastRowsOfParent
}

/**
 * N_PLUS_ONE: a lookup by key (`from one table where key = $1`) of 50 calls or more, under 5 ms and with 1.5 rows a call at
 * most (10 by a foreign key), called once for each row that another statement returned in the same time, within 10 %
 * (n times, within 5 %, where n foreign keys lead to it); that one returns 5 rows a call or more. Ordinary lookups have such numbers by chance, so the tables must be linked: the key
 * is what a foreign key of the other's table refers to or is one itself, or is named like one where there are no foreign
 * keys, or it is unique and both read the same table. Counters show no order: it is a suspicion.
 */
export function repeatedLookups(activities: readonly Activity[], links: readonly TableLink[]): readonly Finding[] {
  const parents = activities.filter(mayBeParent)
  return activities.flatMap((child) => {
    if (!mayRepeat(child) || child.keys.length === 0) return []
    const found = parents.flatMap((parent) => {
      const link = parent.name === child.name ? null : linkOf(child, parent, links)
      if (link === null || child.rows / child.calls > (link.many ? mostRowsOfMany : mostRows)) return []
      const fit = fitOf(child.calls / parent.rows, link.ways)
      return fit === null ? [] : [{ parent, ...fit }]
    })
    const [nearest, ...others] = found.toSorted((a, b) => a.off - b.off)
    return nearest === undefined
      ? []
      : [
          finding(
            child,
            nearest.parent,
            nearest.times,
            others.map(({ parent }) => parent.name),
          ),
        ]
  })
}

/** How many times a row, up to `ways`, and how far off; null when it is not near. */
function fitOf(ratio: number, ways: number): { readonly times: number; readonly off: number } | null {
  const times = Math.min(ways, Math.max(1, Math.round(ratio)))
  const off = Math.abs(ratio / times - 1)
  return off <= (times === 1 ? 0.1 : 0.05) ? { times, off } : null
}

interface Linked {
  /** The key is a foreign key to the parent's table, not the name of one row. */
  readonly many: boolean
  /** How many foreign keys of the parent lead to the child's row: the loop may follow each. */
  readonly ways: number
}

function linkOf(child: Activity, parent: Activity, links: readonly TableLink[]): Linked | null {
  const [table = ''] = child.relations
  const keys = new Set(child.keys)
  const references = links.filter(({ kind }) => kind === 'reference')
  const from = (name: string) => references.filter((link) => link.table === name)
  const toChild = parent.relations.flatMap((name) =>
    from(name).filter((link) => link.to_table === table && keys.has(link.to_column ?? '')),
  )
  if (toChild.length > 0) return { many: false, ways: toChild.length }
  if (from(table).some((link) => keys.has(link.column) && parent.relations.includes(link.to_table ?? '')))
    return { many: true, ways: 1 }
  const unique = links.some((link) => link.kind === 'unique' && link.table === table && keys.has(link.column))
  if (unique && parent.relations.includes(table)) return { many: false, ways: 1 }
  const declared = [table, ...parent.relations].some((name) => from(name).length > 0)
  return declared ? null : linkByName(table, keys, unique, parent, links)
}

/** Where no foreign keys are declared, `customer_id` speaks of customers. */
function linkByName(
  table: string,
  keys: ReadonlySet<string>,
  unique: boolean,
  parent: Activity,
  links: readonly TableLink[],
): Linked | null {
  const named = links.filter(({ kind }) => kind === 'named')
  const speaks = (column: string, of: string) => singulars(of).some((name) => column.endsWith(`${name}_id`))
  const toChild = named.filter((link) => parent.relations.includes(link.table) && speaks(link.column, table))
  if (unique && toChild.length > 0) return { many: false, ways: toChild.length }
  const own = named.filter((link) => link.table === table && keys.has(link.column))
  return own.some((link) => parent.relations.some((name) => speaks(link.column, name))) ? { many: true, ways: 1 } : null
}

function singulars(table: string): readonly string[] {
  const name = table.toLowerCase()
  return [name, name.replace(/s$/, ''), name.replace(/es$/, ''), name.replace(/ies$/, 'y')]
}

function finding(child: Activity, parent: Activity, each: number, others: readonly string[]): Finding {
  const often = each === 1 ? 'once' : `${each} times`
  const off = percent(Math.abs(child.calls / (each * parent.rows) - 1))
  const key = child.keys.join(', ')
  return {
    code: 'N_PLUS_ONE',
    severity: 'warning',
    query: child.name,
    message: `${child.name} ran ${count(child.calls)} times with ${(child.rows / child.calls).toFixed(1)} rows each: ${often} for each of the ${count(parent.rows)} rows that ${parent.name} returned in ${count(parent.calls)} call${parent.calls === 1 ? '' : 's'} (within ${off}), as a loop over its rows would${others.length === 0 ? '' : `; the rows of ${others.join(' and of ')} fit as well`}`,
    hint: `a suspicion from counters: look for the loop; one join, or one query with ${child.keys.length > 1 ? `(${key}) in (...)` : `${key} = any ($1)`} a call, would spare ${count(child.calls - parent.calls)} round trips and much of ${milliseconds(child.total_ms)}`,
  }
}
