import { PerfdbError } from '../../errors.js'
import { ownMark } from './counters.js'
import { repairedStatement } from './repair.js'
import { singleStatement } from '../parser/parser.js'
import { walkTree } from '../parser/parser-walk.js'

/** Where pg_stat_statements lives, null without it. */
export const statementsSchemaSql = `
  select pg_catalog.quote_ident(n.nspname) as schema from pg_catalog.pg_extension e
  join pg_catalog.pg_namespace n on n.oid = e.extnamespace where e.extname = 'pg_stat_statements'`

/** What a statement is ranked by, over all users: total and mean execution time, calls, blocks read and temporary blocks. */
export const rankings = {
  total: 'pg_catalog.sum(s.total_exec_time)',
  mean: 'pg_catalog.sum(s.total_exec_time) / pg_catalog.sum(s.calls)',
  calls: 'pg_catalog.sum(s.calls)',
  io: 'pg_catalog.sum(s.shared_blks_read + s.local_blks_read + s.temp_blks_read + s.temp_blks_written)',
} as const

/**
 * Statements of this database that clients sent themselves, the first $1 by a ranking; perfdb's own, which begin with their mark, are not counted. `share`
 * is the part of the execution time of all of them, those that the role may not read included.
 */
export function topStatementsSql(schema: string, by: keyof typeof rankings): string {
  return `select s.query, pg_catalog.sum(s.calls)::float8 as calls, pg_catalog.sum(s.total_exec_time) as total_ms,
      pg_catalog.sum(s.total_exec_time) / pg_catalog.sum(s.calls) as mean_ms, pg_catalog.sum(s.rows)::float8 as rows,
      pg_catalog.sum(s.total_exec_time) / greatest(max(whole.ms), 0.001) as share
    from ${schema}.pg_stat_statements s
    cross join (select pg_catalog.sum(a.total_exec_time) as ms from ${schema}.pg_stat_statements a where ${ofClients('a')}) as whole
    where ${ofClients('s')} and s.query is not null and s.query not like '<insufficient privilege>%'
    group by s.query
    having pg_catalog.sum(s.calls) > 0
    order by ${rankings[by]} desc limit $1`
}

/** How many statements the role may not read, and how many it may. */
export function hiddenStatementsSql(schema: string): string {
  return `select count(*) filter (where s.query is null or s.query like '<insufficient privilege>%')::int as hidden,
      count(*) filter (where s.query not like '<insufficient privilege>%')::int as visible
    from ${schema}.pg_stat_statements s where ${ofClients('s')}`
}

/** The texts of all of them; null for those that the role may not read, with their count. */
export function allStatementsSql(schema: string): string {
  return `select case when s.query not like '<insufficient privilege>%' then s.query end as query, count(*)::int as count
    from ${schema}.pg_stat_statements s where ${ofClients('s')} group by 1`
}

function ofClients(alias: string): string {
  return `${alias}.dbid = (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database()) and ${alias}.toplevel
      and ${alias}.query is distinct from '' and coalesce(${alias}.query, '') !~ '${ownMark}'`
}

/**
 * A text of pg_stat_statements as a statement that PREPARE takes; null for one that reads no table of the application,
 * that EXPLAIN cannot explain, or that writes when that is not allowed.
 */
export async function auditableStatement(text: string, allowWrites: boolean): Promise<string | null> {
  try {
    const { kind, tree, text: bare } = await singleStatement(text)
    if (kind !== 'read' && !(kind === 'write' && allowWrites)) return null
    const relations: string[] = []
    const own = new Set<string>()
    walkTree(tree, (name, node) => {
      const relation = textOf(node['relname'])
      const schema = textOf(node['schemaname'])
      if (name === 'CommonTableExpr') own.add(textOf(node['ctename']))
      if (relation !== '' && !relation.startsWith('pg_') && !/^(pg_catalog|information_schema)$/.test(schema))
        relations.push(relation)
    })
    const application = relations.some((relation) => !own.has(relation))
    return application ? repairedStatement(bare) : null
  } catch (error) {
    if (error instanceof PerfdbError) return null
    throw error
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
