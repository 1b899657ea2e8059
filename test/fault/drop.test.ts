import { expect, test } from 'vitest'
import type { RunEvent } from '../../src/build/events.js'
import { apply, blockersOf, plan, verify } from '../support/apply.js'
import { testDatabase } from '../support/database.js'
import { flags, notLive, openTransaction } from '../support/leftover.js'
import { profileOf } from '../support/profile.js'
import { gatedTable, inPhase, openGate, until } from '../support/slow.js'

const table =
  'create table t (a int not null, b int, c int); insert into t select n, n, n from generate_series(1, 100) n;'
const absent = (...names: readonly string[]) => profileOf([], `absent: [${names.join(', ')}]\n`)

test('fault 31: a drop waits for a reader and names it; stopped there it says that queries have lost the index, and how to finish', async () => {
  await using db = await testDatabase(`${table} create index i on t (b)`)
  await using reader = await openTransaction(db.sql, 'begin', 'select 1 from t limit 1')
  const profiles = await absent('i')
  const { result, events } = await apply(db.url, profiles, { maxWaitMs: 900, retries: 0 })
  expect(blockersOf(events)[0]).toMatch(new RegExp(`: pid ${reader.pid}, `))
  expect(result).toMatchObject({
    exit_code: 3,
    steps: [
      {
        outcome: 'failed',
        state: 'invalid',
        error: {
          code: 'BLOCKED',
          detail: expect.stringContaining('half dropped: queries no longer use it'),
          hint: 'finish with: drop index concurrently "public"."i"',
        },
      },
    ],
  })
  expect(await flags(db.sql, 'i')).toBe('f/t/t')
  await reader.end()
  expect((await apply(db.url, profiles)).result).toMatchObject({ exit_code: 0, steps: [{ outcome: 'dropped' }] })
  expect(await flags(db.sql, 'i')).toBe(undefined)
})

test('fault 31: an index that is dead already is dropped to the end by the next apply', async () => {
  await using db = await testDatabase(`${table} create index i on t (b)`)
  await notLive(db.sql, 'i', 't')
  expect(await flags(db.sql, 'i')).toBe('f/f/f')
  expect((await verify(db.url, await absent('i'))).exit_code).toBe(1)
  expect((await apply(db.url, await absent('i'))).result).toMatchObject({
    exit_code: 0,
    steps: [{ outcome: 'dropped' }],
  })
  expect(await flags(db.sql, 'i')).toBe(undefined)
})

const refusals: readonly (readonly [string, string, RegExp])[] = [
  ['a primary key', 'alter table t add constraint i primary key (a)', /backs the constraint i/],
  ['a unique constraint', 'alter table t add constraint i unique (b)', /backs the constraint i/],
  [
    'a foreign key',
    'create unique index i on t (a); create table child (a int constraint child_fk references t (a))',
    /foreign key child_fk needs it/,
  ],
  ['an exclusion constraint', 'alter table t add constraint i exclude (c with =)', /backs the constraint i/],
  [
    'the index of a partitioned table',
    'create table p (a int) partition by list (a); create table p1 partition of p for values in (1); create index p_i on p (a); alter index p1_a_idx rename to i',
    /attached/,
  ],
]

test.each(refusals)(
  'fault 32: an index that serves %s is not tried to be dropped: it is told why',
  async (_, make, reason) => {
    await using db = await testDatabase(`${table} ${make}`)
    const profiles = await absent('i')
    const { result } = await apply(db.url, profiles, { allow: ['DROP'] })
    expect(result).toMatchObject({
      exit_code: 1,
      steps: [],
      findings: [{ code: 'DROP_REFUSED', severity: 'error', index: 'i', message: expect.stringMatching(reason) }],
    })
    expect(await flags(db.sql, 'i')).toBe('t/t/t')
    expect((await verify(db.url, profiles)).exit_code).toBe(1)
  },
)

test.each(refusals)(
  'fault 32: an index that serves %s is not replaced either: nothing is built and nothing renamed',
  async (what, make, reason) => {
    await using db = await testDatabase(`${table} ${make}`)
    const on = what === 'the index of a partitioned table' ? 'p1' : 't'
    const profiles = await profileOf([`{ name: i, table: ${on}, keys: [{ column: a, order: desc }] }`])
    const before = await db.sql`select oid, relname from pg_class where relkind in ('i', 'I') order by 1`
    const hazard = { code: 'REPLACE', refused: true, message: expect.stringMatching(reason) }
    expect((await apply(db.url, profiles)).result).toMatchObject({ exit_code: 1, steps: [{ hazards: [hazard] }] })
    expect((await apply(db.url, profiles, { allow: ['REPLACE'] })).result).toMatchObject({
      exit_code: 1,
      steps: [
        { step: 'replace', outcome: 'refused', state: 'valid', error: { message: expect.stringMatching(reason) } },
      ],
    })
    expect(await db.sql`select oid, relname from pg_class where relkind in ('i', 'I') order by 1`).toEqual(before)
  },
)

