import type { Key } from './definition.js'

/*
 * A key of an index that is written as one text: a column's name, or what nobody calls a column, an expression.
 */

/**
 * Whether a key that is one text is an expression: it holds a parenthesis, a quoted text, a cast, `||`, an arrow of json, or an
 * operator between spaces. A column of such a name is written as `{ column: ... }`.
 */
export function isExpressionText(text: string): boolean {
  return /[('[]|::|\|\||->|#>|\S\s+[-+*/%^<>=~!@#&|?]+\s+\S/.test(text)
}

/**
 * How a key is written in YAML when its text has an order, an operator class or a collation in it, as in SQL: `email desc` is
 * `{ column: email, order: desc }`. undefined for a text that has nothing of it.
 */
export function keyAsMap(text: string): string | undefined {
  const parts =
    /^(.+?)(?:\s+collate\s+("[^"]+"|[\w.-]+))?(?:\s+([a-z_][\w.]*_ops))?(?:\s+(asc|desc))?(?:\s+nulls\s+(first|last))?$/is.exec(
      text.trim(),
    )
  const [, base = '', collation, opclass, order, nulls] = parts ?? []
  if (base === '' || (collation ?? opclass ?? order ?? nulls) === undefined) return undefined
  const entries: readonly (readonly [string, string | undefined])[] = [
    [isExpressionText(base) ? 'expression' : 'column', base],
    ['opclass', opclass],
    ['collation', collation?.replaceAll('"', '')],
    ['order', order?.toLowerCase()],
    ['nulls', nulls?.toLowerCase()],
  ]
  const written = entries.flatMap(([key, value]) => (value === undefined ? [] : [`${key}: ${flowText(value)}`]))
  return `{ ${written.join(', ')} }`
}

/** Of a key that was cut at a comma, as `[coalesce(a, b)]` without quotes is: a parenthesis too many or too few. */
export function isCutAtComma({ column, expression }: Key): boolean {
  const text = (expression ?? column ?? '').replaceAll(/'[^']*'/g, '')
  return text.split('(').length !== text.split(')').length
}

/** A text inside { } of YAML, in quotes where it needs them. */
function flowText(text: string): string {
  return /^[\w(][\w(). ]*$/.test(text) ? text : `'${text.replaceAll("'", "''")}'`
}
