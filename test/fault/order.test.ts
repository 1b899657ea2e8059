import { expect, test } from 'vitest'
import { apply, plan, verify } from '../support/apply.js'
import { testDatabase, type TestDatabase } from '../support/database.js'
import { ordersTable } from '../support/partitions.js'
import { profileOf } from '../support/profile.js'
import { render } from '../../src/report/render.js'

/** Some n are 49: what divides by n - 49 cannot be built. */
const table = `create table d (p int, day date, n int);
  insert into d select i % 50, date '2024-01-01' + i, i % 60 from generate_series(1, 600) i;
  create index d_old on d (p, day);`
const dividing = '{ name: d_new, table: d, keys: [{ expression: 1 / (n - 49) }, p] }'
const allow = ['DROP', 'HOT_LOSS', 'UNIQUE_BUILD', 'REDUNDANT', 'REPLACE'] as const
const there = async (db: Pick<TestDatabase, 'sql'>, ...names: readonly string[]) =>
  expect(
    (
      await db.sql<
        { name: string }[]
      >`select c.relname as name from pg_index i join pg_class c on c.oid = i.indexrelid where c.relname = any(${[...names]}) and i.indisvalid order by 1`
    ).map(({ name }) => name),
  ).toEqual([...names])

test('a drop comes after every build on its table, in the plan as data, and where one fails the index is kept', async () => {
  await using db = await testDatabase(`${table} create table other (a int); create index other_old on other (a)`)
  const profiles = await profileOf([dividing, '{ name: d_day, table: d, keys: [day] }'], 'absent: [d_old, other_old]\n')
  const planned = await plan(db.url, profiles)
  expect(
    planned.steps.map(({ index, needs }) => [index, needs?.map((need) => `${need.schema}.${need.index}`)]),
  ).toEqual([
    ['d_day', undefined],
    ['d_new', undefined],
    ['d_old', ['public.d_day', 'public.d_new']],
    ['other_old', undefined],
  ])
  const layout = { width: 120, color: false, unicode: true, verbose: false }
  expect(await render(planned, 'text', layout)).toContain('declared absent; after d_day, d_new')
  expect(await render(planned, 'sql', layout)).toContain('declared absent; after d_day, d_new')
  const { result } = await apply(db.url, profiles, { allow, ledger: true })
  expect(result).toMatchObject({
    exit_code: 3,
    steps: [
      { index: 'd_day', outcome: 'built' },
      { index: 'd_new', outcome: 'failed' },
      { index: 'd_old', outcome: 'not_reached', error: { code: 'NOT_STARTED', message: 'kept: d_new is not there' } },
      { index: 'other_old', outcome: 'dropped' },
    ],
  })
  expect(await render(result, 'text', layout)).toMatch(/not reached: d_old: kept: d_new is not there/)
  await there(db, 'd_day', 'd_old')
  await db.sql`delete from d where n = 49`
  expect((await apply(db.url, profiles, { allow, ledger: true })).result.exit_code).toBe(0)
  await there(db, 'd_day', 'd_new')
})

test('so with --jobs, with duplicates that are known beforehand, and with --prune', async () => {
  await using db = await testDatabase(`${table} create table other (a int);`)
  const unique = '{ name: d_new, table: d, keys: [p], unique: true }'
  const elsewhere = '{ name: other_a, table: other, keys: [a] }'
  for (const [index, code] of [
    [dividing, 'BUILD_FAILED'],
    [unique, 'DUPLICATE_KEYS'],
  ] as const) {
    const profiles = await profileOf([index, elsewhere], 'absent: [d_old]\n')
    const { result } = await apply(db.url, profiles, { allow, jobs: 2 })
    expect(result.exit_code).toBe(3)
    expect(result.steps.find(({ index: name }) => name === 'd_new')).toMatchObject({ outcome: 'failed' })
    expect(result.steps.find(({ index: name }) => name === 'd_new')?.error?.code).not.toBe('')
    expect([code, result.steps.find(({ index: name }) => name === 'd_old')?.error?.message]).toEqual([
      code,
      'kept: d_new is not there',
    ])
    await there(db, 'd_old')
  }
  const owned = '{ name: d_own, table: d, keys: [day] }'
  expect((await apply(db.url, await profileOf([owned]), { allow, ledger: true })).result.exit_code).toBe(0)
  const pruning = await apply(db.url, await profileOf([dividing]), { allow, ledger: true, prune: true })
  expect(pruning.result).toMatchObject({
    exit_code: 3,
    steps: [{ outcome: 'failed' }, { index: 'd_own', outcome: 'not_reached' }],
  })
  await there(db, 'd_old', 'd_own')
})

