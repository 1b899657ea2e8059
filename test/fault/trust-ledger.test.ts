import postgres from 'postgres'
import { expect, test } from 'vitest'
import { runImport } from '../../src/commands/import/import.js'
import type { Profile } from '../../src/profile/profile.js'
import { ledgerPlainSql } from '../../src/sql/catalog/ledger-trust.js'
import { apply, plan, rollback, status, verify } from '../support/apply.js'
import { connectTo } from '../support/connect.js'
import { testDatabase, type TestDatabase } from '../support/database.js'
import { failureOf } from '../support/failure.js'
import { openTransaction } from '../support/leftover.js'
import { profileOf } from '../support/profile.js'
import { testRole, type TestRole } from '../support/roles.js'
import { until } from '../support/slow.js'

/*
 * A role without rights owns the ledger, or something in it, and a superuser comes: nothing of that role's runs as the superuser. The
 * sequence moves when its function runs with a superuser's rights, and stays moved when the transaction is rolled back.
 */

const setup = `create sequence marker; grant all on sequence marker to public;
  create function evil() returns int language plpgsql immutable as $$ begin
    if (select rolsuper from pg_catalog.pg_roles where rolname = current_user) then perform pg_catalog.nextval('public.marker'); end if;
    return 1; end $$;
  create function evil(text) returns text language sql immutable as $$ select $1 || left(public.evil()::text, 0) $$;
  create function evil_trigger() returns trigger language plpgsql as $$ begin perform public.evil(); return new; end $$;
  create table t (a int, b int); create index gone on t (b)`

/** What the owner of the ledger can put there, and how it is named. */
const attacks: Readonly<Record<string, string>> = {
  'perfdb.runs has the trigger x':
    'create trigger x before insert or update on perfdb.runs for each row execute function public.evil_trigger()',
  'perfdb.steps has the trigger x':
    'create trigger x after update on perfdb.steps execute function public.evil_trigger()',
  'perfdb.steps has the rule r': 'create rule r as on insert to perfdb.steps do also select public.evil()',
  'perfdb.measurements is a view':
    'alter table perfdb.measurements rename to kept; create view perfdb.measurements as select kept.*, public.evil() from perfdb.kept',
  'perfdb.migrations_lock is a materialized view':
    'alter table perfdb.migrations_lock rename to kept_lock; create materialized view perfdb.migrations_lock as select * from perfdb.kept_lock',
  'perfdb.runs has row security': `alter table perfdb.runs enable row level security; alter table perfdb.runs force row level security;
    create policy x on perfdb.runs using (public.evil() = 1) with check (public.evil() = 1)`,
  'perfdb.runs uses function public.evil()':
    'alter table perfdb.runs alter column started_at set default case when public.evil() = 1 then now() end',
  'perfdb.steps uses function public.evil(text)':
    'alter table perfdb.steps add column x text generated always as (public.evil(outcome)) stored',
  'perfdb.steps uses function public.evil()': 'alter table perfdb.steps add constraint x check (public.evil() = 1)',
  'perfdb.runs uses type public.d':
    'create domain public.d as text check (public.evil() = 1); alter table perfdb.runs alter column command type public.d',
  'perfdb.migrations uses function public.evil(text)':
    "create index x on perfdb.migrations ((name || public.evil('const'))); create index y on perfdb.steps (run) where outcome > public.evil('const')",
  'perfdb.runs has the extended statistics s':
    "create statistics public.s on (outcome || public.evil('const')), outcome from perfdb.runs",
  'perfdb.steps has a parent or child table': `create table public.child () inherits (perfdb.steps);
    create trigger x before update on public.child for each row execute function public.evil_trigger()`,
}

async function withLedger(
  db: TestDatabase,
): Promise<{ readonly role: TestRole; readonly profiles: readonly Profile[] }> {
  const role = await testRole(db)
  await db.sql.unsafe(`alter table t owner to ${role.name}; grant all on schema public to ${role.name};
    grant create on database ${db.name} to ${role.name}`)
  const profiles = await profileOf(['{ name: i, table: t, keys: [a] }'], 'absent: [gone]\n')
  await apply(role.url, profiles, { ledger: true })
  return { role, profiles }
}

