/** A statement with its semicolon, on a line of its own where a comment could swallow it. */
export function terminated(statement: string): string {
  const text = statement.trimEnd()
  if (text.endsWith(';')) return text
  return text.includes('--') ? `${text}\n;` : `${text};`
}
