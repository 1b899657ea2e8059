import { expect, test } from 'vitest'
import type { ApplyResult } from '../../src/result/documents/result.js'
import { apply, plan, rollback } from '../support/apply.js'
import { testDatabase, type TestDatabase } from '../support/database.js'
import { profileOf } from '../support/profile.js'

/*
 * Rollback, and what it meets: runs that only renamed, other people's indexes under the names of a run, and rollbacks that were
 * killed half-way. What a killed one leaves is made by hand here: it is the same in the catalog.
 */

const ledger = true
const schema =
  "create table t (a int, b text, c text); insert into t select n, 'b' || n, 'c' from generate_series(1, 500) n;"

const replaced = '{ name: i, table: t, keys: [c] }'

test('after a run that only renamed, rollback undoes that run and not the one before', async () => {
  await using db = await testDatabase(`${schema} create index old_name on t (b)`)
  await apply(db.url, await profileOf(['{ name: first, table: t, keys: [a] }']), { ledger })
  const renaming = await profileOf(['{ name: new_name, table: t, keys: [b] }'])
  await apply(db.url, renaming, { ledger, allow: ['RENAME'] })
  expect(done(await rollback(db.url))).toEqual([0, 'adopt old_name renamed'])
  expect(await indexes(db)).toEqual(['first', 'old_name'])
  // By mistake a second time it undoes nothing more.
  await expect(rollback(db.url)).rejects.toMatchObject({
    code: 'RUN_NOT_NAMED',
    hint: 'perfdb rollback 1',
    detail: expect.stringMatching(/^run 1: apply .*, 1 built, 0 dropped$/),
  })
  expect(done(await rollback(db.url, 1))).toEqual([0, 'drop first dropped'])
})

test('a renamed index that is another one by now keeps its name; so it does where the old name is taken', async () => {
  await using db = await testDatabase(`${schema} create index before1 on t (b); create index before2 on t (c)`)
  const profiles = await profileOf(['{ name: after1, table: t, keys: [b] }', '{ name: after2, table: t, keys: [c] }'])
  await apply(db.url, profiles, { ledger, allow: ['RENAME'] })
  await db.sql.unsafe('drop index after1; create index after1 on t (a); create index before2 on t (a, b)')
  const result = await rollback(db.url)
  expect(done(result)).toEqual([1, 'adopt after2 name_taken', 'adopt after1 refused'])
  expect(result.findings.map(({ code, index }) => `${code} ${index}`).sort()).toEqual([
    'CHANGED after1',
    'NAME_TAKEN after2',
  ])
  expect(await indexes(db)).toEqual(['after1', 'after2', 'before2'])
})

test('a rollback that was killed while it built a dropped index again is finished by the next', async () => {
  await using db = await testDatabase(`${schema} create index gone on t (lower(b)); comment on index gone is 'kept'`)
  await apply(db.url, await profileOf([], 'absent: [gone]\n'), { ledger })
  await invalid(db, 'gone', 't (lower(b))')
  expect(done(await rollback(db.url))).toEqual([0, 'create gone built'])
  const [row] = await db.sql`select indisvalid as valid, obj_description(indexrelid) as comment from pg_index
    where indexrelid = 'gone'::regclass`
  expect(row).toEqual({ valid: true, comment: 'kept' })
})

test('a rollback that was killed while it put a replaced index back is finished by the next', async () => {
  await using db = await testDatabase(`${schema} create index i on t (b)`)
  await apply(db.url, await profileOf([replaced]), { ledger, allow: ['REPLACE'] })
  await invalid(db, 'i_perfdb_new', 't (b)')
  expect(done(await rollback(db.url))).toEqual([0, 'replace i replaced'])
  expect(await definitions(db)).toEqual(['CREATE INDEX i ON public.t USING btree (b)'])
})

test('a rollback that was killed after the exchange of names only drops what is left', async () => {
  await using db = await testDatabase(`${schema} create index i on t (b)`)
  await apply(db.url, await profileOf([replaced]), { ledger, allow: ['REPLACE'] })
  await db.sql.unsafe('alter index i rename to i_perfdb_old; create index i on t (b)')
  expect(done(await rollback(db.url))).toEqual([0, 'drop i_perfdb_old dropped'])
  expect(await definitions(db)).toEqual(['CREATE INDEX i ON public.t USING btree (b)'])
})

