import { expect, test } from 'vitest'
import { planSql } from '../../src/report/blocks/plan-sql.js'
import { testDatabase } from '../support/database.js'
import { nothingToDo, stepOf } from './documents.js'

/** What psql would send: statements end with a semicolon at the end of a line; psql's own commands are left out. */
function statementsOf(script: string): readonly string[] {
  return script
    .split('\n')
    .filter((line) => !line.startsWith('\\'))
    .join('\n')
    .split(/;\n/)
    .map((text) => text.trim())
    .filter((text) => text.replaceAll(/^--.*$/gm, '').trim() !== '')
}

test('the script runs statement by statement, and its last query finds nothing missing', async () => {
  await using database = await testDatabase('create table jobs (id int, status text); create index old on jobs (id)')
  const script = planSql({
    ...nothingToDo,
    steps: [
      stepOf('create', "odd ' name", 'jobs', {
        sql: [`create index concurrently "odd ' name" on public.jobs (status)`],
      }),
      stepOf('drop', 'old', 'jobs', { sql: ['drop index concurrently public.old'], reason: 'line\nbreak' }),
    ],
  })
  const statements = statementsOf(script)
  expect(statements).toHaveLength(6)
  const results = []
  for (const statement of statements) results.push(await database.sql.unsafe(statement))
  expect([...(results.at(-1) ?? [])]).toEqual([])
  const indexes = await database.sql`select indexname from pg_catalog.pg_indexes where tablename = 'jobs'`
  expect(indexes.map((row) => row['indexname'])).toEqual(["odd ' name"])
})

test('the last query tells what is missing', async () => {
  await using database = await testDatabase('create table jobs (id int)')
  const statements = statementsOf(
    planSql({ ...nothingToDo, steps: [stepOf('create', 'gone', 'jobs', { sql: ['select 1'] })] }),
  )
  const rows = await database.sql.unsafe(statements.at(-1) ?? '')
  expect([...rows]).toEqual([{ schema: 'public', index: 'gone', valid: false }])
})

test('a semicolon does not disappear in a comment at the end of a statement', () => {
  const script = planSql({
    ...nothingToDo,
    steps: [stepOf('create', 'a', 'jobs', { sql: ['select 1 -- why', 'select 2;'] })],
  })
  expect(script).toContain('select 1 -- why\n;\nselect 2;\n')
})
