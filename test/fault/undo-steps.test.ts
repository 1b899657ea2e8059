import { expect, test } from 'vitest'
import type { ApplyResult } from '../../src/result/documents/result.js'
import { applyVerdict } from '../../src/report/blocks/apply.js'
import { apply, plan, rollback, status } from '../support/apply.js'
import { perfdbHere } from '../cli/perfdb.js'
import { profileFolder } from '../support/command-line.js'
import { testDatabase, type TestDatabase } from '../support/database.js'
import { failureOf } from '../support/failure.js'
import { intercepted, once } from '../support/intercept.js'
import { notLive } from '../support/leftover.js'
import { profileOf, profilesOf } from '../support/profile.js'

/* Every step of a run that is undone gets an outcome, and the run is undone only when all of its steps are. */

const ledger = true
const schema = `create table t (a int not null, b text, c text); insert into t select n, 'b' || n, 'c' from generate_series(1, 500) n;`

test('an index that somebody renamed is found by its oid, and dropped under its new name', async () => {
  await using db = await testDatabase(schema)
  const names = Array.from({ length: 7 }, (_, at) => `i${at}`)
  const profiles = await profileOf(
    names.map((name, at) => `{ name: ${name}, table: t, keys: [a, { expression: a + ${at} }] }`),
  )
  await apply(db.url, profiles, { ledger })
  await db.sql`alter index i3 rename to mine`
  const result = await rollback(db.url)
  expect(outcomes(result)).toEqual([0, ...names.toReversed().map((name) => `${name === 'i3' ? 'mine' : name} dropped`)])
  expect(result.steps[3]).toMatchObject({ reason: expect.stringContaining('renamed to mine since') })
  expect(await definitions(db)).toEqual([])
})

test('what somebody touched is left and named, a step at a time, with exit 1; the rest is undone', async () => {
  await using db = await testDatabase(`${schema} create index replaced on t (b); create index before on t (c);
    create index taken on t (c, b); create index gone on t (b, c)`)
  const profiles = await profileOf(
    [
      '{ name: replaced, table: t, keys: [b, a] }',
      '{ name: after, table: t, keys: [c] }',
      '{ name: built, table: t, keys: [a] }',
      '{ name: dropped, table: t, keys: [a, c] }',
    ],
    'absent: [taken, gone]\n',
  )
  const allow = ['REPLACE', 'RENAME', 'REDUNDANT', 'DROP'] as const
  expect((await apply(db.url, profiles, { ledger, allow })).result.exit_code).toBe(0)
  await db.sql.unsafe(
    `drop index replaced; alter index after rename to third; create table taken (x int); drop index dropped`,
  )
  const result = await rollback(db.url)
  expect(result.exit_code).toBe(1)
  expect(result.steps.map(({ index, outcome }) => `${index} ${outcome}`).toSorted()).toEqual([
    'after refused',
    'built dropped',
    'dropped already_gone',
    'gone built',
    'replaced already_gone',
    'taken name_taken',
  ])
  expect(result.findings.map(({ code, index, severity }) => `${code} ${index} ${severity}`).toSorted()).toEqual([
    'CHANGED after error',
    'CHANGED replaced error',
    'NAME_TAKEN taken error',
  ])
  // The run is not undone, and the same command goes on with what is left.
  await db.sql`drop table taken`
  await expect(rollback(db.url)).rejects.toMatchObject({ code: 'RUN_NOT_NAMED' })
  const again = await rollback(db.url, 1)
  expect(outcomes(again)).toContain('taken built')
  expect(outcomes(again)).toContain('gone undone')
  expect(again.exit_code).toBe(1)
})

test('a half-refused rollback leaves the rest owned: --prune sees it, and rollback goes on once nothing is in the way', async () => {
  await using db = await testDatabase(schema)
  const profiles = await profileOf([
    '{ name: u, table: t, keys: [a], unique: true }',
    '{ name: v, table: t, keys: [b] }',
  ])
  await apply(db.url, profiles, { ledger })
  await db.sql`alter table t add constraint u unique using index u`
  expect(outcomes(await rollback(db.url))).toEqual([1, 'v dropped', 'u refused'])
  expect((await status(db.url)).runs.find(({ run }) => run === 1)).toMatchObject({
    outcome: 'done, 1 of its steps rolled back',
  })
  await db.sql.unsafe('alter table t drop constraint u; create unique index u on t (a)')
  const none = await profileOf([], 'analyze: [t]\n')
  expect(outcomes((await apply(db.url, none, { ledger, prune: true, allow: ['DROP'] })).result)).toEqual([
    0,
    'u dropped',
  ])
})

