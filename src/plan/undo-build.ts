import { quoteName } from '../definition/quote.js'

/**
 * The statement that builds an index again from what pg_get_indexdef printed, `CREATE [UNIQUE] INDEX name ON ...`: under this
 * name, CONCURRENTLY, and in its tablespace, which is not printed.
 */
export function buildAgain(ddl: string, name: string, tablespace: string | null) {
  const sql = ddl.replace(
    /^CREATE (UNIQUE )?INDEX (?:"(?:[^"]|"")*"|[^\s"]+) ON /,
    (_, unique: string | undefined) => `CREATE ${unique ?? ''}INDEX CONCURRENTLY ${quoteName(name)} ON `,
  )
  const placed = tablespace === null ? sql : placedIn(sql, quoteName(tablespace))
  return { kind: 'build', index: name, sql: [placed] } as const
}

/** TABLESPACE stands before WHERE. */
function placedIn(sql: string, tablespace: string): string {
  const end = predicateStart(sql)
  return `${sql.slice(0, end)} TABLESPACE ${tablespace}${sql.slice(end)}`
}

/** Where the WHERE outside of quotes stands: no expression of an index holds another. PostgreSQL prints a quote within quotes twice. */
function predicateStart(sql: string): number {
  let quote = ''
  for (let at = 0; at < sql.length; at += 1) {
    const character = sql.charAt(at)
    if (quote !== '') quote = character === quote ? '' : quote
    else if (character === "'" || character === '"') quote = character
    else if (sql.startsWith(' WHERE ', at)) return at
  }
  return sql.length
}
