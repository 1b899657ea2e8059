import { readFile, writeFile } from 'node:fs/promises'
import postgres from 'postgres'
import { expect, test } from 'vitest'
import { runImport } from '../../src/commands/import/import.js'
import { importResult } from '../../src/result/documents/import-result.js'
import type { ImportGlobs } from '../../src/commands/import/import-names.js'
import { hazardCodes } from '../../src/codes/hazard-codes.js'
import { parseProfile } from '../../src/profile/read/read.js'
import { apply, plan } from '../support/apply.js'
import { perfdbHere } from '../cli/perfdb.js'
import { profileFolder } from '../support/command-line.js'
import { connectTo } from '../support/connect.js'
import { testDatabase, type TestDatabase } from '../support/database.js'
import { testRole } from '../support/roles.js'
import { seeded, variedIndex, variedSchema } from './import-varied.js'

async function importFrom(db: TestDatabase, globs: Partial<ImportGlobs> = {}) {
  await using session = await connectTo(db.url, 'look')
  return await runImport(session, { schemas: [], tables: [], indexes: [], ...globs })
}

async function definitions(db: TestDatabase): Promise<readonly string[]> {
  const rows = await db.sql<{ def: string }[]>`
    select coalesce(obj_description(i.indexrelid, 'pg_class'), '') || pg_get_indexdef(i.indexrelid) as def
    from pg_index i join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace
    where n.nspname !~ '^pg_' and n.nspname <> 'information_schema' order by 1`
  return rows.map((row) => row.def)
}

test('500 varied indexes: import then plan is all keep; 50 that are dropped come back byte for byte', async () => {
  await using db = await testDatabase(variedSchema)
  const [version] = await db.sql<{ num: number }[]>`select current_setting('server_version_num')::int as num`
  const random = seeded(20240229)
  const refused: string[] = []
  let made = 0
  for (let number = 0; made < 500 && number < 700; number++) {
    const statement = variedIndex(random, number, version?.num ?? 0)
    await db.sql.unsafe(statement).then(
      () => made++,
      (error: unknown) => refused.push(`${String(error)}: ${statement}`),
    )
  }
  expect(made, refused.join('\n')).toBe(500)
  const result = await importFrom(db)
  expect(result.notes).toEqual([])
  expect(result.counts).toMatchObject({ indexes: 500, imported: 500, tables: 4 })
  const profiles = [parseProfile(result.profile, 'imported.yaml')]
  const planned = await plan(db.url, profiles)
  expect(planned.steps.filter(({ step }) => step !== 'keep')).toEqual([])
  expect(planned.steps).toHaveLength(500)
  const before = await definitions(db)
  const dropped = await db.sql<{ name: string }[]>`
    select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'i' and n.nspname in ('public', 'other', 'Odd Schema') order by md5(c.relname) limit 50`
  for (const { name } of dropped) await db.sql.unsafe(`drop index ${name}`)
  const { result: applied } = await apply(db.url, profiles, { allow: hazardCodes })
  expect(applied.steps.filter(({ outcome }) => outcome !== 'kept' && outcome !== 'built')).toEqual([])
  expect(applied.steps.filter(({ outcome }) => outcome === 'built')).toHaveLength(50)
  expect(await definitions(db)).toEqual(before)
}, 300_000)

