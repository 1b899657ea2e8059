/**
 * Count and digest of the rows of a query, in any order: sums of two 64-bit hashes of each row as text, so that nothing is
 * sorted or kept. Runs with the application's search_path, in which operators and types may be somebody else's: all are qualified. Equal for equal multisets of rows; by chance for others once in 2^128.
 */
export function rowsDigestSql(text: string): string {
  return `select pg_catalog.count(*) as rows, ${sumSql('t.line', 0)} as one, ${sumSql('t.line', 1)} as two
    from (select perfdb_row::pg_catalog.text as line from (
${text}
) as perfdb_row) as t`
}

/**
 * The same of all single values, whatever the shape of the rows: documents and arrays count as what is in them, numbers
 * as numbers. `columns` is null without a row.
 */
export function valuesDigestSql(text: string): string {
  return `select pg_catalog.count(t.leaf) as values, pg_catalog.max(t.number)::pg_catalog.int4 as columns,
      ${sumSql('t.line', 0)} as one, ${sumSql('t.line', 1)} as two
    from (
      select c.number, v.leaf, case
          when pg_catalog.texteq(pg_catalog.jsonb_typeof(v.leaf), 'number') then pg_catalog.trim_scale((v.leaf operator(pg_catalog.#>>) '{}'::pg_catalog.text[])::pg_catalog.numeric)::pg_catalog.text
          when pg_catalog.texteq(pg_catalog.jsonb_typeof(v.leaf), 'null') then 'null'
          else v.leaf operator(pg_catalog.#>>) '{}'::pg_catalog.text[] end as line
      from (
${text}
) as perfdb_row
        cross join lateral pg_catalog.json_each(pg_catalog.row_to_json(perfdb_row)) with ordinality as c (key, value, number)
        left join lateral pg_catalog.jsonb_path_query(c.value::pg_catalog.jsonb,
          'strict $.** ? (@.type() != "object" && @.type() != "array")') as v (leaf) on true
    ) as t`
}

function sumSql(line: string, seed: number): string {
  return `coalesce(pg_catalog.sum(pg_catalog.hashtextextended(${line} collate pg_catalog."C", ${seed})::pg_catalog.numeric), 0)::pg_catalog.text`
}