test('a replace that was killed after the exchange of names can be rolled back, although the ledger has no end of it', async () => {
  await using db = await testDatabase(`${schema} create index i on t (b)`)
  await apply(db.url, await profileOf([replaced]), { ledger, allow: ['REPLACE'] })
  await db.sql`create index i_perfdb_old on t (b)`
  await db.sql`update perfdb.steps set state = 'started', outcome = null, finished_at = null`
  expect(done(await rollback(db.url))).toEqual([0, 'replace i replaced'])
  expect(await definitions(db)).toEqual(['CREATE INDEX i ON public.t USING btree (b)'])
})

test('what a killed run had done, or the server finished without it, is in the ledger after the next run: it can be rolled back', async () => {
  await using db = await testDatabase(
    `${schema} create index i on t (b); create index before on t (a); create index gone on t (c)`,
  )
  const profiles = await profileOf(
    [
      '{ name: i, table: t, keys: [c, b] }',
      '{ name: renamed, table: t, keys: [a] }',
      '{ name: j, table: t, keys: [b] }',
    ],
    'absent: [gone]\n',
  )
  const was = await definitions(db)
  const { result } = await apply(db.url, profiles, { ledger, allow: ['REPLACE', 'RENAME', 'REDUNDANT'] })
  expect(done(result)).toEqual([
    0,
    'create j built',
    'replace i replaced',
    'adopt renamed renamed',
    'drop gone dropped',
  ])
  await killed(db)
  const next = await apply(db.url, profiles, { ledger })
  expect(next.result).toMatchObject({ exit_code: 0, findings: [{ code: 'INTERRUPTED' }] })
  const outcomes = await db.sql`select outcome from perfdb.steps where run = 1 and state = 'done' order by number`
  expect(outcomes.map((row) => row['outcome'])).toEqual(['built', 'replaced', 'renamed', 'dropped'])
  expect(await rollback(db.url)).toMatchObject({ exit_code: 0, findings: [] })
  expect(await definitions(db)).toEqual(was)
})

test('what a killed run had begun and not done stays without an end in the ledger', async () => {
  await using db = await testDatabase(`${schema} create index i on t (b); create index gone on t (c)`)
  const profiles = await profileOf(
    ['{ name: i, table: t, keys: [c, b] }', '{ name: j, table: t, keys: [a] }'],
    'absent: [gone]\n',
  )
  await apply(db.url, profiles, { ledger, allow: ['REPLACE'] })
  await killed(db)
  await db.sql.unsafe(
    'drop index i, j; create index i on t (b); create index gone on t (c); create index j on t (b, a)',
  )
  await apply(db.url, await profileOf([], 'analyze: [t]\n'), { ledger })
  expect(await db.sql`select distinct state, outcome from perfdb.steps`).toEqual([{ state: 'started', outcome: null }])
  await expect(rollback(db.url)).rejects.toMatchObject({ code: 'NOTHING_TO_ROLL_BACK' })
})

test('a replace that failed before it changed anything is not what rollback undoes', async () => {
  await using db = await testDatabase(`${schema} create unique index i on t (a)`)
  await apply(db.url, await profileOf(['{ name: j, table: t, keys: [a, b] }']), { ledger })
  const failing = await profileOf(['{ name: i, table: t, keys: [c], unique: true }'])
  const { result } = await apply(db.url, failing, { ledger, allow: ['REPLACE', 'UNIQUE_BUILD'] })
  expect(result).toMatchObject({ exit_code: 3, steps: [{ error: { code: 'DUPLICATE_KEYS' } }] })
  expect(done(await rollback(db.url))).toEqual([0, 'drop j dropped'])
})

test('what backs a constraint, or is the replica identity, by now is told and left alone: nothing is built for it in vain', async () => {
  await using db = await testDatabase(`${schema} alter table t alter a set not null;
    create unique index r on t (b); create index identity on t (c)`)
  const profiles = await profileOf([
    '{ name: u, table: t, keys: [c, a], unique: true }',
    '{ name: r, table: t, keys: [a, b], unique: true }',
    '{ name: identity, table: t, keys: [a], unique: true }',
  ])
  await apply(db.url, profiles, { ledger, allow: ['REPLACE', 'REDUNDANT'] })
  await db.sql
    .unsafe(`alter table t add constraint u unique using index u; alter table t add constraint r unique using index r;
    alter table t replica identity using index identity`)
  const before = await definitions(db)
  const result = await rollback(db.url)
  expect(done(result)).toEqual([1, 'replace r refused', 'replace identity refused', 'drop u refused'])
  expect(result.findings.map(({ code, index }) => `${code} ${index}`).sort()).toEqual([
    'DROP_REFUSED identity',
    'DROP_REFUSED r',
    'DROP_REFUSED u',
  ])
  expect(await definitions(db)).toEqual(before)
})

