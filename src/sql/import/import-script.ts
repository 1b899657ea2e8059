import { changeOf, searchPathOf, type ScriptChange } from './import-changes.js'
import { parseStatements, type ParsedStatement } from '../parser/parser.js'
import { scanTokens } from '../parser/parser-tokens.js'

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
    schema = searchPathOf(statement.tree, schema)
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
