import { expect, test } from 'vitest'
import { runExplain } from '../../src/commands/explain/explain.js'
import { explainResult } from '../../src/result/documents/result.js'
import { measureQueries } from '../../src/measure/query/rounds.js'
import { aQuery, sets } from '../measure/a-query.js'
import { openSession } from '../measure/open-session.js'
import { shop } from '../measure/shop.js'
import { testDatabase } from '../support/database.js'
import { profileOf } from '../support/profile.js'

const few = { samples: 7, allowWrites: false }

test('findings about the query plan are warnings: exit code 0', async () => {
  await using database = await testDatabase(shop)
  await using session = await openSession(database.url)
  const result = await runExplain(session, [aQuery(`select * from jobs where status = 'rare'`)], few)
  expect(result).toMatchObject({
    command: 'explain',
    ok: true,
    exit_code: 0,
    comparisons: [],
    server: { database: database.name },
  })
  expect(result.queries[0]).toMatchObject({
    name: 'q',
    status: 'measured',
    after: { samples: 7, rows: 200, plan_signature: 'Seq Scan jobs' },
  })
  const findings = result.queries[0]?.findings.map(({ severity, message }) => `${severity}: ${message}`)
  expect(findings).toEqual([expect.stringMatching(/^warning: .*public\.jobs/)])
  expect(result.queries[0]?.findings[0]?.code).toBe('SEQ_SCAN')
  expect(explainResult.parse(JSON.parse(JSON.stringify(result)))).toEqual(result)
})

test('an expectation that is missed, a refused and a failed query: exit code 1', async () => {
  await using database = await testDatabase(shop)
  await using session = await openSession(database.url)
  const code = async (...queries: Parameters<typeof runExplain>[1]) =>
    (await runExplain(session, queries, few)).exit_code
  const good = aQuery('select * from jobs where id = $1', {
    parameters: sets({ default: ['5'] }),
    expect: { uses: ['jobs_pkey'], buffers: 5 },
  })
  expect(await code(good)).toBe(0)
  expect(await code(good, aQuery('select 1', { expect: { uses: ['jobs_pkey'] } }))).toBe(1)
  expect(await code(good, aQuery('delete from jobs'))).toBe(1)
  expect(await code(good, aQuery('select 1 / 0'))).toBe(1)
})

test('compared with what was measured before, kept as JSON', async () => {
  await using database = await testDatabase(shop)
  await using session = await openSession(database.url)
  const query = aQuery('select * from jobs where customer_id = 7', { expect: { speedup: 2, uses: ['by_customer'] } })
  const options = { samples: 21, allowWrites: false }
  const before = await measureQueries(session, [query], options)
  const kept: typeof before = JSON.parse(JSON.stringify(before))
  const unchanged = await runExplain(session, [query], { ...options, before: kept })
  expect(unchanged).toMatchObject({ exit_code: 1, queries: [{ verdict: 'same' }] })
  await database.sql.unsafe('create index by_customer on jobs (customer_id); analyze jobs')
  const faster = await runExplain(session, [query], { ...options, before: kept })
  expect(faster.queries[0]?.expectations).toMatchObject([{ met: true }, { met: true }])
  expect(faster).toMatchObject({
    exit_code: 0,
    queries: [{ verdict: 'faster', before: { rows: 20 }, after: { indexes: ['by_customer'] } }],
  })
})

test('variants: server work and round trips told apart', async () => {
  await using database = await testDatabase(shop)
  await using session = await openSession(database.url)
  const counts = ['jobs', 'customers'].map((table) => `select count(*) from ${table}`)
  const { sql: _, ...rest } = aQuery('')
  const dashboard = {
    ...rest,
    name: 'dashboard',
    variants: [
      { name: 'two-queries', statements: counts },
      { name: 'one-cte', statements: [`select (${counts[0]}) as jobs, (${counts[1]}) as customers`] },
    ],
  }
  const result = await runExplain(session, [dashboard], few)
  expect(result.exit_code).toBe(0)
  expect(result.queries[0]).toMatchObject({ name: 'dashboard', status: 'measured' })
  expect(result.comparisons).toMatchObject([
    {
      query: 'dashboard',
      variants: [
        { name: 'two-queries', statements: 2 },
        { name: 'one-cte', statements: 1 },
      ],
    },
  ])
  expect(result.comparisons[0]?.message).toMatch(
    /^the server works .* ms for two-queries and .* ms for one-cte; one-cte saves 1 round trip: .* here, 20 ms where a round trip takes 20 ms$/,
  )
  const hostile = await runExplain(
    session,
    [{ ...dashboard, variants: [{ name: 'bad', statements: ['select 1', 'delete from jobs'] }] }],
    few,
  )
  expect(hostile).toMatchObject({ exit_code: 1, comparisons: [], queries: [{ status: 'refused' }] })
  expect(hostile.queries[0]?.reason).toMatch(
    /^bad: DELETE changes data, and EXPLAIN ANALYZE would carry it out; allow it with --allow WRITE_QUERY: /,
  )
})

test('a declared index that stands there and that no query uses, with the reason; what is not there is no business of explain', async () => {
  await using database = await testDatabase(
    `${shop} create index i_note on jobs (note); create index i_customer on jobs (customer_id); create index i_lost on jobs (status); create table other (like jobs); analyze jobs`,
  )
  await database.sql`update pg_index set indisvalid = false where indexrelid = 'i_lost'::regclass`
  const [profile] = await profileOf(
    [
      '{ name: i_note, table: jobs, keys: [note], for: [q] }',
      '{ name: i_customer, table: jobs, keys: [customer_id] }',
      '{ name: i_unmeasured, table: jobs, keys: [total] }',
      '{ name: i_lost, table: jobs, keys: [status] }',
    ],
    `queries:
  - { name: q, sql: "select count(*) from jobs where customer_id = 7 and upper(note) = 'X'" }
`,
  )
  await using session = await openSession(database.url)
  const { queries = [], indexes: declared = [] } = profile ?? {}
  const result = await runExplain(session, queries, { ...few, declared })
  expect(result.exit_code).toBe(0)
  expect(result.findings).toMatchObject([
    { code: 'NOT_USED', severity: 'warning', index: 'i_note', table: 'public.jobs' },
  ])
  expect(result.findings[0]?.hint).toContain('q: ')
  const failing = queries.map((query) => ({ ...query, sql: 'select note from nowhere' }))
  const failed = await runExplain(session, failing, { ...few, declared })
  // Nobody knows what i_note would do for a query that cannot be planned.
  expect(failed.findings.map(({ index }) => index)).toEqual(['i_customer'])
})
