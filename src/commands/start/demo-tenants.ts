import type { DemoStatement } from './demo-data.js'
import { demoToday, endOfToday, pick, pickSkewed, roll, skewed } from './demo-values.js'

/* Data of profiles/pam.yaml and profiles/oms.yaml: few users and tenants have most of the rows, and those whose ids stand in the profiles are among them. */

const pamUser = '8a3f1c52-6f0e-4b1d-9d55-0c7f6f1f2a01'
const pamConversation = '5b0c7a7e-2d3c-4a94-8a52-3f8a1f0b7c02'
const largeTenant = 'c1d7e7a0-3b55-4c3f-9a43-1f6f5f2e0a01'
const smallTenant = 'c1d7e7a0-3b55-4c3f-9a43-1f6f5f2e0a02'

/** SQL of the id of a thing by its number; those with a name have an id of their own. */
function idOf(kind: string, number: string, named: Readonly<Record<number, string>> = {}): string {
  const special = Object.entries(named).map(([at, id]) => `when ${at} then '${id}'`)
  const hashed = `md5('${kind}' || (${number}))`
  return special.length === 0 ? `${hashed}::uuid` : `(case ${number} ${special.join(' ')} else ${hashed} end)::uuid`
}

/** SQL of a moment of the last 540 days. */
function past(of: string, salt: number): string {
  return `${endOfToday} - ${roll(of, salt, 540 * 1440)} * interval '1 minute'`
}

function pastDay(of: string, salt: number): string {
  return `date '${demoToday}' - ${roll(of, salt, 540)}`
}

function sized<Table extends string>(scale: number, atOne: Readonly<Record<Table, number>>): Record<Table, number> {
  const entries = Object.entries<number>(atOne).map(([table, rows]) => [table, Math.max(10, Math.round(rows * scale))])
  return Object.fromEntries(entries)
}

function load(rows: Readonly<Record<string, number>>, inserts: Readonly<Record<string, string>>): DemoStatement[] {
  const tables = Object.keys(rows).map((table) => `public.${table}`)
  return [
    { label: 'foreign keys off', sql: 'set session_replication_role = replica' },
    ...Object.entries(inserts).map(([table, select]) => ({
      label: table,
      sql: `insert into public.${table} ${select} from generate_series(0, ${(rows[table] ?? 1) - 1}) n`,
    })),
    { label: 'foreign keys on', sql: 'set session_replication_role = origin' },
    { label: 'vacuum and analyze', sql: `vacuum (analyze) ${tables.join(', ')}` },
  ]
}

/** Rows of each table of the assistant; at scale 1 a look-up of one user reads those of 20,000. */
export function pamRows(scale: number) {
  return sized(scale, { pam_conversations: 300_000, pam_messages: 1_500_000, expenses: 800_000, user_settings: 20_000 })
}

export function pamStatements(scale: number): readonly DemoStatement[] {
  const rows = pamRows(scale)
  const user = (number: string) => idOf('user', number, { 0: pamUser })
  const conversation = (number: string) => idOf('conversation', number, { 0: pamConversation })
  return load(rows, {
    pam_conversations: `(id, user_id, title, created_at) select ${conversation('n')}, ${user(skewed('n', 101, rows.user_settings))},
      'Conversation ' || n, ${past('n', 103)}`,
    pam_messages: `(id, conversation_id, role, content, created_at) select ${idOf('message', 'n')}, ${conversation(skewed('n', 111, rows.pam_conversations))},
      case n % 2 when 0 then 'user' else 'assistant' end, repeat('What was said in message ' || n || '. ', 1 + ${roll('n', 113, 8)}), ${past('n', 114)}`,
    expenses: `(id, user_id, category, amount, currency, date) select ${idOf('expense', 'n')}, ${user(skewed('n', 121, rows.user_settings))},
      ${pickSkewed('n', 123, ['food', 'travel', 'rent', 'health', 'books', 'gifts'])}, 1 + ${roll('n', 125, 20_000)} / 100.0,
      ${pickSkewed('n', 126, ['EUR', 'USD', 'CHF'])}, ${pastDay('n', 128)}`,
    user_settings: `(id, user_id, settings) select ${idOf('settings', 'n')}, ${user('n')},
      jsonb_build_object('language', ${pick('n', 131, ['de', 'en', 'fr', 'es'])}, 'theme', ${pick('n', 132, ['light', 'dark'])}, 'about', repeat('x', 200))`,
  })
}

/** Rows of each table of the order system; the first of its tenants has most of them, the last hardly any. */
export function omsRows(scale: number) {
  return sized(scale, { tenants: 1000, invoices: 600_000, payments: 600_000, audit_events: 1_000_000 })
}

export function omsStatements(scale: number): readonly DemoStatement[] {
  const rows = omsRows(scale)
  const tenant = (number: string) => idOf('tenant', number, { 0: largeTenant, [rows.tenants - 1]: smallTenant })
  // A payment is of the invoice with its number, and so of that one's tenant.
  const owner = tenant(skewed('n', 201, rows.tenants))
  return load(rows, {
    tenants: `(id, name) select ${tenant('n')}, 'Tenant ' || n`,
    invoices: `(id, tenant_id, invoice_number, invoice_status, invoice_date, total) select ${idOf('invoice', 'n')}, ${owner}, 'R' || n,
      ${pickSkewed('n', 203, ['paid', 'sent', 'overdue', 'draft', 'void'])}, ${pastDay('n', 205)}, 1 + ${roll('n', 206, 500_000)} / 100.0`,
    payments: `(id, tenant_id, invoice_id, amount, method, payment_date) select ${idOf('payment', 'n')}, ${owner}, ${idOf('invoice', 'n')},
      1 + ${roll('n', 211, 500_000)} / 100.0, ${pickSkewed('n', 212, ['transfer', 'card', 'cash'])}, ${pastDay('n', 214)}`,
    audit_events: `(id, tenant_id, actor, action, entity, payload, created_at) select ${idOf('event', 'n')}, ${tenant(skewed('n', 221, rows.tenants))},
      'user' || ${roll('n', 223, 50)}, ${pickSkewed('n', 224, ['update', 'create', 'delete', 'login'])},
      ${pickSkewed('n', 226, ['invoice', 'payment', 'tenant'])}, jsonb_build_object('at', n), ${past('n', 228)}`,
  })
}
