import { expect, test } from 'vitest'
import { apply, plan, rollback, verify } from '../support/apply.js'
import { PerfdbError } from '../../src/errors.js'
import { testDatabase, type TestDatabase } from '../support/database.js'
import { openTransaction } from '../support/leftover.js'
import { allValid, byKind, ordersTable, treeOf, validity } from '../support/partitions.js'
import { profileOf } from '../support/profile.js'
import { slowTable } from '../support/slow.js'
import { intercepted, once } from '../support/intercept.js'
import { testRole } from '../support/roles.js'

const byNote = '{ name: i_note, table: orders, keys: [note, { column: id, order: desc }] }'

test('a partitioned table of two levels: ON ONLY, each leaf concurrently, attached bottom up; then all is kept', async () => {
  await using db = await testDatabase(ordersTable)
  const profiles = await profileOf([byNote])
  const planned = await plan(db.url, profiles)
  expect(planned.steps).toMatchObject([
    { step: 'create', table: 'orders', reason: 'missing: built on each of its 4 partitions, then attached' },
  ])
  expect(planned.steps[0]?.sql.filter((sql) => !/^(begin|commit|set local)/.test(sql))).toMatchInlineSnapshot(`
    [
      "create index "i_note" on only "public"."orders" using "btree" ("note", "id" desc)",
      "create index "i_note_p_2025_291504b3" on only "public"."p_2025" using "btree" ("note", "id" desc)",
      "create index concurrently "i_note_p_2023_15eadbd4" on "public"."p_2023" using "btree" ("note", "id" desc)",
      "create index concurrently "i_note_p_2024_db85f3c3" on "public"."p_2024" using "btree" ("note", "id" desc)",
      "create index concurrently "i_note_p_2025_even_984e6932" on "public"."p_2025_even" using "btree" ("note", "id" desc)",
      "create index concurrently "i_note_p_2025_odd_8305727d" on "public"."p_2025_odd" using "btree" ("note", "id" desc)",
      "alter index "public"."i_note_p_2025_291504b3" attach partition "public"."i_note_p_2025_even_984e6932"",
      "alter index "public"."i_note_p_2025_291504b3" attach partition "public"."i_note_p_2025_odd_8305727d"",
      "alter index "public"."i_note" attach partition "public"."i_note_p_2023_15eadbd4"",
      "alter index "public"."i_note" attach partition "public"."i_note_p_2024_db85f3c3"",
      "alter index "public"."i_note" attach partition "public"."i_note_p_2025_291504b3"",
    ]
  `)
  const { result } = await apply(db.url, profiles)
  expect(result.steps).toMatchObject([{ outcome: 'built', state: 'valid' }])
  expect(result.steps[0]?.error).toBeUndefined()
  expect(result).toMatchObject({ exit_code: 0, analyzed: [{ table: 'public.orders', ok: true }] })
  expect(result.steps[0]?.size_bytes).toBeGreaterThan(4 * 8192 - 1)
  expect(await validity(db.sql, 'i_note')).toEqual(allValid)
  expect((await plan(db.url, profiles)).steps).toMatchObject([{ step: 'keep', sql: [] }])
  expect(await verify(db.url, profiles)).toMatchObject({ exit_code: 0, findings: [] })
  const before = await treeOf(db.sql, 'i_note')
  expect((await apply(db.url, profiles)).result).toMatchObject({ exit_code: 0, steps: [{ outcome: 'kept' }] })
  expect(await treeOf(db.sql, 'i_note')).toEqual(before)
})