test('what is made by constraints, partitions and extensions, and what is not valid, is left out and told', async () => {
  await using db = await testDatabase(`
    create extension citext;
    create table t (id int primary key, a int unique, b int, r int4range, exclude using gist (r with &&));
    insert into t values (1, 1, 1), (2, 2, 1);
    create table m (id int, at date) partition by range (at);
    create table m1 partition of m for values from ('2024-01-01') to ('2025-01-01');
    create index m_at on m (at); create index m1_id on m1 (id);
    create table x (a int); create index x_a on x (a); alter extension citext add table x;
    create index plain on t (b); comment on index plain is 'why it is there'`)
  await expect(db.sql`create unique index concurrently broken on t (b)`).rejects.toThrow(
    'could not create unique index',
  )
  const result = await importFrom(db)
  expect(result.counts).toEqual({
    tables: 3,
    indexes: 9,
    imported: 3,
    constraint: 3,
    attached: 1,
    extension: 1,
    invalid: 1,
    not_declarable: 0,
  })
  expect(result.notes).toMatchInlineSnapshot(`
    [
      {
        "code": "CONSTRAINT",
        "indexes": [
          "public.t_a_key",
          "public.t_pkey",
          "public.t_r_excl",
        ],
        "message": "3 indexes left out, made by constraints (1 primary key, 1 unique, 1 exclusion)",
      },
      {
        "code": "ATTACHED",
        "indexes": [
          "public.m1_at_idx",
        ],
        "message": "1 index left out, attached to the index of a partitioned table",
      },
      {
        "code": "EXTENSION",
        "indexes": [
          "public.x_a",
        ],
        "message": "1 index left out, on tables of extensions",
      },
      {
        "code": "INVALID",
        "indexes": [
          "public.broken",
        ],
        "message": "1 index left out, not valid: no query uses it, every write pays",
      },
    ]
  `)
  expect(result.profile.replaceAll(db.name, 'NAME')).toMatchInlineSnapshot(`
    "# Imported from the database NAME.
    # 3 indexes left out, made by constraints (1 primary key, 1 unique, 1 exclusion): public.t_a_key, public.t_pkey, public.t_r_excl
    # 1 index left out, attached to the index of a partitioned table: public.m1_at_idx
    # 1 index left out, on tables of extensions: public.x_a
    # 1 index left out, not valid: no query uses it, every write pays: public.broken

    version: 1
    profile: NAME
    indexes:
      - name: m_at
        table: m
        keys: [at]
      - name: m1_id
        table: m1
        keys: [id]
      - name: plain
        table: t
        keys: [b]
        comment: why it is there
    "
  `)
  const planned = await plan(db.url, [parseProfile(result.profile, 'p.yaml')])
  expect(planned.steps.map(({ index, step }) => [index, step])).toEqual([
    ['m_at', 'keep'],
    ['m1_id', 'keep'],
    ['plain', 'keep'],
  ])
})

test('an index that no declaration can say is left out with the reason, the others are there', async () => {
  await using db = await testDatabase(`
    create table t (a int, b text);
    create function whole(t) returns int language sql immutable as 'select $1.a';
    create index i_whole on t (whole(t.*)); create index i_a on t (a); create index i_b on t (upper(b))`)
  const result = await importFrom(db)
  expect(result.counts).toMatchObject({ imported: 2, not_declarable: 1 })
  expect(result.notes).toMatchObject([{ code: 'NOT_DECLARABLE', indexes: ['public.i_whole'] }])
  expect(parseProfile(result.profile, 'p.yaml').indexes.map(({ definition }) => definition.name)).toEqual([
    'i_a',
    'i_b',
  ])
})

test('text is simplified as far as it keeps its meaning', async () => {
  await using db = await testDatabase(`
    create table t (v varchar(10), c char(3), s text, lc text collate "C", n numeric, j jsonb, ts timestamp);
    create index i on t (lower(v), (c::text), ((j ->> 'n')::int), lower(lc) text_ops, (s || v || 'x'))
      where v in ('a', 'b') and c::text = 'abc' and n > 0 and s like 'x%' and (j ->> 'n')::int > 5 and ts::date > '2024-01-01'`)
  const result = await importFrom(db)
  const [declared] = parseProfile(result.profile, 'p.yaml').indexes
  expect(declared?.definition).toMatchObject({
    keys: [
      { expression: 'lower(v)' },
      { expression: 'c::text' },
      { expression: "(j ->> 'n')::integer" },
      { expression: 'lower(lc)' },
      { expression: "s || v || 'x'" },
    ],
    predicate:
      "v IN ('a', 'b') AND c::text = 'abc' AND n > 0 AND s LIKE 'x%' AND (j ->> 'n')::integer > 5 AND ts::date > '2024-01-01'",
  })
})

test('globs pick schemas, tables and indexes', async () => {
  await using db = await testDatabase(`
    create schema app; create schema perfdb; create table app.jobs (a int, b int); create table jobs (a int, b int); create table "job.x" (a int);
    create table perfdb.runs (a int); create index on perfdb.runs (a);
    create index idx_a on app.jobs (a); create index idx_b on app.jobs (b); create index idx_a on jobs (a); create index "q?*" on "job.x" (a)`)
  const names = async (globs: Partial<ImportGlobs>) =>
    parseProfile((await importFrom(db, globs)).profile, 'p.yaml').indexes.map(
      ({ definition: { table, name } }) => `${table.schema}.${table.name}.${name}`,
    )
  expect(await names({})).toEqual(['app.jobs.idx_a', 'app.jobs.idx_b', 'public.job.x.q?*', 'public.jobs.idx_a'])
  expect(await names({ schemas: ['a*', 'nope'] })).toEqual(['app.jobs.idx_a', 'app.jobs.idx_b'])
  expect(await names({ tables: ['app.job?'], indexes: ['*_b'] })).toEqual(['app.jobs.idx_b'])
  expect(await names({ tables: ['job.x'] })).toEqual(['public.job.x.q?*'])
  expect(await names({ tables: ['jobs'] })).toEqual(['app.jobs.idx_a', 'app.jobs.idx_b', 'public.jobs.idx_a'])
  expect(await names({ schemas: ['perfdb'] })).toEqual(['perfdb.runs.runs_a_idx'])
  expect((await importFrom(db, { schemas: ['nope'] })).notes).toMatchObject([{ code: 'NOTHING_FOUND' }])
})

