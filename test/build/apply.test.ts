import { expect, test } from 'vitest'
import { apply, plan, verify } from '../support/apply.js'
import { testDatabase } from '../support/database.js'
import { serverMajor } from '../support/major.js'
import { profileOf } from '../support/profile.js'

const schema = `create table t (a int, b text, c varchar(10), d timestamptz, e numeric);
  insert into t select n, 'b' || n % 100, 'c' || n % 7, now() - n * interval '1 minute', n from generate_series(1, 2000) n;
  create table "Odd ""Schema"" T" ("Spalte ü" int, "order" text);`

const varied = [
  '{ name: i_plain, table: t, keys: [a, { column: d, order: desc, nulls: last }] }',
  '{ name: i_expression, table: t, keys: [{ expression: lower( b ) }], include: [a] }',
  "{ name: i_partial, table: t, keys: [b], where: \"c IN ('c1','c2') and a is not null\" }",
  '{ name: i_opclass, table: t, keys: [{ column: b, opclass: text_pattern_ops }] }',
  '{ name: i_collation, table: t, keys: [{ column: b, collation: C }] }',
  `{ name: i_unique, table: t, keys: [a], unique: true${serverMajor < 15 ? '' : ', nulls_distinct: false'} }`,
  '{ name: i_storage, table: t, keys: [e], with: { fillfactor: 70 } }',
  '{ name: i_hash, table: t, method: hash, keys: [e] }',
  '{ name: i_brin, table: t, method: brin, keys: [{ column: d, opclass: timestamptz_minmax_multi_ops }], with: { pages_per_range: 16 } }',
  `{ name: 'I "quoted" ö', table: { schema: public, name: 'Odd "Schema" T' }, keys: ['Spalte ü', { column: order, order: desc }] }`,
]

test('after apply the next plan is all keep, sends no DDL, and verify passes (law 1)', async () => {
  await using db = await testDatabase(schema)
  const profiles = await profileOf(varied)
  const { result } = await apply(db.url, profiles)
  expect(result.steps.map((step) => [step.index, step.outcome, step.state, step.error])).toEqual(
    result.steps.map((step) => [step.index, 'built', 'valid', undefined]),
  )
  expect(result).toMatchObject({ exit_code: 0, ok: true })
  expect(result.analyzed.map((one) => [one.table, one.ok])).toEqual(
    [
      ['public.Odd "Schema" T', true],
      ['public.t', true],
    ].sort((a, b) => (a < b ? -1 : 1)),
  )
  const again = await plan(db.url, profiles)
  expect(new Set(again.steps.map((step) => step.step))).toEqual(new Set(['keep']))
  const before = await db.sql`select oid, relfilenode from pg_class order by oid`
  const second = await apply(db.url, profiles)
  expect(second.result).toMatchObject({ exit_code: 0, analyzed: [] })
  expect(await db.sql`select oid, relfilenode from pg_class order by oid`).toEqual(before)
  expect(await verify(db.url, profiles)).toMatchObject({ exit_code: 0, findings: [] })
})

test('a dropped index is MISSING for verify, and apply heals it', async () => {
  await using db = await testDatabase(schema)
  const profiles = await profileOf(varied)
  await apply(db.url, profiles)
  await db.sql`drop index i_partial`
  const verified = await verify(db.url, profiles)
  expect(verified.exit_code).toBe(1)
  expect(verified.findings).toMatchObject([
    { code: 'MISSING', severity: 'error', index: 'i_partial', place: { line: 7, column: 5 } },
  ])
  const { result } = await apply(db.url, profiles)
  expect(result.exit_code).toBe(0)
  expect(result.steps.filter((step) => step.outcome !== 'kept').map((step) => [step.index, step.outcome])).toEqual([
    ['i_partial', 'built'],
  ])
})

test('another definition under the name is DIFFERS: refused, then replaced with --allow REPLACE and the old one gone', async () => {
  await using db = await testDatabase(`${schema} create index i_plain on t (b)`)
  const profiles = await profileOf(['{ name: i_plain, table: t, keys: [a] }'])
  expect((await verify(db.url, profiles)).findings).toMatchObject([{ code: 'DIFFERS', severity: 'error' }])
  const refused = await apply(db.url, profiles)
  expect(refused.result).toMatchObject({
    exit_code: 1,
    steps: [{ step: 'replace', outcome: 'refused' }],
    error: { code: 'HAZARD', hint: expect.stringContaining('--allow REPLACE') },
  })
  const replaced = await apply(db.url, profiles, { allow: ['REPLACE'] })
  expect(replaced.result).toMatchObject({ exit_code: 0, steps: [{ outcome: 'replaced', state: 'valid' }] })
  const left = await db.sql`select indexdef from pg_indexes where tablename = 't'`
  expect(left.map((row) => row['indexdef'])).toEqual(['CREATE INDEX i_plain ON public.t USING btree (a)'])
})