test('a replace that fails keeps its old index and what is to be dropped; a rebuild that fails too', async () => {
  await using db = await testDatabase(`${table} create index d_new on d (n)`)
  const profiles = await profileOf([dividing], 'absent: [d_old]\n')
  expect((await apply(db.url, profiles, { allow })).result).toMatchObject({
    exit_code: 3,
    steps: [
      { index: 'd_new', step: 'replace', outcome: 'failed' },
      { index: 'd_old', outcome: 'not_reached', error: { message: 'kept: d_new is not replaced' } },
    ],
  })
  await there(db, 'd_new', 'd_old')
  await db.sql`drop index d_new`
  await db.sql`create index concurrently d_new on d ((1 / (n - 49)), p)`.catch(() => undefined)
  expect((await apply(db.url, profiles, { allow })).result).toMatchObject({
    exit_code: 3,
    steps: [
      { index: 'd_new', step: 'rebuild', outcome: 'failed' },
      { index: 'd_old', outcome: 'not_reached', error: { message: expect.stringMatching(/^kept: d_new is not /) } },
    ],
  })
  await there(db, 'd_old')
})

test('a drop on a partition waits for what is built on the whole table', async () => {
  await using db = await testDatabase(`${ordersTable} create index old_2024 on p_2024 (kind, id)`)
  const profiles = await profileOf(
    ['{ name: by_nothing, table: orders, keys: [{ expression: 1 / (id - 49) }, kind] }'],
    'absent: [old_2024]\n',
  )
  expect((await plan(db.url, profiles)).steps.at(-1)).toMatchObject({
    index: 'old_2024',
    needs: [{ schema: 'public', index: 'by_nothing' }],
  })
  expect((await apply(db.url, profiles, { allow })).result).toMatchObject({
    exit_code: 3,
    steps: [{ outcome: 'failed' }, { index: 'old_2024', outcome: 'not_reached' }],
  })
  await there(db, 'old_2024')
})

test('what no permission makes possible is refused by the plan already; plan, verify and apply agree, and nothing is tried', async () => {
  await using db = await testDatabase(
    `create table t (a int constraint bound unique, b int constraint gone unique); create index old on t (b);`,
  )
  const profiles = await profileOf(['{ name: bound, table: t, keys: [a, b], unique: true }'], 'absent: [gone, old]\n')
  const planned = await plan(db.url, profiles)
  expect(planned).toMatchObject({
    exit_code: 0,
    steps: [
      { step: 'replace', sql: [], hazards: [{ refused: true, message: expect.stringContaining('constraint bound') }] },
      {
        step: 'drop',
        index: 'old',
        sql: [],
        hazards: [{ refused: true, message: expect.stringContaining('is kept') }],
      },
    ],
    findings: [{ code: 'DROP_REFUSED', index: 'gone', hint: expect.stringContaining('drop constraint "gone"') }],
  })
  const layout = { width: 120, color: false, unicode: true, verbose: false }
  const text = await render(planned, 'text', layout)
  expect(text).not.toContain('--allow')
  expect(text).toContain('3 refused')
  expect((await verify(db.url, profiles)).exit_code).toBe(1)
  for (const permitted of [[], allow]) {
    const { result } = await apply(db.url, profiles, { allow: permitted, ledger: true })
    expect(result).toMatchObject({ exit_code: 1, run: null, steps: [{ outcome: 'refused' }, { outcome: 'refused' }] })
  }
  await there(db, 'bound', 'gone', 'old')
})

test('an index is built beside what cannot be replaced, and the exit code is 1', async () => {
  await using db = await testDatabase(
    `create table t (a int primary key, b int); create table u (a int); create table v (a int)`,
  )
  const profiles = await profileOf([
    '{ name: t_pkey, table: t, keys: [a, b] }',
    '{ name: u_a, table: u, keys: [a] }',
    '{ name: v_a, table: v, keys: [a] }',
  ])
  expect((await apply(db.url, profiles, { allow })).result).toMatchObject({
    exit_code: 1,
    steps: [{ outcome: 'built' }, { outcome: 'built' }, { outcome: 'refused' }],
  })
})
