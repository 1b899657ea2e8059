import type { Place, Problem } from '../errors.js'
import type { YamlResult } from '../yaml/read.js'

type Path = readonly string[]

/**
 * Which MISSING_ENVIRONMENT problems of a file are those of the value at a path: a problem has a place, and belongs to the value that starts last
 * before it. A value that several paths lead to (an alias, a merged map) is that of each of them.
 */
export function missingByPath(read: YamlResult<unknown>): (path: Path) => readonly Problem[] {
  const leaves = leavesOf(read.plain, []).map((path) => ({ path, place: read.placeOf(path) }))
  const owned = read.problems.flatMap((problem) => {
    const { place } = problem
    if (problem.code !== 'MISSING_ENVIRONMENT' || place === undefined) return []
    const before = leaves.filter((leaf) => compare(leaf.place, place) <= 0)
    const [last] = before.map((leaf) => leaf.place).toSorted((one, other) => compare(other, one))
    const owners = before.filter((leaf) => last !== undefined && compare(leaf.place, last) === 0)
    return owners.map((leaf) => ({ path: leaf.path, problem }))
  })
  return (path) => owned.filter((one) => path.every((step, at) => one.path[at] === step)).map(({ problem }) => problem)
}

/** The value at a path, undefined where there is none. */
export function valueAt(value: unknown, path: Path): unknown {
  return path.reduce((parent, step) => membersOf(parent)[step], value)
}

/** The members of a map or a list by their names; of anything else none. */
export function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

function leavesOf(value: unknown, path: Path): readonly Path[] {
  if (typeof value !== 'object' || value === null) return [path]
  return Object.entries(value).flatMap(([key, member]) => leavesOf(member, [...path, key]))
}

function compare(one: Place, other: Place): number {
  return one.line - other.line || one.column - other.column
}
