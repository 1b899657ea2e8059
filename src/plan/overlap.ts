import type { CanonicalDefinition } from '../catalog/snapshot.js'
import type { TableName } from '../definition/definition.js'
import type { Resolved } from './resolved.js'

/** An index as far as overlap goes: declared or existing. */
export interface Candidate {
  readonly schema: string
  readonly name: string
  readonly table: string
  readonly canonical: CanonicalDefinition
}

export function candidateOf({ declared, canonical }: Resolved): Candidate {
  const { name, table } = declared.definition
  return { schema: table.schema, name, table: nameKey(table), canonical }
}

/** Schema and name as one text: no name holds a NUL. */
export function nameKey({ schema, name }: TableName): string {
  return `${schema}\0${name}`
}

/** The same table and definition under another name; the unique one of two counts as the other's duplicate too. */
export function duplicateOf(index: Candidate, others: readonly Candidate[]): Candidate | undefined {
  return sameShape(others, shape(index.canonical)).find(
    (other) => differs(index, other) && (other.canonical.unique || !index.canonical.unique),
  )
}

/** Each list is gone through once, not once for each index: 4,000 of one table took 52 s. */
const byShape = new WeakMap<readonly Candidate[], ReadonlyMap<string, readonly Candidate[]>>()

function sameShape(candidates: readonly Candidate[], text: string): readonly Candidate[] {
  const known = byShape.get(candidates)
  if (known !== undefined) return known.get(text) ?? []
  const groups = new Map<string, Candidate[]>()
  for (const one of candidates) {
    const key = shape(one.canonical)
    groups.set(key, [...(groups.get(key) ?? []), one])
  }
  byShape.set(candidates, groups)
  return groups.get(text) ?? []
}

/**
 * A btree index that another one can replace: its keys are the first keys of the other, in the same order and opclass,
 * over the same rows, and what it includes the other has as well. A unique index is never redundant: it enforces.
 */
export function prefixOf(index: Candidate, others: readonly Candidate[]): Candidate | undefined {
  const { method, unique, keys, include, predicate } = index.canonical
  if (method !== 'btree' || unique) return undefined
  return others.find((other) => {
    const wider = other.canonical
    return (
      differs(index, other) &&
      wider.method === 'btree' &&
      wider.predicate === predicate &&
      wider.keys.length > keys.length &&
      keys.every((key, position) => wider.keys[position] === key) &&
      include.every(
        (column) => wider.include.includes(column) || wider.keys.some((key) => key.startsWith(`${column} `)),
      )
    )
  })
}

function differs(a: Candidate, b: Candidate): boolean {
  return a.table === b.table && (a.schema !== b.schema || a.name !== b.name)
}

function shape({ method, keys, include, predicate }: CanonicalDefinition): string {
  return JSON.stringify([method, keys, include, predicate])
}
