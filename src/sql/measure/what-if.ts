import type { Definition } from '../../definition/definition.js'
import { quoteQualified } from '../../definition/quote.js'
import { createIndexSql, keyExpressionSql } from '../ddl/index-ddl.js'

/** Where HypoPG lives: schema quoted and null when it is not installed; available when its files are on the server. */
export const hypopgSql = `
  select pg_catalog.quote_ident(n.nspname) as schema, e.extversion as version,
    exists (select from pg_catalog.pg_available_extensions a where a.name = 'hypopg') as available
  from (values (1)) as one
  left join pg_catalog.pg_extension e on e.extname = 'hypopg'
  left join pg_catalog.pg_namespace n on n.oid = e.extnamespace`

/** Makes hypothetical indexes of the texts $1, a row each: number from 1, and the name that EXPLAIN shows. */
export function hypotheticalIndexesSql(schema: string): string {
  return `select s.number::int as number, h.indexname as name
    from pg_catalog.unnest($1::text[]) with ordinality as s (text, number),
      lateral ${schema}.hypopg_create_index(s.text) as h`
}

/** Makes the hypothetical index of the text $1 and returns its size, which HypoPG guesses from the statistics. */
export function hypotheticalSizeSql(schema: string): string {
  return `select ${schema}.hypopg_relation_size(h.indexrelid) as size_bytes from ${schema}.hypopg_create_index($1) as h`
}

/** Forgets all hypothetical indexes of this backend. */
export function hypotheticalResetSql(schema: string): string {
  return `select ${schema}.hypopg_reset()`
}

/** One scan of the table, its expressions as columns and its predicate as condition. */
export function foldSql({ keys, predicate, table }: Definition): string {
  const expressions = keys.filter(({ expression }) => expression !== undefined).map(keyExpressionSql)
  const columns = expressions.length === 0 ? '1' : expressions.join(', ')
  const from = `from only ${quoteQualified(table.schema, table.name)}`
  return `explain (verbose, format json) select ${columns} ${from}${predicate === undefined ? '' : ` where ${predicate}`}`
}

/**
 * CREATE INDEX as HypoPG reads it: it takes fillfactor and pages_per_range as bare numbers alone (a quoted
 * pages_per_range ended EXPLAIN with a floating-point exception in 1.3.1), and what else is stored costs the planner
 * nothing. https://hypopg.readthedocs.io/en/rel1_stable/hypothetical_indexes.html
 */
export function hypotheticalIndexSql(definition: Definition): string {
  const { predicate, storage, tablespace: _, ...rest } = definition
  const keys = definition.keys.map(({ opclassParameters: __, ...key }) => key)
  const bare = createIndexSql({ ...rest, keys, storage: {}, nullsDistinct: true }, { concurrently: false })
  const numbers = ['fillfactor', 'pages_per_range'].flatMap((name) =>
    /^\d+$/.test(storage[name] ?? '') ? [`${name} = ${storage[name]}`] : [],
  )
  return [
    bare,
    ...(numbers.length === 0 ? [] : [`with (${numbers.join(', ')})`]),
    ...(predicate === undefined ? [] : [`where ${predicate}`]),
  ].join(' ')
}
