-- perfdb plan: 1 to create, 1 to replace, 1 to rebuild, 1 to rename, 1 to drop, 1 being built elsewhere, 28 to keep
-- PostgreSQL 18.4, database shop on db.example:5432 as app
-- plan ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff
-- error DIFFERS: the existing index has keys (status), declared are (status, created_at desc)
-- warning REDUNDANT: idx_jobs_status is a prefix of idx_jobs_status_created_at

-- Run it as a file, not in a transaction: psql -X -f plan.sql
\set ON_ERROR_STOP on
set statement_timeout = 0;
set lock_timeout = 0;
set idle_in_transaction_session_timeout = 0;

-- create public.idx_jobs_status_created_at on jobs: no index of that name
-- hazard LARGE_BUILD: the build reads 230 MB and writes about 40 MB, more than --max-size 100MB (perfdb apply wants --allow LARGE_BUILD)
create index concurrently "idx_jobs_status_created_at" on "public"."jobs" using btree ("status", "created_at" desc nulls last);

-- replace public.idx_customers_email_lower on customers: the existing index has keys (status), declared are (status, created_at desc)
-- hazard REPLACE: the existing index goes away (perfdb apply wants --allow REPLACE)
-- hazard UNIQUE_BUILD: fails when there are duplicates, and writers wait for its check (perfdb apply wants --allow UNIQUE_BUILD)
create unique index concurrently "idx_customers_email_lower_perfdb" on "public"."customers" using btree (lower("email")) where "email" is not null;
drop index concurrently "public"."idx_customers_email_lower";
alter index "public"."idx_customers_email_lower_perfdb" rename to "idx_customers_email_lower";

-- rebuild public.idx_orders_customer_region_status_created_at_where_not_deleted1 on orders: the index is not valid
drop index concurrently "public"."x";
create index concurrently "x" on "public"."orders" ("a");

-- adopt public.idx_parts_number on parts: idx_old_name has the same definition
-- hazard RENAME: idx_old_name gets the declared name (perfdb apply wants --allow RENAME)
alter index "public"."idx_old_name" rename to "idx_parts_number";

-- drop public.idx_jobs_old on jobs: declared absent
-- hazard DROP: idx_jobs_old was read 12 times since 2025-01-01 (perfdb apply wants --allow DROP)
drop index concurrently "public"."idx_jobs_old";

-- Every row is an index that is missing or not valid: there must be none.
select declared.schema, declared.index, coalesce(i.indisvalid, false) as valid
from (values
  ('public', 'idx_jobs_status_created_at'),
  ('public', 'idx_customers_email_lower'),
  ('public', 'idx_orders_customer_region_status_created_at_where_not_deleted1'),
  ('public', 'idx_parts_number')
) as declared(schema, index)
left join pg_catalog.pg_namespace n on n.nspname = declared.schema
left join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = declared.index
left join pg_catalog.pg_index i on i.indexrelid = c.oid
where i.indisvalid is not true;
