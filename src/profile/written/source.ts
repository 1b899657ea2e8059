import type { Place } from '../../errors.js'

export type Path = readonly (string | number)[]

/** Where the values of a written profile stand. */
export interface ProfileSource {
  readonly file: string
  readonly placeOf: (path: Path, part?: 'key' | 'value') => Place
  /** A value as messages may show it. */
  readonly show: (path: Path) => string
}

/** The entries of a map in the order of the file: JavaScript puts keys such as "2" before all others. */
export function entriesInOrder<T>(
  map: Readonly<Record<string, T>>,
  path: Path,
  { placeOf }: ProfileSource,
): readonly (readonly [string, T])[] {
  const position = (key: string) => placeOf([...path, key], 'key')
  return Object.entries(map).toSorted(([a], [b]) => {
    const [first, second] = [position(a), position(b)]
    return first.line - second.line || first.column - second.column
  })
}
