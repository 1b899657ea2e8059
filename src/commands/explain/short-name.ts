/** As much of a statement as tells it from another in a table. */
export function shortName(sql: string): string {
  const line = sql.replaceAll(/\s+/g, ' ')
  return line.length > 60 ? `${line.slice(0, 57)}...` : line
}
