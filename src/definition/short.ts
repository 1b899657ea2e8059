import type { Definition, Key } from './definition.js'

/** A definition in one line as people read it: `unique btree (a, lower(b) desc) include (c) where d > 1`. Not to be run. */
export function shortDefinition(definition: Definition): string {
  const { method, unique, keys, include, nullsDistinct, storage, tablespace, predicate } = definition
  const settings = Object.entries(storage).map(([name, value]) => `${name}=${value}`)
  const parts = [
    unique ? 'unique' : '',
    `${method} (${keys.map(shortKey).join(', ')})`,
    include.length > 0 ? `include (${include.map(plainName).join(', ')})` : '',
    nullsDistinct ? '' : 'nulls not distinct',
    settings.length > 0 ? `with (${settings.join(', ')})` : '',
    tablespace === undefined ? '' : `tablespace ${tablespace}`,
    predicate === undefined ? '' : `where ${predicate}`,
  ]
  return parts.filter((part) => part !== '').join(' ')
}

/** The same of what pg_get_indexdef printed, in its words. */
export function shortIndexdef(indexdef: string): string {
  const unique = indexdef.startsWith('CREATE UNIQUE ') ? 'unique ' : ''
  const using = indexdef.indexOf(' USING ')
  return using < 0 ? indexdef : unique + indexdef.slice(using + ' USING '.length)
}

function shortKey({ column, expression = '', collation, opclass, order, nulls }: Key): string {
  const parts = [
    column === undefined ? expression : plainName(column),
    collation === undefined ? '' : `collate ${collation}`,
    opclass ?? '',
    order === 'desc' ? 'desc' : '',
    nulls === undefined ? '' : `nulls ${nulls}`,
  ]
  return parts.filter((part) => part !== '').join(' ')
}

function plainName(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`
}