test("the short look at a ledger that is all one's own says no to each of these things by itself", async () => {
  await using db = await testDatabase(setup)
  await apply(db.url, await profileOf(['{ name: i, table: t, keys: [a] }']), { ledger: true })
  const plain = async (script: string) =>
    db.sql
      .begin(async (sql) => {
        await sql.unsafe(script)
        const [row] = await sql.unsafe<{ plain: boolean }[]>(ledgerPlainSql)
        // Nothing of it stays.
        throw Object.assign(new Error('looked'), { plain: row?.plain })
      })
      .catch((error: unknown) => (error instanceof Error && 'plain' in error ? error.plain : error))
  expect(await plain('select')).toBe(true)
  const others = ['alter schema perfdb owner to pg_monitor', 'grant trigger on perfdb.runs to pg_monitor']
  for (const script of [...Object.values(attacks), ...others]) expect(await plain(script), script).toBe(false)
})

async function runAs(url: string, script: string): Promise<void> {
  await using session = await connectTo(url, 'ledger')
  for (const statement of script.split(';').filter((text) => text.trim() !== '')) await session.query(statement)
}

test(`nothing of ${Object.keys(attacks).length} attacks on the ledger runs as the superuser who comes next: LEDGER_UNTRUSTED`, async () => {
  await using db = await testDatabase(setup)
  const { role, profiles } = await withLedger(db)
  await using _ = role
  for (const script of Object.values(attacks)) await runAs(role.url, script)
  const more = await profileOf(['{ name: i, table: t, keys: [a] }', '{ name: j, table: t, keys: [a, b] }'])
  const untouched = async () => {
    expect((await plan(db.url, more)).exit_code).toBe(0)
    expect((await verify(db.url, more)).exit_code).toBe(1)
    // With nothing to do, too.
    const commands = [
      () => apply(db.url, more, { ledger: true }),
      () => apply(db.url, profiles, { ledger: true }),
      () => rollback(db.url),
    ]
    for (const command of commands) expect(await failureOf(command())).toMatchObject({ code: 'LEDGER_UNTRUSTED' })
    expect(await failureOf(apply(db.url, more, { prune: true }))).toMatchObject({ code: 'LEDGER_UNTRUSTED' })
    expect(await status(db.url)).toMatchObject({ exit_code: 0, runs: [], findings: [{ code: 'LEDGER_UNTRUSTED' }] })
    await using look = await connectTo(db.url, 'look')
    expect((await runImport(look, { schemas: [], tables: [], indexes: [] })).exit_code).toBe(0)
    expect(await db.sql`select is_called from marker`).toEqual([{ is_called: false }])
  }
  await untouched()
  // As the hint of an older perfdb may have done it: what is there is no better for belonging to a superuser.
  const owned = await db.sql<{ relation: string }[]>`select oid::regclass::text as relation from pg_class
    where relnamespace = 'perfdb'::regnamespace and relkind in ('r', 'v', 'm')`
  for (const { relation } of owned) await db.sql.unsafe(`alter table ${relation} owner to postgres`)
  await db.sql`alter schema perfdb owner to postgres`
  await untouched()
  const { detail = '', hint } = await failureOf(apply(db.url, more, { ledger: true }))
  expect(Object.keys(attacks).filter((attack) => !detail.includes(attack))).toEqual([])
  expect(hint).toContain('alter schema perfdb rename to perfdb_old')
  expect((await apply(db.url, more)).result).toMatchObject({ exit_code: 0 })
})

test('the attacks are attacks: even a SELECT there runs what the planner folds', async () => {
  await using db = await testDatabase(
    `${setup}; create table kept (a text); create index x on kept ((a || public.evil('const')))`,
  )
  await db.sql`select setval('marker', 1, false)`
  await db.sql`select from kept where a = 'x'`
  expect(await db.sql`select is_called from marker`).toEqual([{ is_called: true }])
})

