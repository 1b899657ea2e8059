/*
 * For what the plan looks at again and again: each list is gone through once, not once for each index (4,000 indexes of one table took
 * 52 s that way).
 */

/** The same function, that looks at the same object once only. */
export function rememberPerObject<From extends object, To>(make: (from: From) => To): (from: From) => To {
  const made = new WeakMap<From, { readonly value: To }>()
  return (from) => {
    const before = made.get(from)
    if (before !== undefined) return before.value
    const value = make(from)
    made.set(from, { value })
    return value
  }
}

/** The values of each key, in their order. */
export function allBy<Value>(
  values: readonly Value[],
  keyOf: (value: Value) => string,
): ReadonlyMap<string, readonly Value[]> {
  return groupsOf(values.map((value) => [keyOf(value), value]))
}

/** The same of values that have several keys, or none. */
export function groupsOf<Value>(entries: Iterable<readonly [string, Value]>): ReadonlyMap<string, readonly Value[]> {
  const groups = new Map<string, Value[]>()
  for (const [key, value] of entries) {
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [value])
    else group.push(value)
  }
  return groups
}
