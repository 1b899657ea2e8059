/**
 * Count and digest of the rows of a query, in any order: sums of two 64-bit hashes of each row as text, so that nothing is
 * sorted or kept. Equal for equal multisets of rows; by chance for others once in 2^128.
 */
export function rowsDigestSql(text: string): string {
  return `select pg_catalog.count(*) as rows, ${sumSql('t.line', 0)} as one, ${sumSql('t.line', 1)} as two
    from (select perfdb_row::text as line from (
${text}
) as perfdb_row) as t`
}

/**
 * The same of all single values, whatever the shape of the rows: documents and arrays count as what is in them, numbers
 * as numbers. `columns` is null without a row.
 */
export function valuesDigestSql(text: string): string {
  return `select pg_catalog.count(t.leaf) as values, pg_catalog.max(t.number)::int as columns,
      ${sumSql('t.line', 0)} as one, ${sumSql('t.line', 1)} as two
    from (
      select c.number, v.leaf, case pg_catalog.jsonb_typeof(v.leaf)
          when 'number' then pg_catalog.trim_scale((v.leaf #>> '{}')::pg_catalog.numeric)::text
          when 'null' then 'null'
          else v.leaf #>> '{}' end as line
      from (
${text}
) as perfdb_row
        cross join lateral pg_catalog.json_each(pg_catalog.row_to_json(perfdb_row)) with ordinality as c (key, value, number)
        left join lateral pg_catalog.jsonb_path_query(c.value::jsonb,
          'strict $.** ? (@.type() != "object" && @.type() != "array")') as v (leaf) on true
    ) as t`
}

function sumSql(line: string, seed: number): string {
  return `coalesce(pg_catalog.sum(pg_catalog.hashtextextended(${line} collate "C", ${seed})::pg_catalog.numeric), 0)::text`
}