test('the same definition under another name is RENAMED: adopted with --allow RENAME, not built again', async () => {
  await using db = await testDatabase(`${schema} create index old_name on t (lower(b)) where a > 5`)
  const profiles = await profileOf(['{ name: new_name, table: t, keys: [{ expression: lower(b) }], where: a>5 }'])
  expect((await verify(db.url, profiles)).findings).toMatchObject([{ code: 'RENAMED', index: 'new_name' }])
  const before = await db.sql`select oid from pg_class where relname = 'old_name'`
  const { result } = await apply(db.url, profiles, { allow: ['RENAME'] })
  expect(result).toMatchObject({ exit_code: 0, steps: [{ step: 'adopt', outcome: 'renamed' }] })
  expect(await db.sql`select oid from pg_class where relname = 'new_name'`).toEqual(before)
})

test('an index that is declared absent is dropped; one that backs a constraint is refused and stays', async () => {
  await using db = await testDatabase(
    `${schema} create index gone on t (b); alter table t add constraint stays unique (a)`,
  )
  const profiles = await profileOf(['{ name: i_plain, table: t, keys: [a, d] }'], 'absent: [gone, stays]\n')
  const { result } = await apply(db.url, profiles)
  expect(result.exit_code).toBe(1)
  expect(result.steps.map((step) => [step.index, step.outcome])).toEqual([
    ['i_plain', 'built'],
    ['gone', 'dropped'],
  ])
  expect(result.findings).toMatchObject([
    {
      code: 'DROP_REFUSED',
      severity: 'error',
      index: 'stays',
      message: expect.stringContaining('backs the constraint stays'),
    },
  ])
  const left = await db.sql`select indexname from pg_indexes where tablename = 't' order by 1`
  expect(left.map((row) => row['indexname'])).toEqual(['i_plain', 'stays'])
})

test('a prefix of another index is a hazard, and verify warns of it', async () => {
  await using db = await testDatabase(`${schema} create index wide on t (a, b)`)
  const profiles = await profileOf(['{ name: narrow, table: t, keys: [a] }'])
  const { result } = await apply(db.url, profiles)
  expect(result).toMatchObject({
    exit_code: 1,
    error: { code: 'HAZARD' },
    steps: [{ hazards: [{ code: 'REDUNDANT' }] }],
  })
  expect((await apply(db.url, profiles, { allow: ['REDUNDANT'] })).result.exit_code).toBe(0)
  const verified = await verify(db.url, profiles)
  expect(verified).toMatchObject({
    exit_code: 0,
    findings: [
      { code: 'REDUNDANT', severity: 'warning' },
      { code: 'UNDECLARED', severity: 'info', index: 'wide' },
    ],
  })
})

test('a unique index over duplicates names the keys, leaves nothing invalid, and the others are built', async () => {
  await using db = await testDatabase(
    `${schema} insert into t (a, b) select 1, 'x' from generate_series(1, 3); insert into t (a, b) select 2, 'x'`,
  )
  const profiles = await profileOf([
    '{ name: u, table: t, keys: [a], unique: true }',
    '{ name: other, table: t, keys: [b] }',
  ])
  const { result } = await apply(db.url, profiles)
  expect(result.exit_code).toBe(3)
  expect(result.steps).toMatchObject([
    { index: 'other', outcome: 'built' },
    {
      index: 'u',
      outcome: 'failed',
      state: 'missing',
      error: { code: 'DUPLICATE_KEYS', sqlstate: '23505', detail: expect.stringContaining('(1): 4 rows; (2): 2 rows') },
    },
  ])
  expect(await db.sql`select 1 from pg_index where not indisvalid`).toHaveLength(0)
})

test('an extension is refused unless CREATE_EXTENSION is allowed, then created before the index that needs it', async (context) => {
  await using db = await testDatabase(schema)
  const available = await db.sql`select 1 from pg_available_extensions where name = 'pg_trgm'`
  if (available.length === 0) return context.skip('this server ships no pg_trgm')
  const profiles = await profileOf(
    ['{ name: i_trgm, table: t, method: gin, keys: [{ column: b, opclass: gin_trgm_ops }] }'],
    'extensions: [pg_trgm]\n',
  )
  await expect(plan(db.url, profiles)).rejects.toMatchObject({ code: 'NO_EXTENSION', place: { line: 6 } })
  const { result } = await apply(db.url, profiles, { allow: ['CREATE_EXTENSION'] })
  expect(result).toMatchObject({ exit_code: 0, steps: [{ outcome: 'built', state: 'valid' }] })
  expect((await plan(db.url, profiles)).steps.map((step) => step.step)).toEqual(['keep'])
})
