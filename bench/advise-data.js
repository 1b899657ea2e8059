/*
 * A shop of eight tables, and 40 slow queries of it: 20 that an index helps, each with one that a person would make, and 20 with nothing to gain, each with
 * the one that a search over its columns would make where there is any. Values of $1 are in `params`.
 */

const of = (seed, most) => `((hashint4(n + ${seed}) & 2147483647) % ${most})`
const oneOf = (seed, words) => `(array['${words.join("', '")}'])[1 + ${of(seed, words.length)}]`

/** SQL texts that make and fill the tables; at scale 1 the largest has 1,000,000 rows. */
export function tables(scale) {
  const rows = (count) => `generate_series(1, ${Math.round(count * scale)}) n`
  const [customers, orders, products] = [100_000, 400_000, 40_000].map((count) => Math.round(count * scale))
  return [
    `create table customers (id int primary key, email text not null, name text not null, country text not null, created timestamptz not null,
      tags text[] not null, prefs jsonb not null, deleted_at timestamptz)`,
    `insert into customers select n, 'c' || n || '@example.com', 'Name ' || ${of(1, 60_000)}, ${oneOf(2, ['de', 'fr', 'it', 'es', 'us'])},
      timestamptz '2023-01-01' + n * interval '13 min', array['t' || ${of(3, 900)}, 'u' || n % 7],
      jsonb_build_object('theme', ${of(4, 700)}), case when n % 150 = 0 then timestamptz '2025-01-01' end from ${rows(100_000)}`,
    'create extension pg_trgm',
    `create table products (id int primary key, sku text not null unique, name text not null, category int not null, price numeric not null)`,
    `insert into products select n, 'S' || n, md5(n::text), ${of(5, 400)}, ${of(6, 90_000)} / 100.0 from ${rows(40_000)}`,
    `create table orders (id int primary key, customer_id int not null references customers, status text not null, placed timestamptz not null,
      total numeric not null, shipped timestamptz, note text not null)`,
    `insert into orders select n, 1 + ${of(7, customers)}, case n % 500 when 0 then 'refunded' when 1 then 'lost' else 'done' end,
      timestamptz '2024-01-01' + n * interval '2 min', ${of(8, 90_000)} / 100.0,
      case when n % 10 > 0 then timestamptz '2024-01-03' + ${of(9, 400_000)} * interval '2 min' end, repeat('x', 90) from ${rows(400_000)}`,
    `create table lines (id int primary key, order_id int not null references orders, product_id int not null, quantity int not null, price numeric not null)`,
    `insert into lines select n, 1 + ${of(10, orders)}, 1 + ${of(11, products)}, 1 + n % 9, ${of(12, 9000)} / 100.0 from ${rows(1_000_000)}`,
    `create table messages (id int primary key, thread int not null, sender int not null, recipient int not null, sent timestamptz not null,
      seen boolean not null, body text not null)`,
    `insert into messages select n, ${of(13, 9000)}, 1 + ${of(14, customers)}, 1 + ${of(15, customers)}, timestamptz '2025-01-01' + n * interval '1 min',
      n % 300 > 0, repeat('y', 120) from ${rows(300_000)}`,
    `create table events (id int not null, at timestamptz not null, kind int not null, visitor int not null, payload jsonb not null) partition by range (at)`,
    ...['01', '04', '07', '10'].map(
      (month, at, all) =>
        `create table events_${month} partition of events for values from ('2025-${month}-01') to ('${all[at + 1] === undefined ? '2026-01' : `2025-${all[at + 1]}`}-01')`,
    ),
    `insert into events select n, timestamptz '2025-01-01' + n * interval '1 min', n % 40, ${of(16, 50_000)},
      jsonb_build_object('ip', '10.0.' || n % 250 || '.' || ${of(17, 250)}) from ${rows(500_000)}`,
    `create table readings (at timestamptz not null, sensor int not null, value float8 not null, note text not null)`,
    `insert into readings select timestamptz '2025-01-01' + n * interval '30 s', n % 500, n % 977, repeat('z', 60) from ${rows(600_000)}`,
    `create table settings (name text primary key, value text not null)`,
    `insert into settings select 'k' || n, repeat('v', 200) from generate_series(1, 300) n`,
    `create function slow(n int) returns int language plpgsql as $$ begin perform pg_sleep(0.0002); return n; end $$`,
    'create index orders_customer on orders (customer_id)',
    'create index orders_placed on orders (placed)',
    'create index events_kind on events (kind, at)',
    'vacuum analyze',
  ]
}

