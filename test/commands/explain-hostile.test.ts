import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { readQueries } from '../../src/commands/explain/explain-inputs.js'
import { runExplain } from '../../src/commands/explain/explain.js'
import { openSession } from '../measure/open-session.js'
import { testDatabase, type TestDatabase } from '../support/database.js'

const fixtures = fileURLToPath(new URL('../fixtures/', import.meta.url))
const options = { cwd: fixtures, environment: {}, stdin: async () => '' }

async function setup(): Promise<TestDatabase> {
  return testDatabase(await readFile(`${fixtures}hostile-setup.sql`, 'utf8'))
}

/** Everything that the statements try to change, of the database and of the sessions. */
async function state({ sql }: TestDatabase) {
  const [row] = await sql`select (select md5(string_agg(a::text, ',' order by id)) from accounts a) as accounts,
    (select last_value::text || is_called from numbers) as numbers,
    (select string_agg(relname, ',' order by relname) from pg_class where relnamespace = 'public'::regnamespace) as relations,
    (select count(*)::int from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())) as locks,
    (select count(*)::int from pg_stat_activity where datname = current_database() and state like 'idle in transaction%') as open`
  return row
}

test('hostile statements: each has a status, nothing changes, exit code 1', async () => {
  await using database = await setup()
  await using session = await openSession(database.url)
  const before = await state(database)
  const { queries, broken } = await readQueries(['hostile.sql'], undefined, options)
  expect(broken).toEqual([])
  const result = await runExplain(session, queries, { samples: 3, allowWrites: false, statementTimeoutMs: 300 })
  expect(result.exit_code).toBe(1)
  const statuses = Object.fromEntries(result.queries.map(({ name, status }) => [name, status]))
  expect(statuses).toMatchInlineSnapshot(`
    {
      "begin": "refused",
      "commit-inside": "refused",
      "copy-program": "refused",
      "create-table-as": "refused",
      "cross-join": "not_measured",
      "do-block": "refused",
      "drop": "refused",
      "explain": "refused",
      "harmless": "measured",
      "hostile.sql:17": "refused",
      "hostile.sql:20": "refused",
      "insert": "refused",
      "materialized-view": "refused",
      "row-lock": "refused",
      "select-into": "refused",
      "sequence": "refused",
      "session-lock": "measured",
      "settings": "refused",
      "sleep": "not_measured",
      "timer": "not_measured",
      "two-in-one": "measured",
      "writing-cte": "refused",
      "writing-function": "refused",
    }
  `)
  for (const { name, status, reason } of result.queries) if (status !== 'measured') expect(reason, name).toBeTruthy()
  expect(await state(database)).toEqual(before)
  expect(await session.query(`select pg_catalog.current_setting('statement_timeout') as timeout`)).toEqual([
    { timeout: '0' },
  ])
})

test('two statements in one query, a file has two queries of them', async () => {
  const { queries, broken } = await readQueries([], 'select 1; delete from accounts', options)
  expect(queries).toEqual([])
  expect(broken).toMatchObject([{ problem: { code: 'BAD_SQL', message: expect.stringContaining('one statement') } }])
})

test('a syntax error: its line and column, the others audited, exit code 2', async () => {
  await using database = await setup()
  await using session = await openSession(database.url)
  const { queries, broken } = await readQueries(['broken.sql'], undefined, options)
  const result = await runExplain(session, queries, { samples: 3, allowWrites: false, broken })
  expect(result).toMatchObject({ ok: false, exit_code: 2 })
  expect(result.queries.map(({ name, status }) => [name, status])).toEqual([
    ['first', 'measured'],
    ['last', 'measured'],
    ['broken', 'refused'],
    ['wrong', 'refused'],
  ])
  expect(result.queries[2]?.findings).toMatchObject([
    {
      code: 'BAD_SQL',
      severity: 'error',
      message: 'syntax error at or near "accounts"',
      place: { file: 'broken.sql', line: 7, column: 16 },
    },
  ])
})