test('a rollback killed between a build and its properties is gone on with until all of them are there', async () => {
  await using db = await testDatabase(`${schema} create extension if not exists pg_trgm;
    create unique index gone on t (a); comment on index gone is 'kept'; alter table t replica identity using index gone; alter table t cluster on gone;
    create index swapped on t (lower(b)); alter index swapped alter column 1 set statistics 7; alter index swapped depends on extension pg_trgm`)
  const before = await whole(db)
  const profiles = await profileOf(
    ['{ name: swapped, table: t, keys: [{ expression: lower(b) }, a] }'],
    'absent: [gone]\n',
  )
  await apply(db.url, profiles, { ledger, allow: ['REPLACE', 'DROP'] })
  const connect = intercepted(
    db.url,
    once('ddl', /^(comment|alter table)/, async (session) => session[Symbol.asyncDispose]()),
  )
  expect(await rollback(db.url, 1, { connect, retries: 0 })).toMatchObject({ exit_code: 3 })
  expect(await whole(db)).not.toEqual(before)
  expect(await rollback(db.url, 1)).toMatchObject({ exit_code: 0 })
  expect(await whole(db)).toEqual(before)
  await expect(rollback(db.url, 1)).rejects.toMatchObject({ code: 'NOTHING_TO_ROLL_BACK' })
})

test('what a replace that was killed left beside an index that somebody changed since is named, with the statement that drops it', async () => {
  await using db = await testDatabase(`${schema} create index swapped on t (b)`)
  const connect = intercepted(
    db.url,
    once('ddl', /^alter index .* rename/, async (session) => session[Symbol.asyncDispose]()),
  )
  const profiles = await profileOf(['{ name: swapped, table: t, keys: [b, a] }'])
  await apply(db.url, profiles, { ledger, allow: ['REPLACE'], retries: 0, connect }).catch(() => undefined)
  await db.sql`alter index swapped set (fillfactor = 40)`
  expect(await rollback(db.url, 1)).toMatchObject({
    exit_code: 1,
    steps: [{ index: 'swapped', outcome: 'refused' }],
    findings: [
      {
        code: 'CHANGED',
        message: expect.stringContaining('swapped_perfdb_new'),
        hint: expect.stringContaining('drop index concurrently "public"."swapped_perfdb_new"'),
      },
    ],
  })
})

test('what somebody took for the table since is not taken back: it is named as a difference', async () => {
  await using db = await testDatabase(
    `${schema} create unique index gone on t (a); alter table t replica identity using index gone; alter table t cluster on gone`,
  )
  await apply(db.url, await profileOf([], 'absent: [gone]\n'), { ledger, allow: ['DROP'] })
  await db.sql`alter table t replica identity full`
  const result = await rollback(db.url)
  expect(outcomes(result)).toEqual([1, 'gone built'])
  expect(result.findings).toMatchObject([{ code: 'CHANGED', message: expect.stringMatching(/: replica identity$/) }])
  expect(await db.sql`select relreplident as r from pg_class where relname = 't'`).toEqual([{ r: 'f' }])
})

test.each(['drop', 'create index concurrently', 'comment'])(
  'a rebuild killed before its %s loses nothing that belonged to the index',
  async (statement) => {
    await using db = await testDatabase(
      `${schema} create index i on t (lower(b)); comment on index i is 'kept'; alter index i alter column 1 set statistics 7`,
    )
    const before = await whole(db)
    await notLive(db.sql, 'i', 't')
    const profiles = await profileOf(['{ name: i, table: t, keys: [{ expression: lower(b) }] }'])
    const connect = intercepted(
      db.url,
      once('ddl', new RegExp(`^${statement} `), async (session) => session[Symbol.asyncDispose]()),
    )
    await apply(db.url, profiles, { ledger, connect, retries: 0 }).catch(() => undefined)
    // As a SIGKILL leaves the record of it.
    await db.sql`update perfdb.steps set state = 'started', outcome = null, finished_at = null`
    await db.sql`update perfdb.runs set finished_at = null, outcome = null, ledger_pid = 4194304, backend_pid = 4194304`
    expect((await apply(db.url, profiles, { ledger })).result.exit_code).toBe(0)
    expect(await whole(db)).toEqual(before)
  },
)

