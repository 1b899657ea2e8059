import type { OperatorClass } from '../../sql/measure/explain-opclasses.js'
import type { Comparison } from '../../sql/rewrite/condition.js'
import type { IndexFacts } from '../sample/indexes.js'
import type { Candidate } from './need.js'

/** Type and collation of a column, as the catalog names them. */
export interface ColumnFacts {
  readonly type: string
  readonly collation: string
}

/** What the catalog says of a table. */
export interface TableCatalog {
  readonly columns: ReadonlyMap<string, ColumnFacts>
  readonly operators: readonly OperatorClass[]
  readonly indexes: readonly IndexFacts[]
}

/** Operators of conditions as pg_operator names them: a list is searched value by value, a boolean column by what it is. */
const named: Readonly<Record<string, string>> = { in: '=', 'is null': '=', 'is true': '=', has: '@>' }

/** The operator that an index must serve for a comparison. */
export function operatorOf({ operator }: Pick<Comparison, 'operator'>): string {
  return named[operator] ?? operator
}

/**
 * Whether the first key of an index can be searched for a comparison: pg_amop lists the operator for the opclass of the key. What its collation and
 * its predicate say is another matter. Of expressions only that they are the same is known.
 */
export function keyServes(index: IndexFacts, one: Comparison, { columns, operators }: TableCatalog): boolean {
  const [key = ''] = index.keys
  if (computes(one, columns)) return one.computed !== null && plainKey(key) === plainKey(one.computed.expression ?? '')
  if (index.columns[0] !== one.column) return false
  const operator = one.operator === 'not' && columns.get(one.column)?.type === 'boolean' ? '=' : operatorOf(one)
  const [opclass = ''] = index.opclasses
  return (
    operators.some(
      (each) =>
        each.column === one.column &&
        each.operator === operator &&
        each.method === index.method &&
        each.opclass === opclass,
    ) ||
    (beginsFixed(one) && index.method === 'btree' && (opclass.endsWith('_pattern_ops') || isC(index.collations[0])))
  )
}

/** A pattern whose first letter is known: where letters are ordered by their bytes, btree finds those that begin so. */
export function beginsFixed({ operator, constant }: Pick<Comparison, 'operator' | 'constant'>): boolean {
  return operator === '~~' && /^[^%_\\]/.test(constant ?? '')
}

function isC(collation: string | undefined): boolean {
  return collation === 'C' || collation === 'POSIX'
}

/** `id + 1 = 7` is as good as `id = 7 - 1`, which an index on the column serves; `id % 7 = 1` and `a + b = 7` are not. */
export function solvable({ computed }: Comparison): boolean {
  return computed?.kind === 'operator' && computed.alone && ['+', '-', '*', '/'].includes(computed.name)
}

/** varchar prints as `(code)::text` even when an index on it is used. */
export function computes({ computed, casts, column }: Comparison, columns: ReadonlyMap<string, ColumnFacts>): boolean {
  if (computed !== null) return true
  const type = columns.get(column)?.type ?? 'text'
  const textual = type === 'text' || type === 'character varying'
  return casts.some((cast) => !(textual && (cast === 'text' || cast === 'varchar')))
}

/** The index of the table that a candidate would make again: it is no remedy. */
export function existing(candidate: Candidate, { indexes }: Pick<TableCatalog, 'indexes'>): IndexFacts | undefined {
  return indexes.find((index) => same(index, candidate))
}

/**
 * An index of the same method and predicate that begins with the same keys: those that are compared with = in any order, the others in theirs, of
 * which each may be turned, since an index is read backwards too.
 */
function same(index: IndexFacts, { method, keys, where, equal }: Candidate): boolean {
  if (index.method !== method || plainKey(index.predicate ?? '') !== plainKey(where ?? '')) return false
  const wanted = keys.map(partsOf)
  const stands = ({ key, opclass }: KeyParts, at: number) =>
    plainKey(index.keys[at] ?? '') === key && (opclass === '' || opclass === index.opclasses[at])
  const first = [...wanted.slice(0, equal).keys()]
  const turned = new Set(wanted.slice(equal).map(({ descending }, at) => descending !== index.descending[equal + at]))
  return (
    wanted.slice(0, equal).every((part) => first.some((at) => stands(part, at))) &&
    wanted.slice(equal).every((part, at) => stands(part, equal + at)) &&
    (method !== 'btree' || turned.size <= 1)
  )
}

interface KeyParts {
  readonly key: string
  /** Empty for the default one. */
  readonly opclass: string
  readonly descending: boolean
}

/** Of a key as a candidate has it: `updated_at desc`, `name gin_trgm_ops`. */
function partsOf(written: string): KeyParts {
  const [, key = written, opclass = '', descending] = /^(.*?)(?: (\w+_ops))?( desc)?$/s.exec(written) ?? []
  return { key: plainKey(key), opclass, descending: descending !== undefined }
}

/** The key of an index without what two ways to write it differ in. */
function plainKey(key: string): string {
  return key.toLowerCase().replaceAll(/[\s()"]|::text/g, '')
}
