import type { MutableJsonObject } from './json.js'

const lists = new Set(['Sort Key', 'Presorted Key', 'Group Key', 'Output'])
const numbers = new Set([
  'Rows Removed by Filter',
  'Rows Removed by Index Recheck',
  'Rows Removed by Join Filter',
  'Heap Fetches',
  'Workers Planned',
  'Workers Launched',
  'Index Searches',
  'Subplans Removed',
  'Planned Partitions',
  'HashAgg Batches',
])
/** Numbers that stand side by side on one line, as the JSON form names them. */
const pairNames: Readonly<Record<string, string>> = {
  Buckets: 'Hash Buckets',
  Batches: 'Hash Batches',
  Hits: 'Cache Hits',
  Misses: 'Cache Misses',
  Evictions: 'Cache Evictions',
  Overflows: 'Cache Overflows',
  'Memory Usage': 'Peak Memory Usage',
  'Disk Usage': 'Disk Usage',
  'Maximum Storage': 'Maximum Storage',
}

/** One line below a node; false when it says nothing that is known. */
export function nodeDetail(node: MutableJsonObject, text: string): boolean {
  const worker = /^Worker (\d+):\s+(.*)$/.exec(text)
  if (worker !== null) return workerDetail(node, Number(worker[1]), worker[2] ?? '')
  const [, key = '', value = ''] = /^([A-Z][\w/ -]*?):\s*(.*)$/.exec(text) ?? []
  if (key === '') return false
  if (numbers.has(key)) node[key] = Number(value)
  else if (lists.has(key)) node[key] = parts(value)
  else if (key === 'Sort Method') sortMethod(node, value)
  else if (key === 'Full-sort Groups' || key === 'Pre-sorted Groups') node[key] = sortGroups(value)
  else if (key === 'Heap Blocks')
    Object.assign(node, counted(value, { exact: 'Exact Heap Blocks', lossy: 'Lossy Heap Blocks' }))
  else if (key === 'Buffers') Object.assign(node, buffers(value))
  else if (key === 'I/O Timings') Object.assign(node, timings(value))
  else if (key === 'WAL')
    Object.assign(node, counted(value, { records: 'WAL Records', fpi: 'WAL FPI', bytes: 'WAL Bytes' }))
  else if (key === 'Buckets' || key === 'Batches' || key === 'Hits') pairs(node, text)
  else if (key === 'Storage') Object.assign(node, { Storage: value.split(/\s+/)[0] }, pairsOf(text))
  else if (key === 'Disabled') node[key] = value === 'true'
  else if (key === 'Single Copy') node[key] = value === 'true'
  else node[key] = value
  return true
}

function workerDetail(node: MutableJsonObject, number: number, text: string): boolean {
  const workers: MutableJsonObject[] = Array.isArray(node['Workers']) ? node['Workers'] : []
  node['Workers'] = workers
  const known = workers.find((one) => one['Worker Number'] === number)
  const worker: MutableJsonObject = known ?? { 'Worker Number': number }
  if (known === undefined) workers.push(worker)
  return text.startsWith('actual ') || nodeDetail(worker, text)
}

/** `top-N heapsort  Memory: 25kB` */
function sortMethod(node: MutableJsonObject, value: string): void {
  const [, method = value, place, kilobytes] = /^(.*?)\s+(Memory|Disk): (\d+)kB$/.exec(value) ?? []
  node['Sort Method'] = method
  if (place !== undefined) Object.assign(node, { 'Sort Space Type': place, 'Sort Space Used': Number(kilobytes) })
}

/** `2  Sort Method: quicksort  Average Memory: 25kB  Peak Memory: 25kB` */
function sortGroups(value: string): MutableJsonObject {
  const peak = (place: string) => {
    const used = new RegExp(`Peak ${place}: (\\d+)kB`).exec(value)?.[1]
    return used === undefined ? {} : { [`Sort Space ${place}`]: { 'Peak Sort Space Used': Number(used) } }
  }
  return { 'Group Count': Number(/^\d+/.exec(value)?.[0] ?? 0), ...peak('Memory'), ...peak('Disk') }
}

/** `shared hit=12 read=3 dirtied=1, temp read=4 written=5`, of which kinds that are not named are 0. */
function buffers(value: string): MutableJsonObject {
  const found: MutableJsonObject = {
    'Shared Hit Blocks': 0,
    'Shared Read Blocks': 0,
    'Temp Read Blocks': 0,
    'Temp Written Blocks': 0,
  }
  for (const part of value.split(', ')) {
    const [kind = '', ...counts] = part.split(' ')
    for (const each of counts) {
      const [what = '', many = '0'] = each.split('=')
      found[`${capital(kind)} ${capital(what)} Blocks`] = Number(many)
    }
  }
  return found
}

