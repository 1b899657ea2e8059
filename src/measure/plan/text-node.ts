import type { MutableJsonObject } from './json.js'

const number = String.raw`(\d+(?:\.\d+)?)`
const costs = new RegExp(String.raw`\(cost=${number}\.\.${number} rows=${number} width=(\d+)\)`)
const timed = new RegExp(String.raw`\(actual (?:time=${number}\.\.${number} )?rows=${number} loops=(\d+)\)`)

/**
 * The line of a node as members of the JSON form: `Index Scan using i on s.t x  (cost=0.42..8.44 rows=1 width=4) (actual time=0.01..0.02 rows=1
 * loops=1)`; null for a line that is none.
 */
export function nodeFields(line: string): MutableJsonObject | null {
  const cost = costs.exec(line)
  const actual = timed.exec(line)
  const never = line.includes('(never executed)')
  const title = line.replace(costs, '').replace(timed, '').replace('(never executed)', '').trim()
  const found = titleFields(title)
  if (found === null) return null
  return {
    ...found,
    ...(cost === null
      ? {}
      : {
          'Startup Cost': Number(cost[1]),
          'Total Cost': Number(cost[2]),
          'Plan Rows': Number(cost[3]),
          'Plan Width': Number(cost[4]),
        }),
    ...(actual === null
      ? {}
      : {
          ...(actual[2] === undefined
            ? {}
            : { 'Actual Startup Time': Number(actual[1]), 'Actual Total Time': Number(actual[2]) }),
          'Actual Rows': Number(actual[3]),
          'Actual Loops': Number(actual[4]),
          // 18 prints rows of a loop with two decimals.
          ...(actual[3]?.includes('.') === true ? { Fractional: true } : {}),
        }),
    ...(never ? { 'Actual Startup Time': 0, 'Actual Total Time': 0, 'Actual Rows': 0, 'Actual Loops': 0 } : {}),
  }
}

const name = String.raw`("(?:[^"]|"")+"|[^\s".()]+)`
const relation = new RegExp(String.raw`^(?:${name}\.)?${name}(?: ${name})?$`)

/** Scans of something that has a name, by the member that it goes into. */
const subjects: Readonly<Record<string, string>> = {
  'CTE Scan': 'CTE Name',
  'WorkTable Scan': 'CTE Name',
  'Function Scan': 'Function Name',
  'Table Function Scan': 'Table Function Name',
  'Subquery Scan': 'Alias',
  'Values Scan': 'Alias',
}

function titleFields(title: string): MutableJsonObject | null {
  const parallel = title.startsWith('Parallel ')
  const async = title.startsWith('Async ')
  const bare = title.replace(/^(?:Parallel|Async) /, '')
  const partial = /^(Partial|Finalize) /.exec(bare)?.[1]
  const words = partial === undefined ? bare : bare.slice(partial.length + 1)
  const found = kindFields(words)
  if (found === null) return null
  return {
    ...found,
    'Parallel Aware': parallel,
    'Async Capable': async,
    ...(found['Strategy'] === undefined ? {} : { 'Partial Mode': partial ?? 'Simple' }),
  }
}

const aggregates: Readonly<Record<string, string>> = {
  Aggregate: 'Plain',
  HashAggregate: 'Hashed',
  GroupAggregate: 'Sorted',
  MixedAggregate: 'Mixed',
}

function kindFields(title: string): MutableJsonObject | null {
  const strategy = aggregates[title]
  if (strategy !== undefined) return { 'Node Type': 'Aggregate', Strategy: strategy }
  const join = /^(Nested Loop|Hash|Merge)(?: (Left|Right|Full|Semi|Anti|Right Semi|Right Anti))?(?: Join)?$/.exec(title)
  if (join !== null && (title.endsWith('Join') || title === 'Nested Loop'))
    return {
      'Node Type': join[1] === 'Nested Loop' ? 'Nested Loop' : `${join[1]} Join`,
      'Join Type': join[2] ?? 'Inner',
    }
  const scan = /^(.+? Scan)( Backward)?(?: using (\S+|"[^"]+"))?(?: on (.+))?$/.exec(title)
  if (scan !== null) return scanFields(scan)
  const change = /^(Insert|Update|Delete|Merge) on (.+)$/.exec(title)
  if (change !== null) return { 'Node Type': 'ModifyTable', Operation: change[1], ...relationFields(change[2] ?? '') }
  const set = /^(HashSetOp|SetOp)(?: (.+))?$/.exec(title)
  if (set !== null)
    return { 'Node Type': 'SetOp', Strategy: set[1] === 'SetOp' ? 'Sorted' : 'Hashed', Command: set[2] ?? '' }
  const custom = /^Custom Scan \((.+?)\)(?: on (.+))?$/.exec(title)
  if (custom !== null)
    return { 'Node Type': 'Custom Scan', 'Custom Plan Provider': custom[1], ...relationFields(custom[2] ?? '') }
  return plain.has(title) ? { 'Node Type': title } : null
}

const plain = new Set([
  'Append',
  'BitmapAnd',
  'BitmapOr',
  'Gather',
  'Gather Merge',
  'Group',
  'Hash',
  'Incremental Sort',
  'Limit',
  'LockRows',
  'Materialize',
  'Memoize',
  'Merge Append',
  'ProjectSet',
  'Recursive Union',
  'Result',
  'Sort',
  'Unique',
  'WindowAgg',
])

function scanFields([, type = '', backward, index, on = '']: RegExpExecArray): MutableJsonObject {
  if (type === 'Bitmap Index Scan') return { 'Node Type': type, 'Index Name': unquoted(on) }
  const direction = type.startsWith('Index')
    ? { 'Scan Direction': backward === undefined ? 'Forward' : 'Backward' }
    : {}
  const member = subjects[type]
  const head = { 'Node Type': type, ...direction, ...(index === undefined ? {} : { 'Index Name': unquoted(index) }) }
  if (member === undefined) return { ...head, ...relationFields(on) }
  const [, schema, first = '', alias] = relation.exec(on) ?? []
  return {
    ...head,
    [member]: unquoted(first),
    ...(schema === undefined ? {} : { Schema: unquoted(schema) }),
    Alias: unquoted(alias ?? first),
  }
}

function relationFields(text: string): MutableJsonObject {
  const [, schema, table = '', alias] = relation.exec(text) ?? []
  if (table === '') return {}
  return {
    'Relation Name': unquoted(table),
    ...(schema === undefined ? {} : { Schema: unquoted(schema) }),
    Alias: unquoted(alias ?? table),
  }
}

function unquoted(text: string): string {
  return text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text
}