test('an equal valid index of a partition is attached and not built again, whatever it is called', async () => {
  await using db = await testDatabase(`${ordersTable}
    create index anything on p_2024 (note, id desc);
    create index "i_note_p_2023_15eadbd4" on p_2023 (at)`)
  const profiles = await profileOf([byNote])
  const [adopted] = await db.sql`select oid::int8::int from pg_class where relname = 'anything'`
  const [step] = (await plan(db.url, profiles)).steps
  expect(step?.sql.filter((sql) => /on "public"."p_2024"/.test(sql))).toEqual([])
  expect(step?.sql).toContain('alter index "public"."i_note" attach partition "public"."anything"')
  expect((await apply(db.url, profiles)).result.exit_code).toBe(0)
  const tree = await treeOf(db.sql, 'i_note')
  expect(tree.find((index) => index.table === 'p_2024')).toMatchObject({ name: 'anything', oid: adopted?.['oid'] })
  // Its name was somebody else's on the same partition: the next one is taken, and that index stays what it was.
  expect(tree.find((index) => index.table === 'p_2023')?.name).toMatch(/^i_note_p_2023_(?!15eadbd4)[0-9a-f]{8}$/)
  expect(await db.sql`select indexdef from pg_indexes where indexname = 'i_note_p_2023_15eadbd4'`).toMatchObject([
    { indexdef: expect.stringContaining('(at)') },
  ])
  expect(await validity(db.sql, 'i_note')).toEqual(allValid)
})

test('the index of a partition’s constraint is not attached: the constraint could not be dropped any more', async () => {
  await using db = await testDatabase(`${ordersTable} alter table p_2024 add constraint held unique (id, at, kind)`)
  const profiles = await profileOf(['{ name: u, table: orders, keys: [id, at, kind], unique: true }'])
  expect((await apply(db.url, profiles)).result.exit_code).toBe(0)
  expect(await validity(db.sql, 'u')).toEqual(allValid)
  await db.sql`alter table p_2024 drop constraint held`
  expect(await validity(db.sql, 'u')).toEqual(allValid)
})

test('keys of every kind, odd names, partitions of another schema and another order of columns, levels without partitions', async () => {
  await using db = await testDatabase(`create schema "Other S";
    create function public.twice(int) returns int immutable language sql as 'select $1 * 2';
    create function "Other S".twice(int) returns int immutable language sql as 'select $1 * 3';
    create table "Großer ""Name""" (a int, b text, c int) partition by hash (a);
    create table "Other S"."Teil 0 ${'x'.repeat(50)}" (c int, z int, b text, a int);
    alter table "Other S"."Teil 0 ${'x'.repeat(50)}" drop column z;
    alter table "Großer ""Name""" attach partition "Other S"."Teil 0 ${'x'.repeat(50)}" for values with (modulus 2, remainder 0);
    create table "Teil 1" partition of "Großer ""Name""" for values with (modulus 2, remainder 1) partition by list (c);
    create table "Teil 1 default" partition of "Teil 1" default partition by range (b);
    create table empty (a int, b text) partition by range (a);
    insert into "Großer ""Name""" select 1, 'b', 1 where false;`)
  const table = `{ schema: public, name: 'Großer "Name"' }`
  const profiles = await profileOf([
    `{ name: '${'i'.repeat(60)}ü', table: ${table}, keys: [a, c, b], unique: true, include: [c], with: { fillfactor: 70 } }`,
    `{ name: i_expression, table: ${table}, keys: [{ expression: twice( c ) }, { column: b, collation: C, order: desc }] }`,
    `{ name: i_partial, table: ${table}, keys: [c], where: "b IN ('x','y') and c is not null" }`,
    `{ name: i_hash, table: ${table}, method: hash, keys: [b] }`,
    `{ name: i_brin, table: ${table}, method: brin, keys: [a], with: { pages_per_range: 16 } }`,
    `{ name: i_empty, table: empty, keys: [b] }`,
  ])
  const { result } = await apply(db.url, profiles)
  expect(result.steps.map((step) => [step.outcome, step.state, step.error])).toEqual(
    profiles[0]?.indexes.map(() => ['built', 'valid', undefined]),
  )
  expect(result.exit_code).toBe(0)
  expect(new Set((await plan(db.url, profiles)).steps.map((step) => step.step))).toEqual(new Set(['keep']))
  expect(await verify(db.url, profiles)).toMatchObject({ exit_code: 0 })
  // A partition that comes later gets them all from PostgreSQL, and nothing is left to do.
  await db.sql.unsafe(
    `create table "Teil 1 last" partition of "Teil 1 default" default; insert into "Großer ""Name""" select n, 'b' || n, n from generate_series(1, 50) n`,
  )
  expect(await verify(db.url, profiles)).toMatchObject({ exit_code: 0 })
})

