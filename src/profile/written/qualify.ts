import type { TableName } from '../../definition/definition.js'
import type { WrittenName } from './schema.js'

/** `name`, `schema.name` split at the first dot, or the two apart; unqualified names live in `schema`. */
export function qualify(written: WrittenName, schema: string): TableName {
  if (typeof written === 'object') return { schema: written.schema ?? schema, name: written.name }
  const dot = written.indexOf('.')
  return dot < 0 ? { schema, name: written } : { schema: written.slice(0, dot), name: written.slice(dot + 1) }
}
