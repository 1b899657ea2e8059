import type { Listener } from '../../build/events.js'
import { readTableStatistics } from '../../catalog/table-statistics.js'
import { PerfdbError } from '../../errors.js'
import { predictBytes } from '../../plan/hazards/predict.js'
import type { Finding, Plan, Step } from '../../plan/plan.js'
import type { Session } from '../../server/session/session.js'
import { interrupted } from '../../build/statement.js'
import { amcheckSql, deepIndexesSql } from '../../sql/catalog/deep.js'
import { reindexSql } from '../../sql/ddl/partitions.js'
import { bytes as sizeText } from '../../text/amounts.js'
import type { Snapshot } from '../../catalog/snapshot.js'

export interface DeepOptions {
  readonly signal: AbortSignal
  readonly listener: Listener
}

interface DeepIndex {
  readonly oid: number
  readonly schema: string
  readonly name: string
  readonly table: string
  readonly method: string
  readonly bytes: number
  readonly owned: boolean
  readonly moved: readonly Moved[]
}

interface Moved {
  readonly name: string
  readonly kept: string
  readonly now: string
  readonly refresh: string
}

/** For all indexes together. */
const budgetMs = 30_000

/** Thousands of small indexes take a moment each. */
const quietMs = 1000

/**
 * What the catalog's own words do not say of the indexes on the profiles' tables: collations of another version than they were sorted by, btrees whose
 * order is broken (where the extension amcheck is installed), and those far larger than they would be when built anew. Reads only. bt_index_check takes
 * ACCESS SHARE on an index and its table, one after another, 30 s for all of them; what was not checked is named.
 */
export async function deepFindings(
  session: Session,
  plan: Plan,
  snapshot: Snapshot,
  options: DeepOptions,
): Promise<readonly Finding[]> {
  const tables = snapshot.tables.map(({ schema, name }) => ({ schema, name }))
  const indexes = await session.query<DeepIndex>(deepIndexesSql(session.versionNum), [JSON.stringify(tables)])
  const declared = new Set(plan.steps.map(({ schema, index }) => `${schema}.${index}`))
  const again = (index: DeepIndex) =>
    declared.has(`${index.schema}.${index.name}`)
      ? `perfdb apply --reindex ${index.schema}.${index.name}`
      : reindexSql(index)
  return [
    ...indexes.flatMap((index) => index.moved.map((moved) => collationMoved(index, moved, again(index)))),
    ...(await checked(
      session,
      indexes.filter(({ method }) => method === 'btree'),
      again,
      options,
    )),
    ...(await bloated(session, plan.steps)),
  ]
}

function about({ name, table }: DeepIndex): Pick<Finding, 'index' | 'table'> {
  return { index: name, table }
}

function collationMoved(index: DeepIndex, { name, kept, now, refresh }: Moved, again: string): Finding {
  return {
    ...about(index),
    code: 'COLLATION_MOVED',
    severity: 'error',
    message: `${index.name} is ordered by ${name}, whose version was ${kept} and is ${now}: its order may be wrong, so that rows are not found and duplicates get in`,
    hint: `${again}; once all such indexes are rebuilt: ${refresh}`,
  }
}

/** Each btree, the smallest first, so that most of them are looked at in the time that there is. */
async function checked(
  session: Session,
  all: readonly DeepIndex[],
  again: (index: DeepIndex) => string,
  { signal, listener }: DeepOptions,
): Promise<readonly Finding[]> {
  if (all.length === 0) return []
  const [amcheck] = await session.query<{ schema: string; trusted: boolean; allowed: boolean }>(amcheckSql)
  const reason =
    amcheck === undefined
      ? 'the extension amcheck is not installed'
      : !amcheck.trusted
        ? 'the extension amcheck does not belong to a superuser'
        : !amcheck.allowed
          ? 'this role may not call bt_index_check'
          : session.versionNum < 140_003
            ? 'before 14.3 amcheck would run functions of the index with the rights of this role'
            : null
  if (amcheck === undefined || reason !== null) return [notChecked(all, reason ?? '', amcheck === undefined)]
  const findings: Finding[] = []
  const left = all.toSorted((one, other) => one.bytes - other.bytes)
  const until = performance.now() + budgetMs
  let told = -Infinity
  for (const [at, index] of left.entries()) {
    const leftMs = Math.ceil(until - performance.now())
    if (signal.aborted) throw interrupted()
    if (leftMs <= 0) return [...findings, notChecked(left.slice(at), `${budgetMs / 1000} s were over`, false)]
    if (performance.now() - told > quietMs) {
      told = performance.now()
      const message = `checking ${index.schema}.${index.name} (${at + 1} of ${left.length}, ${sizeText(index.bytes)})`
      listener({ type: 'stage', stage: 'check', message })
    }
    const found = await check(session, index, amcheck.schema, leftMs)
    if (signal.aborted) throw interrupted()
    if (found !== null)
      findings.push({ ...about(index), ...found, ...(found.code === 'CORRUPT' ? { hint: again(index) } : {}) })
  }
  return findings
}

