import { readPlainYaml } from '../../yaml/document/plain.js'
import type { WrittenValue } from './schema.js'

/**
 * A parameter value in PostgreSQL's text form; a list is an array literal, null is SQL NULL.
 * https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO
 */
export function parameterText(value: WrittenValue): string | null {
  if (value === null) return null
  return isList(value) ? arrayText(value) : String(value)
}

/**
 * A parameter value as a command line writes it, in PostgreSQL's text form: `null`, lists and what stands in quotes as in the params of a profile, and
 * any other text as it is.
 */
export function parameterOfText(text: string): string | null {
  if (text.trim() === 'null') return null
  if (!/^\s*(?:\[.*\]|"(?:[^"\\]|\\.)*"|'(?:[^']|'')*')\s*$/s.test(text)) return text
  const read = readPlainYaml(text)
  return 'value' in read && isWritten(read.value) ? parameterText(read.value) : text
}

function isWritten(value: unknown): value is WrittenValue {
  if (Array.isArray(value)) return value.every(isWritten)
  return value === null || ['string', 'number', 'boolean'].includes(typeof value)
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
