import type { ParsedStatement } from '../sql/parser/parser.js'
import type { Schema, SchemaStatement } from './load.js'
import type { Statistics } from './statistics.js'

/** Statements that cost no query plan anything, and those that only a superuser may run. */
const passedOver =
  /^(GRANT|REVOKE|COMMENT|SECURITY|COPY|INSERT|UPDATE|DELETE|MERGE|ANALYZE|VACUUM|BEGIN|START|COMMIT|END|ROLLBACK|VALUES|REFRESH MATERIALIZED VIEW|(CREATE|ALTER|DROP) (TRIGGER|EVENT|ROLE|USER|GROUP|DATABASE|PUBLICATION|SUBSCRIPTION|DEFAULT)|ALTER DEFAULT|REASSIGN|CLUSTER|REINDEX)\b/

/**
 * A script (pg_dump --schema-only) as the schema of a twin. Its extensions are for the superuser; rows, privileges and owners are left out; indexes
 * are made in the order of the source, by which paths of equal cost are chosen.
 */
export function schemaOfScript(statements: readonly ParsedStatement[], { relations }: Statistics): Schema {
  const extensions = statements.flatMap(({ tree }) => {
    if (!('CreateExtensionStmt' in tree)) return []
    const { extname: name = '', options = [] } = tree.CreateExtensionStmt
    if (name === 'plpgsql') return []
    const schema = options.flatMap((option) => {
      const value = 'DefElem' in option && option.DefElem.defname === 'schema' ? option.DefElem.arg : undefined
      return value !== undefined && 'String' in value ? [value.String.sval ?? ''] : []
    })[0]
    return [{ name, schema: schema ?? null }]
  })
  const kept = statements.filter((statement) => !('CreateExtensionStmt' in statement.tree) && isWanted(statement))
  const ranks = new Map(relations.map(({ name }, at) => [name, at]))
  const makers = kept.flatMap((statement) => {
    const index = indexOf(statement)
    return index === null ? [] : [{ statement, rank: ranks.get(index) ?? relations.length }]
  })
  const sorted = makers.toSorted((one, other) => one.rank - other.rank).map(({ statement }) => statement)
  const isMaker = new Set(sorted)
  let next = 0
  const ordered = kept.map((statement) => (isMaker.has(statement) ? (sorted[next++] ?? statement) : statement))
  return { extensions, statements: ordered.map(schemaStatement) }
}

function isWanted({ description, kind, text }: ParsedStatement): boolean {
  if (description === 'SELECT') return /^select\s+(pg_catalog\.)?set_config\s*\(/i.test(text)
  if (kind === 'write' && description !== 'CREATE MATERIALIZED VIEW') return false
  return !passedOver.test(description) && !/^alter\b[^']*\bowner\s+to\b/i.test(text)
}

/** The name of the index that a statement makes; null for every other one. */
function indexOf({ tree }: ParsedStatement): string | null {
  if ('IndexStmt' in tree) return tree.IndexStmt.idxname ?? null
  if (!('AlterTableStmt' in tree)) return null
  const names = (tree.AlterTableStmt.cmds ?? []).flatMap((cmd) => {
    const definition = 'AlterTableCmd' in cmd ? cmd.AlterTableCmd.def : undefined
    if (definition === undefined || !('Constraint' in definition)) return []
    const { contype = '', conname } = definition.Constraint
    return ['CONSTR_PRIMARY', 'CONSTR_UNIQUE', 'CONSTR_EXCLUSION'].includes(contype) ? [conname ?? ''] : []
  })
  return names[0] ?? null
}

function schemaStatement({ text, description, line }: ParsedStatement): SchemaStatement {
  return { what: `line ${line}: ${description}`, sql: text }
}
