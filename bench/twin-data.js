/*
 * Five tables, one of them partitioned, with indexes of expressions, parts of the rows, gin and brin; and 30 queries, the last ten over rows that came after the last
 * ANALYZE.
 */

/** SQL texts; each table has about so many rows. */
export function tables(rows) {
  const series = `generate_series(1, ${rows}) n`
  const later = `generate_series(${rows + 1}, ${Math.round(rows * 1.1)}) n`
  const order = `n, 1 + n * 7 % ${rows}, (array['new', 'paid', 'sent', 'sent', 'sent', 'sent', 'sent', 'sent', 'sent', 'lost'])[1 + n % 10],
    timestamptz '2020-01-01' + n * interval '1 min', n % 1000, case when n % 3 = 0 then repeat('x', 40) end`
  const day = (at) => `timestamptz '2020-01-01' + ${Math.round(rows * at)} * interval '1 min'`
  const names = ['customers', 'orders', 'events_1', 'events_2', 'log', 'documents']
  return {
    statements: [
      `create table customers (id bigint primary key, email text not null, name text not null, tags text[] not null, region int not null)`,
      `create table orders (id bigint primary key, customer_id bigint not null, state text not null, placed timestamptz not null, total numeric not null, note text)`,
      `create table events (id bigint not null, at timestamptz not null, kind int not null, primary key (id, at)) partition by range (at)`,
      `create table events_1 partition of events for values from (minvalue) to (${day(0.5)})`,
      `create table events_2 partition of events for values from (${day(0.5)}) to (maxvalue)`,
      `create table log (at timestamptz not null, line text not null)`,
      `create table documents (id bigint primary key, doc jsonb not null, title text not null)`,
      ...names.map((name) => `alter table ${name} set (autovacuum_enabled = off)`),
      `insert into customers select n, 'Person' || n || '@Example.com', 'name ' || n % 5000, array['t' || n % 50, 'u' || n % 7], n % 20 from ${series}`,
      `insert into orders select ${order} from ${series}`,
      `insert into events select n, timestamptz '2020-01-01' + n * interval '1 min', n % 30 from ${series}`,
      `insert into log select timestamptz '2020-01-01' + n * interval '1 min', 'line ' || n from ${series}`,
      `insert into documents select n, jsonb_build_object('k', n % 1000, 'v', n % 7), 'title ' || n % 900 from ${series}`,
      'create index orders_customer on orders (customer_id)',
      'create index orders_placed on orders (placed)',
      `create index orders_open on orders (placed) where state = 'new'`,
      'create index customers_email on customers (lower(email))',
      'create index customers_tags on customers using gin (tags)',
      'create index documents_doc on documents using gin (doc jsonb_path_ops)',
      'create index documents_title on documents (title, id)',
      'create index log_at on log using brin (at)',
      'create index events_kind on events (kind, at)',
      'analyze',
      `insert into orders select ${order} from ${later}`,
      `insert into events select n, timestamptz '2020-01-01' + n * interval '1 min', n % 30 from ${later}`,
      `insert into documents select n, jsonb_build_object('k', n % 1000, 'v', n % 7), 'title ' || n % 900 from ${later}`,
      `insert into log select timestamptz '2020-01-01' + n * interval '1 min', 'line ' || n from ${later}`,
    ],
    queries: [
      'select * from orders where id = 500',
      'select o.id, c.name from orders o join customers c on c.id = o.customer_id where o.customer_id = 77',
      'select c.region, sum(o.total) from orders o join customers c on c.id = o.customer_id group by c.region',
      `select * from orders where state = 'new' and placed < ${day(0.1)}`,
      `select count(*) from orders where state = 'lost'`,
      `select count(*) from orders where state = 'lost' and total > 900`,
      `select * from customers where lower(email) = 'person77@example.com'`,
      `select * from customers where tags @> array['t7']`,
      `select * from customers where tags && array['t7', 't8'] and region = 3`,
      `select * from documents where doc @> '{"k": 77}'`,
      `select * from documents where title = 'title 7' order by id limit 10`,
      `select count(*) from log where at between ${day(0.2)} and ${day(0.21)}`,
      `select count(*) from events where at < ${day(0.3)} and kind = 3`,
      `select * from events where kind = 3 and at between ${day(0.49)} and ${day(0.51)}`,
      'select kind, count(*) from events group by kind',
      'select c.id, (select max(o.placed) from orders o where o.customer_id = c.id) from customers c where c.region = 3 and c.id < 500',
      'select * from customers order by id desc limit 20',
      'select distinct region from customers',
      `select * from orders where customer_id in (1, 2, 3, 4, 5) or id in (7, 8)`,
      `update orders set total = 0 where customer_id = 99`,
      'select * from orders order by placed desc limit 20',
      `select * from orders where placed > ${day(1.05)}`,
      `select count(*) from orders where placed > ${day(1.09)} and total > 4`,
      `select * from orders where id > ${Math.round(rows * 1.08)}`,
      `select * from orders where state = 'new' and placed > ${day(1.08)}`,
      `select * from events where at > ${day(1.08)} and kind = 3`,
      `select count(*) from events where at > ${day(1.02)}`,
      `select * from documents where id > ${Math.round(rows * 1.09)}`,
      `select * from log where at > ${day(1.09)}`,
      `select o.id from orders o join customers c on c.id = o.customer_id where o.placed > ${day(1.095)}`,
    ],
  }
}
