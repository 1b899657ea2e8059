import type { Node } from 'libpg-query'
import type { TableName } from '../definition/definition.js'
import { parseStatements } from './parser.js'
import { unitOffsets } from './parser-offsets.js'
import { scanTokens, type Token } from './parser-tokens.js'
import { walkTree } from './parser-walk.js'

/**
 * The expression of an index on `table` with each of its columns by its name alone: PostgreSQL takes `t.v` and `app.t.v` in CREATE
 * INDEX of app.t, but neither on a copy of it nor on a partition, which have other names. Found by their places in the parse tree;
 * a whole row (`t`, `t.*`) and names of anything else stay as they are. An expression that does not parse comes back as it is: the
 * server says why.
 */
export async function unqualifiedSql(sql: string, table: TableName): Promise<string> {
  if (!sql.includes('.')) return sql
  const source = `${lead}${sql}\n)`
  const statements = await parseStatements(source).catch(() => [])
  const [statement] = statements
  if (statement === undefined || statements.length > 1) return sql
  const toUnit = unitOffsets(source)
  const references: { readonly at: number; readonly parts: number }[] = []
  walkTree(statement.tree, (name, node) => {
    const { fields, location } = node
    if (name !== 'ColumnRef' || !Array.isArray(fields)) return
    const names = fields.map(nameOf)
    if (names.some((part) => part === undefined) || !isOf(names, table)) return
    references.push({ at: toUnit(typeof location === 'number' ? location : 0), parts: names.length })
  })
  if (references.length === 0) return sql
  const tokens = await scanTokens(source)
  let text = ''
  let end = lead.length
  for (const { at, parts } of references.sort((a, b) => a.at - b.at)) {
    text += source.slice(end, at)
    end = columnStart(tokens, at, parts)
  }
  return text + source.slice(end, lead.length + sql.length)
}

const lead = 'select (\n'

/** The name of a part; undefined for a star. */
function nameOf(node: Node): string | undefined {
  return 'String' in node ? (node.String.sval ?? '') : undefined
}

/** `table.column` or `schema.table.column`. */
function isOf(names: readonly (string | undefined)[], { schema, name }: TableName): boolean {
  if (names.length === 2) return names[0] === name
  return names.length === 3 && names[0] === schema && names[1] === name
}

/** Where the last of the dotted names that begin there stands. */
function columnStart(tokens: readonly Token[], at: number, parts: number): number {
  const dots = tokens.filter(({ start, text }) => start >= at && text === '.')
  const last = dots[parts - 2]
  return tokens.find(({ start, kind }) => last !== undefined && start >= last.end && !/COMMENT/.test(kind))?.start ?? at
}
