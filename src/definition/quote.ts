import { PerfdbError } from '../errors.js'

/** NAMEDATALEN - 1: names are bytes, not characters (fault 42). */
export const maxNameBytes = 63

/** True when PostgreSQL would cut the name (63 bytes, UTF-8). */
export function nameTooLong(name: string): boolean {
  return Buffer.byteLength(name, 'utf8') > maxNameBytes
}

/**
 * A quoted identifier, always with double quotes; never split at dots.
 * https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS
 * Throws NAME_TOO_LONG over 63 bytes and BAD_VALUE for an empty name or one with a NUL.
 */
export function quoteName(name: string): string {
  if (name === '' || name.includes('\0')) throw new PerfdbError('BAD_VALUE', `not a PostgreSQL name: "${name}"`)
  if (nameTooLong(name)) throw new PerfdbError('NAME_TOO_LONG', `name is longer than 63 bytes: ${name}`)
  return `"${name.replaceAll('"', '""')}"`
}

/** `"schema"."name"`. Throws as quoteName does. */
export function quoteQualified(schema: string, name: string): string {
  return `${quoteName(schema)}.${quoteName(name)}`
}

/**
 * A statement of perfdb's own with `$1` as the JSON of a value: for a parameter the server is asked for its type first, a round trip more.
 * Throws BAD_VALUE.
 */
export function withConstant(text: string, value: unknown): string {
  const constant = quoteLiteral(JSON.stringify(value))
  return text.replaceAll('$1', () => constant)
}

/**
 * A string constant. Backslashes need no care: every session of perfdb reads back standard_conforming_strings = on.
 * https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-STRINGS
 */
export function quoteLiteral(text: string): string {
  if (text.includes('\0')) throw new PerfdbError('BAD_VALUE', 'a string constant cannot hold a NUL character')
  return `'${text.replaceAll("'", "''")}'`
}