test('a unique index that lacks a partition key, on any level, is refused by PostgreSQL itself before anything is touched', async () => {
  await using db = await testDatabase(ordersTable)
  const unique = (keys: string) => profileOf([`{ name: u, table: orders, keys: [${keys}], unique: true }`])
  await expect(apply(db.url, await unique('id'))).rejects.toMatchObject({
    code: 'BAD_DEFINITION',
    sqlstate: '0A000',
    message: expect.stringContaining('unique constraint on partitioned table must include all partitioning columns'),
    detail: 'UNIQUE constraint on table "orders" lacks column "at" which is part of the partition key.',
    place: { line: 5 },
  })
  await expect(apply(db.url, await unique('id, at'))).rejects.toMatchObject({
    detail: 'UNIQUE constraint on table "p_2025" lacks column "kind" which is part of the partition key.',
  })
  expect(await treeOf(db.sql, 'u')).toEqual([])
  expect((await apply(db.url, await unique('id, at, kind'))).result.exit_code).toBe(0)
  expect(await validity(db.sql, 'u')).toEqual(allValid)
})

test('duplicates in one partition are named, what is built stays, and the next apply goes on there', async () => {
  await using db = await testDatabase(`${ordersTable}
    insert into orders select 7, 1, 'x', date '2025-03-03' from generate_series(1, 3)`)
  const profiles = await profileOf(['{ name: u, table: orders, keys: [id, at, kind], unique: true }'])
  const { result } = await apply(db.url, profiles)
  expect(result).toMatchObject({ exit_code: 3, steps: [{ outcome: 'failed', state: 'invalid' }] })
  expect(result.steps[0]?.error).toMatchObject({
    code: 'DUPLICATE_KEYS',
    sqlstate: '23505',
    detail: expect.stringMatching(/\(7, 2025-03-03, 1\): 3 rows; on public\.p_2025_odd; 5 of 11 statements/),
  })
  const before = await db.sql`select oid::int8::int, relname from pg_class where relname like 'u%' order by oid`
  await db.sql`delete from orders where note = 'x'`
  expect((await verify(db.url, profiles)).findings).toMatchObject([
    { code: 'INVALID', index: 'u', message: expect.stringContaining('public.p_2025_odd has no index of it') },
  ])
  expect((await apply(db.url, profiles)).result).toMatchObject({ exit_code: 0, steps: [{ outcome: 'rebuilt' }] })
  expect(await validity(db.sql, 'u')).toEqual(allValid)
  const after = await db.sql`select oid::int8::int, relname from pg_class where relname like 'u%' order by oid`
  expect(after.slice(0, before.length)).toEqual(before)
})

test('a level of the tree may be declared itself, and an index is told to be renamed', async () => {
  await using db = await testDatabase(`${ordersTable} create index old_name on orders (kind)`)
  const profiles = await profileOf([
    '{ name: i_lower, table: p_2025, keys: [note] }',
    '{ name: i_kind, table: orders, keys: [kind] }',
  ])
  const { result } = await apply(db.url, profiles, { allow: ['RENAME'] })
  expect(result.steps).toMatchObject([{ outcome: 'built' }, { outcome: 'renamed' }])
  expect(await validity(db.sql, 'i_lower')).toEqual({ p_2025: true, p_2025_even: true, p_2025_odd: true })
  expect(await verify(db.url, profiles)).toMatchObject({ exit_code: 0 })
})

test('a foreign table among the partitions is refused with the reason, unless the index is valid already', async () => {
  await using db = await testDatabase(`${ordersTable}
    create foreign data wrapper nothing; create server s foreign data wrapper nothing;
    create foreign table p_far partition of orders for values from ('2026-01-01') to ('2027-01-01') server s;
    create index i_kind on orders (kind)`)
  await expect(apply(db.url, await profileOf([byNote]))).rejects.toMatchObject({
    code: 'NOT_INDEXABLE',
    message: expect.stringContaining('public.p_far, a partition of public.orders, is a foreign table'),
    place: { line: 5 },
  })
  const profiles = await profileOf(['{ name: i_kind, table: orders, keys: [kind] }'])
  expect((await apply(db.url, profiles)).result).toMatchObject({ exit_code: 0, steps: [{ outcome: 'kept' }] })
})

