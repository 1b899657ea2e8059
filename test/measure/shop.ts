/** Tables of a small job shop: 20,000 jobs of 1,000 customers, no index but the primary keys; analyzed. */
export const shop = `
  create table customers (id int primary key, name text not null, email text not null);
  create table jobs (id int primary key, customer_id int not null, status text not null, total numeric not null,
    note text not null default repeat('x', 60), created_at timestamptz not null);
  insert into customers select n, 'customer ' || n, 'c' || n || '@example.com' from generate_series(1, 1000) n;
  insert into jobs select n, 1 + n % 1000, case when n % 100 = 0 then 'rare' else 'common' end, n, repeat('x', 60),
    '2024-01-01'::timestamptz + n * interval '1 minute' from generate_series(1, 20000) n;
  analyze customers; analyze jobs;
`
