import { readForeignCode } from '../catalog/trust.js'
import { isSuperuser } from '../measure/query/hidden.js'
import { quoteName, quoteQualified } from '../definition/quote.js'
import { PerfdbError } from '../errors.js'
import { allBy } from '../plan/match/grouping.js'
import { perfdbVersion } from '../result/version.js'
import type { Session } from '../server/session/session.js'
import {
  twinColumnsSql,
  twinEndsProbeSql,
  twinEndsSql,
  twinHiddenSql,
  twinOwnerSql,
  twinUnchangedSql,
  twinRelationsSql,
  twinServerSql,
  twinSettingsSql,
  twinUnseenSql,
} from '../sql/twin/twin-statistics.js'
import { statisticsFormat, type ColumnStatistics, type RelationStatistics, type Statistics } from './statistics.js'

export interface ReadOptions {
  /** Leave out every value. */
  readonly noValues: boolean
  /** `table.column` or `schema.table.column`, whose values are left out. */
  readonly hide: readonly string[]
}

/** Statistics, and what could not be taken: in words. */
export interface TakenStatistics {
  readonly statistics: Statistics
  readonly notes: readonly string[]
}

interface RelationRow extends Omit<RelationStatistics, 'columns' | 'bytes' | 'table' | 'method'> {
  readonly oid: number
  readonly table: string | null
  readonly method: string | null
  readonly bytes: number | null
}

type ColumnRow = { readonly [Key in keyof ColumnStatistics]-?: ColumnStatistics[Key] | null } & {
  readonly schema: string
  readonly relation: string
}

interface End {
  readonly oid: number
  readonly schema: string
  readonly name: string
  readonly column: string
}

/**
 * Sizes and statistics of a database, and the settings that its planner reads, in one read-only snapshot; then the ends of its btrees, two probes
 * each. Reads catalogs but for those, which are left out where they would run somebody else's code. For a session of the role `look`. Throws
 * BAD_OPTION for a column to hide that is not there, and the server's errors.
 */
export async function readStatistics(session: Session, options: ReadOptions): Promise<TakenStatistics> {
  // What probes count as scans would make an index look used that nobody uses.
  const uncounted = await isSuperuser(session)
  const snapshot = { readOnly: true, isolation: 'repeatable read', statementTimeoutMs: 300_000 } as const
  const read = await session.rolledBack({ ...snapshot, lockTimeoutMs: 1000 }, async () => {
    const one = async <Row>(text: string) => (await session.query<Row>(text))[0]
    return {
      server: await one<{ encoding: string; provider: string; locale: string; block_size: number }>(
        twinServerSql(session.versionNum),
      ),
      settings: await session.query<{ name: string; value: string }>(twinSettingsSql),
      unseen: await one<Statistics['unseen']>(twinUnseenSql),
      hidden: await hiddenColumns(session, options.hide),
      relations: await session.query<RelationRow>(twinRelationsSql),
      columns: await session.query<ColumnRow>(twinColumnsSql(session.versionNum)),
      ends: options.noValues ? [] : await session.query<End>(twinEndsSql, [uncounted]),
    }
  })
  const { server, unseen, hidden } = read
  if (server === undefined || unseen === undefined) throw new PerfdbError('QUERY_FAILED', 'the catalog gave no row')
  if (server.block_size !== 8192)
    throw new PerfdbError('QUERY_FAILED', `its blocks have ${server.block_size} bytes, and a twin can have 8192 only`)
  const shown = read.ends.filter(({ oid, column }) => !hidden.has(`${oid} ${column}`))
  const { ends, notes } = await readEnds(session, shown, uncounted ? { track_counts: 'off' } : {})
  const columns = allBy(read.columns, ({ schema, relation }) => JSON.stringify([schema, relation]))
  const relations = read.relations.map((row): RelationStatistics => {
    const { oid, table, method, bytes, ...rest } = row
    const found = (columns.get(JSON.stringify([row.schema, row.name])) ?? []).map((one) =>
      columnOf(one, options.noValues || hidden.has(`${oid} ${one.name ?? ''}`) || hidden.has(`${oid} null`)),
    )
    const known = ends.get(oid)
    return {
      ...rest,
      ...(table === null ? {} : { table }),
      ...(method === null ? {} : { method }),
      bytes: bytes ?? rest.pages * 8192,
      columns: found,
      ...(known === undefined ? {} : { ends: known }),
    }
  })
  const locked = read.relations.filter(({ bytes }) => bytes === null).length
  const { block_size: _, ...place } = server
  return {
    statistics: {
      about: aboutText(options),
      perfdb_statistics: statisticsFormat,
      perfdb: perfdbVersion(),
      taken_at: new Date().toISOString(),
      server: { version: session.version, version_num: session.versionNum, database: session.database, ...place },
      values: options.noValues ? 'left out' : options.hide.length > 0 ? 'some left out' : 'kept',
      settings: Object.fromEntries(read.settings.map(({ name, value }) => [name, value])),
      search_path: session.defaultSearchPath,
      relations,
      unseen,
    },
    notes: [
      ...(locked === 0
        ? []
        : [`${locked} relations were locked by somebody: their sizes are those of the last ANALYZE or VACUUM`]),
      ...notes,
    ],
  }
}

