type Fields = Readonly<Record<string, unknown>>

/**
 * Visits every node of a parse tree with its fields and the name it goes by: its type (`ParamRef`), or the field that
 * holds it where that says the type (`intoClause`). Parents come first. A tree may be thousands of levels deep
 * (`1+1+1+...`), so there is no recursion.
 */
export function walkTree(tree: unknown, visit: (name: string, node: Fields) => void): void {
  const waiting: unknown[] = [tree]
  while (waiting.length > 0) {
    const value = waiting.pop()
    if (Array.isArray(value)) for (let index = value.length - 1; index >= 0; index--) waiting.push(value[index])
    if (!isFields(value)) continue
    for (const [name, child] of Object.entries(value).toReversed()) {
      if (isFields(child)) visit(name, child)
      waiting.push(child)
    }
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
