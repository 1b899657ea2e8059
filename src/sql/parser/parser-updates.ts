import type { Node } from 'libpg-query'
import { parseStatements } from './parser.js'
import { walkTree } from './parser-walk.js'

/** Columns that an UPDATE sets; `schema` null when the statement does not name one. */
export interface Updated {
  readonly schema: string | null
  readonly table: string
  readonly columns: readonly string[]
}

/** The UPDATEs of a statement, those in CTEs and in ON CONFLICT DO UPDATE too; none for a text that does not parse. */
export async function updatedColumns(text: string): Promise<readonly Updated[]> {
  const statements = await parseStatements(text).catch(() => [])
  const found: Updated[] = []
  for (const { tree } of statements) collect(tree, found)
  return found
}

function collect(tree: Node, found: Updated[]): void {
  walkTree(tree, (name, value) => {
    if (name !== 'UpdateStmt' && name !== 'InsertStmt') return
    const relation = field(value, 'relation')
    const table = textOf(relation, 'relname')
    const targets =
      name === 'UpdateStmt' ? field(value, 'targetList') : field(field(value, 'onConflictClause'), 'targetList')
    if (table === null || !Array.isArray(targets)) return
    const columns = targets.flatMap((target) => textOf(field(target, 'ResTarget'), 'name') ?? [])
    found.push({ schema: textOf(relation, 'schemaname'), table, columns })
  })
}

function field(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined
  return Object.entries(value).find(([key]) => key === name)?.[1]
}

function textOf(value: unknown, name: string): string | null {
  const found = field(value, name)
  return typeof found === 'string' ? found : null
}
