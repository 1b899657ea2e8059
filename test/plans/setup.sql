-- The job shop of the gallery. Autovacuum is off: what a query plan shows must not depend on when it ran.
create table customers (id int primary key, name text not null, email varchar(80) not null, region int not null, notes text);
create table jobs (id int primary key, customer_id int not null, status text not null, priority int not null, total numeric not null,
  pad text not null, created_at timestamptz not null, doc jsonb not null, tags int[] not null);
create table parts (id int primary key, job_id int not null references jobs (id) on delete cascade, sku text not null, qty int not null);
create table twins (a int, b int, c int, n int);
create table wide (half int, pad text);
create table unvacuumed (k int, v int);
create table sizes (id int, low int, high int);
create table blobs (id int, body text);
create table events (kind int, at int, pad text);
alter table customers set (autovacuum_enabled = off);
alter table jobs set (autovacuum_enabled = off);
alter table parts set (autovacuum_enabled = off);
alter table twins set (autovacuum_enabled = off);
alter table wide set (autovacuum_enabled = off);
alter table unvacuumed set (autovacuum_enabled = off);
alter table sizes set (autovacuum_enabled = off);
alter table blobs set (autovacuum_enabled = off);
alter table events set (autovacuum_enabled = off);
alter table wide alter pad set storage plain;
insert into customers select n, 'customer ' || n, 'c' || n || '@example.com', n % 20, null from generate_series(1, 2000) n;
insert into jobs select n, 1 + n % 2000, case when n % 500 = 0 then 'rare' when n % 3 = 0 then 'open' else 'done' end, n % 7, n,
  repeat('x', 60), '2024-01-01'::timestamptz + n * interval '1 minute', jsonb_build_object('k', n % 100), array[n % 50]
  from generate_series(1, 50000) n;
insert into parts select n, 1 + n % 50000, 'sku ' || n % 1000, n % 10 from generate_series(1, 60000) n;
insert into twins select n % 50, n % 50, n % 50, n from generate_series(1, 40000) n;
insert into wide select n % 2, repeat('y', 3000) from generate_series(1, 6000) n;
insert into unvacuumed select n, n from generate_series(1, 30000) n;
insert into sizes select n, n * 10, n * 10 + 9 from generate_series(1, 2000) n;
insert into blobs select n, repeat(md5(n::text), 400) from generate_series(1, 1500) n;
insert into events select n % 400, n, repeat('z', 40) from generate_series(1, 60000) n;
create index jobs_customer on jobs (customer_id);
create index jobs_status on jobs (status);
create index jobs_created on jobs (created_at);
create index twins_a on twins (a);
create index wide_half on wide (half);
create index unvacuumed_k on unvacuumed (k, v);
create index events_kind_at on events (kind, at);
create index jobs_tags on jobs using gin (tags);
vacuum analyze customers;
vacuum analyze jobs;
vacuum analyze parts;
vacuum analyze twins;
vacuum analyze wide;
analyze unvacuumed;
vacuum analyze sizes;
vacuum analyze blobs;
vacuum analyze events;
