import type { AlterTableStmt, Node, RenameStmt } from 'libpg-query'
import type { ParsedStatement } from '../parser/parser.js'

/** What a script does to indexes, in its order. A null schema is that of the search_path. */
export type ScriptChange =
  | {
      readonly kind: 'create'
      readonly line: number
      readonly column: number
      readonly schema: string | null
      /** IF NOT EXISTS. */
      readonly unlessThere: boolean
    }
  | { readonly kind: 'unnamed'; readonly line: number }
  | Named<'drop' | 'attach' | 'drop-table' | 'drop-schema' | 'using-index'>
  /** `text`: the new name or schema, or the comment; '' where there is none. */
  | (Named<'rename' | 'comment' | 'rename-table' | 'rename-schema' | 'move-table'> & { readonly text: string })
  | (Named<'drop-column'> & { readonly column: string })
  | (Named<'rename-column'> & { readonly column: string; readonly text: string })
  | (Named<'statistics'> & { readonly key: number; readonly target: number })

interface Named<Kind extends string> {
  readonly kind: Kind
  readonly schema: string | null
  readonly name: string
}

export function changeOf(
  { tree, kind, line, column }: ParsedStatement,
  schema: string | null,
): readonly ScriptChange[] {
  if (kind === 'index' && 'IndexStmt' in tree) {
    const { idxname, relation, if_not_exists: unlessThere = false } = tree.IndexStmt
    if (idxname === undefined) return [{ kind: 'unnamed', line }]
    return [{ kind: 'create', line, column, schema: relation?.schemaname ?? schema, unlessThere }]
  }
  if ('DropStmt' in tree) {
    const dropped = dropKinds[tree.DropStmt.removeType ?? '']
    return dropped === undefined
      ? []
      : (tree.DropStmt.objects ?? []).map((object) => ({ kind: dropped, ...nameIn(object, schema) }))
  }
  if ('CommentStmt' in tree && tree.CommentStmt.objtype === 'OBJECT_INDEX')
    return [{ kind: 'comment', ...nameIn(tree.CommentStmt.object, schema), text: tree.CommentStmt.comment ?? '' }]
  if ('RenameStmt' in tree) return renamed(tree.RenameStmt, schema)
  if ('AlterObjectSchemaStmt' in tree) {
    const { objectType, relation, newschema: text = '' } = tree.AlterObjectSchemaStmt
    if (objectType !== 'OBJECT_TABLE' && objectType !== 'OBJECT_MATVIEW') return []
    return [{ kind: 'move-table', schema: relation?.schemaname ?? schema, name: relation?.relname ?? '', text }]
  }
  return 'AlterTableStmt' in tree ? altered(tree.AlterTableStmt, schema) : []
}

const dropKinds: Readonly<Record<string, 'drop' | 'drop-table' | 'drop-schema'>> = {
  OBJECT_INDEX: 'drop',
  OBJECT_TABLE: 'drop-table',
  OBJECT_MATVIEW: 'drop-table',
  OBJECT_SCHEMA: 'drop-schema',
}

function renamed(
  { renameType, relation, subname: column = '', newname: text = '' }: RenameStmt,
  schema: string | null,
): readonly ScriptChange[] {
  const named = { schema: relation?.schemaname ?? schema, name: relation?.relname ?? '', text }
  if (renameType === 'OBJECT_INDEX') return [{ kind: 'rename', ...named }]
  // ALTER TABLE renames an index too.
  if (renameType === 'OBJECT_TABLE' || renameType === 'OBJECT_MATVIEW')
    return [
      { kind: 'rename', ...named },
      { kind: 'rename-table', ...named },
    ]
  if (renameType === 'OBJECT_COLUMN') return [{ kind: 'rename-column', ...named, column }]
  return renameType === 'OBJECT_SCHEMA' ? [{ kind: 'rename-schema', schema: column, name: column, text }] : []
}

function altered({ relation, cmds, objtype }: AlterTableStmt, schema: string | null): readonly ScriptChange[] {
  const own = { schema: relation?.schemaname ?? schema, name: relation?.relname ?? '' }
  return (cmds ?? []).flatMap((command): readonly ScriptChange[] => {
    if (!('AlterTableCmd' in command)) return []
    const { subtype, def, name = '', num = 0 } = command.AlterTableCmd
    if (subtype === 'AT_DropColumn') return [{ kind: 'drop-column', ...own, column: name }]
    if (subtype === 'AT_SetStatistics' && objtype === 'OBJECT_INDEX' && num > 0) {
      const target = def !== undefined && 'Integer' in def ? (def.Integer.ival ?? 0) : -1
      return [{ kind: 'statistics', ...own, key: num, target }]
    }
    if (subtype === 'AT_AddConstraint' && def !== undefined && 'Constraint' in def) {
      const { indexname } = def.Constraint
      return indexname === undefined ? [] : [{ kind: 'using-index', schema: own.schema, name: indexname }]
    }
    if (subtype !== 'AT_AttachPartition' || objtype !== 'OBJECT_INDEX' || def === undefined) return []
    if (!('PartitionCmd' in def) || def.PartitionCmd.name === undefined) return []
    const { schemaname, relname = '' } = def.PartitionCmd.name
    return [{ kind: 'attach', schema: schemaname ?? schema, name: relname }]
  })
}

/** A dotted name as the parser has it: a list of strings, or of a schema one alone. */
function nameIn(node: Node | undefined, schema: string | null): Pick<Named<string>, 'schema' | 'name'> {
  const items = node !== undefined && 'List' in node ? (node.List.items ?? []) : node === undefined ? [] : [node]
  const parts = items.flatMap((item) => ('String' in item ? [item.String.sval ?? ''] : []))
  return { schema: parts.at(-2) ?? schema, name: parts.at(-1) ?? '' }
}

/** The first schema of the search_path after a statement: SET, RESET and SELECT set_config change it. */
export function searchPathOf(tree: Node, before: string | null): string | null {
  if ('VariableSetStmt' in tree && tree.VariableSetStmt.name === 'search_path') {
    const values = (tree.VariableSetStmt.args ?? []).map(constantIn)
    return values.find((value) => value !== undefined && value !== '' && value !== '$user') ?? null
  }
  if ('VariableSetStmt' in tree && tree.VariableSetStmt.kind === 'VAR_RESET_ALL') return null
  if ('DiscardStmt' in tree) return null
  const [target] = 'SelectStmt' in tree ? (tree.SelectStmt.targetList ?? []) : []
  const call = target !== undefined && 'ResTarget' in target ? target.ResTarget.val : undefined
  if (call === undefined || !('FuncCall' in call)) return before
  const [name, value] = (call.FuncCall.args ?? []).map(constantIn)
  const last = call.FuncCall.funcname?.at(-1)
  if (last === undefined || !('String' in last) || last.String.sval !== 'set_config' || name !== 'search_path')
    return before
  const first =
    (value ?? '')
      .split(',')[0]
      ?.trim()
      .replace(/^"(.*)"$/, '$1') ?? ''
  return first === '' || first === '$user' ? null : first
}

function constantIn(node: Node): string | undefined {
  return 'A_Const' in node ? (node.A_Const.sval?.sval ?? '') : undefined
}
