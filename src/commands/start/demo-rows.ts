import {
  createdAt,
  demoToday,
  endOfToday,
  firstNames,
  laterThan,
  legalForms,
  materials,
  operations,
  parts,
  pick,
  pickSkewed,
  roll,
  skewed,
  surname,
  textArray,
  trades,
} from './demo-values.js'

/*
 * The rows of the demo's tables, as INSERT ... SELECT over generate_series. Every value is computed from the row's
 * number, so that two loads are equal; ids are 1, 2, 3 ... of an empty table, so that references can be computed too.
 */

/** Rows of each table. */
export interface DemoRows {
  readonly customers: number
  readonly jobs: number
  readonly job_steps: number
  readonly machines: number
  readonly users: number
  readonly processes: number
  readonly role_process_permissions: number
  readonly notifications: number
  readonly audit_logs: number
}

/** The first users plan and manage; the others work at the machines, and the steps are theirs. */
const officeUsers = 24

/** Steps of 30 jobs in a row, 100 together: most have two to four, a few are long. */
export const stepsOfJobs = [3, 2, 4, 3, 5, 2, 3, 4, 1, 3, 6, 3, 2, 4, 3, 3, 5, 2, 3, 4, 8, 3, 2, 4, 1, 3, 5, 3, 2, 4]

/** 24 operations of four categories. */
export function processesSql(rows: DemoRows): string {
  return `insert into public.processes (code, name, category, sort_order, is_active)
select 'P' || lpad(n::text, 2, '0'), (${textArray(operations)})[n], (${textArray(['cutting', 'machining', 'joining', 'finishing'])})[1 + (n - 1) / 6],
  n * 10, n % 8 <> 0
from generate_series(1, ${rows.processes}) n`
}

/** Most run, one in ten is put away. */
export function machinesSql(rows: DemoRows): string {
  return `insert into public.machines (code, name, status, is_active, created_at)
select 'M' || lpad(n::text, 3, '0'), ${pick('n', 11, ['Mill', 'Lathe', 'Laser', 'Press', 'Grinder', 'Welder'])} || ' ' || n,
  ${pickSkewed('n', 12, ['running', 'idle', 'maintenance', 'broken'])}, n % 10 <> 0, ${createdAt('n', rows.machines)}
from generate_series(1, ${rows.machines}) n`
}

/** Three admins, nine managers, twelve planners, the rest operators; one in seven has left. */
export function usersSql(rows: DemoRows): string {
  return `insert into public.users (username, full_name, email, role, is_active, created_at)
select 'user' || n, ${pick('n', 21, firstNames)} || ' ' || ${surname(22)}, 'user' || n || '@shop.example',
  case when n <= 3 then 'admin' when n <= 12 then 'manager' when n <= ${officeUsers} then 'planner' else 'operator' end,
  n % 7 <> 0, ${createdAt('n', rows.users)}
from generate_series(1, ${rows.users}) n`
}

/** What each role may do with each process. */
export function permissionsSql(): string {
  return `insert into public.role_process_permissions (role, process_id, can_view, can_complete)
select r.role, p.id, true, r.role in ('admin', 'operator')
from unnest(${textArray(['admin', 'manager', 'planner', 'operator'])}) with ordinality r (role, n), public.processes p
order by r.n, p.id`
}

/** Firms: 57,600 names, the common ones hundreds of times. One in ten has no e-mail address. */
export function customersSql(rows: DemoRows): string {
  return `insert into public.customers (name, email, phone, address, notes, created_at, updated_at)
select f.surname || ' ' || f.trade || ' ' || ${pickSkewed('n', 35, legalForms)},
  case when ${roll('n', 37, 10)} > 0 then 'office@' || translate(lower(f.surname || '-' || f.trade), 'Ööü', 'oou') || '-' || n || '.example' end,
  case when ${roll('n', 38, 20)} > 0 then '+49 30 ' || lpad((${roll('n', 39, 10_000_000)})::text, 7, '0') end,
  f.surname || ' street ' || (1 + ${roll('n', 40, 200)}),
  case when ${roll('n', 41, 3)} = 0 then 'Pays ' || ${pick('n', 42, ['early', 'late', 'in advance', 'by instalments'])} || '; ask for the buyer of ' || f.trade end,
  f.created_at, ${laterThan('f.created_at', 1095, 'n', 43)}
from (
  select n, ${surname(31)} as surname, ${pickSkewed('n', 33, trades)} as trade, ${createdAt('n', rows.customers)} as created_at
  from generate_series(1, ${rows.customers}) n
) f`
}