test('a dry run shows what rollback would do and changes nothing, not even in the ledger; declined changes nothing either', async () => {
  await using db = await testDatabase(`${schema} create index gone on t (b)`)
  await apply(db.url, await profileOf(['{ name: i, table: t, keys: [a] }'], 'absent: [gone]\n'), {
    ledger,
    allow: ['DROP'],
  })
  const state = async () => [
    await whole(db),
    await db.sql`select * from perfdb.runs`,
    await db.sql`select * from perfdb.steps`,
  ]
  const before = await state()
  const shown = await rollback(db.url, null, { dryRun: true })
  expect(shown).toMatchObject({
    command: 'rollback',
    exit_code: 0,
    run: null,
    steps: [
      {
        step: 'create',
        index: 'gone',
        sql: [expect.stringMatching(/^create index concurrently "gone" on "public"."t" USING btree \(b\)$/)],
      },
      { step: 'drop', index: 'i', sql: ['drop index concurrently "public"."i"'] },
    ],
  })
  expect(await state()).toEqual(before)
  const declined = await rollback(db.url, null, { confirm: async (asked) => asked.steps.length === 0 })
  expect(declined).toMatchObject({
    exit_code: 1,
    error: { code: 'DECLINED' },
    steps: [{ outcome: 'not_reached' }, { outcome: 'not_reached' }],
  })
  // What is shown beforehand must not read as if it had been done.
  expect(applyVerdict(shown)).toBe('2 indexes to roll back')
  expect(await state()).toEqual(before)
})

test('on the command line: --dry-run of apply is plan, without a terminal nothing is asked, and no number is too large to be refused', async () => {
  await using db = await testDatabase(schema)
  await using files = await profileFolder('version: 1\nprofile: test\nindexes:\n  - { name: i, table: t, keys: [a] }\n')
  const run = async (...args: readonly string[]) => {
    const { code, stdout } = await perfdbHere([...args, '--format', 'json'], {
      cwd: files.folder,
      environment: { PERFDB_URL: db.url },
    })
    return { code, result: JSON.parse(stdout) as unknown }
  }
  expect(await run('apply', files.profile, '--dry-run')).toMatchObject({
    code: 0,
    result: { command: 'plan', steps: [{ step: 'create' }] },
  })
  expect(await definitions(db)).toEqual([])
  await run('apply', files.profile)
  expect(await run('rollback', '99999999999999999999')).toMatchObject({
    code: 2,
    result: { error: { code: 'BAD_OPTION' } },
  })
  expect(await run('rollback', '9007199254740993')).toMatchObject({ code: 2, result: { error: { code: 'NO_RUN' } } })
  expect(await run('rollback', '--dry-run')).toMatchObject({ code: 0, result: { run: null } })
  expect(await run('rollback')).toMatchObject({ code: 0, result: { run: 2, steps: [{ outcome: 'dropped' }] } })
  expect(await run('rollback')).toMatchObject({ code: 2, result: { error: { code: 'NOTHING_TO_ROLL_BACK' } } })
})

test('junk in the ledger is told as that, and is no defect of perfdb', async () => {
  await using db = await testDatabase(schema)
  const profiles = await profileOf(['{ name: i, table: t, keys: [a] }'])
  await apply(db.url, profiles, { ledger })
  await db.sql`update perfdb.runs set started_at = 'infinity', finished_at = '-infinity'`
  expect((await status(db.url)).runs).toMatchObject([{ run: 1 }])
  await db.sql`update perfdb.steps set outcome = 'junk', step = 'junk'`
  expect(await rollback(db.url, 1)).toMatchObject({
    exit_code: 1,
    steps: [{ index: 'i', outcome: 'refused' }],
    findings: [{ code: 'BAD_RECORD' }],
  })
  await db.sql`alter table perfdb.steps rename to elsewhere`
  expect(await failureOf(rollback(db.url, 1))).toMatchObject({ code: 'BAD_RECORD' })
  expect(await failureOf(status(db.url))).toMatchObject({ code: 'BAD_RECORD' })
})

