import type { ExistingIndex, Snapshot } from '../../catalog/snapshot.js'
import { dropIndexSql } from '../../sql/ddl/index-ddl.js'
import { dropStep } from '../match/drops.js'
import { copiesOn } from '../match/lookup.js'
import { copySuffix, withSuffix } from '../match/names.js'
import { nameKey } from '../match/overlap.js'
import type { Finding, Step } from '../plan.js'
import type { Resolved } from '../inputs.js'
import { sameDefinition } from '../match/same.js'

/*
 * REINDEX CONCURRENTLY that does not come to its end leaves a copy: NAME_ccnew, or NAME_ccold once the names were exchanged, with a
 * number behind it when that name is taken (fault 12; manual, REINDEX, "Rebuilding Indexes Concurrently").
 */

/** Whether PostgreSQL gave this name to a copy of `base`: the base is cut where both do not fit in 63 bytes. */
export function isLeftoverName(name: string, base: string): boolean {
  const suffix = copySuffix(name)
  return suffix !== undefined && withSuffix(base, suffix) === name
}

/** Drops of what REINDEX left of declared indexes: not valid, on the same table, of the declared definition, and built by nobody. */
export function planLeftovers(resolved: readonly Resolved[], snapshot: Snapshot): readonly Step[] {
  const declared = new Set(
    resolved.map(({ declared: { definition } }) => indexKey(definition.table.schema, definition)),
  )
  if (snapshot.indexes.every(({ valid }) => valid)) return []
  return resolved.flatMap(({ declared: { definition, place }, canonical }) =>
    leftoversOf(snapshot, definition.name, definition.table)
      .filter((index) => !declared.has(nameKey(index)) && sameDefinition(canonical, index.canonical))
      .map((index) => ({
        ...dropStep(
          index,
          `left from a REINDEX CONCURRENTLY of ${definition.name} that did not come to its end`,
          place,
        ),
        // What is not valid serves no query, and what it enforces the declared one enforces too.
        hazards: [],
        leftoverOf: definition.name,
      })),
  )
}

/** One finding for each index that a REINDEX left copies of, with the copies that it speaks of. */
export function leftoverFindings(
  steps: readonly Step[],
  snapshot: Snapshot,
): { readonly findings: readonly Finding[]; readonly spoken: ReadonlySet<number> } {
  const dropped = new Set(steps.flatMap((step) => (step.leftoverOf === undefined ? [] : [step.existing?.oid])))
  const findings: Finding[] = []
  const spoken = new Set<number>()
  for (const base of basesOf(steps, snapshot)) {
    const copies = leftoversOf(snapshot, base.name, base.table)
      .filter((index) => !spoken.has(index.oid))
      .filter(
        (index) =>
          dropped.has(index.oid) || (base.canonical !== null && sameDefinition(base.canonical, index.canonical)),
      )
    if (copies.length === 0) continue
    for (const { oid } of copies) spoken.add(oid)
    findings.push(finding(base, copies, dropped))
  }
  return { findings, spoken }
}

interface Base {
  readonly name: string
  readonly table: ExistingIndex['table']
  readonly canonical: ExistingIndex['canonical'] | null
}

/** Declared ones first, then all others: the copy of an index of a constraint is a leftover as well. */
function basesOf(steps: readonly Step[], { indexes }: Snapshot): readonly Base[] {
  const declared = steps
    .filter((step) => step.declared !== null)
    .map(({ index, table, canonical }) => ({ name: index, table, canonical }))
  const valid = indexes.filter((index) => index.valid && !index.partitioned)
  return [...new Map([...valid, ...declared].map((base) => [indexKey(base.table.schema, base), base])).values()]
}

/** Not valid, and of a table that nobody builds on: of a REINDEX under way the progress view names one copy at a time. */
function leftoversOf(snapshot: Snapshot, base: string, table: ExistingIndex['table']): readonly ExistingIndex[] {
  return copiesOn(snapshot, table).filter(
    (index) =>
      !index.attached &&
      !index.partitioned &&
      isLeftoverName(index.name, base) &&
      !snapshot.builds.some(({ tableOid }) => tableOid === index.tableOid),
  )
}

function finding(base: Base, copies: readonly ExistingIndex[], dropped: ReadonlySet<number | undefined>): Finding {
  const names = copies.map(({ name }) => name).sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
  const shown = names.length > 4 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', ')
  const ready = copies.filter((index) => index.ready && index.live).length
  const all = copies.length === 1 ? 'it' : `all ${copies.length}`
  const cost =
    ready === 0
      ? noWrites(copies)
      : ready === copies.length
        ? `each write pays for ${all}`
        : `each write pays for ${ready} of them`
  return {
    code: 'INVALID',
    severity: 'error',
    index: base.name,
    table: `${base.table.schema}.${base.table.name}`,
    message: `REINDEX CONCURRENTLY of ${base.name} did not come to its end and left ${shown}: no query uses ${copies.length === 1 ? 'it' : 'them'}, ${cost}`,
    hint: copies.every(({ oid }) => dropped.has(oid))
      ? `perfdb apply drops ${copies.length === 1 ? 'it' : 'them'}`
      : names.map((name) => dropIndexSql(base.table.schema, name)).join('; '),
  }
}

/** Live and not ready, no write goes there, but updates of its columns cannot be HOT (fault 9). */
export function noWrites(indexes: readonly ExistingIndex[]): string {
  return indexes.some(({ live }) => live)
    ? 'no write pays for it, but updates of its columns cannot be HOT'
    : 'it costs nothing but its space'
}

function indexKey(schema: string, { name }: { readonly name: string }): string {
  return nameKey({ schema, name })
}
