/**
 * What each index of these tables ($1 schemas, $2 names) is, apart from its name: method (btree is left out), keys with what differs from the
 * default, included columns and predicate, as `(customer_id, created_at desc) where (open)`. A partition's index is its own. Runs with
 * search_path = pg_catalog.
 */
export const indexShapesSql = `
  select n.nspname || '.' || t.relname as table, i.relname as name,
    case a.amname when 'btree' then '' else a.amname || ' ' end
    || '(' || (
      select string_agg(pg_get_indexdef(x.indexrelid, k, true)
        || case when c.oid is null or c.oid = coalesce(column_.attcollation, 100) then '' else ' collate ' || quote_ident(c.collname) end
        || case when o.opcdefault then '' else ' ' || o.opcname end
        || case x.indoption[k - 1] & 3 when 1 then ' desc nulls last' when 2 then ' nulls first' when 3 then ' desc' else '' end, ', ' order by k)
      from generate_series(1, x.indnkeyatts) k
      join pg_opclass o on o.oid = x.indclass[k - 1]
      left join pg_collation c on c.oid = x.indcollation[k - 1]
      left join pg_attribute column_ on column_.attrelid = x.indrelid and column_.attnum = x.indkey[k - 1] and column_.attnum <> 0
    ) || ')'
    || coalesce(' include (' || (select string_agg(pg_get_indexdef(x.indexrelid, k, true), ', ' order by k)
      from generate_series(x.indnkeyatts + 1, x.indnatts) k) || ')', '')
    || coalesce(' where ' || pg_get_expr(x.indpred, x.indrelid), '') as shape
  from unnest($1::text[], $2::text[]) as wanted (schema, name)
  join pg_namespace n on n.nspname = wanted.schema
  join pg_class t on t.relnamespace = n.oid and t.relname = wanted.name
  join pg_index x on x.indrelid = t.oid
  join pg_class i on i.oid = x.indexrelid
  join pg_am a on a.oid = i.relam
  where x.indisvalid
  order by 1, 2`
