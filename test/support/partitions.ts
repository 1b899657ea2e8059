import type postgres from 'postgres'

/** Four leaves on two levels: p_2023, p_2024, and p_2025 by parity; about 100 rows a year. */
export const ordersTable = `create table orders (id int not null, kind int not null, note text, at date not null) partition by range (at);
  create table p_2023 partition of orders for values from ('2023-01-01') to ('2024-01-01');
  create table p_2024 partition of orders for values from ('2024-01-01') to ('2025-01-01');
  create table p_2025 partition of orders for values from ('2025-01-01') to ('2026-01-01') partition by list (kind);
  create table p_2025_even partition of p_2025 for values in (0);
  create table p_2025_odd partition of p_2025 for values in (1);
  insert into orders select n, n % 2, 'n' || n, date '2023-01-01' + (n * 37) % 1090 from generate_series(1, 300) n;`

export interface TreeIndex {
  readonly table: string
  readonly name: string
  readonly oid: number
  readonly valid: boolean
  readonly depth: number
}

/** The index of that name with all that is attached below it, as the catalog says. */
export async function treeOf(sql: postgres.Sql, name: string): Promise<readonly TreeIndex[]> {
  return await sql<TreeIndex[]>`
    with recursive tree as (
      select oid, 0 as depth from pg_class where relname = ${name} and relkind in ('i', 'I')
      union all select h.inhrelid, t.depth + 1 from tree t join pg_inherits h on h.inhparent = t.oid
    )
    select t.relname as "table", c.relname as name, c.oid::int8::int as oid, i.indisvalid and i.indisready and i.indislive as valid, depth
    from tree join pg_index i on i.indexrelid = tree.oid join pg_class c on c.oid = tree.oid join pg_class t on t.oid = i.indrelid
    order by depth, t.relname`
}

/** Each table of the tree and whether its index is valid: `{ orders: true, p_2023: true, ... }`. */
export async function validity(sql: postgres.Sql, name: string): Promise<Readonly<Record<string, boolean>>> {
  return Object.fromEntries((await treeOf(sql, name)).map((index) => [index.table, index.valid]))
}

export const allValid = {
  orders: true,
  p_2023: true,
  p_2024: true,
  p_2025: true,
  p_2025_even: true,
  p_2025_odd: true,
} as const

export const byKind = '{ name: i_kind, table: orders, keys: [kind, id] }'
export const bySlow = '{ name: i_slow, table: orders, keys: [{ expression: public.slow(id) }] }'

/** An index of it takes about a second on the partition of a year. */
export const slowFunction = `create function public.slow(int) returns int language plpgsql immutable as $$ begin perform pg_catalog.pg_sleep(0.005); return $1; end $$;`

/** Indexes of the partitions that are good: none of them is ever dropped. */
export async function usable(sql: postgres.Sql): Promise<readonly { readonly oid: number }[]> {
  return sql<
    { oid: number }[]
  >`select i.indexrelid::int8::int as oid from pg_index i join pg_class c on c.oid = i.indexrelid
    where indrelid::regclass::text ~ '^(p_|orders)' and indisvalid and c.relkind = 'i'`
}

/** Somebody builds an index on the table right now. */
export async function buildsOn(sql: postgres.Sql, table: string): Promise<boolean> {
  const rows =
    await sql`select 1 from pg_stat_progress_create_index p where datname = current_database() and relid = ${table}::regclass`
  return rows.length > 0
}
