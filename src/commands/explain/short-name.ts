/** As much of a statement as tells it from another in a table. */
export function shortName(sql: string): string {
  const line = sql.replaceAll(/\s+/g, ' ')
  return line.length > 60 ? `${line.slice(0, 57)}...` : line
}

/** Makes names unique: the second of a name has (2) behind it. */
export function namer(): (name: string) => string {
  const names = new Map<string, number>()
  return (name) => {
    const before = names.get(name) ?? 0
    names.set(name, before + 1)
    return before === 0 ? name : `${name} (${before + 1})`
  }
}