async function check(
  session: Session,
  { oid, name }: DeepIndex,
  schema: string,
  leftMs: number,
): Promise<Omit<Finding, 'index' | 'table'> | null> {
  const until = performance.now() + leftMs
  try {
    await session.rolledBack({ readOnly: true, statementTimeoutMs: leftMs, lockTimeoutMs: 500 }, async () =>
      // Exactly the function of the extension: whoever may create functions in its schema could have one that takes an oid.
      session.query(`select ${schema}.bt_index_check($1::pg_catalog.int8::pg_catalog.oid::pg_catalog.regclass)`, [oid]),
    )
    return null
  } catch (error) {
    if (!(error instanceof PerfdbError) || error.code === 'CONNECTION_LOST') throw error
    // https://www.postgresql.org/docs/current/errcodes-appendix.html: index_corrupted, data_corrupted.
    if (error.sqlstate === 'XX002' || error.sqlstate === 'XX001') {
      const detail = error.detail === undefined ? '' : ` (${error.detail})`
      return { code: 'CORRUPT', severity: 'error', message: `${name} is broken: ${error.message}${detail}` }
    }
    const why =
      error.sqlstate === '57014' && performance.now() >= until ? `${budgetMs / 1000} s were over` : error.message
    return { code: 'NOT_CHECKED', severity: 'warning', message: `${name} was not checked: ${why}` }
  }
}

function notChecked(indexes: readonly DeepIndex[], reason: string, installable: boolean): Finding {
  const names = indexes.map(({ schema, name }) => `${schema}.${name}`)
  const shown = names.length > 4 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', ')
  return {
    code: 'NOT_CHECKED',
    severity: installable ? 'info' : 'warning',
    message: `the order of ${shown} was not checked: ${reason}`,
    ...(installable ? { hint: 'create extension amcheck' } : {}),
  }
}

/** By the same estimate that plan makes before a build: of plain columns, with statistics, and never of less than a megabyte. */
async function bloated(session: Session, steps: readonly Step[]): Promise<readonly Finding[]> {
  const kept = steps.filter(
    ({ step, existing }) => (step === 'keep' || step === 'reindex') && existing?.partitioned === false,
  )
  const tables = [...new Map(kept.map(({ table }) => [JSON.stringify(table), table])).values()]
  const statistics = await readTableStatistics(session, tables)
  return kept.flatMap(({ index, schema, table, declared, existing, place }): readonly Finding[] => {
    if (declared === null || existing === null) return []
    const own = statistics.find((one) => one.schema === table.schema && one.name === table.name)
    const predicted = predictBytes(declared, own)
    if (predicted === null || existing.sizeBytes < 2 * predicted || existing.sizeBytes - predicted < leastBytes)
      return []
    return [
      {
        code: 'BLOATED',
        severity: 'warning',
        index,
        table: `${table.schema}.${table.name}`,
        message: `${index} takes ${sizeText(existing.sizeBytes)}, and about ${sizeText(predicted)} when it is built anew, by the statistics of its columns`,
        hint: `perfdb apply --reindex ${schema}.${index}`,
        ...(place === null ? {} : { place }),
      },
    ]
  })
}

const leastBytes = 1024 ** 2
