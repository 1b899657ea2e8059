import { quoteName } from '../../definition/quote.js'

/** The condition without the alias of its table, outside of quotes. */
export function ownText(text: string, alias: string): string {
  const own = text.replace(qualified(alias), (whole, literal?: string) => (literal === undefined ? '' : whole))
  return own.startsWith('(') && own.endsWith(')') ? own.slice(1, -1) : own
}

/** True where a condition names a column of the alias. */
export function namesAlias(text: string, alias: string): boolean {
  return [...text.matchAll(qualified(alias))].some(([, literal]) => literal === undefined)
}

/** A string, or the alias before a column. */
function qualified(alias: string): RegExp {
  return new RegExp(String.raw`('(?:[^']|'')*')|(?<![\w".])(?:${escaped(alias)}|"${escaped(alias)}")\.`, 'g')
}

/** `schema.table` quoted. */
export function tableSql(table: string): string {
  return eachPart(table, quoteName)
}

/** CREATE INDEX of a table as people read it: `schema.table` quoted where it must be. */
export function readable(text: string, table: string): string {
  return text.replace(tableSql(table), () => eachPart(table, quoted))
}

function eachPart(table: string, written: (name: string) => string): string {
  const dot = table.indexOf('.')
  return `${written(table.slice(0, dot))}.${written(table.slice(dot + 1))}`
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
}

/** A key without its direction. */
export function bare(key: string): string {
  return key.replace(/(?: desc)?(?: nulls (?:first|last))?$/, '')
}

/** Each column once. */
export function distinct(keys: readonly string[]): readonly string[] {
  return keys.filter((key, at) => keys.findIndex((one) => bare(one) === bare(key)) === at)
}

/** Quoted only where it must be: advice is read by people. */
export function quoted(column: string): string {
  return /^[a-z_][a-z0-9_$]*$/.test(column) ? column : quoteName(column)
}

/** `create index on public.jobs (status, updated_at desc)` */
export function createText(
  table: string,
  { method, keys, where }: { readonly method: string; readonly keys: readonly string[]; readonly where: string | null },
): string {
  return `create index on ${table}${method === 'btree' ? '' : ` using ${method}`} (${keys.join(', ')})${where === null ? '' : ` where ${where}`}`
}
