import type { CanonicalDefinition, ExistingIndex } from '../../catalog/snapshot.js'
import type { Definition } from '../../definition/definition.js'
import { rememberPerObject } from './grouping.js'

/** Equal as PostgreSQL prints them. A tablespace that is not declared is not compared: where an index lives is the DBA's choice. */
export function sameDefinition(declared: CanonicalDefinition, existing: CanonicalDefinition): boolean {
  const tablespace = declared.tablespace === null || declared.tablespace === existing.tablespace
  return tablespace && definitionText(declared) === definitionText(existing)
}

/** All that is compared but the tablespace, as one text. */
export const definitionText = rememberPerObject(
  ({ method, unique, nullsDistinct, keys, include, predicate, storage }: CanonicalDefinition): string =>
    JSON.stringify([method, unique, nullsDistinct, keys, include, predicate, storage]),
)

/**
 * True when the index that stands there is word for word what PostgreSQL prints for this declaration, so that no probe
 * is needed: only columns with defaults, and a predicate that is a column or its NULL test; anything else, a name that is
 * a keyword too, is left to the probe.
 */
export function plainlySame(declared: Definition, existing: ExistingIndex): boolean {
  const predicate = printedPredicate(declared.predicate)
  if (existing.partitioned || predicate === undefined || declared.tablespace !== undefined) return false
  const plainKeys = declared.keys.every(
    (key) => key.column !== undefined && key.opclass === undefined && key.collation === undefined,
  )
  return plainKeys && existing.indexdef === printed(declared) + predicate
}

/** The way pg_get_indexdef writes it (ruleutils.c); where it needs quotes for another reason, it simply does not match. */
function printed(definition: Definition): string {
  const { name, table, method, unique, keys, include, nullsDistinct, storage } = definition
  const keyTexts = keys.map((key) => {
    const descending = key.order === 'desc' ? ' DESC' : ''
    const nullsDefault = key.order === 'desc' ? 'first' : 'last'
    return `${quoted(key.column ?? '')}${descending}${key.nulls === undefined || key.nulls === nullsDefault ? '' : ` NULLS ${key.nulls.toUpperCase()}`}`
  })
  const settings = Object.entries(storage).map(([name, value]) => `${quoted(name)}=${printedValue(value)}`)
  const parts = [
    `CREATE ${unique ? 'UNIQUE ' : ''}INDEX ${quoted(name)} ON ${quoted(table.schema)}.${quoted(table.name)} USING ${quoted(method)} (${keyTexts.join(', ')})`,
    include.length > 0 ? ` INCLUDE (${include.map(quoted).join(', ')})` : '',
    nullsDistinct ? '' : ' NULLS NOT DISTINCT',
    settings.length > 0 ? ` WITH (${settings.join(', ')})` : '',
  ]
  return parts.join('')
}

/** `a`, `not a`, `a is null`, `a is not null`; undefined for what only PostgreSQL can print. */
function printedPredicate(predicate: string | undefined): string | undefined {
  if (predicate === undefined) return ''
  const [, negated, column, test] =
    /^(not |NOT )?([a-z_][a-z0-9_]*)( is (?:not )?null| IS (?:NOT )?NULL)?$/.exec(predicate) ?? []
  if (column === undefined || (negated !== undefined && test !== undefined)) return undefined
  if (test !== undefined) return ` WHERE (${column}${test.toUpperCase()})`
  return negated === undefined ? ` WHERE ${column}` : ` WHERE (NOT ${column})`
}

/** quote_ident but for keywords. */
function quoted(name: string): string {
  return plainName.test(name) ? name : `"${name.replaceAll('"', '""')}"`
}

function printedValue(value: string): string {
  return plainName.test(value) ? value : `'${value.replaceAll("'", "''")}'`
}

const plainName = /^[a-z_][a-z0-9_]*$/
