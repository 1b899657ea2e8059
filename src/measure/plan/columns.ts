/** The columns of one relation that a condition of a verbose query plan names. */
export interface ConditionColumns {
  /** Compared with `=` as they are. */
  readonly equal: readonly string[]
  /** Compared in another way as they are. */
  readonly other: readonly string[]
  /** Inside a function or operator, such as lower(email): a plain index on them serves nothing. */
  readonly computed: readonly string[]
}

/**
 * Reads a condition as EXPLAIN (VERBOSE) prints it, such as `((j.status = 'a'::text) AND (lower(j.name) = $1))`, for the
 * relation with that alias. A cast behind a column is no computation: varchar prints as `(j.code)::text` even when an
 * index on it is used, while `(created_at)::date` can use none.
 */
export function conditionColumns(condition: string, alias: string): ConditionColumns {
  const text = condition.replaceAll(/'(?:[^']|'')*'/g, "''")
  const name = `(?:${escaped(alias)}|"${escaped(alias.replaceAll('"', '""'))}")`
  const reference = new RegExp(String.raw`(?<![\w".])${name}\.("(?:[^"]|"")+"|[a-z_][\w$]*)`, 'g')
  const found = { equal: new Set<string>(), other: new Set<string>(), computed: new Set<string>() }
  for (const match of text.matchAll(reference)) {
    const column = match[1] ?? ''
    const before = text.slice(0, match.index)
    const after = text.slice(match.index + match[0].length)
    if (insideCall(before) || computedAfter.test(after)) found.computed.add(column)
    else if (equalAfter.test(after) || / = \(*$/.test(before)) found.equal.add(column)
    else found.other.add(column)
  }
  const { equal, other, computed } = found
  return { equal: [...equal], other: [...other].filter((column) => !equal.has(column)), computed: [...computed] }
}

/** The innermost open parenthesis is that of a function: `date_trunc('day', `, but not `(a.x = ANY (`. */
function insideCall(before: string): boolean {
  let depth = 0
  for (let at = before.length - 1; at >= 0; at -= 1) {
    if (before[at] === ')') depth += 1
    else if (before[at] === '(' && depth > 0) depth -= 1
    else if (before[at] === '(' && /\w/.test(before[at - 1] ?? '')) return true
    else if (before[at] === '(' && before[at - 1] !== '(') return false
  }
  return false
}

/** A cast as EXPLAIN prints it: `::text`, `)::character varying(20)`. */
const cast = String.raw`(?:\)*::[a-z" ]+(?:\([\d,]+\))?)?\)*`
const equalAfter = new RegExp(String.raw`^${cast} = `)
/** Arithmetic, JSON and text operators, and casts that change the comparison. */
const computedAfter = new RegExp(
  String.raw`^(?:\)*::(?:date|time|numeric|double precision|real|bigint|integer)\b|${cast} (?:[-+*/%]|\|\||->>?) )`,
)

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
}
