-- perfdb plan: 2 to create
-- PostgreSQL <version>, database <database> on 127.0.0.1:<port> as postgres
-- plan <hash>

-- Run it as a file, not in a transaction: psql -X -f plan.sql
\set ON_ERROR_STOP on
set statement_timeout = 0;
set lock_timeout = 0;
set idle_in_transaction_session_timeout = 0;

-- create public.idx_jobs_status_created_at on jobs: missing
create index concurrently "idx_jobs_status_created_at" on "public"."jobs" using "btree" ("status", "created_at" desc);

-- create public.idx_customers_email_lower on customers: missing
create index concurrently "idx_customers_email_lower" on "public"."customers" using "btree" ((lower(email)));

-- Every row is an index that is missing or not valid: there must be none.
select declared.schema, declared.index, coalesce(i.indisvalid, false) as valid
from (values
  ('public', 'idx_jobs_status_created_at'),
  ('public', 'idx_customers_email_lower')
) as declared(schema, index)
left join pg_catalog.pg_namespace n on n.nspname = declared.schema
left join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relname = declared.index
left join pg_catalog.pg_index i on i.indexrelid = c.oid
where i.indisvalid is not true;
