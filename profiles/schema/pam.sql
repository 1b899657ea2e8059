-- A personal assistant: conversations and their messages, expenses, settings. Keys only, as before profiles/pam.yaml.
-- The accounts live in another schema, which the hosting service owns: user_id has no foreign key here.

create table public.pam_conversations (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null,
  title text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create table public.pam_messages (
  id uuid primary key default gen_random_uuid(),
  conversation_id uuid not null references public.pam_conversations (id) on delete cascade,
  role text not null check (role in ('user', 'assistant', 'system')),
  content text not null,
  created_at timestamptz not null default now()
);

create table public.expenses (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null,
  category text not null,
  amount numeric(12, 2) not null,
  currency char(3) not null,
  description text,
  date date not null,
  created_at timestamptz not null default now()
);

create table public.user_settings (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null,
  settings jsonb not null default '{}',
  updated_at timestamptz not null default now()
);
