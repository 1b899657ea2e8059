-- An order system of many tenants in one schema. Keys only, as before profiles/oms.yaml.

create table public.tenants (
  id uuid primary key default gen_random_uuid(),
  name text not null unique,
  created_at timestamptz not null default now()
);

create table public.invoices (
  id uuid primary key default gen_random_uuid(),
  tenant_id uuid not null references public.tenants (id),
  invoice_number text not null,
  invoice_status text not null check (invoice_status in ('draft', 'sent', 'paid', 'overdue', 'void')),
  invoice_date date not null,
  total numeric(14, 2) not null,
  created_at timestamptz not null default now(),
  unique (tenant_id, invoice_number)
);

create table public.payments (
  id uuid primary key default gen_random_uuid(),
  tenant_id uuid not null references public.tenants (id),
  invoice_id uuid not null references public.invoices (id),
  amount numeric(14, 2) not null,
  method text not null,
  payment_date date not null,
  created_at timestamptz not null default now()
);

create table public.audit_events (
  id uuid primary key default gen_random_uuid(),
  tenant_id uuid not null references public.tenants (id),
  actor text not null,
  action text not null,
  entity text not null,
  entity_id uuid,
  payload jsonb,
  created_at timestamptz not null default now()
);
