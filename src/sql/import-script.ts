import type { Node } from 'libpg-query'
import { parseStatements, type ParsedStatement } from './parser.js'
import { scanTokens } from './parser-tokens.js'

/** What a script does to indexes, in its order. A null schema is that of the search_path. */
export type ScriptChange =
  | { readonly kind: 'create'; readonly line: number; readonly column: number; readonly schema: string | null }
  | { readonly kind: 'unnamed'; readonly line: number }
  | {
      readonly kind: 'drop' | 'attach' | 'rename' | 'comment'
      readonly schema: string | null
      readonly name: string
      /** New name or text of the comment; '' where there is none. */
      readonly text: string
    }

export interface Script {
  /** The text with all but CREATE INDEX and ANALYZE blanked out, so that places stay what they are. */
  readonly profile: string
  readonly changes: readonly ScriptChange[]
  /** Commands that are passed over, with their number. */
  readonly others: ReadonlyMap<string, number>
}

/**
 * A schema dump or a migration as PostgreSQL's parser reads it: its CREATE INDEX statements, and what later statements do
 * with them. psql's commands (`\connect`, `\restrict`) and the data of COPY are passed over. ON ONLY of a partitioned table
 * loses the ONLY: its partitions are attached by later statements. Throws BAD_SQL with the place.
 */
export async function readScript(source: string, file: string): Promise<Script> {
  const text = withoutPsql(source.startsWith('\uFEFF') ? source.slice(1) : source)
  const statements = await parseStatements(text, file)
  const changes: ScriptChange[] = []
  const others = new Map<string, number>()
  const pieces: string[] = []
  let end = 0
  let schema: string | null = null
  for (const statement of statements) {
    pieces.push(text.slice(end, statement.offset))
    end = statement.offset + statement.text.length
    schema = searchPath(statement.tree) ?? schema
    const change = changeOf(statement, schema)
    changes.push(...change)
    if (statement.kind === 'analyze' || change[0]?.kind === 'create') pieces.push(await withoutOnly(statement))
    else {
      pieces.push(blank(statement.text))
      if (change.length === 0) others.set(statement.description, (others.get(statement.description) ?? 0) + 1)
    }
  }
  pieces.push(text.slice(end))
  return { profile: pieces.join(''), changes, others }
}

/** Lines that psql reads itself, and the lines between COPY ... FROM stdin and its end, as empty lines. */
function withoutPsql(text: string): string {
  if (!/^\\|^COPY\b/im.test(text)) return text
  let copying = false
  const lines = text.split('\n').map((line) => {
    const skipped = copying || line.startsWith('\\')
    if (copying) copying = !/^\\\.\r?$/.test(line)
    else copying = /^COPY\b.*\bFROM\s+stdin\b.*;\s*$/i.test(line)
    return skipped ? '' : line
  })
  return lines.join('\n')
}

function changeOf({ tree, kind, line, column }: ParsedStatement, schema: string | null): readonly ScriptChange[] {
  if (kind === 'index' && 'IndexStmt' in tree) {
    if (tree.IndexStmt.idxname === undefined) return [{ kind: 'unnamed', line }]
    return [{ kind: 'create', line, column, schema: tree.IndexStmt.relation?.schemaname ?? schema }]
  }
  if ('DropStmt' in tree && tree.DropStmt.removeType === 'OBJECT_INDEX')
    return (tree.DropStmt.objects ?? []).map((object) => ({ kind: 'drop', ...nameIn(object, schema), text: '' }))
  if ('CommentStmt' in tree && tree.CommentStmt.objtype === 'OBJECT_INDEX')
    return [{ kind: 'comment', ...nameIn(tree.CommentStmt.object, schema), text: tree.CommentStmt.comment ?? '' }]
  if ('RenameStmt' in tree && tree.RenameStmt.renameType === 'OBJECT_INDEX') {
    const { relation, newname = '' } = tree.RenameStmt
    return [{ kind: 'rename', schema: relation?.schemaname ?? schema, name: relation?.relname ?? '', text: newname }]
  }
  if ('AlterTableStmt' in tree && tree.AlterTableStmt.objtype === 'OBJECT_INDEX')
    return (tree.AlterTableStmt.cmds ?? []).flatMap((command) => {
      if (!('AlterTableCmd' in command) || command.AlterTableCmd.subtype !== 'AT_AttachPartition') return []
      const { def } = command.AlterTableCmd
      if (def === undefined || !('PartitionCmd' in def) || def.PartitionCmd.name === undefined) return []
      const { schemaname, relname = '' } = def.PartitionCmd.name
      return [{ kind: 'attach' as const, schema: schemaname ?? schema, name: relname, text: '' }]
    })
  return []
}

/** A dotted name as the parser has it: a list of strings. */
function nameIn(
  node: Node | undefined,
  schema: string | null,
): { readonly schema: string | null; readonly name: string } {
  const items = node !== undefined && 'List' in node ? (node.List.items ?? []) : []
  const parts = items.flatMap((item) => ('String' in item ? [item.String.sval ?? ''] : []))
  return { schema: parts.at(-2) ?? schema, name: parts.at(-1) ?? '' }
}

/** The first schema that SET search_path names; undefined where the statement sets none. */
function searchPath(tree: Node): string | undefined {
  if (!('VariableSetStmt' in tree) || tree.VariableSetStmt.name !== 'search_path') return undefined
  const [first] = tree.VariableSetStmt.args ?? []
  if (first === undefined || !('A_Const' in first)) return undefined
  const schema = first.A_Const.sval?.sval ?? ''
  return schema === '' || schema === '$user' ? undefined : schema
}

async function withoutOnly({ tree, text }: ParsedStatement): Promise<string> {
  if (!('IndexStmt' in tree) || tree.IndexStmt.relation?.inh === true) return text
  const tokens = await scanTokens(text)
  const only = tokens.find(
    ({ keyword, text: word }, at) =>
      keyword && word.toLowerCase() === 'only' && tokens[at - 1]?.text.toLowerCase() === 'on',
  )
  return only === undefined ? text : text.slice(0, only.start) + blank(only.text) + text.slice(only.end)
}

function blank(text: string): string {
  return text.replace(/[^\n]/g, ' ')
}
