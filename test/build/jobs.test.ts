import { expect, test } from 'vitest'
import { within } from '../../src/commands/apply/window.js'
import { apply, plan } from '../support/apply.js'
import { testDatabase } from '../support/database.js'
import { profileOf } from '../support/profile.js'
import { invalidIndexes } from '../support/slow.js'
import { parseWindow } from '../../src/options/window.js'

const tables = ['t1', 't2', 't3']
const schema = tables
  .map(
    (name) =>
      `create table ${name} (a int, b int, c text); insert into ${name} select n, n, 'c' || n from generate_series(1, 20000) n;`,
  )
  .join('\n')
const indexes = tables.flatMap((name) => [
  `{ name: ${name}_a, table: ${name}, keys: [a] }`,
  `{ name: ${name}_b, table: ${name}, keys: [b, a] }`,
  `{ name: ${name}_c, table: ${name}, keys: [c], where: a > 10 }`,
])

test('with --jobs builds on several tables run side by side, never two on one table, and all end valid', async () => {
  await using db = await testDatabase(schema)
  const profiles = await profileOf(indexes)
  const running = new Map<string, string>()
  let most = 0
  const { result } = await apply(db.url, profiles, {
    jobs: 3,
    onEvent: (event) => {
      if (event.type === 'step-started') {
        expect([...running.values()]).not.toContain(event.table)
        running.set(event.index, event.table)
        most = Math.max(most, running.size)
      }
      if (event.type === 'step-done') running.delete(event.index)
    },
  })
  expect(result.exit_code).toBe(0)
  expect(result.steps.map((step) => step.outcome)).toEqual(indexes.map(() => 'built'))
  expect(most).toBeGreaterThan(1)
  expect(await invalidIndexes(db.sql)).toEqual([])
  expect(new Set((await plan(db.url, profiles)).steps.map((step) => step.step))).toEqual(new Set(['keep']))
  const locks =
    await db.sql`select 1 from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())`
  expect(locks).toHaveLength(0)
})

test('one failing build of several at once fails alone', async () => {
  await using db = await testDatabase(`${schema} insert into t2 select * from t2 limit 3`)
  const profiles = await profileOf([...indexes, '{ name: t2_u, table: t2, keys: [c], unique: true }'])
  const { result } = await apply(db.url, profiles, { jobs: 3 })
  expect(result.exit_code).toBe(3)
  expect(result.steps.filter((step) => step.outcome !== 'built').map((step) => [step.index, step.error?.code])).toEqual(
    [['t2_u', 'DUPLICATE_KEYS']],
  )
})

test('outside the window nothing is started, and the reason is told', async () => {
  await using db = await testDatabase(schema)
  const profiles = await profileOf(indexes.slice(0, 2))
  const rows = await db.sql<
    { hour: number }[]
  >`select extract(hour from clock_timestamp() at time zone current_setting('TimeZone'))::int as hour`
  const hour = rows[0]?.hour ?? 0
  const closed = parseWindow(`${(hour + 2) % 24}:00-${(hour + 3) % 24}:00`)
  const { result, events } = await apply(db.url, profiles, { window: closed, ledger: true, measure: true })
  expect(result).toMatchObject({
    exit_code: 1,
    run: null,
    steps: [],
    error: { code: 'NOT_STARTED', message: expect.stringContaining('outside the window') },
  })
  expect(events).toEqual([])
  expect(await db.sql`select 1 from pg_namespace where nspname = 'perfdb'`).toHaveLength(0)
  const open = parseWindow(`${(hour + 23) % 24}:00-${(hour + 2) % 24}:00`)
  expect((await apply(db.url, profiles, { window: open })).result.exit_code).toBe(0)
})

test('a window over midnight', () => {
  const window = parseWindow('22:00-05:00')
  const at = (hour: number, minute: number) => within(window, hour * 60 + minute)
  expect([at(21, 59), at(22, 0), at(0, 0), at(4, 59), at(5, 0), at(12, 0)]).toEqual([
    false,
    true,
    true,
    true,
    false,
    false,
  ])
  expect(() => parseWindow('22-5')).toThrow('not a window')
})
