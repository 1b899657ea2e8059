import type { Node } from 'libpg-query'
import { quoteName } from '../../definition/quote.js'
import type { TableName } from '../../definition/definition.js'
import { parseStatements } from './parser.js'
import { unitOffsets } from './parser-offsets.js'
import { scanTokens } from './parser-tokens.js'
import { walkTree } from './parser-walk.js'

/**
 * The expression of an index on `table` with each of its columns by its name alone: PostgreSQL takes `t.v` and `app.t.v` in CREATE
 * INDEX of app.t, but neither on a copy of it nor on a partition, which have other names. A whole row (`t`, `t.*`) and names of
 * anything else stay as they are. An expression that does not parse comes back as it is: the server says why.
 */
export async function unqualifiedSql(sql: string, table: TableName): Promise<string> {
  if (!sql.includes('.')) return sql
  const own = (await columnsIn(sql)).filter(({ names }) => isOf(names, table))
  return spliced(
    sql,
    own.map(({ start, last }) => ({ start, end: last, text: '' })),
  )
}

/** An expression without qualified names after a column got another name. */
export async function renamedColumnSql(sql: string, from: string, to: string): Promise<string> {
  const found = (await columnsIn(sql)).filter(({ names }) => names.length === 1 && names[0] === from)
  return spliced(
    sql,
    found.map(({ last, end }) => ({ start: last, end, text: plain.test(to) ? to : quoteName(to) })),
  )
}

/** Whether an expression without qualified names computes with the column. */
export async function usesColumn(sql: string, column: string): Promise<boolean> {
  return (await columnsIn(sql)).some(({ names }) => names.length === 1 && names[0] === column)
}

/** Quoted where it might be a keyword: few names of columns are as long and no keyword holds an underscore in its middle. */
const plain = /^[a-z]+_[a-z0-9_]+$/

interface ColumnReference {
  readonly names: readonly string[]
  /** Where it begins, where its last name begins, and where it ends. */
  readonly start: number
  readonly last: number
  readonly end: number
}

/** The columns that an expression names, by their places in PostgreSQL's parse tree; none where it does not parse. */
async function columnsIn(sql: string): Promise<readonly ColumnReference[]> {
  const source = `${lead}${sql}\n)`
  const [statement, second] = await parseStatements(source).catch(() => [])
  if (statement === undefined || second !== undefined) return []
  const tokens = (await scanTokens(source)).filter(({ kind }) => !/COMMENT/.test(kind))
  const toUnit = unitOffsets(source)
  const found: ColumnReference[] = []
  walkTree(statement.tree, (name, node) => {
    if (name !== 'ColumnRef' || typeof node['location'] !== 'number') return
    const names = namesOf(node['fields'])
    const at = toUnit(node['location'])
    const first = tokens.findIndex(({ start }) => start >= at)
    // Names and dots stand in turns.
    const last = tokens[first + 2 * (names.length - 1)]
    if (names.length > 0 && last !== undefined)
      found.push({ names, start: at - lead.length, last: last.start - lead.length, end: last.end - lead.length })
  })
  return found.toSorted((a, b) => a.start - b.start)
}

const lead = 'select (\n'

/** No names where a star or a subscript is among the fields. */
function namesOf(fields: unknown): readonly string[] {
  const nodes: readonly unknown[] = Array.isArray(fields) ? fields : []
  const names = nodes.flatMap((node) => (isName(node) ? [node.String.sval ?? ''] : []))
  return names.length === nodes.length ? names : []
}

function isName(node: unknown): node is Extract<Node, { String: unknown }> {
  return typeof node === 'object' && node !== null && 'String' in node
}

/** `table.column` or `schema.table.column`. */
function isOf(names: readonly string[], { schema, name }: TableName): boolean {
  if (names.length === 2) return names[0] === name
  return names.length === 3 && names[0] === schema && names[1] === name
}

function spliced(
  sql: string,
  pieces: readonly { readonly start: number; readonly end: number; readonly text: string }[],
): string {
  let text = ''
  let end = 0
  for (const piece of pieces) {
    text += sql.slice(end, piece.start) + piece.text
    end = piece.end
  }
  return text + sql.slice(end)
}
