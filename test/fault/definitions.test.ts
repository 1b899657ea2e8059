import { expect, test } from 'vitest'
import { apply, verify } from '../support/apply.js'
import { testDatabase, type TestDatabase } from '../support/database.js'
import { flags } from '../support/leftover.js'
import { profileOf } from '../support/profile.js'

const table = `create table t (a int, b text, d timestamptz); insert into t select n, 'b' || n, now() from generate_series(1, 50) n;`

const kinds: readonly (readonly [string, string, string])[] = [
  ['a view', 'create view v as select a from t', 'v'],
  ['a sequence', 'create sequence v', 'v'],
  [
    'a foreign table',
    'create foreign data wrapper w; create server s foreign data wrapper w; create foreign table v (a int) server s',
    'v',
  ],
  ['an index', 'create index v on t (a)', 'v'],
]

test.each(kinds)('fault 43: %s cannot be indexed, and that is said before anything is done', async (_, make, name) => {
  await using db = await testDatabase(`${table} ${make}`)
  const profiles = await profileOf(['{ name: fine, table: t, keys: [a, b] }', `{ name: i, table: ${name}, keys: [a] }`])
  await expect(apply(db.url, profiles)).rejects.toMatchObject({ code: 'NOT_INDEXABLE' })
  expect(await flags(db.sql, 'fine')).toBe(undefined)
})

test('fault 43: materialized views and unlogged tables are built on concurrently', async () => {
  await using db = await testDatabase(
    `${table} create materialized view m as select a from t; create unlogged table u (a int)`,
  )
  const profiles = await profileOf(['{ name: i, table: m, keys: [a] }', '{ name: j, table: u, keys: [a] }'])
  expect((await apply(db.url, profiles)).result.steps.map((step) => step.outcome)).toEqual(['built', 'built'])
})

const bad: readonly (readonly [string, string, string, string])[] = [
  ['a column that is not there', 'NO_COLUMN', '42703', 'keys: [nope]'],
  ['a function that is not immutable', 'BAD_DEFINITION', '42P17', 'keys: [{ expression: "date_trunc(\'day\', d)" }]'],
  ['now() in the predicate', 'BAD_DEFINITION', '42P17', 'keys: [a], where: d > now()'],
  [
    'an opclass that is not there',
    'BAD_DEFINITION',
    '42704',
    'keys: [{ column: b, opclass: gin_trgm_ops }], method: gin',
  ],
  ['a collation that is not there', 'BAD_DEFINITION', '42704', 'keys: [{ column: b, collation: nope }]'],
  ['a collation of a number', 'BAD_DEFINITION', '42804', 'keys: [{ column: a, collation: C }]'],
  ['a hash of two columns', 'BAD_DEFINITION', '0A000', 'keys: [a, b], method: hash'],
  ['a subquery', 'BAD_DEFINITION', '0A000', 'keys: [{ expression: (select 1) }]'],
  ['an aggregate', 'BAD_DEFINITION', '42803', 'keys: [{ expression: max(a) }]'],
  ['a storage parameter that is not there', 'BAD_DEFINITION', '22023', 'keys: [a], with: { nope: 1 }'],
  ['a predicate that is no condition', 'BAD_DEFINITION', '42804', 'keys: [a], where: a + 1'],
]

test('fault 44: definitions that PostgreSQL refuses are all told at once, with their places, before anything is touched', async () => {
  await using db = await testDatabase(table)
  const lines = [
    '{ name: fine, table: t, keys: [a] }',
    ...bad.map(([, , , rest], at) => `{ name: bad_${at}, table: t, ${rest} }`),
  ]
  const failure: unknown = await apply(db.url, await profileOf(lines)).catch((error: unknown) => error)
  expect(failure).toMatchObject({
    problems: bad.map(([, code, sqlstate], at) => ({
      code,
      sqlstate,
      place: { line: 6 + at },
      message: expect.stringContaining(`bad_${at}`),
    })),
  })
  expect(await indexesOf(db)).toEqual([])
})

test('fault 44: a tablespace that is not there ends the build, and leaves nothing', async () => {
  await using db = await testDatabase(table)
  const profiles = await profileOf(['{ name: i, table: t, keys: [a], tablespace: nowhere }'])
  await expect(outcomeOf(db, profiles)).resolves.toMatch(/tablespace "?nowhere"?/)
  expect(await indexesOf(db)).toEqual([])
})