/** By status: completed 70 %, active 12 %, draft 7 %, cancelled 7 %, on_hold 4 %; open ones are mostly the newest. */
export function jobsSql(rows: DemoRows): string {
  return `insert into public.jobs (job_number, customer_id, title, description, status, priority, due_date, created_by, created_at, updated_at)
select 'J-' || to_char(j.created_at at time zone 'UTC', 'YYYY') || '-' || lpad(n::text, 6, '0'),
  1 + ${skewed('n', 51, rows.customers)},
  j.part || ', ' || ${pick('n', 53, materials)},
  (5 * (1 + ${roll('n', 54, 100)})) || ' pieces of ' || j.part || ' as drawn, revision ' || (1 + ${roll('n', 55, 9)}) || '; deburr all edges, pack in crates',
  j.status, 1 + ${skewed('n', 56, 5)},
  case when j.open and ${roll('n', 57, 8)} > 0 then date '${demoToday}' + 1 + ${roll('n', 58, 120)}
    when j.open and ${roll('n', 57, 8)} = 0 then date '${demoToday}' - 1 - ${roll('n', 58, 60)}
    when ${roll('n', 57, 50)} > 0 then (j.created_at at time zone 'UTC')::date + 10 + ${roll('n', 58, 60)} end,
  1 + ${roll('n', 59, officeUsers)}, j.created_at,
  case when j.open then greatest(j.created_at, ${endOfToday} - interval '1 minute' * ${skewed('n', 60, 200_000)})
    else ${laterThan('j.created_at', 60, 'n', 61)} end
from (
  select *, status not in ('completed', 'cancelled') as open, ${pick('n', 52, parts)} as part, ${createdAt('n', rows.jobs)} as created_at
  from (
    select n, case when n > ${rows.jobs * 0.75}
      then (${textArray(['completed', 'cancelled', 'on_hold', 'draft', 'active'])})[1 + width_bucket(${roll('n', 50, 100)}, array[10, 18, 30, 60])]
      else (${textArray(['completed', 'cancelled', 'on_hold', 'active'])})[1 + width_bucket(${roll('n', 50, 100)}, array[90, 97, 98])] end as status
    from generate_series(1, ${rows.jobs}) n
  ) s
) j`
}

/** Steps follow their job's status: not started ones have neither time, the one under way has no completed_at. */
export function jobStepsSql(): string {
  return `insert into public.job_steps (job_id, process_id, machine_id, assigned_to, step_order, status, estimated_minutes, started_at, completed_at, created_at)
select s.job_id, s.process_id, case when s.process_id % 5 > 0 then 1 + ${skewed('s.seed', 71, 40)} end,
  case when s.status <> 'pending' or ${roll('s.seed', 73, 5)} > 1 then ${officeUsers + 1} + ${skewed('s.seed', 74, 120 - officeUsers)} end,
  s.k, s.status, 15 * (1 + ${roll('s.seed', 76, 32)}),
  case when s.status in ('completed', 'in_progress', 'blocked') then s.started_at end,
  case when s.status = 'completed' then s.started_at + interval '1 second' * (1 + ${roll('s.seed', 77, 1000)}) * s.slot / 2000 end,
  s.created_at
from (
  select j.id as job_id, k, d.slot, j.id * 10 + k as seed, 1 + ${roll('j.id * 10 + k', 78, 24)} as process_id,
    j.created_at + interval '1 second' * k as created_at,
    j.created_at + interval '1 second' * ((k - 1) * d.slot + d.slot * ${roll('j.id * 10 + k', 79, 1000)} / 2000 + 10) as started_at,
    case when k <= d.done then 'completed'
      when j.status = 'cancelled' then 'skipped'
      when k = d.done + 1 and j.status = 'active' then 'in_progress'
      when k = d.done + 1 and j.status = 'on_hold' then 'blocked'
      else 'pending' end as status
  from public.jobs j
  cross join lateral (select (array[${stepsOfJobs.join(', ')}])[1 + j.id % ${stepsOfJobs.length}] as steps) c
  cross join lateral (select
    case j.status when 'completed' then c.steps when 'draft' then 0 else (hashint8extended(j.id, 80) & 1073741823) % c.steps end as done,
    (least(c.steps * 86400, extract(epoch from ${endOfToday} - j.created_at)) / c.steps)::int as slot) d
  cross join lateral generate_series(1, c.steps) k
) s
order by s.job_id, s.k`
}

/** One in twelve of the old ones is unread, and every second one of the last weeks. */
export function notificationsSql(rows: DemoRows): string {
  return `insert into public.notifications (user_id, job_id, type, message, is_read, created_at)
select 1 + ${skewed('n', 91, rows.users)}, t.job_id, t.type,
  case when t.job_id is null then 'The shop closes early on Friday' else 'Job ' || t.job_id || ': ' || replace(t.type, '_', ' ') || ', please look at its steps' end,
  ${roll('n', 94, 12)} > 0 and (n < ${rows.notifications * 0.98} or ${roll('n', 95, 2)} = 0), ${createdAt('n', rows.notifications)}
from (
  select n, case when ${roll('n', 92, 10)} > 0 then 1 + n * ${rows.jobs - 1}::bigint / ${rows.notifications} end as job_id,
    ${pickSkewed('n', 93, ['status_changed', 'assigned', 'comment', 'due_soon', 'overdue'])} as type
  from generate_series(1, ${rows.notifications}) n
) t`
}

/** Six in ten entries are of jobs, a few machines have thousands. */
export function auditLogsSql(rows: DemoRows): string {
  return `insert into public.audit_logs (user_id, action, entity_type, entity_id, details, created_at)
select case when ${roll('n', 101, 50)} > 0 then 1 + ${skewed('n', 102, rows.users)} end,
  case when e.type = 'user' then 'login' else ${pickSkewed('n', 104, ['update', 'create', 'delete'])} end,
  e.type, 1 + case e.type when 'job' then ${roll('n', 105, rows.jobs)} when 'customer' then ${skewed('n', 106, rows.customers)}
    when 'machine' then ${skewed('n', 108, rows.machines)} else ${skewed('n', 110, rows.users)} end,
  jsonb_build_object('field', ${pick('n', 112, ['status', 'due_date', 'priority', 'assigned_to'])}, 'old', ${roll('n', 113, 100)}, 'new', ${roll('n', 114, 100)}),
  ${createdAt('n', rows.audit_logs)}
from (
  select n, (${textArray(['job', 'customer', 'user', 'machine'])})[1 + width_bucket(${roll('n', 103, 100)}, array[60, 85, 95])] as type
  from generate_series(1, ${rows.audit_logs}) n
) e`
}