function aboutText({ noValues, hide }: ReadOptions): string {
  if (noValues) return 'Sizes and statistics of a PostgreSQL database, without any value of its rows.'
  const but = hide.length === 0 ? '' : ` (but for ${hide.join(', ')})`
  return `This file holds values of rows${but}: the most common ones, histograms, least and greatest. Keep it as you keep the data; --no-values and --hide leave them out.`
}

/** `oid column` of columns, `oid null` of indexes. */
async function hiddenColumns(session: Session, hide: readonly string[]): Promise<ReadonlySet<string>> {
  const keys: string[] = []
  for (const written of hide) {
    const parts = written.split('.')
    const [column = '', table = ''] = parts.toReversed()
    const rows =
      parts.length < 2 || parts.length > 3
        ? []
        : await session.query<{ oid: number; column: string | null }>(twinHiddenSql, [
            parts.length === 3 ? (parts[0] ?? null) : null,
            table,
            column,
          ])
    if (rows.length === 0)
      throw new PerfdbError('BAD_OPTION', `--hide ${written}: there is no such column`, {
        hint: 'write table.column, or schema.table.column, as the catalog has the names',
      })
    keys.push(...rows.map((row) => `${row.oid} ${row.column ?? 'null'}`))
  }
  return new Set(keys)
}

/** Without values there are no frequencies either: PostgreSQL takes them together only. */
function columnOf(row: ColumnRow, hide: boolean): ColumnStatistics {
  const { name, inherited, number, null_frac, avg_width, n_distinct, correlation, elem_count_histogram } = row
  const { schema: _, relation: __, ...all } = row
  const kept = hide
    ? { name, inherited, number, null_frac, avg_width, n_distinct, correlation, elem_count_histogram }
    : all
  const given = Object.entries(kept).filter(([, value]) => value !== null)
  return {
    name: '',
    inherited: false,
    null_frac: 0,
    avg_width: 0,
    n_distinct: 0,
    ...(Object.fromEntries(given) satisfies Partial<ColumnStatistics>),
  }
}

/** A queue leaves many dead rows at the end of its index: the planner does not wait for them either, and goes by the histogram. */
const endsTimeoutMs = 3000

/**
 * A superuser's look at somebody else's table: its owner could put a view in its place, or an index on it whose expression the planner
 * computes, between the question whose code would run and the statement. So the table is locked against both, which keeps out neither readers
 * nor writers, and is then the same one and without expressions, or is not read. Others ask with rights that are theirs alone.
 */
async function unchanged(session: Session, name: string, oid: number): Promise<boolean> {
  const [me] = await session.query<{ superuser: boolean; own: boolean }>(twinOwnerSql, [oid])
  if (me === undefined || !me.superuser || me.own) return true
  if (session.inRecovery) return false
  await session.query(`lock table only ${name} in share update exclusive mode`)
  const [now] = await session.query<{ same: boolean }>(twinUnchangedSql, [name, oid])
  return now?.same === true
}

async function readEnds(
  session: Session,
  wanted: readonly End[],
  own: Readonly<Record<string, string>>,
): Promise<{
  readonly ends: ReadonlyMap<number, NonNullable<RelationStatistics['ends']>>
  readonly notes: readonly string[]
}> {
  const tables = [...allBy(wanted, ({ oid }) => String(oid))]
  const nameOf = ([one]: readonly End[]) => (one === undefined ? '' : quoteQualified(one.schema, one.name))
  const foreign = await readForeignCode(
    session,
    tables.map(([, columns]) => `select from only ${nameOf(columns)}`),
  )
  const ends = new Map<number, NonNullable<RelationStatistics['ends']>>()
  let [late, strange] = [0, 0]
  // The index, whatever it costs; and a least value of a domain or an enum is one as well.
  const set = { enable_seqscan: 'off', enable_bitmapscan: 'off', enable_sort: 'off', jit: 'off', ...own }
  const settings = { readOnly: true, statementTimeoutMs: endsTimeoutMs, lockTimeoutMs: 1000, set }
  for (const [at, [oid, columns]] of tables.entries()) {
    if ((foreign[at] ?? []).length > 0) {
      strange += 1
      continue
    }
    const text = twinEndsProbeSql(
      nameOf(columns),
      columns.map(({ column }) => quoteName(column)),
    )
    try {
      const row = await session.rolledBack(settings, async () => {
        if (!(await unchanged(session, nameOf(columns), Number(oid)))) return null
        const [found = {}] = await session.query<Readonly<Record<string, string | null>>>(text)
        return found
      })
      if (row === null) {
        strange += 1
        continue
      }
      const found = columns.flatMap(({ column }, position) => {
        const [least, greatest] = [row[`least_${position}`], row[`greatest_${position}`]]
        return typeof least === 'string' && typeof greatest === 'string' ? [{ column, least, greatest }] : []
      })
      if (found.length > 0) ends.set(Number(oid), found)
    } catch (error) {
      if (session.lost) throw error
      late += 1
    }
  }
  const several = (count: number) => `${count} ${count === 1 ? 'table' : 'tables'}`
  return {
    ends,
    notes: [
      ...(strange === 0
        ? []
        : [`the ends of the btrees of ${several(strange)} were not read: it would run code of others`]),
      ...(late === 0 ? [] : [`the ends of the btrees of ${several(late)} were not read: it took too long, or a lock`]),
    ],
  }
}
