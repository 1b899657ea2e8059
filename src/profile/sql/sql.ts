import type { Node, RangeVar } from 'libpg-query'
import type { TableName } from '../../definition/definition.js'
import { nameTooLong } from '../../definition/quote.js'
import { PerfdbError, type Place, type Problem } from '../../errors.js'
import { parseStatements, type ParsedStatement } from '../../sql/parser/parser.js'
import { positionAt } from '../../sql/parser/parser-offsets.js'
import { commentKinds, firstFrom, scanTokens, tokensWithin, type Token } from '../../sql/parser/parser-tokens.js'
import { profileName } from '../complete/complete.js'
import type { DeclaredIndex, Profile } from '../profile.js'
import { indexDefinition, plainIncludes } from './sql-index.js'

/** Where unqualified names of a SQL profile live, as in YAML without `schema:`. */
const defaultSchema = 'public'

export interface SqlProfile {
  readonly profile: Profile
  readonly problems: readonly Problem[]
}

/**
 * A profile written as SQL: CREATE INDEX and ANALYZE statements and comments, nothing else; a comment right above a
 * CREATE INDEX is its `why`. CONCURRENTLY and IF NOT EXISTS say how to build, not what, and are passed over. Throws
 * nothing: problems are BAD_SQL, and NAME_TOO_LONG where PostgreSQL's parser has cut a name.
 * https://www.postgresql.org/docs/current/sql-createindex.html
 */
export async function readSqlProfile(text: string, file: string, schema = defaultSchema): Promise<SqlProfile> {
  const source = text.startsWith('\uFEFF') ? text.slice(1) : text
  const empty = { name: profileName(file), file, schema, absent: [], extensions: [], queries: [] }
  try {
    const statements = await parseStatements(source, file)
    const tokens = await scanTokens(source)
    const read = statements.map((statement) => readStatement(statement, { source, all: tokens, file, schema }))
    const none: Problem = {
      code: 'BAD_SQL',
      message: 'the file holds no statement',
      place: { file, line: 1, column: 1 },
    }
    return {
      profile: {
        ...empty,
        indexes: read.flatMap(({ index }) => index ?? []),
        analyze: distinct(read.flatMap(({ analyze }) => analyze)),
      },
      problems: [...(statements.length === 0 ? [none] : []), ...read.flatMap(({ problems }) => problems)],
    }
  } catch (error) {
    if (!(error instanceof PerfdbError)) throw error
    const { code, message, detail, hint, place = { file, line: 1, column: 1 } } = error
    return { profile: { ...empty, indexes: [], analyze: [] }, problems: [{ code, message, detail, hint, place }] }
  }
}

interface ReadStatement {
  readonly index?: DeclaredIndex
  readonly analyze: Profile['analyze']
  readonly problems: readonly Problem[]
}

interface Source {
  readonly source: string
  readonly all: readonly Token[]
  readonly file: string
  readonly schema: string
}

function readStatement(statement: ParsedStatement, { source, all, file, schema }: Source): ReadStatement {
  const { tree, offset, text, line, column } = statement
  const place = { file, line, column }
  const tokens = tokensWithin(all, offset, offset + text.length).filter(({ kind }) => !commentKinds.has(kind))
  const problems = cutNames(tokens, source, file)
  const refuse = (message: string, hint?: string): ReadStatement => ({
    analyze: [],
    problems: [...problems, { code: 'BAD_SQL', message, place, ...(hint === undefined ? {} : { hint }) }],
  })
  if ('VacuumStmt' in tree && statement.kind === 'analyze') {
    return { analyze: (tree.VacuumStmt.rels ?? []).flatMap((relation) => analyzed(relation, place, schema)), problems }
  }
  if (!('IndexStmt' in tree)) {
    return refuse(`${statement.description} is no part of a profile`, 'only CREATE INDEX and ANALYZE statements are')
  }
  const { idxname, relation } = tree.IndexStmt
  if (idxname === undefined) return refuse('the index has no name', 'an unnamed index cannot be found again: name it')
  if (relation?.inh !== true) return refuse('ON ONLY is no part of a profile', 'the partitions are built by perfdb')
  if (relation.catalogname !== undefined) return refuse('a table is named by schema and name', 'leave the database out')
  if (!plainIncludes(tree.IndexStmt)) return refuse('INCLUDE takes columns, without expressions, opclass or order')
  const why = commentAbove(source, all, offset)
  const definition = indexDefinition(tree.IndexStmt, idxname, tableName(relation, schema), source, tokens)
  return { index: { definition, for: [], ...(why === undefined ? {} : { why }), place }, analyze: [], problems }
}

function analyzed(node: Node, place: Place, schema: string): Profile['analyze'] {
  if (!('VacuumRelation' in node) || node.VacuumRelation.relation === undefined) return []
  return [{ table: tableName(node.VacuumRelation.relation, schema), place }]
}

function tableName({ schemaname, relname = '' }: RangeVar, schema: string): TableName {
  return { schema: schemaname ?? schema, name: relname }
}

function distinct(analyze: Profile['analyze']): Profile['analyze'] {
  const key = ({ schema, name }: TableName) => JSON.stringify([schema, name])
  return analyze.filter(({ table }, index) => analyze.findIndex((other) => key(other.table) === key(table)) === index)
}

/** The parser cuts long names as the server would, silently; only the source still has them whole. */
function cutNames(tokens: readonly Token[], source: string, file: string): readonly Problem[] {
  return tokens
    .filter(
      ({ kind, text }) =>
        kind === 'IDENT' && nameTooLong(text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text),
    )
    .map(({ start, text }) => ({
      code: 'NAME_TOO_LONG',
      message: `longer than 63 bytes, PostgreSQL would cut it: ${text}`,
      place: { file, ...positionAt(source, start) },
    }))
}

/** The comment lines that end on the line above the statement, as one line of text. */
function commentAbove(source: string, tokens: readonly Token[], offset: number): string | undefined {
  const lines: string[] = []
  let below = offset
  for (let at = firstFrom(tokens, offset) - 1; at >= 0; at--) {
    const token = tokens[at]
    if (token === undefined || token.end > offset) break
    const between = source.slice(token.end, below)
    const ownLine = /^[ \t]*$/.test(source.slice(source.lastIndexOf('\n', token.start - 1) + 1, token.start))
    if (!commentKinds.has(token.kind) || !ownLine || !/^[ \t]*\r?\n?[ \t]*$/.test(between)) break
    lines.unshift(
      token.text
        .replace(/^(--+|\/\*+)|\*+\/$/g, '')
        .replace(/^[ \t]*\*/gm, ' ')
        .replace(/\s+/g, ' ')
        .trim(),
    )
    below = token.start
  }
  const text = lines.filter((line) => /[\p{L}\p{N}]/u.test(line)).join(' ')
  return text === '' ? undefined : text
}