test('an index that was dropped is not built again where its table is gone: that is named, and the rest is undone', async () => {
  await using db = await testDatabase(`${schema} create index gone on t (b); create table stays (a int)`)
  await apply(db.url, await profileOf(['{ name: j, table: stays, keys: [a] }'], 'absent: [gone]\n'), { ledger })
  await db.sql`drop table t`
  const result = await rollback(db.url)
  expect(done(result)).toEqual([1, 'create gone refused', 'drop j dropped'])
  expect(result.findings).toMatchObject([{ code: 'CHANGED', severity: 'error', index: 'gone' }])
  await expect(rollback(db.url)).rejects.toMatchObject({ code: 'RUN_NOT_NAMED', hint: 'perfdb rollback 1' })
})

test('the old half of a replace, dropped by a later run, does not come back under its passing name', async () => {
  await using db = await testDatabase(schema)
  const profiles = await profileOf(['{ name: i, table: t, keys: [b] }'])
  await apply(db.url, profiles, { ledger })
  await db.sql`create index i_perfdb_old on t (c)`
  await apply(db.url, profiles, { ledger })
  expect(await indexes(db)).toEqual(['i'])
  expect(done(await rollback(db.url))).toEqual([0, 'drop i dropped'])
  await expect(rollback(db.url)).rejects.toMatchObject({ code: 'NOTHING_TO_ROLL_BACK' })
})

test('--prune leaves alone what bears the name of an index of perfdb and is another one by now', async () => {
  await using db = await testDatabase(schema)
  await apply(db.url, await profileOf(['{ name: x, table: t, keys: [b] }', '{ name: y, table: t, keys: [c] }']), {
    ledger,
  })
  await db.sql.unsafe('drop index x; create index x on t (a)')
  const { result } = await apply(db.url, await profileOf([], 'analyze: [t]\n'), {
    ledger,
    prune: true,
  })
  expect(done(result)).toEqual([0, 'drop y dropped'])
  expect(await indexes(db)).toEqual(['x'])
})

test('of two declarations of one definition that stands there under a third name, one renames it and the other is built', async () => {
  await using db = await testDatabase(`${schema} create index third on t (b)`)
  const profiles = await profileOf(['{ name: z, table: t, keys: [b] }', '{ name: a, table: t, keys: [b] }'])
  const { result } = await apply(db.url, profiles, { allow: ['RENAME', 'REDUNDANT'] })
  expect(done(result)).toEqual([0, 'create z built', 'adopt a renamed'])
  expect((await plan(db.url, profiles)).steps.map(({ step }) => step)).toEqual(['keep', 'keep'])
})

function done({ exit_code: code, steps }: ApplyResult): readonly (string | number)[] {
  return [
    code,
    ...steps
      .filter(({ step }) => step !== 'keep')
      .map(({ step, index, outcome, error }) => `${step} ${index} ${error?.message ?? outcome}`),
  ]
}

/** The ledger as a SIGKILL before the end of each step leaves it: the pids are nobody's. */
async function killed({ sql }: TestDatabase): Promise<void> {
  await sql`update perfdb.steps set state = 'started', outcome = null, finished_at = null`
  await sql`update perfdb.runs set finished_at = null, outcome = null, ledger_pid = 4194304, backend_pid = 4194304`
}

/** As a build leaves it that was ended from outside. */
async function invalid(db: TestDatabase, name: string, on: string): Promise<void> {
  await db.sql.unsafe(`create index "${name}" on ${on}`)
  await db.sql`update pg_index set indisvalid = false where indexrelid = ${name}::regclass`
}

async function indexes({ sql }: TestDatabase): Promise<readonly string[]> {
  const rows = await sql<
    { name: string }[]
  >`select indexname as name from pg_indexes where schemaname = 'public' order by 1`
  return rows.map(({ name }) => name)
}

async function definitions({ sql }: TestDatabase): Promise<readonly string[]> {
  const rows = await sql<
    { ddl: string }[]
  >`select indexdef as ddl from pg_indexes where schemaname = 'public' order by 1`
  return rows.map(({ ddl }) => ddl)
}