test('the hint hands the ledger over: the role that had it and the superuser both go on working', async () => {
  await using db = await testDatabase(setup)
  const { role, profiles } = await withLedger(db)
  await using _ = role
  const failure = await failureOf(apply(db.url, profiles, { ledger: true }))
  expect(failure).toMatchObject({ code: 'LEDGER_UNTRUSTED', detail: expect.stringContaining('--no-ledger') })
  await db.sql.unsafe(failure.hint)
  const [more, most] = [
    await profileOf(['{ name: j, table: t, keys: [a, b] }']),
    await profileOf(['{ name: k, table: t, keys: [b, a] }']),
  ]
  expect((await apply(db.url, more, { ledger: true })).result).toMatchObject({ exit_code: 0, run: 2 })
  expect((await apply(role.url, most, { ledger: true })).result).toMatchObject({ exit_code: 0, run: 3 })
  expect(await rollback(role.url)).toMatchObject({ exit_code: 0, run: 4 })
  // Not whoever may add a trigger while a run goes on.
  await db.sql.unsafe(`grant trigger on perfdb.steps to ${role.name}`)
  const again = await failureOf(apply(db.url, more, { ledger: true }))
  expect(again).toMatchObject({ code: 'LEDGER_UNTRUSTED', detail: expect.stringContaining('may add triggers') })
  await db.sql.unsafe(again.hint)
  expect((await apply(db.url, more, { ledger: true })).result).toMatchObject({ exit_code: 0 })
})

test('a role that is a real member of the owner uses its ledger; another plain role does not', async () => {
  await using db = await testDatabase(setup)
  const { role } = await withLedger(db)
  await using _ = role
  await using other = await testRole(db)
  expect(await status(other.url)).toMatchObject({
    findings: [{ code: 'LEDGER_UNTRUSTED', hint: expect.stringContaining(`to postgres`) }],
  })
  await using group = await testRole(db)
  await db.sql.unsafe(`grant ${role.name} to ${group.name}; grant ${group.name} to ${other.name}`)
  expect(await status(other.url)).toMatchObject({ runs: [{ run: 1 }], findings: [] })
})

test('a schema that somebody made beforehand is not used', async () => {
  await using db = await testDatabase(setup)
  await using role = await testRole(db)
  await db.sql.unsafe(`create schema perfdb authorization ${role.name}`)
  const profiles = await profileOf(['{ name: i, table: t, keys: [a] }'])
  expect(await failureOf(apply(db.url, profiles, { ledger: true }))).toMatchObject({ code: 'LEDGER_UNTRUSTED' })
  expect(await db.sql`select from pg_class where relname = 'i'`).toHaveLength(0)
})

test('a schema that somebody makes at the last moment gets no row, and one that default privileges would open to others is not made', async () => {
  await using db = await testDatabase(setup)
  await using role = await testRole(db)
  await db.sql.unsafe(`grant create on database ${db.name} to ${role.name}`)
  const profiles = await profileOf(['{ name: i, table: t, keys: [a] }'])
  const sql = postgres(role.url, { max: 1, onnotice: () => undefined })
  const trap = await openTransaction(
    sql,
    'begin',
    'create schema perfdb',
    'create table perfdb.migrations (name text, timestamp text)',
    'create trigger x before insert on perfdb.migrations for each row execute function public.evil_trigger()',
    'grant all on schema perfdb to public',
    'grant all on perfdb.migrations to public',
  )
  const caught = apply(db.url, profiles, { ledger: true })
  await until('perfdb makes its own', async () => {
    const waiting = await db.sql`select from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock' and query like '%create schema%'`
    return waiting.length > 0
  })
  await trap.run('commit')
  await trap.end()
  await sql.end()
  expect(await failureOf(caught)).toMatchObject({ code: 'LEDGER_UNTRUSTED' })
  expect(await db.sql`select is_called from marker`).toEqual([{ is_called: false }])
  await db.sql.unsafe(`drop schema perfdb cascade; alter default privileges grant trigger on tables to ${role.name}`)
  expect(await failureOf(apply(db.url, profiles, { ledger: true }))).toMatchObject({ code: 'LEDGER_UNTRUSTED' })
  expect(await db.sql`select from pg_namespace where nspname = 'perfdb'`).toHaveLength(0)
  await db.sql.unsafe(`alter default privileges revoke trigger on tables from ${role.name}`)
  expect((await apply(db.url, profiles, { ledger: true })).result.exit_code).toBe(0)
})

