import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runSqlImport } from '../../src/commands/import/import-sql.js'
import { runImport } from '../../src/commands/import/import.js'
import { parseProfile } from '../../src/profile/read/read.js'
import { apply, plan, verify } from '../support/apply.js'
import { perfdbHere } from '../cli/perfdb.js'
import { connectTo } from '../support/connect.js'
import { testDatabase, type TestDatabase } from '../support/database.js'

const all = { schemas: [], tables: [], indexes: [] }

async function names(sql: string): Promise<readonly string[]> {
  const { profile } = await runSqlImport(sql, 'm.sql', all)
  return parseProfile(profile, 'p.yaml').indexes.map(
    ({ definition: { name, table, keys, predicate } }) =>
      `${name} on ${table.schema}.${table.name} (${keys.map((key) => key.column ?? key.expression).join(', ')})${predicate === undefined ? '' : ` where ${predicate}`}`,
  )
}

/** Each script is run on a server too: what import says is what PostgreSQL has at its end. */
async function namesOfServer(sql: string): Promise<readonly string[]> {
  await using db = await testDatabase(`create schema app; create table t (a int, b int, c text);
    create table u (a int not null, b int); create table app.t (a int); ${sql}`)
  await using session = await connectTo(db.url, 'look')
  const { profile } = await runImport(session, all)
  return parseProfile(profile, 'p.yaml').indexes.map(
    ({ definition: { name, table } }) => `${table.schema}.${table.name} ${name}`,
  )
}

test.each([
  ['DROP TABLE', 'create index i on t (a); create index j on u (a); drop table t cascade', ['j on public.u (a)']],
  [
    'tables and schemas renamed, indexes renamed by ALTER TABLE',
    `create index i on t (a); create index k on app.t (a); alter table t rename to t2; alter schema app rename to app2; alter table i rename to i2`,
    ['k on app2.t (a)', 'i2 on public.t2 (a)'],
  ],
  [
    'a column renamed, in expressions and predicates too',
    `create index i on t (lower(c), a) where t.c <> 'c' and (t.b > 0 or c is null); alter table t rename column c to "Order"; alter table t rename b to new_b`,
    [`i on public.t (lower("Order"), a) where "Order" <> 'c' and (new_b > 0 or "Order" is null)`],
  ],
  [
    'DROP COLUMN drops what has it',
    `create index i on t (a); create index j on t (a) include (b); create index k on t (a) where b > 1; create index l on t (abs(b)); create index m on u (b); alter table t drop column b`,
    ['i on public.t (a)', 'm on public.u (b)'],
  ],
  [
    'DROP SCHEMA',
    'create index i on app.t (a); create index j on t (a); drop schema app cascade',
    ['j on public.t (a)'],
  ],
  [
    'USING INDEX, and SET SCHEMA',
    `create unique index i on u (a); create index j on u (b); alter table u add constraint u_pk primary key using index i; alter table u set schema app`,
    ['j on app.u (b)'],
  ],
  [
    'search_path, set and reset',
    `set search_path to app, public; create index i on t (a); reset search_path; create index j on t (a); select set_config('search_path', 'app', false); create index if not exists i on t (a)`,
    ['i on app.t (a)', 'j on public.t (a)'],
  ],
])('%s', async (_, sql, expected) => {
  const own = await names(sql)
  expect([...own].sort()).toEqual([...expected].sort())
  const tables = own.map((text) => text.replace(/^(\S+) on (\S+) .*$/s, '$2 $1'))
  expect([...(await namesOfServer(sql))].sort()).toEqual(tables.sort())
})

test('a name over 63 bytes is cut as PostgreSQL cuts it, with a note; perfdb’s own tables are left out', async () => {
  const long = 'i_'.padEnd(70, 'x')
  const dump = `create index ${long} on t (a); create index fine on t (b);
    create unique index runs_key on perfdb.runs (id); alter index perfdb.runs_key attach partition perfdb.runs_part`
  const result = await runSqlImport(dump, 'm.sql', all)
  expect(parseProfile(result.profile, 'p.yaml').indexes.map(({ definition }) => definition.name)).toEqual([
    long.slice(0, 63),
    'fine',
  ])
  expect(result.notes).toMatchObject([{ code: 'NAME_CUT', message: expect.stringContaining('m.sql:1') }])
})

