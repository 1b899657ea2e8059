import type { Definition } from '../../definition/definition.js'
import type { Session } from '../../server/session/session.js'
import type { ExistingIndex } from '../snapshot.js'

/** What the catalog says of one key besides its text. */
export interface KeyDetail {
  readonly opclass: string
  readonly opclassSchema: string
  readonly opclassDefault: boolean
  readonly opclassParameters: readonly string[]
  readonly collation: string | null
  readonly collationSchema: string | null
  readonly collationDefault: boolean
  readonly descending: boolean
  readonly nullsFirst: boolean
}

/** The texts and details of an index, key by key, as the catalog has them. */
export interface Parts {
  readonly keys: readonly string[]
  readonly include: readonly string[]
  readonly details: readonly KeyDetail[]
}

/** Read with search_path = pg_catalog; empty when the index was dropped meanwhile. */
export async function existingParts(session: Session, existing: ExistingIndex): Promise<Parts> {
  const rows = await session.query<{ document: Parts }>(partsSql, [existing.oid])
  return rows[0]?.document ?? { keys: [], include: [], details: [] }
}

const partsSql = `
select pg_catalog.json_build_object(
  'keys', (select pg_catalog.json_agg(pg_catalog.pg_get_indexdef(i.indexrelid, k, false) order by k) from pg_catalog.generate_series(1, i.indnkeyatts::int) as k),
  'include', coalesce((select pg_catalog.json_agg(pg_catalog.pg_get_indexdef(i.indexrelid, k, false) order by k) from pg_catalog.generate_series(i.indnkeyatts + 1, i.indnatts::int) as k), '[]'),
  'details', (select pg_catalog.json_agg(pg_catalog.json_build_object(
      'opclass', oc.opcname, 'opclassSchema', n.nspname, 'opclassDefault', oc.opcdefault,
      'opclassParameters', coalesce(pg_catalog.to_json(ia.attoptions), '[]'),
      'collation', l.collname, 'collationSchema', ln.nspname,
      'collationDefault', i.indcollation[k - 1] = coalesce(ta.attcollation, 100) or i.indcollation[k - 1] = 0,
      'descending', i.indoption[k - 1] & 1 = 1, 'nullsFirst', i.indoption[k - 1] & 2 = 2) order by k)
    from pg_catalog.generate_series(1, i.indnkeyatts::int) as k
    join pg_catalog.pg_opclass oc on oc.oid = i.indclass[k - 1]
    join pg_catalog.pg_namespace n on n.oid = oc.opcnamespace
    left join pg_catalog.pg_collation l on l.oid = i.indcollation[k - 1]
    left join pg_catalog.pg_namespace ln on ln.oid = l.collnamespace
    left join pg_catalog.pg_attribute ia on ia.attrelid = i.indexrelid and ia.attnum = k
    left join pg_catalog.pg_attribute ta on ta.attrelid = i.indrelid and ta.attnum = i.indkey[k - 1] and i.indkey[k - 1] <> 0)
) as document
from pg_catalog.pg_index i where i.indexrelid = $1`

/** Opclass, collation and order: what the declaration leaves out is the default only where the catalog says so. */
export function keyMatches(key: Definition['keys'][number], detail: KeyDetail | undefined): boolean {
  if (detail === undefined) return false
  const opclass =
    key.opclass === undefined
      ? detail.opclassDefault
      : key.opclass === detail.opclass || key.opclass === `${detail.opclassSchema}.${detail.opclass}`
  const collation =
    key.collation === undefined
      ? detail.collationDefault
      : key.collation === detail.collation ||
        key.collation === `${detail.collationSchema ?? ''}.${detail.collation ?? ''}`
  const parameters = Object.entries(key.opclassParameters ?? {}).map(([name, value]) => `${name}=${value}`)
  const descending = key.order === 'desc'
  const nullsFirst = key.nulls === undefined ? descending : key.nulls === 'first'
  return (
    opclass &&
    collation &&
    descending === detail.descending &&
    nullsFirst === detail.nullsFirst &&
    JSON.stringify(parameters.sort()) === JSON.stringify([...detail.opclassParameters].sort())
  )
}
