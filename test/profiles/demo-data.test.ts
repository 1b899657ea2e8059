import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { demoRows, demoSchema, demoSchemaStatements, demoStatements } from '../../src/commands/start/demo-data.js'
import { testDatabase, type TestDatabase } from '../support/database.js'
import { loadDemo } from './ready.js'

const scale = 0.02
let db: TestDatabase

beforeAll(async () => {
  db = await testDatabase()
  await loadDemo(db.sql, scale)
})
afterAll(async () => db[Symbol.asyncDispose]())

describe('sizes', () => {
  test('scale 1 is the shop of the field report', () => {
    expect(demoRows(1)).toEqual({
      customers: 200_000,
      jobs: 300_000,
      job_steps: 1_000_000,
      machines: 40,
      users: 120,
      processes: 24,
      role_process_permissions: 96,
      notifications: 200_000,
      audit_logs: 300_000,
    })
  })

  test('every table holds the promised number of rows', async () => {
    const counted = await Promise.all(
      Object.keys(demoRows(scale)).map(async (table) => {
        const [row] = await db.sql<{ rows: number }[]>`select count(*)::int as rows from ${db.sql(table)}`
        return [table, row?.rows]
      }),
    )
    expect(Object.fromEntries(counted)).toEqual(demoRows(scale))
  })

  test('the smallest scale still loads', async () => {
    await using small = await testDatabase()
    await loadDemo(small.sql, 0)
    expect(await small.sql`select count(*)::int as steps from job_steps`).toEqual([{ steps: 100 }])
  })
})

describe('the same rows in every load', () => {
  test('with another time zone and with the foreign keys checked', async () => {
    await using other = await testDatabase()
    await loadDemo(other.sql, scale, { checked: true, timezone: 'America/New_York' })
    expect(await checksums(other)).toEqual(await checksums(db))
  })

  // Also what PostgreSQL 15 computes: a change here changes every figure that was printed of the demo.
  test('the same as ever', async () => {
    expect(await checksums(db)).toMatchInlineSnapshot(`
      {
        "audit_logs": "267497015a2e6f92087ec3640a3fc162",
        "customers": "3a5df2c4a41317a5348961f7dcfdd0c7",
        "job_steps": "a46781fd18f22e140189c03978a7e2b3",
        "jobs": "d837b7a4383e16abc476d39c2ef9bfc5",
        "machines": "45f81e76a9c2703cb1a8dfbb03deda4b",
        "notifications": "ab11aba25208907347f3cacdd8b3689b",
        "processes": "25ce309e5fc5a32f2e62f0bbba52254d",
        "role_process_permissions": "9f89cce8a5a21802e8c2f76b0371fa34",
        "users": "090b6bedd410f777e2e51209db036488",
      }
    `)
  })
})

describe('the schema', () => {
  test('has keys and no other index', async () => {
    const indexes = await db.sql`
      select c.contype from pg_index i left join pg_constraint c on c.conindid = i.indexrelid and c.contype in ('p', 'u')
      where i.indrelid in (select oid from pg_class where relnamespace = 'public'::regnamespace)`
    expect(indexes).toHaveLength(14)
    expect(indexes.every((index) => index['contype'] === 'p' || index['contype'] === 'u')).toBe(true)
  })

  test('one by one it makes the same tables as in one script', async () => {
    const statements = await demoSchemaStatements()
    expect(statements.map((statement) => statement.label)).toEqual([
      'create table public.customers',
      'create table public.users',
      'create table public.machines',
      'create table public.processes',
      'create table public.role_process_permissions',
      'create table public.jobs',
      'create table public.job_steps',
      'create table public.notifications',
      'create table public.audit_logs',
    ])
    expect((await demoSchema()).split(';').length - 1).toBe(statements.length)
    await using other = await testDatabase()
    for (const { sql } of statements) await other.sql.unsafe(sql, [], { prepare: true })
  })

  test('the foreign keys are on again after the loading', async () => {
    expect(demoStatements(1).map((statement) => statement.label)).toContain('foreign keys on')
    await using other = await testDatabase()
    const session = await other.sql.reserve()
    for (const { sql } of [...(await demoSchemaStatements()), ...demoStatements(0)]) await session.unsafe(sql)
    await session`delete from jobs where id = 1`
    expect(await session`select count(*)::int as remaining from job_steps where job_id = 1`).toEqual([{ remaining: 0 }])
    await expect(session`delete from processes where id = 1`).rejects.toMatchObject({ code: '23503' })
    session.release()
  })
})

describe('skew', () => {
  test('statuses of jobs', async () => {
    const rows = await db.sql<{ status: string; percent: number }[]>`
      select status, (count(*) * 100.0 / sum(count(*)) over ())::float8 as percent from jobs group by status`
    const percent = Object.fromEntries(rows.map((row) => [row.status, row.percent]))
    expect(percent['completed']).toBeCloseTo(70, -0.5)
    expect(percent['active']).toBeCloseTo(11.5, -0.5)
    expect(percent['on_hold']).toBeLessThan(5)
  })

  test('one to five percent of the jobs are overdue', async () => {
    const [row] = await db.sql<{ percent: number }[]>`
      select (count(*) filter (where status not in ('completed', 'cancelled') and due_date < '2025-06-30') * 100.0 / count(*))::float8 as percent
      from jobs`
    expect(row?.percent).toBeGreaterThan(1)
    expect(row?.percent).toBeLessThan(5)
  })

  test('some names and operators come far more often than others', async () => {
    const [names] = await db.sql`select max(n)::int as most, min(n)::int as least from (select count(*) as n from customers group by name) as named`
    expect(names).toMatchObject({ least: 1 })
    expect(names?.['most']).toBeGreaterThan(5)
    const [busy] = await db.sql`select count(*) > 20 * (select count(*) from job_steps where assigned_to = 119) as far from job_steps where assigned_to = 25`
    expect(busy).toEqual({ far: true })
  })

  test('created_at goes with id', async () => {
    const rows = await db.sql<{ tablename: string; correlation: number }[]>`
      select tablename, correlation from pg_stats
      where attname = 'created_at' and tablename in ('customers', 'jobs', 'job_steps', 'notifications', 'audit_logs')`
    expect(rows).toHaveLength(5)
    for (const row of rows) expect(row.correlation).toBeGreaterThan(0.99)
  })

  test('times of steps follow their status', async () => {
    const rows = await db.sql`
      select status, bool_and(started_at is not null) as started, bool_or(started_at is not null) as any_started,
        bool_and(completed_at is not null) as completed, bool_or(completed_at is not null) as any_completed
      from job_steps group by status order by status`
    const times = (status: string, started: boolean, completed: boolean) =>
      ({ status, started, any_started: started, completed, any_completed: completed })
    expect(rows).toEqual([
      times('blocked', true, false),
      times('completed', true, true),
      times('in_progress', true, false),
      times('pending', false, false),
      times('skipped', false, false),
    ])
    expect(await db.sql`select from job_steps where completed_at <= started_at or started_at <= created_at`).toHaveLength(0)
  })
})

async function checksums(of: TestDatabase): Promise<Record<string, string>> {
  const session = await of.sql.reserve()
  await session`set timezone = 'UTC'`
  const sums: [string, string][] = []
  for (const table of Object.keys(demoRows(scale))) {
    const [row] = await session<{ sum: string }[]>`select md5(string_agg(t::text, ',' order by id)) as sum from ${session(table)} t`
    sums.push([table, row?.sum ?? ''])
  }
  session.release()
  return Object.fromEntries(sums)
}
