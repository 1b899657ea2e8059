import type { CanonicalDefinition, ExistingIndex } from '../catalog/snapshot.js'
import type { Definition } from '../definition/definition.js'

/** Equal as PostgreSQL prints them. A tablespace that is not declared is not compared: where an index lives is the DBA's choice. */
export function sameDefinition(declared: CanonicalDefinition, existing: CanonicalDefinition): boolean {
  const tablespace = declared.tablespace === null || declared.tablespace === existing.tablespace
  return tablespace && text(declared) === text(existing)
}

function text(definition: CanonicalDefinition): string {
  const { method, unique, nullsDistinct, keys, include, predicate, storage } = definition
  return JSON.stringify([method, unique, nullsDistinct, keys, include, predicate, storage])
}

/**
 * True when the index that stands there is word for word what PostgreSQL prints for this declaration, so that no probe
 * is needed: only plain columns with lower-case names and defaults; anything else is left to the probe.
 */
export function plainlySame(declared: Definition, existing: ExistingIndex): boolean {
  if (existing.partitioned || declared.predicate !== undefined || declared.tablespace !== undefined) return false
  if (Object.keys(declared.storage).length > 0 || existing.canonical.storage.length > 0) return false
  const plainKeys = declared.keys.every(
    (key) => key.column !== undefined && key.opclass === undefined && key.collation === undefined,
  )
  const names = [
    declared.name,
    declared.table.schema,
    declared.table.name,
    ...declared.keys.map((key) => key.column ?? ''),
    ...declared.include,
  ]
  return plainKeys && names.every((name) => plainName.test(name)) && existing.ddl === printed(declared)
}

/** Needs no quotes; without this test a column named `a, b` would pass for two columns. */
const plainName = /^[a-z_][a-z0-9_]*$/

/** The way pg_get_indexdef writes it; a name that needs quotes there simply does not match. */
function printed(definition: Definition): string {
  const { name, table, method, unique, keys, include, nullsDistinct } = definition
  const keyTexts = keys.map((key) => {
    const descending = key.order === 'desc' ? ' DESC' : ''
    const nullsDefault = key.order === 'desc' ? 'first' : 'last'
    return `${key.column ?? ''}${descending}${key.nulls === undefined || key.nulls === nullsDefault ? '' : ` NULLS ${key.nulls.toUpperCase()}`}`
  })
  const parts = [
    `CREATE ${unique ? 'UNIQUE ' : ''}INDEX ${name} ON ${table.schema}.${table.name} USING ${method} (${keyTexts.join(', ')})`,
    include.length > 0 ? ` INCLUDE (${include.join(', ')})` : '',
    nullsDistinct ? '' : ' NULLS NOT DISTINCT',
  ]
  return parts.join('')
}