/** `shared read=1.2 write=0.3, temp read=0.1` from 15 on (17 counts local ones apart), `read=1.2` before. */
function timings(value: string): MutableJsonObject {
  const found: MutableJsonObject = {}
  for (const part of value.split(', ')) {
    const words = part.split(' ')
    const kind = words[0]?.includes('=') === false ? capital(words[0]) : ''
    for (const each of words.filter((word) => word.includes('='))) {
      const [what = '', ms = '0'] = each.split('=')
      const name = `${capital(what)} Time`
      found[kind === 'Temp' ? `Temp I/O ${name}` : kind === 'Local' ? `Local I/O ${name}` : `I/O ${name}`] = Number(ms)
    }
  }
  return found
}

function counted(value: string, names: Readonly<Record<string, string>>): MutableJsonObject {
  const found: MutableJsonObject = {}
  for (const [, key = '', many] of value.matchAll(/(\w+)=(\d+)/g)) found[names[key] ?? key] = Number(many)
  return found
}

/** `Buckets: 1024 (originally 512)  Batches: 8 (originally 1)  Memory Usage: 9kB` */
function pairs(node: MutableJsonObject, text: string): void {
  const aggregate = node['Node Type'] === 'Aggregate' || node['Strategy'] !== undefined
  for (const [key, value] of Object.entries(pairsOf(text)))
    node[aggregate && key === 'Hash Batches' ? 'HashAgg Batches' : key] = value
  for (const [, key = '', before] of text.matchAll(/(Buckets|Batches): \d+ \(originally (\d+)\)/g))
    node[`Original Hash ${key}`] = Number(before)
}

function pairsOf(text: string): MutableJsonObject {
  const found: MutableJsonObject = {}
  for (const [, key = '', value] of text.matchAll(/([A-Z]\w*(?: \w+)*): (\d+)/g))
    if (pairNames[key] !== undefined) found[pairNames[key]] = Number(value)
  return found
}

/**
 * One line behind the nodes: times, triggers, settings, JIT. Returns the section that the next lines belong to, empty for none; null for a line
 * that is no such.
 */
export function topDetail(document: MutableJsonObject, text: string, section: string): string | null {
  const [, key = '', value = ''] = /^([A-Z][\w/ ]*?):\s*(.*)$/.exec(text) ?? []
  const trigger =
    /^Trigger (?:(.+?) )?(?:for constraint (\S+?))?(?: on (\S+?))?: (?:time=([\d.]+) )?calls=([\d.]+)$/.exec(text)
  if (trigger !== null) {
    const [, name, constraint, relation, ms = '0', calls] = trigger
    const triggers: MutableJsonObject[] = Array.isArray(document['Triggers']) ? document['Triggers'] : []
    document['Triggers'] = [
      ...triggers,
      {
        'Trigger Name': name ?? constraint ?? '',
        ...(constraint === undefined ? {} : { 'Constraint Name': constraint }),
        Relation: relation ?? '',
        Time: Number(ms),
        Calls: Number(calls),
      },
    ]
    return ''
  }
  switch (key) {
    case 'Planning Time':
    case 'Execution Time':
      document[key] = Number.parseFloat(value)
      return ''
    case 'Total runtime':
      document['Execution Time'] = Number.parseFloat(value)
      return ''
    case 'Planning':
      return 'Planning'
    case 'JIT':
      document['JIT'] = {}
      return 'JIT'
    case 'Settings':
      document['Settings'] = Object.fromEntries(
        [...value.matchAll(/([\w.]+) = '((?:[^']|'')*)'/g)].map(([, name = '', setting = '']) => [name, setting]),
      )
      return ''
    case 'Query Identifier':
      return ''
    case 'Serialization': {
      const [, ms, kilobytes] = /(?:time=([\d.]+) ms  )?output=(\d+)kB/.exec(value) ?? []
      document['Serialization'] = { Time: Number(ms ?? 0), 'Output Volume': Number(kilobytes ?? 0) }
      return 'Planning'
    }
    case 'Functions':
      if (section === 'JIT') Object.assign(objectOf(document, 'JIT'), { Functions: Number(value) })
      return section
    case 'Timing': {
      const total = /Total ([\d.]+) ms/.exec(value)?.[1]
      if (section === 'JIT' && total !== undefined)
        Object.assign(objectOf(document, 'JIT'), { Timing: { Total: Number(total) } })
      return section
    }
    default:
      return section === '' ? null : section
  }
}

function objectOf(document: MutableJsonObject, key: string): object {
  const found = document[key]
  return typeof found === 'object' && found !== null ? found : {}
}

/** Split at commas outside of parentheses and quotes. */
function parts(text: string): readonly string[] {
  const found: string[] = []
  let depth = 0
  let quote = ''
  let start = 0
  for (let at = 0; at < text.length; at += 1) {
    const letter = text[at] ?? ''
    if (quote !== '') quote = letter === quote ? '' : quote
    else if (letter === "'" || letter === '"') quote = letter
    else if ('([{'.includes(letter)) depth += 1
    else if (')]}'.includes(letter)) depth -= 1
    else if (letter === ',' && depth === 0) {
      found.push(text.slice(start, at).trim())
      start = at + 1
    }
  }
  return [...found, text.slice(start).trim()]
}

function capital(word: string): string {
  return word.slice(0, 1).toUpperCase() + word.slice(1)
}
