import { expect, test } from 'vitest'
import { measureQueries } from '../../src/measure/query/rounds.js'
import { toResultQueries } from '../../src/measure/query/result-queries.js'
import { apply } from '../support/apply.js'
import { testDatabase } from '../support/database.js'
import { profilesOf } from '../support/profile.js'
import { aQuery } from './a-query.js'
import { openSession } from './open-session.js'
import { shop } from './shop.js'

const few = { samples: 3, allowWrites: false }

async function uses(script: string, sql: string, index: string) {
  await using database = await testDatabase(script)
  await using session = await openSession(database.url)
  const [document] = toResultQueries(
    null,
    await measureQueries(session, [aQuery(sql, { expect: { uses: [index] } })], few),
  )
  return {
    ...document?.expectations[0],
    hint: document?.findings.find((one) => one.code === 'EXPECTATION_MISSED')?.hint,
  }
}

test('an index on an empty table is judged without sequential scans', async () => {
  const script = 'create table t (a int, b int); create index i on t (a); create index j on t (b); analyze t;'
  expect(await uses(script, 'select * from t where a = 1', 'i')).toMatchObject({
    met: true,
    actual: 'i (0 rows: too small to tell, judged without sequential scans)',
  })
  expect(await uses(script, 'select * from t where b = 1', 'i')).toMatchObject({
    met: true,
    actual: 'i (0 rows: too small to tell, without sequential scans it takes another index)',
  })
  expect(await uses(script, 'select * from t where a + 1 = 1', 'i')).toMatchObject({
    met: false,
    actual: 'no index',
    hint: 'i is on a, and the query computes a + ...: compare a itself, with the computation on the other side',
  })
})

test('a table of 50 pages or more is judged by what the planner does', async () => {
  const script = `${shop} create index by_status on jobs (status); create index by_note on jobs (note); analyze jobs;`
  expect(await uses(script, `select * from jobs where status = 'common'`, 'by_status')).toMatchObject({
    met: false,
    actual: 'no index',
    hint: expect.stringMatching(
      /^the planner could use by_status and does not \(cost .*\): 99 % of the rows are wanted/,
    ),
  })
  expect(await uses(script, `select * from jobs where status = 'rare'`, 'by_status')).toMatchObject({ met: true })
  expect((await uses(script, `select * from jobs where status = 'rare'`, 'by_note')).hint).toBe(
    'the query compares no note, the first key of by_note',
  )
  expect((await uses(script, `select * from jobs where status = 'rare'`, 'nowhere')).hint).toMatch(/^there is no index/)
})

test('a partitioned index is used when one of its parts is', async () => {
  const script = `create table p (a int, b int) partition by range (a);
    create table p1 partition of p for values from (0) to (100000); create table p2 partition of p for values from (100000) to (200000);
    insert into p select n, n from generate_series(1, 100000) n; create index p_b on p (b); analyze p;`
  expect(await uses(script, 'select * from p where b = 5', 'p_b')).toMatchObject({
    met: true,
    actual: 'p_b (p1_b_idx)',
  })
})

const profile = `
version: 1
profile: small
indexes:
  - { name: i_a, table: t, keys: [a], for: [by-a] }
  - { name: i_b, table: t, keys: [b] }
queries:
  - { name: by-a, sql: select * from t where a = $1, params: [1], expect: { uses: [i_a], speedup: 3 } }
`

test('apply on an empty database: nothing is missed, nothing is faster', async () => {
  await using database = await testDatabase('create table t (a int, b int)')
  const { result } = await apply(database.url, await profilesOf(profile), { measure: true, samples: 21 })
  expect(result).toMatchObject({ exit_code: 0, queries: [{ verdict: 'same' }] })
  expect(result.queries[0]?.expectations).toMatchObject([
    { met: true, actual: expect.stringContaining('too small to tell') },
    { met: true, actual: 'not judged: public.t is too small to tell (0 rows)' },
  ])
  expect(result.findings).toMatchObject([
    { code: 'NOT_USED', severity: 'info', index: 'i_a' },
    {
      code: 'NOT_USED',
      severity: 'info',
      index: 'i_b',
      message: 'no declared query uses i_b, and public.t is too small to tell (0 rows)',
    },
  ])
})

test('apply with real data: a declared index that its query cannot use is told with the reason', async () => {
  await using database = await testDatabase(
    `create table t (a int, b int, pad text); insert into t select n, n, repeat('x', 100) from generate_series(1, 20000) n`,
  )
  const wrong = profile.replace('where a =', 'where a + 1 =').replace(', expect: { uses: [i_a], speedup: 3 }', '')
  const { result } = await apply(database.url, await profilesOf(wrong), { measure: true, samples: 3 })
  expect(result).toMatchObject({ exit_code: 0 })
  expect(result.findings).toMatchObject([
    {
      code: 'NOT_USED',
      severity: 'warning',
      index: 'i_a',
      message: 'no declared query uses i_a: it was declared for by-a',
      hint: expect.stringContaining('by-a: i_a is on a, and the query computes a + ...: compare a itself'),
    },
    { code: 'NOT_USED', severity: 'warning', index: 'i_b' },
  ])
})