test('an index of a partitioned table is replaced and dropped where that is allowed, and a rollback brings all of it back', async () => {
  await using db = await testDatabase(
    `${ordersTable} create index i_note on orders (kind, lower(note)) with (fillfactor = 80); create index gone on orders (id);
    comment on index i_note is 'by kind'; alter index i_note alter column 2 set statistics 300`,
  )
  const profiles = await profileOf([byNote], 'absent: [gone]\n')
  const before = await definitions(db)
  const verified = await verify(db.url, profiles)
  expect(verified.findings.filter((finding) => finding.severity === 'error')).toMatchObject([
    { code: 'UNWANTED', index: 'gone', hint: expect.stringContaining('--allow DROP') },
    { code: 'DIFFERS', index: 'i_note', hint: expect.stringContaining('--allow REPLACE') },
  ])
  // One story: what plan says is what has to be allowed, and no more.
  expect((await apply(db.url, profiles)).result).toMatchObject({
    exit_code: 1,
    error: { code: 'HAZARD' },
    steps: [
      { step: 'replace', hazards: [{ code: 'REPLACE', message: expect.stringContaining('ACCESS EXCLUSIVE') }] },
      { step: 'drop', hazards: [{ code: 'DROP', message: expect.stringContaining('ACCESS EXCLUSIVE') }] },
    ],
  })
  expect(await definitions(db)).toEqual(before)
  const { result } = await apply(db.url, profiles, { allow: ['REPLACE', 'DROP'], ledger: true })
  expect(result.steps.map(({ outcome, error }) => [outcome, error])).toEqual([
    ['replaced', undefined],
    ['dropped', undefined],
  ])
  expect(result.exit_code).toBe(0)
  expect(await validity(db.sql, 'i_note')).toEqual(allValid)
  expect((await db.sql`select from pg_class where relname ~ '_perfdb_(old|new)$'`).length).toBe(0)
  expect((await plan(db.url, profiles)).steps).toMatchObject([{ step: 'keep' }])

  const back = await rollback(db.url)
  expect(back).toMatchObject({
    exit_code: 1,
    steps: [
      { index: 'gone', outcome: 'built' },
      { index: 'i_note', outcome: 'refused' },
    ],
    findings: [{ code: 'DROP_REFUSED', index: 'i_note', hint: 'the same command with --allow DROP drops it' }],
  })
  expect(await rollback(db.url, result.run, { allow: new Set(['DROP']) })).toMatchObject({ exit_code: 0, findings: [] })
  expect(await definitions(db)).toEqual(before)
  expect(await validity(db.sql, 'i_note')).toEqual(allValid)
})

/** Of partitioned indexes, with what pg_get_indexdef leaves out. */
async function definitions(db: TestDatabase) {
  return db.sql`select c.relname, pg_get_indexdef(c.oid) as ddl, obj_description(c.oid) as comment, i.indisvalid,
      (select array_agg(a.attstattarget order by attnum) from pg_attribute a where a.attrelid = c.oid) as targets
    from pg_class c join pg_index i on i.indexrelid = c.oid where c.relkind = 'I' and i.indrelid = 'orders'::regclass order by 1`
}

