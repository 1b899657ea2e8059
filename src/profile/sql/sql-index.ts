import type { IndexElem, IndexStmt, Node } from 'libpg-query'
import type { Definition, Key, TableName } from '../../definition/definition.js'
import type { Token } from '../../sql/parser/parser-tokens.js'

/**
 * The definition of a parsed CREATE INDEX. The text of expressions and predicate is cut out of the source by the tokens
 * of the statement (without comments), since a parse tree cannot be printed back.
 */
export function indexDefinition(
  tree: IndexStmt,
  name: string,
  table: TableName,
  source: string,
  tokens: readonly Token[],
): Definition {
  const opening = tokens.findIndex(({ text }) => text === '(')
  const closing = closingOf(tokens, opening)
  const written = splitAtCommas(tokens.slice(opening + 1, closing))
  const predicateAt = topLevel(tokens, closing + 1).find((at) => isWord(tokens[at], 'where'))
  const predicate = predicateAt === undefined ? undefined : textOf(unwrapped(tokens.slice(predicateAt + 1)), source)
  return {
    name,
    table,
    method: tree.accessMethod ?? 'btree',
    keys: elements(tree.indexParams).map((element, index) => key(element, written[index] ?? [], source)),
    include: elements(tree.indexIncludingParams).flatMap((element) => element.name ?? []),
    ...(predicate === undefined ? {} : { predicate }),
    unique: tree.unique === true,
    nullsDistinct: tree.nulls_not_distinct !== true,
    storage: settings(tree.options),
    ...(tree.tableSpace === undefined ? {} : { tablespace: tree.tableSpace }),
  }
}

/** The server refuses anything but columns in INCLUDE; the grammar does not. */
export function plainIncludes({ indexIncludingParams }: IndexStmt): boolean {
  return elements(indexIncludingParams).every(
    ({ name, opclass, collation, ordering, nulls_ordering: nulls }) =>
      name !== undefined &&
      opclass === undefined &&
      collation === undefined &&
      ordering === 'SORTBY_DEFAULT' &&
      nulls === 'SORTBY_NULLS_DEFAULT',
  )
}

function key(element: IndexElem, tokens: readonly Token[], source: string): Key {
  const opclassParameters = settings(element.opclassopts)
  return {
    ...(element.name === undefined ? { expression: textOf(expression(tokens), source) } : { column: element.name }),
    ...(element.opclass === undefined ? {} : { opclass: dotted(element.opclass) }),
    ...(Object.keys(opclassParameters).length === 0 ? {} : { opclassParameters }),
    ...(element.collation === undefined ? {} : { collation: dotted(element.collation) }),
    ...(element.ordering === 'SORTBY_ASC'
      ? { order: 'asc' }
      : element.ordering === 'SORTBY_DESC'
        ? { order: 'desc' }
        : {}),
    ...(element.nulls_ordering === 'SORTBY_NULLS_FIRST'
      ? { nulls: 'first' }
      : element.nulls_ordering === 'SORTBY_NULLS_LAST'
        ? { nulls: 'last' }
        : {}),
  }
}

/** A key that is no column is either in parentheses or a function call: up to the parenthesis that closes it. */
function expression(tokens: readonly Token[]): readonly Token[] {
  const opening = tokens.findIndex(({ text }) => text === '(')
  return opening < 0 ? tokens.slice(0, 1) : unwrapped(tokens.slice(0, closingOf(tokens, opening) + 1))
}

/** Without the parentheses around the whole: `((a + b))` is `a + b`, but `(a) + (b)` stays. */
function unwrapped(tokens: readonly Token[]): readonly Token[] {
  const wrapped = tokens[0]?.text === '(' && closingOf(tokens, 0) === tokens.length - 1
  return wrapped ? unwrapped(tokens.slice(1, -1)) : tokens
}

function textOf(tokens: readonly Token[], source: string): string {
  return source.slice(tokens[0]?.start ?? 0, tokens.at(-1)?.end ?? 0)
}

function closingOf(tokens: readonly Token[], opening: number): number {
  let depth = 0
  for (let at = opening; at < tokens.length; at++) {
    if (tokens[at]?.text === '(') depth++
    if (tokens[at]?.text === ')' && --depth === 0) return at
  }
  return tokens.length
}

function splitAtCommas(tokens: readonly Token[]): readonly (readonly Token[])[] {
  const commas = topLevel(tokens, 0).filter((at) => tokens[at]?.text === ',')
  return [-1, ...commas].map((comma, index) => tokens.slice(comma + 1, commas[index] ?? tokens.length))
}

/** Positions of the tokens that stand in no parentheses or brackets, from `start` on. */
function topLevel(tokens: readonly Token[], start: number): readonly number[] {
  let depth = 0
  return tokens.flatMap(({ text }, at) => {
    if (at < start) return []
    if (text === ')' || text === ']') depth--
    const found = depth === 0 ? [at] : []
    if (text === '(' || text === '[') depth++
    return found
  })
}

function isWord(token: Token | undefined, word: string): boolean {
  return token?.keyword === true && token.text.toLowerCase() === word
}

function elements(nodes: readonly Node[] | undefined): readonly IndexElem[] {
  return (nodes ?? []).flatMap((node) => ('IndexElem' in node ? [node.IndexElem] : []))
}

function dotted(names: readonly Node[]): string {
  return names.flatMap((node) => ('String' in node ? [node.String.sval ?? ''] : [])).join('.')
}

/** WITH (name = value, ...) and opclass parameters; a name alone is true. */
function settings(nodes: readonly Node[] | undefined): Record<string, string> {
  return Object.fromEntries(
    (nodes ?? []).flatMap((node) => {
      if (!('DefElem' in node)) return []
      const { defnamespace, defname = '', arg } = node.DefElem
      return [[defnamespace === undefined ? defname : `${defnamespace}.${defname}`, settingText(arg)]]
    }),
  )
}

/** Words such as `off` are read as type names; a zero is left out of the tree. */
function settingText(arg: Node | undefined): string {
  if (arg === undefined) return 'true'
  if ('Integer' in arg) return String(arg.Integer.ival ?? 0)
  if ('Float' in arg) return arg.Float.fval ?? '0'
  if ('String' in arg) return arg.String.sval ?? ''
  if ('Boolean' in arg) return String(arg.Boolean.boolval === true)
  return 'TypeName' in arg ? dotted(arg.TypeName.names ?? []) : ''
}