test('without temporary tables the same text comes out', async () => {
  await using db = await testDatabase(`
    create table t (v varchar(10), b text, d timestamptz); create extension pg_trgm;
    create index i1 on t (lower(v) desc) where v in ('a', 'b'); create index i2 on t using gin (b gin_trgm_ops); create index i3 on t (d) where v = 'x'`)
  await using role = await testRole(db)
  await db.sql.unsafe(`revoke temporary on database ${db.name} from public; grant select on t to ${role.name}`)
  const expected = await importFrom(db)
  expect(expected.profile).toContain("where: v IN ('a', 'b')")
  expect(expected.profile).toContain('extensions: [pg_trgm]')
  await using session = await connectTo(role.url, 'look')
  const result = await runImport(session, { schemas: [], tables: [], indexes: [] })
  expect(result.profile).toBe(expected.profile)
})

test('of a table that the role may not read only what needs no proof is imported', async () => {
  await using db = await testDatabase(`
    create table t (a int, b text); create index i_plain on t (a, b desc); create index i_lower on t (lower(b)); create table o (b text); create index o_lower on o (lower(b))`)
  await using role = await testRole(db)
  await db.sql.unsafe(`grant select on o to ${role.name}`)
  await using session = await connectTo(role.url, 'look')
  const result = await runImport(session, { schemas: [], tables: [], indexes: [] })
  expect(result.notes).toMatchObject([
    { message: expect.stringContaining('the role may not read its table'), indexes: ['public.i_lower'] },
  ])
  const planned = await plan(role.url, [parseProfile(result.profile, 'p.yaml')])
  expect(planned.steps.map(({ index, step }) => [index, step])).toEqual([
    ['i_plain', 'keep'],
    ['o_lower', 'keep'],
  ])
})

test('a tablespace of its own is kept', async () => {
  await using db = await testDatabase('create table t (a int)')
  const [version] = await db.sql<{ num: number }[]>`select current_setting('server_version_num')::int as num`
  if ((version?.num ?? 0) < 150000) return
  const admin = postgres(db.url, { max: 1, connection: { allow_in_place_tablespaces: 'on' } })
  const name = `Space ${db.name}`
  try {
    await admin.unsafe(`create tablespace "${name}" location ''`)
    await admin.unsafe(`create index i on t (a) tablespace "${name}"; create index j on t (a, a)`)
    const { profile } = await importFrom(db)
    expect(parseProfile(profile, 'p.yaml').indexes.map(({ definition }) => definition.tablespace)).toEqual([
      name,
      undefined,
    ])
    expect((await plan(db.url, [parseProfile(profile, 'p.yaml')])).steps.map(({ step }) => step)).toEqual([
      'keep',
      'keep',
    ])
  } finally {
    await admin.unsafe(`drop table t`)
    await admin.unsafe(`drop tablespace "${name}"`)
    await admin.end({ timeout: 2 })
  }
})

test('the command prints the profile alone on stdout, notes on stderr, JSON with both, or writes a file', async () => {
  await using db = await testDatabase('create table t (id int primary key, b int); create index b on t (b)')
  await using place = await profileFolder('')
  const at = { cwd: place.folder, environment: { PERFDB_URL: db.url } }
  const { code, stdout, stderr } = await perfdbHere(['import'], at)
  expect(stderr).toBe('warning: 1 index left out, made by constraints (1 primary key): public.t_pkey\n')
  expect(code).toBe(0)
  await writeFile(place.profile, stdout)
  const planned = await perfdbHere(['plan', 'p.yaml', '--exit-code'], at)
  expect(planned.code, planned.stderr).toBe(0)
  const json = await perfdbHere(['import', '--format', 'json'], at)
  expect(importResult.parse(JSON.parse(json.stdout))).toMatchObject({ profile: stdout, counts: { imported: 1 } })
  const kept = await perfdbHere(['import', '--out', 'shop.yaml', '--quiet'], at)
  expect(kept).toMatchObject({ stdout: '1 index of 1 table imported, 1 left out: shop.yaml\n', stderr: '' })
  expect(parseProfile(await readFile(`${place.folder}/shop.yaml`, 'utf8'), 'shop.yaml').name).toBe('shop')
})
