import type { CanonicalDefinition } from '../../catalog/snapshot.js'
import type { TableName } from '../../definition/definition.js'
import { allBy, groupsOf, rememberPerObject } from './grouping.js'
import type { Resolved } from '../inputs.js'

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
  return byShape(others)
    .get(shape(index.canonical))
    ?.find((other) => differs(index, other) && (other.canonical.unique || !index.canonical.unique))
}

/**
 * A btree index that another one can replace: its keys are the first keys of the other, in the same order and opclass,
 * over the same rows, and what it includes the other has as well. A unique index is never redundant: it enforces.
 */
export function prefixOf(index: Candidate, others: readonly Candidate[]): Candidate | undefined {
  const { method, unique, keys, include, predicate } = index.canonical
  if (method !== 'btree' || unique) return undefined
  return byFirstKeys(others)
    .get(firstKeys(predicate, keys))
    ?.find((other) => differs(index, other) && include.every((column) => columnsOf(other.canonical).has(column)))
}

const byShape = rememberPerObject((candidates: readonly Candidate[]) =>
  allBy(candidates, ({ canonical }) => shape(canonical)),
)

/** Each btree index under all its keys but the last, all but the last two, and so on. */
const byFirstKeys = rememberPerObject((candidates: readonly Candidate[]) =>
  groupsOf(
    candidates.flatMap((candidate) => {
      const { method, keys, predicate } = candidate.canonical
      const shorter = method === 'btree' ? keys.slice(1) : []
      return shorter.map((_, at) => [firstKeys(predicate, keys.slice(0, at + 1)), candidate] as const)
    }),
  ),
)

function firstKeys(predicate: CanonicalDefinition['predicate'], keys: CanonicalDefinition['keys']): string {
  return JSON.stringify([predicate, keys])
}

/** What an index-only scan of it reads: keys are printed as the column, then opclass and order. */
const columnsOf = rememberPerObject(
  ({ include, keys }: CanonicalDefinition) =>
    new Set([...include, ...keys.flatMap((key) => [...key.matchAll(/ /g)].map(({ index }) => key.slice(0, index)))]),
)

function differs(a: Candidate, b: Candidate): boolean {
  return a.table === b.table && (a.schema !== b.schema || a.name !== b.name)
}

function shape({ method, keys, include, predicate }: CanonicalDefinition): string {
  return JSON.stringify([method, keys, include, predicate])
}