test('a replace of a partitioned index that is cut short at any point is gone on with by the next', async () => {
  const moments = [
    /create index concurrently "i_kind_p_2024/,
    /attach partition "public"."i_kind_p_2023/,
    /rename to "i_kind"/,
    /^lock table/,
  ]
  for (const moment of moments) {
    await using db = await testDatabase(`${ordersTable} create index i_kind on orders (kind)`)
    const profiles = await profileOf([byKind])
    const connect = intercepted(
      db.url,
      once('ddl', moment, async () => {
        throw new PerfdbError('BUILD_FAILED', 'cut short')
      }),
    )
    const cut = await apply(db.url, profiles, { allow: ['REPLACE'], connect })
    expect(cut.result.exit_code, String(moment)).toBe(3)
    expect((await db.sql`select from pg_class where relname = 'i_kind'`).length).toBe(1)
    const { result } = await apply(db.url, profiles, { allow: ['REPLACE'] })
    expect(result.steps.map(({ error }) => error)).not.toContainEqual(expect.anything())
    expect(result.exit_code, String(moment)).toBe(0)
    expect(await validity(db.sql, 'i_kind')).toEqual(allValid)
    expect((await db.sql`select from pg_class where relname ~ '_perfdb_(old|new)$'`).length).toBe(0)
  }
})

test('what a partitioned index is declared with besides its keys is set on it and on its partitions', async () => {
  await using db = await testDatabase(ordersTable)
  const profiles = await profileOf([
    '{ name: i_lower, table: orders, keys: [lower(note)], comment: of notes, statistics: { 1: 500 } }',
  ])
  expect((await apply(db.url, profiles)).result.exit_code).toBe(0)
  const rows = await db.sql`select obj_description(c.oid) as comment, a.attstattarget::int as target from pg_class c
    join pg_index i on i.indexrelid = c.oid join pg_attribute a on a.attrelid = c.oid where c.relname ~ '^i_lower' order by 1`
  expect(rows).toHaveLength(6)
  expect(rows.every(({ target }) => target === 500)).toBe(true)
  expect(rows[0]).toMatchObject({ comment: 'of notes' })
  expect(await verify(db.url, profiles)).toMatchObject({ exit_code: 0, findings: [] })
})

test('a transaction that reads a partition keeps the drop waiting, and no writer runs into a lock_timeout of 400 ms', async () => {
  await using db = await testDatabase(`${ordersTable} create index gone on orders (id)`)
  await using reader = await openTransaction(db.sql, 'begin', 'select count(*) from p_2024')
  const connection = await db.sql.reserve()
  await connection`set lock_timeout = '400ms'`
  const profiles = await profileOf([], 'absent: [gone]\n')
  let [running, failed] = [true, 0]
  const applied = apply(db.url, profiles, { allow: ['DROP'], maxWaitMs: 1500 }).finally(() => (running = false))
  while (running) await connection`update orders set kind = kind where id = 1`.catch(() => (failed += 1))
  connection.release()
  expect((await applied).result).toMatchObject({ exit_code: 3, steps: [{ error: { code: 'BLOCKED' } }] })
  expect(failed).toBe(0)
  await reader.end()
  expect((await apply(db.url, profiles, { allow: ['DROP'] })).result.exit_code).toBe(0)
})

test('where no temporary table can be made, equal is still kept and another predicate still differs', async () => {
  await using db = await testDatabase(`${ordersTable}
    create index i_same on orders (lower(note) desc, kind) where note in ('a', 'b');
    create index i_other on orders (kind) where note = 'b'`)
  await db.sql.unsafe(`revoke temporary on database ${db.name} from public`)
  await using role = await testRole(db)
  await db.sql.unsafe(`grant select on orders to ${role.name}`)
  const verified = await verify(
    role.url,
    await profileOf([
      "{ name: i_same, table: orders, keys: [{ expression: lower( note ), order: desc }, kind], where: \"note IN ('a','b')\" }",
      '{ name: i_other, table: orders, keys: [kind], where: "note = \'a\'" }',
    ]),
  )
  expect(Object.fromEntries(verified.steps.map(({ index, step }) => [index, step]))).toEqual({
    i_other: 'replace',
    i_same: 'keep',
  })
})

test('a partition that belongs to another role is told before anything is touched', async () => {
  await using db = await testDatabase(ordersTable)
  await using role = await testRole(db)
  await db.sql.unsafe(`grant create on schema public to ${role.name}; alter table orders owner to ${role.name}`)
  await expect(apply(role.url, await profileOf([byNote]))).rejects.toMatchObject({
    code: 'PRIVILEGE',
    message: expect.stringMatching(/does not own public\.p_/),
  })
  for (const table of ['p_2023', 'p_2024', 'p_2025', 'p_2025_even', 'p_2025_odd'])
    await db.sql.unsafe(`alter table ${table} owner to ${role.name}`)
  expect((await apply(role.url, await profileOf([byNote]))).result.exit_code).toBe(0)
  expect(await validity(db.sql, 'i_note')).toEqual(allValid)
})

