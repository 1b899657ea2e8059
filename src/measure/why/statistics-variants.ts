import { quoteName } from '../../definition/quote.js'
import type { Comparison } from '../../sql/rewrite/condition.js'
import { quoted, tableSql } from './serves-text.js'

/** What the planner lacks numbers for. */
export interface Asked {
  /** `schema.table` */
  readonly table: string
  readonly columns: readonly string[]
  /** Several of them are compared with = . */
  readonly equal: boolean
  /** Of one alone: not compared with = . */
  readonly ranged: boolean
  readonly expressions: readonly Comparison[]
}

/** A way to give the planner numbers. */
export interface Variant {
  /** Before ANALYZE. */
  readonly statements: readonly string[]
  /** The same as SQL for people, ANALYZE last. */
  readonly advice: string
  readonly why: string
  /** What it is, in `and ... changes little`. */
  readonly without: string
}

/**
 * Ways to give the planner numbers, the least first: of columns that are compared with = how they depend on one another (most common values alone miss the values
 * that are not among them), then the most common values together, more of them; of one column more values; of an expression its own statistics.
 * https://www.postgresql.org/docs/current/sql-createstatistics.html
 */
export function statisticsVariants(
  { table, columns, equal, ranged, expressions }: Asked,
  versionNum: number,
): readonly Variant[] {
  const [column] = columns
  const list = columns.map(quoted).join(', ')
  const depend = `${list} depend on one another`
  if (columns.length > 1)
    return [
      ...(equal ? [extended(table, columns, 'dependencies', null, depend)] : []),
      extended(table, columns, 'mcv', null, depend),
      extended(table, columns, 'mcv', 1000, depend),
    ]
  if (column !== undefined) {
    const alter = `alter column ${quoteName(column)} set statistics 1000`
    return [
      {
        statements: [`alter table ${tableSql(table)} ${alter}`],
        advice: `alter table ${table} alter column ${quoted(column)} set statistics 1000; analyze ${table} (${quoted(column)})`,
        why: ranged
          ? `the histogram of ${quoted(column)} tells too little of that range`
          : `the value is missing from the most common ones of ${quoted(column)}`,
        without: `more statistics of ${quoted(column)}`,
      },
    ]
  }
  const [one] = expressions
  const all = [...new Set(expressions.flatMap((each) => expressionOf(each) ?? []))].slice(0, 4)
  if (one === undefined || all.length === 0 || versionNum < 140_000) return []
  const on = all.map((expression) => `(${expression})`).join(', ')
  const why = `the planner has no numbers for ${all.join(', ')}`
  return [named(table, `${one.column}_computed`, on, '', null, why)]
}

function expressionOf({ computed, casts, column }: Comparison): string | null {
  if (computed !== null) return computed.expression
  const cast = casts.at(-1)
  return cast === undefined ? null : `${quoted(column)}::${cast}`
}

function extended(
  table: string,
  columns: readonly string[],
  kind: string,
  target: number | null,
  why: string,
): Variant {
  return named(table, columns.join('_'), columns.map(quoted).join(', '), ` (${kind})`, target, why)
}

/** With a name: PostgreSQL 15 and before want one. */
function named(table: string, suffix: string, on: string, kind: string, target: number | null, why: string): Variant {
  const dot = table.indexOf('.')
  const name = `${table.slice(dot + 1)}_${suffix}`.slice(0, 63)
  const [schema, said] = [quoteName(table.slice(0, dot)), `${quoted(table.slice(0, dot))}.${quoted(name)}`]
  const tried = `${schema}.perfdb_try_statistics`
  return {
    statements: [
      `create statistics ${tried}${kind} on ${on} from ${tableSql(table)}`,
      ...(target === null ? [] : [`alter statistics ${tried} set statistics ${target}`]),
    ],
    advice: [
      `create statistics ${said}${kind} on ${on} from ${table}`,
      ...(target === null ? [] : [`alter statistics ${said} set statistics ${target}`]),
      `analyze ${table}`,
    ].join('; '),
    why,
    without: `create statistics${kind} on ${on}`,
  }
}