test('a folder of migrations is one script in order of names; --out overwrites nothing without --force', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'perfdb-migrations-'))
  try {
    await mkdir(join(folder, 'm'))
    const write = (name: string, text: string) => writeFile(join(folder, 'm', name), text)
    await write('V2__a.sql', 'create index i on t (a);\n')
    await write('V10__b.sql', 'alter index i rename to j;\n')
    await write('V9__c.sql', '-- migrate:up\ncreate index k on t (b);\n-- migrate:down\ndrop index i;\n')
    await write('V9__c.down.sql', 'drop index k;')
    const run = (...args: readonly string[]) => perfdbHere(['import', 'm', ...args], { cwd: folder })
    const first = await run('--out', 'p.yaml')
    expect(first.code).toBe(0)
    const written = await readFile(join(folder, 'p.yaml'), 'utf8')
    expect(
      parseProfile(written, 'p.yaml')
        .indexes.map(({ definition }) => definition.name)
        .sort(),
    ).toEqual(['j', 'k'])
    const again = await run('--out', 'p.yaml')
    expect([again.code, again.stderr]).toEqual([2, expect.stringContaining('FILE_EXISTS')])
    expect(await run('--out', 'p.yaml', '--force')).toMatchObject({ code: 0 })
    const nothing = await run('--table', 'typo', '--out', 'p.yaml', '--force')
    expect(nothing.code).toBe(1)
    expect(await readFile(join(folder, 'p.yaml'), 'utf8')).toBe(written)
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('comments and statistics targets are kept, and given to what is built again; so is what an index of a partition has of its own', async () => {
  await using db = await testDatabase(
    `create table t (a text, b int); insert into t select n::text, n from generate_series(1, 500) n;
     create index i on t (b, lower(a)); alter index i alter column 2 set statistics 777;
     comment on index i is E'  two lines\\n and it''s quoted'; create index plain on t (b) include (a);
     create table p (k int, v text) partition by range (k); create table p1 partition of p for values from (0) to (9);
     create index p_v on p (v) with (fillfactor = 90); comment on index p_v is 'of all'; alter index p1_v_idx set (fillfactor = 70); comment on index p1_v_idx is 'own';`,
  )
  await using session = await connectTo(db.url, 'look')
  const imported = await runImport(session, all)
  expect(imported.notes.map(({ code }) => code)).toEqual(['ATTACHED'])
  const profiles = [parseProfile(imported.profile, 'p.yaml')]
  expect((await plan(db.url, profiles)).steps.map(({ step }) => step)).toEqual(['keep', 'keep', 'keep'])
  const before = await described(db)
  await db.sql`drop index i, plain, p_v`
  expect((await apply(db.url, profiles)).result).toMatchObject({ exit_code: 0 })
  expect(await described(db)).toEqual(before)
  await db.sql`comment on index i is 'other'`
  expect((await verify(db.url, profiles)).findings).toMatchObject([
    {
      code: 'DESCRIBED_OTHERWISE',
      severity: 'warning',
      hint: expect.stringContaining('comment on index "public"."i" is'),
    },
  ])
})

async function described(db: TestDatabase) {
  const rows = await db.sql<{ text: string }[]>`
    select concat_ws('|', pg_get_indexdef(c.oid), obj_description(c.oid, 'pg_class'), c.reloptions::text,
      (select string_agg(a.attnum || ':' || a.attstattarget, ',') from pg_attribute a where a.attrelid = c.oid and a.attstattarget >= 0)) as text
    from pg_class c where c.relkind in ('i', 'I') and c.relnamespace = 'public'::regnamespace order by 1`
  return rows.map(({ text }) => text)
}