const emptyLeaves = `create table p (a int, b text) partition by range (a);
  create table p_0 partition of p for values from (0) to (100);
  create table p_1 partition of p for values from (100) to (200) partition by range (a);
  create table p_1_a partition of p_1 for values from (100) to (150);
  create table p_1_b partition of p_1 for values from (150) to (200);
  create table p_2 partition of p for values from (200) to (300);
  insert into p select n, 'b' || n from generate_series(0, 120) n;`

test('empty leaves are built plainly, each with its attachment in one short transaction; those with rows concurrently', async () => {
  await using db = await testDatabase(emptyLeaves)
  const profiles = await profileOf(['{ name: i, table: p, keys: [b, a] }'])
  const sql = (await plan(db.url, profiles)).steps.flatMap((step) => step.sql)
  const kinds = sql.map((text) =>
    text
      .replaceAll('"', '')
      .replace(/_[0-9a-f]{8}/g, '')
      .replace(/ using .*/, ''),
  )
  expect(kinds.filter((text) => !/^(begin|commit)/.test(text))).toEqual([
    "set local lock_timeout = '50ms'",
    'create index i on only public.p',
    "set local lock_timeout = '50ms'",
    'create index i_p_1 on only public.p_1',
    "set local lock_timeout = '50ms'",
    "set local statement_timeout = '150ms'",
    'create index i_p_2 on public.p_2',
    'alter index public.i attach partition public.i_p_2',
    "set local lock_timeout = '50ms'",
    "set local statement_timeout = '150ms'",
    'create index i_p_1_b on public.p_1_b',
    'alter index public.i_p_1 attach partition public.i_p_1_b',
    'create index concurrently i_p_0 on public.p_0',
    'create index concurrently i_p_1_a on public.p_1_a',
    "set local lock_timeout = '50ms'",
    'alter index public.i_p_1 attach partition public.i_p_1_a',
    "set local lock_timeout = '50ms'",
    'alter index public.i attach partition public.i_p_0',
    "set local lock_timeout = '50ms'",
    'alter index public.i attach partition public.i_p_1',
  ])
  expect((await apply(db.url, profiles)).result).toMatchObject({ exit_code: 0, steps: [{ outcome: 'built' }] })
  expect(Object.values(await validity(db.sql, 'i'))).toEqual(Array<boolean>(6).fill(true))
  expect((await plan(db.url, profiles)).steps).toMatchObject([{ step: 'keep' }])
})

test('a leaf that was empty and is filled before its turn is built concurrently after all', async () => {
  await using db =
    await testDatabase(`${slowTable(1, 1)} create or replace function public.slow(int) returns int language plpgsql immutable as
    $$ begin perform pg_catalog.pg_sleep(0.01); return $1; end $$; ${emptyLeaves}`)
  const fill = once('ddl', /create index "i_p_2_/, async () => {
    await db.sql`insert into p select 200 + n % 100, 'x' from generate_series(1, 200) n`
  })
  const sent: string[] = []
  const connect = intercepted(db.url, async (role, text, session) => {
    if (role === 'ddl' && text.includes('"i_p_2_') && text.startsWith('create index')) sent.push(text.slice(0, 25))
    await fill(role, text, session)
  })
  const profiles = await profileOf(['{ name: i, table: p, keys: [{ expression: public.slow(a) }] }'])
  expect((await apply(db.url, profiles, { connect })).result).toMatchObject({
    exit_code: 0,
    steps: [{ outcome: 'built' }],
  })
  expect(sent).toEqual(
    ['create index "i_p_2_', 'create index concurrently'].map((text) => expect.stringContaining(text)),
  )
  expect(Object.values(await validity(db.sql, 'i'))).toEqual(Array<boolean>(6).fill(true))
})
