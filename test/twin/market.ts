/**
 * A market of a few tables as production has them: partitions, an expression, a partial, a gin and a brin index, a queue; and rows that came after
 * the last ANALYZE.
 */
export const market = `
  create extension pg_trgm;
  create type state as enum ('new', 'paid', 'sent', 'lost');
  create table customers (id bigint primary key, email text not null, name text not null, tags text[] not null, region int not null,
    check (region >= 0));
  create table orders (id bigint primary key, customer_id bigint not null references customers, state state not null, placed timestamptz not null,
    total numeric(10, 2) not null, note text, doc jsonb not null);
  create table events (id bigint not null, at timestamptz not null, kind int not null, primary key (id, at)) partition by range (at);
  create table events_1 partition of events for values from ('2024-01-01') to ('2025-01-01');
  create table events_2 partition of events for values from ('2025-01-01') to ('2026-01-01');
  create table log (at timestamptz not null, line text not null);
  -- An autovacuum between the reading of statistics and a query would be a difference.
  alter table customers set (autovacuum_enabled = off); alter table orders set (autovacuum_enabled = off);
  alter table events_1 set (autovacuum_enabled = off); alter table events_2 set (autovacuum_enabled = off); alter table log set (autovacuum_enabled = off);
  insert into customers select n, 'Person' || n || '@Example.com', 'name ' || n % 5000, array['t' || n % 50, 'u' || n % 7], n % 20 from generate_series(1, 20000) n;
  insert into orders select n, 1 + n * 7 % 20000, (array['new', 'paid', 'sent', 'sent', 'sent', 'sent', 'sent', 'sent', 'sent', 'lost']::state[])[1 + n % 10],
    timestamptz '2025-01-01' + n * interval '4 min', n % 1000, case when n % 3 = 0 then repeat('x', 40) end, jsonb_build_object('k', n % 100, 'v', n)
    from generate_series(1, 120000) n;
  insert into events select n, timestamptz '2024-01-01' + n * interval '12 min', n % 30 from generate_series(1, 80000) n;
  insert into log select timestamptz '2025-01-01' + n * interval '1 min', 'line ' || n from generate_series(1, 100000) n;
  create index orders_customer on orders (customer_id);
  create index orders_placed on orders (placed);
  create index orders_open on orders (placed) where state = 'new';
  create index customers_email on customers (lower(email));
  create index customers_tags on customers using gin (tags);
  create index customers_name on customers using gin (name gin_trgm_ops);
  create index log_at on log using brin (at);
  create index events_kind on events (kind, at);
  create view open_orders as select * from orders where state = 'new';
  analyze;
  insert into orders select n, 1 + n % 20000, 'new', timestamptz '2025-01-01' + n * interval '4 min', 5, null, '{}' from generate_series(120001, 132000) n;`

/** By name: statements of all kinds, some of them on what came after the last ANALYZE. */
export const queries: Readonly<Record<string, string>> = {
  key: 'select * from orders where id = 500',
  join: `select o.id, c.name from orders o join customers c on c.id = o.customer_id where o.customer_id = 77`,
  wide: `select c.region, sum(o.total) from orders o join customers c on c.id = o.customer_id group by c.region`,
  newest: 'select * from orders order by placed desc limit 20',
  after: `select * from orders where placed > timestamptz '2025-12-10'`,
  beyond: `select count(*) from orders where placed > timestamptz '2025-12-30' and total > 4`,
  ids: 'select * from orders where id > 119000',
  partial: `select * from open_orders where placed < timestamptz '2025-02-01'`,
  state: `select count(*) from orders where state = 'lost'`,
  expression: `select * from customers where lower(email) = 'person77@example.com'`,
  tags: `select * from customers where tags @> array['t7']`,
  trigrams: `select * from customers where name like '%me 499%'`,
  brin: `select count(*) from log where at between '2025-02-01' and '2025-02-02'`,
  pruned: `select count(*) from events where at >= '2025-03-01' and kind = 3`,
  all_parts: `select * from events where kind = 3 and at < '2025-01-05' and at > '2024-12-25'`,
  loop: `select c.id, (select max(o.placed) from orders o where o.customer_id = c.id) from customers c where c.region = 3 and c.id < 500`,
}
