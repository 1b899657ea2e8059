import { isSuperuser } from '../../measure/query/hidden.js'
import { PerfdbError } from '../../errors.js'
import { allBy } from '../../plan/match/grouping.js'
import { perfdbVersion } from '../../result/version.js'
import type { Session } from '../../server/session/session.js'
import {
  twinColumnsSql,
  twinConstantsSql,
  twinEndsSql,
  twinHiddenSql,
  twinRelationsSql,
  twinServerSql,
  twinSettingsSql,
  twinUnseenSql,
} from '../../sql/twin/twin-statistics.js'
import type { Typed } from './domains.js'
import { readEnds, type End } from './read-ends.js'
import { constantsIn } from './named-constants.js'
import { standIn, type StoodIn } from './stand-ins.js'
import { statisticsFormat, type ColumnStatistics, type RelationStatistics, type Statistics } from '../statistics.js'

export interface ReadOptions {
  /** Leave out every value. */
  readonly noValues: boolean
  /** `table.column` or `schema.table.column`, whose values are left out. */
  readonly hide: readonly string[]
  /** Constants of queries, which the file may say: they stand for themselves among what stands for the values that are left out. */
  readonly named?: readonly string[]
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

type ColumnRow = { readonly [Key in keyof Omit<ColumnStatistics, 'stand_ins'>]-?: ColumnStatistics[Key] | null } & {
  readonly schema: string
  readonly relation: string
  readonly typed: Typed
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
      ends: await session.query<End>(twinEndsSql, [uncounted]),
      constants: hides(options) ? await session.query<{ text: string }>(twinConstantsSql) : [],
    }
  })
  const { server, unseen, hidden } = read
  if (server === undefined || unseen === undefined) throw new PerfdbError('QUERY_FAILED', 'the catalog gave no row')
  if (server.block_size !== 8192)
    throw new PerfdbError('QUERY_FAILED', `its blocks have ${server.block_size} bytes, and a twin can have 8192 only`)
  const { ends, notes } = await readEnds(session, read.ends, uncounted ? { track_counts: 'off' } : {})
  const columns = allBy(read.columns, ({ schema, relation }) => JSON.stringify([schema, relation]))
  const whole = read.relations.map((row) => ({
    row,
    known: ends.get(row.oid) ?? [],
    columns: (columns.get(JSON.stringify([row.schema, row.name])) ?? []).map((one) => ({
      column: columnOf(one),
      typed: one.typed,
      isHidden: options.noValues || hidden.has(`${row.oid} ${one.name ?? ''}`) || hidden.has(`${row.oid} null`),
    })),
  }))
  const named = new Set(options.named)
  for (const { text } of read.constants) for (const one of await constantsIn(text)) named.add(one)
  const stood = await standingIn(session, whole, named)
  const relations = whole.map(({ row, known, columns: own }): RelationStatistics => {
    const { oid, table, method, bytes, ...rest } = row
    const isHidden = new Set(own.flatMap((one) => (one.isHidden ? [one.column.name] : [])))
    const shown = known.flatMap((end) => {
      if (!isHidden.has(end.column) && !options.noValues && !hidden.has(`${oid} ${end.column}`)) return [end]
      const found = own.flatMap((one) => stood.get(one.column)?.ends ?? []).find(({ column }) => column === end.column)
      return found === undefined ? [] : [found]
    })
    return {
      ...rest,
      ...(table === null ? {} : { table }),
      ...(method === null ? {} : { method }),
      bytes: bytes ?? rest.pages * 8192,
      columns: own.map(({ column }) => stood.get(column)?.column ?? column),
      ...(shown.length === 0 ? {} : { ends: shown }),
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
      ...(hides(options) ? { named: [...named].toSorted() } : {}),
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
  if (noValues)
    return 'Sizes and statistics of a PostgreSQL database, without any value of its rows: others stand for them, in the same order. Constants of the schema and of queries that were named stand for themselves.'
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

function hides({ noValues, hide }: ReadOptions): boolean {
  return noValues || hide.length > 0
}

interface Whole {
  readonly known: NonNullable<RelationStatistics['ends']>
  readonly columns: readonly {
    readonly column: ColumnStatistics
    readonly typed: Typed
    readonly isHidden: boolean
  }[]
}

/** By each column that is hidden what stands for its values. */
async function standingIn(
  session: Session,
  relations: readonly Whole[],
  named: ReadonlySet<string>,
): Promise<ReadonlyMap<ColumnStatistics, StoodIn>> {
  const all = relations.flatMap(({ known, columns }) =>
    columns
      .filter(({ isHidden }) => isHidden)
      .map(({ column, typed }) => ({
        column,
        typed,
        ends: column.inherited ? undefined : known.find((end) => end.column === column.name),
      })),
  )
  const stood = await standIn(session, all, named)
  return new Map(all.flatMap(({ column }, at) => (stood[at] === undefined ? [] : [[column, stood[at]] as const])))
}

function columnOf(row: ColumnRow): ColumnStatistics {
  const { schema: _, relation: __, typed: ___, ...all } = row
  const given = Object.entries(all).filter(([, value]) => value !== null)
  return {
    name: '',
    inherited: false,
    null_frac: 0,
    avg_width: 0,
    n_distinct: 0,
    ...(Object.fromEntries(given) satisfies Partial<ColumnStatistics>),
  }
}