test('an extension that a run created is in the ledger, and rollback names it', async () => {
  await using db = await testDatabase(schema)
  const profiles = await profileOf(
    ['{ name: i, table: t, keys: [{ column: b, opclass: gin_trgm_ops }], method: gin }'],
    'extensions: [pg_trgm]\n',
  )
  expect((await apply(db.url, profiles, { ledger, allow: ['CREATE_EXTENSION'] })).result).toMatchObject({
    exit_code: 0,
    extensions: ['pg_trgm'],
  })
  expect(await rollback(db.url)).toMatchObject({
    exit_code: 0,
    extensions: ['pg_trgm'],
    findings: [{ code: 'CREATE_EXTENSION', hint: 'if nobody does: drop extension pg_trgm' }],
  })
})

test('prune takes what its own profile built in the schemas and tables that it names, and nothing else', async () => {
  await using db = await testDatabase(
    'create schema acme; create schema beta; create table acme.orders (ref int, at date); create table beta.orders (ref int, at date)',
  )
  const of = (name: string, where: string, indexes: string) =>
    profilesOf(`version: 1\nprofile: ${name}\nschema: ${where}\n${indexes}`)
  const ref = 'indexes:\n  - { name: orders_ref_idx, table: orders, keys: [ref] }\n'
  const at = 'indexes:\n  - { name: orders_at_idx, table: orders, keys: [at] }\n'
  const drops = async (profiles: Awaited<ReturnType<typeof of>>) =>
    (await apply(db.url, profiles, { ledger, prune: true })).result.steps
      .filter(({ step }) => step === 'drop')
      .map((step) => `${step.schema}.${step.index}`)
  await apply(db.url, await of('billing', 'acme', ref), { ledger })
  expect(await drops(await of('accounts', 'acme', at))).toEqual([])
  expect(await drops(await of('billing', 'beta', ref))).toEqual([])
  expect(await drops(await of('accounts', 'acme', 'analyze: [orders]\n'))).toEqual(['acme.orders_at_idx'])
  // A ledger of an older version says no more than the files of the run.
  await db.sql`update perfdb.steps set profile = null, table_oid = null, index_oid = null`
  await db.sql`update perfdb.runs set profiles = array['else.yaml']`
  expect(await drops(await of('billing', 'acme', 'analyze: [orders]\n'))).toEqual([])
  const billing = await of('billing', 'acme', 'analyze: [orders]\n')
  await db.sql`update perfdb.runs set profiles = ${billing.map(({ file }) => file)}`
  expect(await drops(billing)).toEqual(['acme.orders_ref_idx'])
  expect((await plan(db.url, await of('billing', 'beta', ref))).steps.map(({ step }) => step)).toEqual(['keep'])
})

function outcomes({ exit_code: code, steps }: ApplyResult): readonly (string | number)[] {
  const list = steps.filter(({ step }) => step !== 'keep').map(({ index, outcome }) => `${index} ${outcome}`)
  return [code, ...list]
}

async function definitions({ sql }: TestDatabase): Promise<readonly string[]> {
  const rows = await sql<
    { ddl: string }[]
  >`select indexdef as ddl from pg_indexes where schemaname = 'public' order by 1`
  return rows.map(({ ddl }) => ddl)
}

/** All that is to be said of the indexes of public. */
async function whole({ sql }: TestDatabase): Promise<unknown> {
  return sql`select pg_get_indexdef(i.indexrelid) as ddl, obj_description(i.indexrelid, 'pg_class') as comment, i.indisclustered as clustered,
      i.indisreplident as identity, i.indisvalid as valid, t.relreplident as replident, c.reltablespace as space,
      array(select coalesce(attstattarget, -1)::int from pg_attribute where attrelid = i.indexrelid order by attnum) as targets,
      array(select e.extname::text from pg_depend d join pg_extension e on e.oid = d.refobjid where d.objid = i.indexrelid and d.deptype = 'x') as extensions
    from pg_index i join pg_class c on c.oid = i.indexrelid join pg_class t on t.oid = i.indrelid
    where c.relnamespace = 'public'::regnamespace order by c.relname`
}
