/**
 * The known word that was probably meant, by Damerau-Levenshtein distance (optimal string alignment) without regard to
 * case; undefined when none is near: a third of the word may differ, at least one and at most four letters. A word that
 * other tools use for a known one counts as near.
 */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const limit = Math.min(4, Math.max(1, Math.floor(word.length / 3)))
  let best: string | undefined
  let bestDistance = limit + 0.75
  for (const candidate of known) {
    const same = candidate[0]?.toLowerCase() === word[0]?.toLowerCase()
    // Of two that are equally near, the one with the same first letter: dsc is desc, not asc.
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase()) + (same ? 0 : 0.5)
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance]
  }
  return best ?? known.find((candidate) => candidate === synonyms[word.toLowerCase()])
}

/** Words of SQL and of other tools, with the one that is said here. */
const synonyms: Readonly<Record<string, string>> = {
  columns: 'keys',
  fields: 'keys',
  on: 'table',
  table_name: 'table',
  using: 'method',
  type: 'method',
  predicate: 'where',
  filter: 'where',
  including: 'include',
  query: 'sql',
}

/** ` did you mean "x"?` with a leading comma-like joint, or nothing. */
export function suggestion(word: string, known: readonly string[]): string {
  const found = nearest(word, known)
  return found === undefined ? '' : `: did you mean "${found}"?`
}

function editDistance(a: string, b: string): number {
  let beforeLast: readonly number[] = []
  let last: readonly number[] = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const changed = at(last, column - 1) + (a[row - 1] === b[column - 1] ? 0 : 1)
      const swapped = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      current.push(
        Math.min(
          changed,
          at(last, column) + 1,
          at(current, column - 1) + 1,
          swapped ? at(beforeLast, column - 2) + 1 : Infinity,
        ),
      )
    }
    ;[beforeLast, last] = [last, current]
  }
  return at(last, b.length)
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Infinity
}
