import type { WrittenValue } from './schema.js'

/**
 * A parameter value in PostgreSQL's text form; a list is an array literal, null is SQL NULL.
 * https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO
 */
export function parameterText(value: WrittenValue): string | null {
  if (value === null) return null
  return isList(value) ? arrayText(value) : String(value)
}

function arrayText(values: readonly WrittenValue[]): string {
  return `{${values.map(elementText).join(',')}}`
}

function elementText(value: WrittenValue): string {
  if (value === null) return 'NULL'
  if (isList(value)) return arrayText(value)
  const text = String(value)
  const plain = text !== '' && text.toUpperCase() !== 'NULL' && !/[\s{},"\\]/.test(text)
  return plain ? text : `"${text.replace(/["\\]/g, '\\$&')}"`
}

function isList(value: WrittenValue): value is readonly WrittenValue[] {
  return Array.isArray(value)
}
