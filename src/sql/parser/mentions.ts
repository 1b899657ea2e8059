import { parseStatements } from './parser.js'
import { walkTree } from './parser-walk.js'

/** A name as it is written: null where no schema is. */
export interface MentionedName {
  readonly schema: string | null
  readonly name: string
}

/** What a text calls by name. Which function or operator each of them is, the server alone decides. */
export interface Mentions {
  readonly functions: readonly MentionedName[]
  /** Second parts of `t.f`: a column, or a function of the row t. */
  readonly fields: readonly MentionedName[]
  readonly operators: readonly MentionedName[]
  readonly types: readonly MentionedName[]
  readonly relations: readonly MentionedName[]
}

export const noMentions: Mentions = { functions: [], fields: [], operators: [], types: [], relations: [] }

/**
 * The names in one statement, by PostgreSQL's own parser: of functions, operators (those that BETWEEN, CASE and USING stand for too),
 * types and relations. Throws BAD_SQL.
 */
export async function mentionsOf(text: string): Promise<Mentions> {
  const found = { functions: names(), fields: names(), operators: names(), types: names(), relations: names() }
  for (const { tree } of await parseStatements(text)) {
    walkTree(tree, (kind, node) => {
      switch (kind) {
        case 'FuncCall':
          return found.functions.add(node['funcname'])
        case 'ColumnRef':
        case 'A_Indirection': {
          const parts = textsOf(node[kind === 'ColumnRef' ? 'fields' : 'indirection'])
          for (const part of kind === 'ColumnRef' ? parts.slice(1) : parts) found.fields.addName(null, part)
          return undefined
        }
        case 'A_Expr':
          if (/BETWEEN/.test(String(node['kind']))) for (const name of ['>=', '<=']) found.operators.addName(null, name)
          return found.operators.add(node['name'])
        case 'SubLink':
          if (node['operName'] === undefined) return found.operators.addName(null, '=')
          return found.operators.add(node['operName'])
        case 'SortBy':
          return found.operators.add(node['useOp'])
        case 'CaseExpr':
        case 'JoinExpr':
          return found.operators.addName(null, '=')
        case 'TypeName':
        case 'typeName':
          return found.types.add(node['names'])
        case 'RangeVar':
        case 'relation':
          if (typeof node['relname'] !== 'string') return undefined
          return found.relations.addName(
            typeof node['schemaname'] === 'string' ? node['schemaname'] : null,
            node['relname'],
          )
        default:
          return undefined
      }
    })
  }
  const { functions, fields, operators, types, relations } = found
  return {
    functions: functions.all(),
    fields: fields.all(),
    operators: operators.all(),
    types: types.all(),
    relations: relations.all(),
  }
}

/** An expression as PostgreSQL's parser reads it, without places; the text itself where it cannot. */
export async function expressionTree(text: string): Promise<string> {
  const statements = await parseStatements(`select (${text})`).catch(() => [])
  return statements.length === 0
    ? text
    : JSON.stringify(statements[0]?.tree, (key, value: unknown) => (key === 'location' ? undefined : value))
}

function names() {
  const all = new Map<string, MentionedName>()
  const addName = (schema: string | null, name: string) =>
    void all.set(JSON.stringify([schema, name]), { schema, name })
  return {
    addName,
    add(list: unknown) {
      const texts = textsOf(list)
      const name = texts.at(-1)
      if (name !== undefined) addName(texts.at(-2) ?? null, name)
    },
    all: () => [...all.values()],
  }
}

/** `[{String: {sval: 'lower'}}]`; what is no name, such as a star, is left out. */
function textsOf(list: unknown): readonly string[] {
  if (!Array.isArray(list)) return []
  return list.flatMap((node: unknown) => {
    if (typeof node !== 'object' || node === null || !('String' in node)) return []
    const { String: text } = node
    return typeof text === 'object' && text !== null && 'sval' in text && typeof text.sval === 'string'
      ? [text.sval]
      : []
  })
}
