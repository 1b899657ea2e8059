import type { Definition } from '../definition/definition.js'
import { quoteName, quoteQualified } from '../definition/quote.js'
import { PerfdbError } from '../errors.js'
import type { Finding, Step } from '../plan/plan.js'
import type { Session } from '../server/session/session.js'
import { keyExpressionSql } from '../sql/ddl/index-ddl.js'
import { notRead, ownLook } from './own-look.js'

/** A btree of pages of 8 kB holds 2,704 bytes a row, 8 of them its header (BTMaxItemSize in nbtree.h). */
const mostBytes = 2704
const headerBytes = 8

/**
 * TOO_WIDE where a row of the table is too wide for the btree that a step builds: the build would end with 54000 when it comes to that
 * row. Of stored columns it is certain (an index holds a value as its row does, compressed); what an expression computes may still be
 * compressed. Nothing is read where no stored value can be that wide. null where nothing was found, or nothing can be said.
 */
export async function widthFinding(session: Session, step: Step, timeoutMs: number): Promise<Finding | null> {
  const { declared, foreign } = step
  const builds = step.step === 'create' || step.step === 'rebuild' || step.step === 'replace'
  if (!builds || declared === null || declared.method !== 'btree' || foreign !== undefined) return null
  try {
    const settings = { readOnly: true, statementTimeoutMs: timeoutMs, set: { search_path: 'pg_catalog' } }
    const [possible] = await session.rolledBack(settings, async () =>
      session.query<{ wide: boolean }>(possibleSql, [
        declared.table.schema,
        declared.table.name,
        JSON.stringify([...declared.keys.flatMap(({ column }) => column ?? []), ...declared.include]),
        computes(declared),
      ]),
    )
    if (possible?.wide !== true) return null
    const look = { definition: declared, stranger: step.stranger === true, timeoutMs }
    const rows = await ownLook(session, look, async () => session.query<Widest>(widestSql(declared)))
    const [row] = notRead(rows) ? [] : rows
    return row === undefined ? null : tooWide(step, declared, row)
  } catch (error) {
    // Out of time, locked, not to be read, or an expression that fails on a row, as it then does in the build.
    if (error instanceof PerfdbError && error.code !== 'CONNECTION_LOST') return null
    throw error
  }
}

interface Widest {
  readonly ctid: string
  readonly leaf: string
  readonly bytes: number
}

function tooWide({ index, table, place }: Step, declared: Definition, { ctid, leaf, bytes }: Widest): Finding {
  const computed = computes(declared)
  return {
    code: 'TOO_WIDE',
    severity: 'warning',
    index,
    table: `${table.schema}.${table.name}`,
    message: `a row of ${table.schema}.${table.name} takes ${bytes + headerBytes} bytes in ${index}${computed ? ' before they are compressed' : ''}, and a btree holds ${mostBytes}: the build ${computed ? 'may fail' : 'fails'} at it`,
    hint: `select * from ${leaf} where ctid = '${ctid}'; index a hash or a part of the value instead, as in md5(...) or left(..., 200)`,
    ...(place === null ? {} : { place }),
  }
}

function computes({ keys }: Definition): boolean {
  return keys.some(({ expression }) => expression !== undefined)
}

/**
 * Whether any row of the table (or a partition of it) could be so wide: a value of more than 2 kB is stored apart or compressed, so that without anything
 * stored apart only a column of storage PLAIN or MAIN can be (manual, "TOAST"). `$3`: columns; `$4`: expressions compute with others.
 */
const possibleSql = `
with recursive members as (
  select c.oid from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace where n.nspname = $1 and c.relname = $2
  union all
  select h.inhrelid from members m join pg_catalog.pg_inherits h on h.inhparent = m.oid
)
select pg_catalog.bool_or($4::bool or a.attlen = -1 and a.attname in (select v from pg_catalog.json_array_elements_text($3::json) as w(v))
    and (a.attstorage in ('p', 'm') or c.reloptions::text ~ 'toast_tuple_target' or c.reltoastrelid <> 0 and pg_catalog.pg_relation_size(c.reltoastrelid) > 0)) as wide
from members m join pg_catalog.pg_class c on c.oid = m.oid join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relkind in ('r', 'm') and pg_catalog.pg_relation_size(c.oid) > 0`

/** pg_column_size of a stored value fetches nothing that is stored apart. */
function widestSql({ keys, include, table, predicate }: Definition): string {
  const values = [...keys.map(keyExpressionSql), ...include.map(quoteName)]
  const bytes = values
    .map((value) => `coalesce(pg_catalog.pg_column_size(${value}), 0)`)
    .join(' operator(pg_catalog.+) ')
  const only = predicate === undefined ? '' : `where (${predicate}\n)`
  return `select w.ctid, w.leaf, w.bytes from (
      select ctid::pg_catalog.text as ctid, tableoid::pg_catalog.regclass::pg_catalog.text as leaf, ${bytes} as bytes
      from ${quoteQualified(table.schema, table.name)} ${only}) as w
    where w.bytes operator(pg_catalog.>) ${mostBytes - headerBytes} order by w.bytes desc limit 1`
}
