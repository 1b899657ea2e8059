import type { TableStatistics } from '../../catalog/snapshot.js'
import type { Definition } from '../../definition/definition.js'
import { quoteName, quoteQualified } from '../../definition/quote.js'
import { PerfdbError } from '../../errors.js'
import type { Finding, Step } from '../../plan/plan.js'
import type { Session } from '../../server/session/session.js'
import { keyExpressionSql } from '../../sql/ddl/index-ddl.js'
import { notRead, ownLook } from './own-look.js'

/** A btree of pages of 8 kB holds 2,704 bytes a row, 8 of them its header (BTMaxItemSize in nbtree.h). */
const mostBytes = 2704
const headerBytes = 8

/**
 * TOO_WIDE for each step whose table has a row that is too wide for the btree that it builds: the build would end with 54000 when it comes to that
 * row. Of stored columns it is certain (an index holds a value as its row does, compressed); what an expression computes may still be
 * compressed. No table is read where no stored value can be that wide, as the statistics tell. Nothing is said of what could not be
 * looked at in time.
 */
export async function widthFindings(
  session: Session,
  steps: readonly Step[],
  statistics: readonly TableStatistics[],
  leftMs: () => number,
): Promise<readonly Finding[]> {
  const findings: Finding[] = []
  for (const { step, declared } of steps.flatMap(buildsBtree).filter((one) => possiblyWide(one, statistics))) {
    const timeoutMs = leftMs()
    if (timeoutMs <= 0) break
    const look = { definition: declared, stranger: step.stranger === true, timeoutMs }
    const rows = await orNothing(ownLook(session, look, async () => session.query<Widest>(widestSql(declared))))
    const [row] = rows === null || notRead(rows) ? [] : rows
    if (row !== undefined) findings.push(tooWide(step, declared, row))
  }
  return findings
}

interface Building {
  readonly step: Step
  readonly declared: Definition
}

function buildsBtree(step: Step): readonly Building[] {
  const { declared, foreign } = step
  const builds = step.step === 'create' || step.step === 'rebuild' || step.step === 'replace'
  return builds && declared?.method === 'btree' && foreign === undefined ? [{ step, declared }] : []
}

/** Where no stored value can be that wide nothing is read: a value of more than 2 kB is stored apart or compressed. */
function possiblyWide({ declared }: Building, statistics: readonly TableStatistics[]): boolean {
  const { keys, include, table } = declared
  const found = statistics.find(({ schema, name }) => schema === table.schema && name === table.name)
  const columns = [...keys.flatMap(({ column }) => column ?? []), ...include]
  return found?.filled === true && (computes(declared) || columns.some((name) => found.wideColumns.includes(name)))
}

/** Out of time, locked, not to be read, or an expression that fails on a row, as it then does in the build. */
async function orNothing<T>(looking: Promise<T>): Promise<T | null> {
  return looking.catch((error: unknown) => {
    if (error instanceof PerfdbError && error.code !== 'CONNECTION_LOST') return null
    throw error
  })
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