test('fault 46: a function that calls another without its schema is found by the probe where the server would fail', async () => {
  await using db =
    await testDatabase(`${table} create function g(int) returns int language sql immutable as 'select $1';
    create function f(int) returns int language plpgsql immutable as 'begin return g($1); end'`)
  const profiles = await profileOf(['{ name: i, table: t, keys: [{ expression: public.f(a) }] }'])
  const [version] = await db.sql`select current_setting('server_version_num')::int as num`
  const outcome = await outcomeOf(db, profiles)
  // From 17 on CREATE INDEX runs with search_path = pg_catalog, pg_temp.
  if (Number(version?.['num']) >= 170_000) {
    expect(outcome).toMatch(/function g\(integer\) does not exist/)
    expect(await indexesOf(db)).toEqual([])
  } else expect(outcome).toBe('exit 0')
})

test('fault 28: statistics of an expression are there when apply is done, and so are right estimates', async () => {
  await using db = await testDatabase(`${table} insert into t select n, 'B' || n % 2 from generate_series(1, 2000) n`)
  await apply(db.url, await profileOf(['{ name: i, table: t, keys: [{ expression: lower(b) }] }']))
  expect(await db.sql`select n_distinct > 0 as known from pg_stats where tablename = 'i'`).toEqual([{ known: true }])
})

test('fault 47: a second index of the same definition is a hazard, and drift for verify', async () => {
  await using db = await testDatabase(`${table} create index first on t (a, b)`)
  const profiles = await profileOf([
    '{ name: first, table: t, keys: [a, b] }',
    '{ name: second, table: t, keys: [a, b] }',
  ])
  expect((await apply(db.url, profiles)).result).toMatchObject({ exit_code: 1, error: { code: 'HAZARD' } })
  expect((await verify(db.url, profiles)).findings).toContainEqual(
    expect.objectContaining({ code: 'DUPLICATE', severity: 'warning' }),
  )
})

const injections: readonly string[] = [
  'where: "a > 0; drop table victim"',
  'where: "a > 0); drop table victim; --"',
  'where: "a > 0 -- "',
  `where: "a > 0 /* "`,
  'where: "a in (select x from victim)"',
  'keys: [{ expression: "a)); drop table victim; --" }]',
  'keys: [{ column: "a); drop table victim; --" }]',
  `with: { "fillfactor = 70); drop table victim; --": 1 }`,
  `with: { fillfactor: "70); drop table victim; --" }`,
  'keys: [{ column: b, opclass: "text_ops); drop table victim; --" }]',
  'keys: [{ column: b, collation: "C); drop table victim; --" }]',
  'method: "btree (a); drop table victim; --"',
]

test.each(injections)('fault 49: %s does nothing else than what an index may do', async (part) => {
  await using db = await testDatabase(`${table} create table victim (x int)`)
  const keys = part.startsWith('keys') ? '' : 'keys: [a], '
  const outcome = await profileOf([`{ name: i, table: t, ${keys}${part} }`]).then(
    (profiles) => outcomeOf(db, profiles),
    String,
  )
  expect(await db.sql`select to_regclass('victim')::text as victim`).toEqual([{ victim: 'victim' }])
  if (part === 'where: "a > 0 -- "') expect(outcome).toBe('exit 0')
  else expect(outcome).not.toBe('exit 0')
})

async function indexesOf(db: TestDatabase): Promise<readonly unknown[]> {
  return (await db.sql`select indexname from pg_indexes where schemaname = 'public'`).map((row) => row['indexname'])
}

/** `exit 0`, or the message of whatever went wrong. */
async function outcomeOf(db: TestDatabase, profiles: Awaited<ReturnType<typeof profileOf>>): Promise<string> {
  return apply(db.url, profiles).then(
    ({ result }) => result.steps.find((step) => step.error !== undefined)?.error?.message ?? `exit ${result.exit_code}`,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  )
}

test.each([[[]], [['{ name: j, table: t, keys: [nope] }']]])(
  'a cancel while PostgreSQL is asked about a declaration is no refusal of it',
  async (others: readonly string[]) => {
    await using db = await testDatabase(`${table}
      create function public.stop() returns int language plpgsql immutable as
      $$ begin perform pg_catalog.pg_cancel_backend(pg_catalog.pg_backend_pid()); perform pg_catalog.pg_sleep(5); return 1; end $$`)
    const profiles = await profileOf([...others, '{ name: i, table: t, keys: [a], where: a > public.stop() }'])
    await expect(apply(db.url, profiles)).rejects.toMatchObject({ sqlstate: '57014' })
  },
)
