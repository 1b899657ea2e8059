import type { IndexStmt } from 'libpg-query'
import type { TableName } from '../../definition/definition.js'
import { quoteName, quoteQualified } from '../../definition/quote.js'
import { PerfdbError } from '../../errors.js'
import { singleStatement } from '../parser/parser.js'
import { commentKinds, scanTokens, type Token } from '../parser/parser-tokens.js'

/** Of an index that is to be built again: where the record says it was, and where it goes now. */
export interface Remade {
  /** As pg_get_indexdef printed it. */
  readonly indexdef: string
  readonly recordedTable: TableName
  /** Names of the index and, where it was renamed since, of the table. */
  readonly name: string
  readonly table: TableName
  /** Not printed by pg_get_indexdef; null for the default one. */
  readonly tablespace: string | null
}

/**
 * CREATE INDEX CONCURRENTLY made anew from a recorded definition: whoever can write the record must not decide what is run. The record has to be
 * exactly one CREATE INDEX on the recorded table (ON ONLY, as that of a partitioned one is printed, is left out); name, table, CONCURRENTLY and TABLESPACE are perfdb's own, and what comes out of it is
 * parsed once more. Throws BAD_RECORD with what is wrong with the record, BAD_SQL when it does not parse.
 */
export async function remakeIndexSql({ indexdef, recordedTable, name, table, tablespace }: Remade): Promise<string> {
  const tree = await indexStatement(indexdef)
  assertOn(tree, recordedTable)
  const tokens = (await scanTokens(indexdef)).filter(({ kind }) => !commentKinds.has(kind))
  const method = tokens.findIndex((token) => isWord(token, 'using'))
  const start = tokens[method]?.start
  if (start === undefined) throw refused('it does not say by which method')
  const end = tokens.at(-1)?.end ?? indexdef.length
  const predicate = tree.whereClause === undefined ? end : predicateStart(tokens, method)
  const placed = tablespace === null ? '' : ` tablespace ${quoteName(tablespace)}`
  const target = quoteQualified(table.schema, table.name)
  const head = `create ${tree.unique === true ? 'unique ' : ''}index concurrently ${quoteName(name)} on ${target}`
  const text = `${head} ${indexdef.slice(start, predicate).trimEnd()}${placed}${predicate < end ? ` ${indexdef.slice(predicate, end)}` : ''}`
  const made = await indexStatement(text)
  assertOn(made, table)
  if (made.idxname !== name || made.concurrent !== true || (made.unique === true) !== (tree.unique === true))
    throw refused('another statement came out of it')
  return text
}

async function indexStatement(text: string): Promise<IndexStmt> {
  const { tree, description } = await singleStatement(text)
  if (!('IndexStmt' in tree)) throw refused(`it is ${description}, not CREATE INDEX`)
  return tree.IndexStmt
}

function assertOn({ relation }: IndexStmt, { schema, name }: TableName): void {
  const { schemaname, relname, catalogname } = relation ?? {}
  if (catalogname !== undefined || schemaname !== schema || relname !== name)
    throw refused(`it is an index of ${schemaname ?? '?'}.${relname ?? '?'}, not of ${schema}.${name}`)
}

/** The WHERE outside of all parentheses. */
function predicateStart(tokens: readonly Token[], from: number): number {
  let depth = 0
  for (const token of tokens.slice(from)) {
    if (token.text === '(') depth += 1
    if (token.text === ')') depth -= 1
    if (depth === 0 && isWord(token, 'where')) return token.start
  }
  throw refused('its predicate was not found')
}

function isWord({ text, keyword }: Token, word: string): boolean {
  return keyword && text.toLowerCase() === word
}

function refused(what: string): PerfdbError {
  return new PerfdbError('BAD_RECORD', `the definition in the ledger is not used, as ${what}`)
}
