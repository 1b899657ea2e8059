import { buildSearchPath } from '../../catalog/probe/probe.js'
import type { Statement, Step } from '../../plan/plan.js'
import { cleanUp } from '../steps/clean-up.js'
import type { BuildContext } from '../context.js'
import { PerfdbError } from '../../errors.js'
import { dropIndexSql } from '../../sql/ddl/index-ddl.js'
import { runWatched } from '../statement.js'
import { isLeftoverName } from '../../plan/audit/leftovers.js'

/**
 * REINDEX INDEX CONCURRENTLY: of a partition's index that is attached and not valid, which can neither be dropped nor exchanged (fault 32), or of one that is
 * to be rebuilt where it stands. When it fails, the copy that it has left is dropped (fault 12); the index is then as it was, or new already. Returns how
 * long it waited, in ms. Throws BUILD_FAILED, BLOCKED, INTERRUPTED or CONNECTION_LOST.
 */
export async function repairIndex(context: BuildContext, part: Step, statement: Statement): Promise<number> {
  const { ddl } = context
  const { schema, index, sql } = statement
  const before = new Set(await copiesOf(context, statement))
  // Before 17 functions of an expression look for others by the search_path of the session (fault 46).
  const ran = await runWatched(context, index, sql.join(';\n'), { searchPath: buildSearchPath(ddl, part.schema) })
  if (ran.error === null) return ran.waitedMs
  const left = (await copiesOf(context, statement).catch(() => [])).filter((name) => !before.has(name))
  const stays: string[] = []
  for (const copy of left)
    if ((await cleanUp(context, schema, copy, { ...ran, indexOid: null })) === 'invalid') stays.push(copy)
  const { code, message, detail, hint, sqlstate } = ran.error
  const drops = stays.map((copy) => dropIndexSql(schema, copy)).join('; ')
  throw new PerfdbError(code === 'QUERY_FAILED' ? 'BUILD_FAILED' : code, message, {
    detail: stays.length === 0 ? detail : [detail, `${stays.join(', ')} is left, not valid`].filter(Boolean).join('; '),
    hint: stays.length > 0 ? `the next apply drops it, or: ${drops}` : code === 'QUERY_FAILED' ? undefined : hint,
    sqlstate,
    cause: ran.error,
  })
}

/** Not valid, on the same table, and named as REINDEX CONCURRENTLY names its copies of this index. */
async function copiesOf({ watchdog }: BuildContext, { schema, index }: Statement): Promise<readonly string[]> {
  const rows = await watchdog.query<{ name: string }>(
    `select c.relname as name from pg_catalog.pg_index i join pg_catalog.pg_class c on c.oid = i.indexrelid
     where not i.indisvalid and c.relname ~ '_cc(new|old)[0-9]*$' and i.indrelid = (
       select b.indrelid from pg_catalog.pg_index b join pg_catalog.pg_class n on n.oid = b.indexrelid
       join pg_catalog.pg_namespace s on s.oid = n.relnamespace where s.nspname = $1 and n.relname = $2)`,
    [schema, index],
  )
  return rows.map(({ name }) => name).filter((name) => isLeftoverName(name, index))
}