/** What somebody who may write the ledger can put in the place of a record: none of it is run, and the outcome says why. */
const records: readonly (readonly [string, RegExp])[] = [
  ["ddl_before = 'drop table public.t'", /it is DROP TABLE, not CREATE INDEX/],
  ["ddl_before = 'create index gone on public.t (b); create role pwned superuser'", /expected one statement, found 2/],
  ["ddl_before = 'CREATE INDEX gone ON public.other USING btree (b)'", /an index of public.other, not of public.t/],
  ["ddl_before = 'create index gone on t (b)'", /an index of \?.t, not of public.t/],
  ["ddl_before = 'CREATE INDEX gone ON public.t (b)'", /does not say by which method/],
  ["ddl_before = 'select public.evil()'", /it is SELECT/],
  ["ddl_before = ''", /there is no statement/],
  ["ddl_before = 'CREATE INDEX gone ON public.t USING btree (b'", /syntax error/],
  [`kept_before = '{"comment":1}'`, /not what perfdb writes/],
  [
    `kept_before = '{"comment":null,"statistics":[{"column":"1 set statistics 1","expression":"b","target":1}],"tablespace":null,"clustered":false,"replicaIdentity":false}'`,
    /not what perfdb writes/,
  ],
  [`kept_before = '7'`, /not what perfdb writes/],
  [`canonical_before = '"junk"'`, /not what perfdb writes/],
  [`canonical_before = '{"keys":7,"method":1}'`, /not what perfdb writes/],
]

test(`none of ${records.length} forged records is run: the step's outcome says why, exit 1`, async () => {
  await using db = await testDatabase(`${setup}; create table other (b int)`)
  await apply(db.url, await profileOf([], 'absent: [gone]\n'), { ledger: true, allow: ['DROP'] })
  await db.sql`create table public.kept as select * from perfdb.steps`
  for (const [forged, message] of records) {
    await db.sql.unsafe(`update perfdb.steps set ${forged}`)
    const shown = await rollback(db.url, 1, { dryRun: true })
    expect(shown, forged).toMatchObject({
      exit_code: 1,
      steps: [{ index: 'gone', outcome: 'refused', sql: [] }],
      findings: [{ code: 'BAD_RECORD', index: 'gone', message: expect.stringMatching(message) }],
    })
    await db.sql`update perfdb.steps s set ddl_before = k.ddl_before, kept_before = k.kept_before, canonical_before = k.canonical_before from kept k`
  }
  await db.sql`update perfdb.steps set ddl_before = 'drop table public.t'`
  expect(await rollback(db.url, 1)).toMatchObject({ exit_code: 1, steps: [{ outcome: 'refused' }] })
  // As the table's owner it would be built, and that is the superuser himself.
  await using role = await testRole(db)
  await db.sql.unsafe(
    `alter function evil() owner to ${role.name}; grant select, update on perfdb.steps to ${role.name}; grant usage on schema perfdb to ${role.name}`,
  )
  await runAs(
    role.url,
    `update perfdb.steps set canonical_before = null, ddl_before = 'CREATE INDEX x ON public.t USING btree (b) WHERE (public.evil() = 1)' where run = 1`,
  )
  for (const dryRun of [true, false])
    expect(await rollback(db.url, 1, { dryRun })).toMatchObject({
      exit_code: 1,
      steps: [{ index: 'gone', outcome: 'refused' }],
      findings: [{ code: 'FOREIGN_CODE', index: 'gone', message: expect.stringContaining(`evil() of ${role.name}`) }],
    })
  expect(await db.sql`select is_called from marker`).toEqual([{ is_called: false }])
  // Another index on the recorded table is what an older record cannot tell; it is built as the table's owner.
  await db.sql.unsafe(`alter table t owner to ${role.name}; grant all on schema public to ${role.name}`)
  await db.sql`update perfdb.steps set canonical_before = null, ddl_before = 'CREATE INDEX x ON public.t USING btree (b) WHERE (public.evil() = 1)' where run = 1`
  expect((await rollback(db.url, 1)).steps).toMatchObject([{ index: 'gone', outcome: 'built' }])
  expect(await db.sql`select is_called from marker`).toEqual([{ is_called: false }])
  expect(await db.sql`select from pg_class where relname = 't' or relname = 'gone'`).toHaveLength(2)
})