test('fault 32: a table is not dropped by the name of an index, and an index that is not there is no work', async () => {
  await using db = await testDatabase(table)
  const { result } = await apply(db.url, await absent('t', 'never_was'))
  expect(result).toMatchObject({ exit_code: 0, steps: [] })
  expect(await db.sql`select count(*)::int as n from t`).toEqual([{ n: 100 }])
})

test.each([
  ['the replica identity', 'alter table t replica identity using index i', /replica identity/],
  ['what ON CONFLICT needs', 'select 1', /unique/],
  ['what the table is clustered on', 'alter table t cluster on i', /clustered/],
])('fault 33: an index that is %s is dropped with --allow DROP only', async (_, make, message) => {
  await using db = await testDatabase(`${table} create unique index i on t (a); ${make}`)
  const { result } = await apply(db.url, await absent('i'))
  expect(result).toMatchObject({ exit_code: 1, error: { code: 'HAZARD' }, steps: [{ outcome: 'refused' }] })
  const hazards = result.steps[0]?.hazards ?? []
  expect(hazards.map((hazard) => hazard.message)).toContainEqual(expect.stringMatching(message))
  expect(await flags(db.sql, 'i')).toBe('t/t/t')
  expect((await apply(db.url, await absent('i'), { allow: ['DROP'] })).result.exit_code).toBe(0)
})

test('fault 33: a replace that would lose the replica identity is refused, one that loses uniqueness says so, and clustering goes where it can', async () => {
  await using db = await testDatabase(
    `${table} create unique index i on t (a); alter table t replica identity using index i; create unique index u on t (b); create index k on t (c); alter table t cluster on k`,
  )
  const replacing = async (index: string) => {
    const { result } = await apply(db.url, await profileOf([index]), { allow: ['REPLACE', 'REPLICA_IDENTITY'] })
    return result.steps[0]
  }
  expect(await replacing('{ name: i, table: t, keys: [a], unique: true, where: a > 0 }')).toMatchObject({
    outcome: 'refused',
    state: 'valid',
    error: { message: expect.stringContaining('replica identity') },
  })
  expect(await replacing('{ name: i, table: t, keys: [a, c], unique: true }')).toMatchObject({
    // A nullable column is found by PostgreSQL alone: the old one stays what it is.
    outcome: 'failed',
    error: { message: expect.stringContaining('nullable') },
  })
  const uniqueness = [{ code: 'REPLACE', message: expect.stringContaining('duplicates would be accepted') }]
  expect(await replacing('{ name: u, table: t, keys: [b] }')).toMatchObject({
    outcome: 'replaced',
    hazards: uniqueness,
  })
  expect(await replacing('{ name: k, table: t, keys: [c], where: c > 0 }')).toMatchObject({ outcome: 'replaced' })
  expect(
    await db.sql`select indexrelid::regclass::text as name from pg_index where indrelid = 't'::regclass and (indisreplident or indisclustered)`,
  ).toEqual([{ name: 'i' }])
})

test('fault 34: when somebody else drops the same index at the same time, both are done', async () => {
  await using db = await testDatabase(`${table} create index i on t (b)`)
  await using reader = await openTransaction(db.sql, 'begin', 'select 1 from t limit 1')
  const seen: RunEvent[] = []
  const running = apply(db.url, await absent('i'), { onEvent: (event) => seen.push(event) })
  await until('the drop waits', () => blockersOf(seen).length > 0)
  const other = db.sql`drop index concurrently if exists i`.then(() => 'dropped', String)
  await until(
    'the other waits',
    async () =>
      (
        await db.sql`select 1 from pg_stat_activity where datname = current_database() and query like 'drop index concurrently if%' and wait_event_type = 'Lock'`
      ).length > 0,
  )
  await reader.end()
  expect((await running).result).toMatchObject({ exit_code: 0, steps: [{ outcome: 'dropped' }] })
  expect(await other).toBe('dropped')
})

test('fault 34: a drop waits outside while somebody builds on the table: inside it would kill that build', async () => {
  await using db = await testDatabase(`${gatedTable} create index i on t (b)`)
  const foreign = db.sql
    .unsafe('create index concurrently foreign_one on t (public.slow(a))')
    .then(() => 'built', String)
  await until('the other build', inPhase(db.sql, 'building index'))
  const seen: RunEvent[] = []
  const running = apply(db.url, await absent('i'), { onEvent: (event) => seen.push(event) })
  await until('perfdb waits', () => blockersOf(seen).length > 0)
  await openGate(db.sql)
  const { result, events } = await running
  expect(await foreign).toBe('built')
  expect(result).toMatchObject({ exit_code: 0, steps: [{ outcome: 'dropped' }] })
  expect(blockersOf(events)[0]).toMatch(/^waiting for another build: /)
  expect(await flags(db.sql, 'foreign_one')).toBe('t/t/t')
})

test('fault 13: a plan never mends by REINDEX, which leaves two invalid indexes when it fails', async () => {
  await using db = await testDatabase(`${table} create index i on t (b)`)
  await notLive(db.sql, 'i', 't')
  const planned = await plan(db.url, await profileOf(['{ name: i, table: t, keys: [b] }']))
  expect(planned.steps.flatMap((step) => step.sql).join('\n')).not.toMatch(/reindex/i)
  expect(planned.steps).toMatchObject([{ step: 'rebuild' }])
})
