import type { Filled } from '../yaml/document/env.js'

export type AsWritten = (text: string) => string

/**
 * Gives texts back with `${NAME}` where a profile has it and the value came from the environment: whole SQL texts of the profile first, then the values
 * by themselves, as a query plan or a message of the server quotes them. Values of under 6 characters are left there: they are parts of too much else.
 */
export function asWritten(profiles: readonly { readonly filled?: readonly Filled[] }[]): AsWritten {
  const filled = profiles.flatMap((profile) => profile.filled ?? [])
  if (filled.length === 0) return (text) => text
  const texts = filled.filter(({ text }) => text.length >= leastText).toSorted(longerFirst)
  const values = new Map(
    filled.flatMap(({ values }) => values).flatMap(({ name, value }) => spellings(value).map((each) => [each, name])),
  )
  const patterns = [...values]
    .filter(([value]) => value.length >= leastValue)
    .toSorted(([a], [b]) => b.length - a.length)
    .map(([value, name]) => ({ pattern: whole(value), written: `\${${name}}` }))
  return (text) => {
    let shown = text
    for (const one of texts) shown = shown.replaceAll(one.text, () => one.written)
    for (const { pattern, written } of patterns) shown = shown.replace(pattern, () => written)
    return shown
  }
}

const leastText = 8
const leastValue = 6

function longerFirst(a: Filled, b: Filled): number {
  return b.text.length - a.text.length
}

/** As it is, inside a constant of SQL, and as a constant that it was inside of. */
function spellings(value: string): readonly string[] {
  return [...new Set([value, value.replaceAll("'", "''"), value.replaceAll("''", "'")])]
}

/** No part of a longer word. */
function whole(value: string): RegExp {
  const literal = value.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
  return new RegExp(`${/^\w/.test(value) ? '(?<!\\w)' : ''}${literal}${/\w$/.test(value) ? '(?!\\w)' : ''}`, 'g')
}