const gains = [
  ['select * from customers where email = $1', 'customers (email)', ['c7001@example.com']],
  [`select * from customers where lower(name) = 'name 777'`, 'customers (lower(name))'],
  [`select * from products where name like '%abcd%'`, 'products using gin (name gin_trgm_ops)'],
  ['select * from messages where thread = $1 order by sent desc limit 20', 'messages (thread, sent desc)', ['77']],
  [`select * from orders where status = 'refunded' and placed > '2024-02-01'`, 'orders (status, placed)'],
  [
    `select * from customers where created between '2023-02-01' and '2023-02-02' and country = 'de'`,
    'customers (country, created)',
  ],
  [`select * from customers where tags @> array['t77']`, 'customers using gin (tags)'],
  [`select * from customers where prefs @> '{"theme": 77}'`, 'customers using gin (prefs jsonb_path_ops)'],
  ['select * from messages where not seen and sent > $1', 'messages (sent) where not seen', ['2025-03-01']],
  [
    `select country, count(*) from customers where deleted_at is not null group by country`,
    'customers (country) where deleted_at is not null',
  ],
  ['select * from messages where sender = 77 or recipient = 77', 'messages (sender)', [], 'messages (recipient)'],
  [
    `select * from orders where status in ('refunded', 'lost') order by placed desc limit 30`,
    'orders (status, placed)',
  ],
  [`select l.* from products p join lines l on l.product_id = p.id where p.sku = 'S777'`, 'lines (product_id)'],
  ['select sum(quantity) from lines where product_id between 100 and 140', 'lines (product_id) include (quantity)'],
  ['select * from events where visitor = $1', 'events (visitor, at)', ['77']],
  [`select * from events where payload ->> 'ip' = '10.0.7.77'`, `events ((payload ->> 'ip'))`],
  [
    'select c.id, m.* from customers c cross join lateral (select * from messages where sender = c.id order by sent desc limit 1) m where c.id < 40',
    'messages (sender, sent)',
  ],
  ['update messages set seen = true where thread = 78 and not seen', 'messages (thread)'],
  [`select * from products where name like 'abc%'`, 'products (name text_pattern_ops)'],
  [`select * from readings where at between '2025-02-01' and '2025-02-01 06:00'`, 'readings using brin (at)'],
]

const content = [
  ['select * from orders where id = $1', '', ['7001']],
  [`select * from products where sku = 'S7001'`],
  ['select count(*), sum(total), max(note) from orders', 'orders (total)'],
  [`select count(*), max(note) from orders where status <> 'lost'`, 'orders (status)'],
  [`select avg(value), max(note) from readings where sensor < 400`, 'readings (sensor)'],
  [`select * from settings where value like 'v%'`, 'settings (value)'],
  ['select * from products', 'products (category)'],
  ['select * from orders where customer_id = 77', 'orders (customer_id, placed)'],
  ['select * from orders order by placed desc limit 50', 'orders (placed desc)'],
  ['select count(*) from readings where random() < 0.01', 'readings (value)'],
  ['select count(*), max(body) from messages where id % 3 = 1', 'messages ((id % 3))'],
  [`select count(*) from orders where length(note) > 10`, 'orders (length(note))'],
  [
    'select o.status, sum(l.price * l.quantity), max(o.note) from orders o join lines l on l.order_id = o.id group by o.status',
    'lines (order_id)',
  ],
  ['select category, avg(length(name)), max(sku), max(price) from products group by category', 'products (category)'],
  [
    'select *, row_number() over (partition by country order by created) from customers',
    'customers (country, created)',
  ],
  ['select * from orders order by total, note', 'orders (total, note)'],
  ['select * from orders order by id limit 20 offset 60000', 'orders (id, placed)'],
  [`select count(*), max(payload::text) from events where at < '2025-04-01'`, 'events (at)'],
  ['select sum(slow(n)) from generate_series(1, 200) n'],
  ['select id from customers where id = 77 for update', 'customers (id, email)'],
]

const named = (all, letter) =>
  all.map(([sql, index = '', params = [], more], at) => ({
    name: `${letter}${at + 1}`,
    sql: sql.replaceAll(/\s+/g, ' '),
    params,
    person: [index, more].flatMap((one) => one || []),
  }))

export const queries = [...named(gains, 'gains'), ...named(content, 'content')]
