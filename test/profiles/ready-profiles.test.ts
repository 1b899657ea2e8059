import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { demoClaims } from '../../src/commands/start/demo-claims.js'
import type { Profile } from '../../src/profile/profile.js'
import { readProfiles } from '../../src/profile/read/read.js'
import { createIndexSql } from '../../src/sql/ddl/index-ddl.js'
import { testDatabase, type TestDatabase } from '../support/database.js'
import { filledStatements, loadDemo, readyProfile } from './ready.js'

/** As the field reports give them. */
const named = {
  'job-shop': {
    customers: 'name email phone created_at updated_at',
    jobs: 'status_created_at status_due_date due_date job_number_pattern updated_at',
    job_steps: 'job_status job_order assigned_status machine_status created_at started_at completed_at',
    machines: 'status name is_active',
    users: 'role is_active full_name',
  },
  pam: { pam_conversations: 'user_created', expenses: 'user_date', user_settings: 'user', pam_messages: 'conversation' },
  oms: { invoices: 'tenant_status_date', payments: 'tenant_date', audit_events: 'tenant_timestamp' },
}

describe.each([
  { name: 'job-shop', indexes: 31, tables: 9 },
  { name: 'pam', indexes: 4, tables: 4 },
  { name: 'oms', indexes: 3, tables: 3 },
] as const)('$name', ({ name, indexes, tables }) => {
  let profile: Profile
  beforeAll(async () => {
    profile = await readyProfile(name)
  })

  test('holds the indexes of its field report', () => {
    const names = profile.indexes.map((index) => index.definition.name)
    expect(names).toHaveLength(indexes)
    const reported = Object.entries(named[name]).flatMap(([table, endings]) =>
      endings.split(' ').map((ending) => `idx_${table}_${ending}`),
    )
    expect(names).toEqual(expect.arrayContaining(reported))
    expect(new Set(profile.indexes.map((index) => index.definition.table.name)).size).toBe(tables)
  })

  test('says of every index why it is there, and which of its queries it is for', () => {
    const queries = new Set(profile.queries.map((query) => query.name))
    expect(queries.size).toBe(profile.queries.length)
    for (const index of profile.indexes) {
      expect(index.why, index.definition.name).toBeTruthy()
      expect(index.for.length, index.definition.name).toBeGreaterThan(0)
      for (const query of index.for) expect(queries, index.definition.name).toContain(query)
    }
  })

  test('expects of its queries only indexes that name them', () => {
    for (const query of profile.queries) {
      for (const used of query.expect.uses ?? []) {
        expect(profile.indexes.find((index) => index.definition.name === used)?.for, used).toContain(query.name)
      }
    }
  })

  test('no index is the beginning of another one, or of a key', async () => {
    await using db = await testDatabase(await readFile(`profiles/schema/${name}.sql`, 'utf8'))
    await build(db, profile)
    const overlapping = await db.sql`
      select a.indexrelid::regclass::text as narrow, b.indexrelid::regclass::text as wide
      from pg_index a join pg_index b on a.indrelid = b.indrelid and a.indexrelid <> b.indexrelid
      where a.indnkeyatts <= b.indnkeyatts
        and (a.indkey::int2[])[0:a.indnkeyatts - 1] = (b.indkey::int2[])[0:a.indnkeyatts - 1]
        and (a.indclass::oid[])[0:a.indnkeyatts - 1] = (b.indclass::oid[])[0:a.indnkeyatts - 1]
        and pg_get_expr(a.indpred, a.indrelid) is not distinct from pg_get_expr(b.indpred, b.indrelid)`
    expect(overlapping).toEqual([])
  })
})

test('the job shop declares the partial indexes and the opclass of the report', async () => {
  const { indexes } = await readyProfile('job-shop')
  const partial = indexes.flatMap(({ definition: { name, predicate } }) => (predicate === undefined ? [] : [[name, predicate]]))
  expect(Object.fromEntries(partial)).toEqual({
    idx_jobs_due_date: "status not in ('completed', 'cancelled')",
    idx_job_steps_started_at: 'started_at is not null',
    idx_job_steps_completed_at: 'completed_at is not null',
    idx_machines_status: 'is_active',
    idx_users_role: 'is_active',
    idx_notifications_unread: 'not is_read',
    idx_notifications_job: 'job_id is not null',
  })
  const pattern = indexes.find((index) => index.definition.name === 'idx_jobs_job_number_pattern')
  expect(pattern?.definition.keys).toEqual([{ column: 'job_number', opclass: 'text_pattern_ops' }])
})

