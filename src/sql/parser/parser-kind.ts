import type { Node, SelectStmt } from 'libpg-query'
import type { Token } from './parser-tokens.js'
import { walkTree } from './parser-walk.js'

/**
 * read: SELECT, VALUES or TABLE that neither locks nor writes, as far as the text says (a function may do anything);
 * write: what EXPLAIN ANALYZE would carry out with effect; index: CREATE INDEX; analyze: ANALYZE; other: all the rest.
 */
export type StatementKind = 'read' | 'write' | 'index' | 'analyze' | 'other'

interface Classification {
  readonly kind: StatementKind
  readonly description: string
}

/** Kind and command of a statement; `words` are its tokens without comments. */
export function classify(tree: Node, words: readonly Token[]): Classification {
  if ('SelectStmt' in tree) return select(tree.SelectStmt)
  if ('InsertStmt' in tree) return { kind: 'write', description: 'INSERT' }
  if ('UpdateStmt' in tree) return { kind: 'write', description: 'UPDATE' }
  if ('DeleteStmt' in tree) return { kind: 'write', description: 'DELETE' }
  if ('MergeStmt' in tree) return { kind: 'write', description: 'MERGE' }
  if ('CreateTableAsStmt' in tree) {
    const view = tree.CreateTableAsStmt.objtype === 'OBJECT_MATVIEW'
    return { kind: 'write', description: view ? 'CREATE MATERIALIZED VIEW' : 'CREATE TABLE AS' }
  }
  if ('IndexStmt' in tree) return { kind: 'index', description: 'CREATE INDEX' }
  if ('VacuumStmt' in tree && tree.VacuumStmt.is_vacuumcmd !== true) return { kind: 'analyze', description: 'ANALYZE' }
  return { kind: 'other', description: command(words) }
}

function select(tree: SelectStmt): Classification {
  const found = effect(tree)
  if (found !== undefined) return { kind: 'write', description: found }
  return { kind: 'read', description: tree.valuesLists === undefined ? 'SELECT' : 'VALUES' }
}

const changes: Readonly<Record<string, string>> = {
  InsertStmt: 'WITH INSERT',
  UpdateStmt: 'WITH UPDATE',
  DeleteStmt: 'WITH DELETE',
  MergeStmt: 'WITH MERGE',
}

const locks: Readonly<Record<string, string>> = {
  LCS_FORUPDATE: 'SELECT FOR UPDATE',
  LCS_FORNOKEYUPDATE: 'SELECT FOR NO KEY UPDATE',
  LCS_FORSHARE: 'SELECT FOR SHARE',
  LCS_FORKEYSHARE: 'SELECT FOR KEY SHARE',
}

/** What a SELECT does besides reading, anywhere in its tree: members of UNION and subqueries may lock too. */
function effect(tree: SelectStmt): string | undefined {
  const found: string[] = []
  walkTree({ SelectStmt: tree }, (name, node) => {
    const change = changes[name]
    if (change !== undefined) found.push(change)
    if (name === 'LockingClause') found.push(locks[String(node['strength'])] ?? 'SELECT FOR UPDATE')
    if (name === 'intoClause') found.push('SELECT INTO')
  })
  return found[0]
}

/** The first word, and the second where the first alone says little: DROP TABLE, ALTER SYSTEM, but SET. */
function command(words: readonly Token[]): string {
  const skipped = new Set(['OR', 'REPLACE', 'TEMP', 'TEMPORARY', 'UNLOGGED', 'GLOBAL', 'LOCAL', 'RECURSIVE', 'TRUSTED'])
  const [verb = '', ...rest] = words.map((word) => word.text.toUpperCase())
  if (!['CREATE', 'ALTER', 'DROP', 'REFRESH'].includes(verb)) return verb
  const object = rest.filter((word) => !skipped.has(word))
  return [verb, ...object.slice(0, object[0] === 'MATERIALIZED' || object[0] === 'FOREIGN' ? 2 : 1)].join(' ')
}
