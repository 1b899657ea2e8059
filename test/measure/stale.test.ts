import { expect, test } from 'vitest'
import { measureQueries } from '../../src/measure/query/rounds.js'
import { staleReason } from '../../src/measure/rules/stale.js'
import { testDatabase } from '../support/database.js'
import { aQuery } from './a-query.js'
import { openSession } from './open-session.js'

const few = { samples: 3, allowWrites: false }
const quiet = 'with (autovacuum_enabled = off)'

async function findings(script: string, sql = 'select count(*) from t') {
  await using database = await testDatabase(script)
  await using session = await openSession(database.url)
  const [measured] = await measureQueries(session, [aQuery(sql)], few)
  return measured?.measurements[0]?.findings.filter(({ code }) => code === 'STALE_STATISTICS') ?? []
}

test('a table that was never analyzed', async () => {
  const found = await findings(`create table t ${quiet} as select generate_series(1, 1000) a`)
  expect(found).toMatchObject([
    { severity: 'warning', table: 'public.t', message: 'public.t was never analyzed', hint: 'analyze public.t' },
  ])
})

test('a table that grew since it was analyzed', async () => {
  const script = `create table t (a int) ${quiet}; insert into t select generate_series(1, 1000); analyze t;
    alter table t set (autovacuum_analyze_threshold = 100000); insert into t select generate_series(1, 1000)`
  // The planner scales reltuples with the file's size; the row count that the catalog holds is what is compared.
  expect((await findings(script))[0]?.message).toBe('public.t holds 2,000 rows, and the planner believes 1,000')
  expect(await findings(script, 'select * from t limit 1')).toEqual([])
})

test('a table that was analyzed, an empty one and the catalog', async () => {
  expect(await findings(`create table t ${quiet} as select generate_series(1, 1000) a; analyze t`)).toEqual([])
  expect(await findings('create table t (a int)')).toEqual([])
  expect(await findings('', 'select count(*) from pg_class')).toEqual([])
})

test('the threshold of autovacuum, and 20 % of the rows', () => {
  const table = { table: 't', estimated_rows: 1000, never: false, changed_rows: 150, threshold: 150 }
  expect(staleReason(table, 1200)).toBeNull()
  expect(staleReason({ ...table, changed_rows: 151 }, null)).toContain('had 151 rows changed')
  expect(staleReason(table, 1300)).toContain('holds 1,300 rows, and the planner believes 1,000')
  expect(staleReason({ ...table, estimated_rows: 10 }, 90)).toBeNull()
})