describe.each(['pam', 'oms'] as const)('%s on its tables', (name) => {
  test('every index can serve the queries that expect it', async () => {
    const profile = await readyProfile(name)
    await using db = await testDatabase(await readFile(`profiles/schema/${name}.sql`, 'utf8'))
    await build(db, profile)
    for (const query of profile.queries) {
      for (const statement of filledStatements(query)) {
        // The tables are empty: whether the planner would choose the index is for the users' data to say.
        const text = await explainedWithoutSeqScan(db, statement.sql)
        for (const used of query.expect.uses ?? []) expect(text, statement.name).toContain(used)
      }
    }
  })
})

describe('the job shop on its data', () => {
  let db: TestDatabase
  let profile: Profile
  beforeAll(async () => {
    profile = await readyProfile('job-shop')
    db = await testDatabase()
    await loadDemo(db.sql, 0.02)
    await build(db, profile)
    // 6,000 jobs are fewer rows than ANALYZE samples: the statistics, and so the query plans, are the same each time.
    await db.sql.unsafe('vacuum (analyze)')
  })
  afterAll(async () => db[Symbol.asyncDispose]())

  test('every query runs with every parameter set, and finds rows', async () => {
    for (const statement of profile.queries.flatMap(filledStatements)) {
      expect((await db.sql.unsafe(statement.sql)).length, statement.name).toBeGreaterThan(0)
    }
  })

  test('every query that expects an index uses it', async () => {
    for (const query of profile.queries) {
      for (const statement of filledStatements(query)) {
        const text = JSON.stringify(await db.sql.unsafe(`explain (costs off) ${statement.sql}`))
        for (const used of query.expect.uses ?? []) expect(text, statement.name).toContain(used)
      }
    }
  })

  test('no index serves the name searches with LIKE, as no collation but C allows it', async () => {
    for (const query of profile.queries.filter(({ name }) => /^customer-name-(prefix|contains)$/.test(name))) {
      for (const statement of filledStatements(query)) {
        expect(await explainedWithoutSeqScan(db, statement.sql), statement.name).not.toContain('Index Cond')
      }
    }
  })

  test('the dashboard gives the same numbers in one statement as in four', async () => {
    const [four, one] = profile.queries.find((query) => query.name === 'dashboard-stats')?.variants ?? []
    const numbers = await Promise.all(
      (four?.statements ?? []).map(async (statement) => Object.values((await db.sql.unsafe(statement))[0] ?? {}).map(Number)),
    )
    const [together] = await db.sql.unsafe(one?.statements[0] ?? '')
    expect(Object.values(together ?? {}).map((part) => Object.values(part ?? {}))).toEqual(numbers)
  })
})

test('the folder reads as the three profiles, passing over pool configs and the tables', async () => {
  const profiles = await readProfiles(['profiles'], { cwd: process.cwd(), environment: {} })
  expect(profiles.map((profile) => profile.name).toSorted()).toEqual(['job-shop', 'oms', 'pam'])
})

test('every claim of the report names queries of the profile', async () => {
  const queries = (await readyProfile('job-shop')).queries.map((query) => query.name)
  for (const { claim, queries: tried } of demoClaims) {
    expect(tried.length, claim).toBeGreaterThan(0)
    expect(queries, claim).toEqual(expect.arrayContaining([...tried]))
  }
})

async function build(db: TestDatabase, profile: Profile): Promise<void> {
  for (const { definition } of profile.indexes) await db.sql.unsafe(createIndexSql(definition, { concurrently: false }))
}

async function explainedWithoutSeqScan(db: TestDatabase, sql: string): Promise<string> {
  return db.sql.begin(async (transaction) => {
    await transaction`set local enable_seqscan = off`
    return JSON.stringify(await transaction.unsafe(`explain (costs off) ${sql}`))
  })
}
