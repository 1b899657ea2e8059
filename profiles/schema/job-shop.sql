-- A job shop: customers order jobs, jobs go through steps on machines, people are told and everything is logged.
-- Keys only, as the tables stood before profiles/job-shop.yaml: no secondary index, no extension.

create table public.customers (
  id bigint generated always as identity primary key,
  name text not null,
  email text,
  phone text,
  address text,
  notes text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create table public.users (
  id integer generated always as identity primary key,
  username text not null unique,
  full_name text not null,
  email text not null,
  role text not null check (role in ('admin', 'manager', 'planner', 'operator')),
  is_active boolean not null default true,
  created_at timestamptz not null default now()
);

create table public.machines (
  id integer generated always as identity primary key,
  code text not null unique,
  name text not null,
  status text not null check (status in ('idle', 'running', 'maintenance', 'broken')),
  is_active boolean not null default true,
  created_at timestamptz not null default now()
);

create table public.processes (
  id integer generated always as identity primary key,
  code text not null unique,
  name text not null,
  category text not null,
  sort_order integer not null,
  is_active boolean not null default true
);

create table public.role_process_permissions (
  id integer generated always as identity primary key,
  role text not null,
  process_id integer not null references public.processes (id),
  can_view boolean not null default true,
  can_complete boolean not null default false,
  unique (role, process_id)
);

create table public.jobs (
  id bigint generated always as identity primary key,
  job_number text not null unique,
  customer_id bigint not null references public.customers (id),
  title text not null,
  description text,
  status text not null check (status in ('draft', 'active', 'on_hold', 'completed', 'cancelled')),
  priority smallint not null default 3,
  due_date date,
  created_by integer not null references public.users (id),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create table public.job_steps (
  id bigint generated always as identity primary key,
  job_id bigint not null references public.jobs (id) on delete cascade,
  process_id integer not null references public.processes (id),
  machine_id integer references public.machines (id),
  assigned_to integer references public.users (id),
  step_order smallint not null,
  status text not null check (status in ('pending', 'in_progress', 'blocked', 'completed', 'skipped')),
  estimated_minutes integer not null,
  started_at timestamptz,
  completed_at timestamptz,
  created_at timestamptz not null default now()
);

create table public.notifications (
  id bigint generated always as identity primary key,
  user_id integer not null references public.users (id) on delete cascade,
  job_id bigint references public.jobs (id) on delete cascade,
  type text not null check (type in ('assigned', 'status_changed', 'due_soon', 'overdue', 'comment')),
  message text not null,
  is_read boolean not null default false,
  created_at timestamptz not null default now()
);

create table public.audit_logs (
  id bigint generated always as identity primary key,
  user_id integer references public.users (id) on delete set null,
  action text not null check (action in ('create', 'update', 'delete', 'login')),
  entity_type text not null,
  entity_id bigint,
  details jsonb,
  created_at timestamptz not null default now()
);
