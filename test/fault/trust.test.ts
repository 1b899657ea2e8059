import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runExplain } from '../../src/commands/explain/explain.js'
import { runImport } from '../../src/commands/import/import.js'
import { askRegistry } from '../../src/commands/shared/registry.js'
import { readLive } from '../../src/pools/server/live.js'
import type { Query } from '../../src/profile/profile.js'
import { hazardCodes } from '../../src/codes/hazard-codes.js'
import { apply, plan, rollback, status, verify } from '../support/apply.js'
import { runPlanCommand } from '../../src/commands/apply/plan.js'
import { connectTo } from '../support/connect.js'
import { intercepted } from '../support/intercept.js'
import { testDatabase, type TestDatabase } from '../support/database.js'
import { profilesOf } from '../support/profile.js'
import { testRole, type TestRole } from '../support/roles.js'

/*
 * A role without rights lays traps; a superuser runs perfdb. Each trap, once it runs as a superuser, writes a file of its name on the
 * server, which works in a read-only transaction and survives every rollback. In the end each is sprung by hand, so that none is harmless.
 */
interface Trap {
  readonly name: string
  /** As the role without rights, in a schema of its own that is named as the trap and is on its search_path. */
  readonly setup: string
  /** Declared besides a unique index of plain columns. */
  readonly declared?: string
  /** What runs it when a superuser does it by hand. */
  readonly sprung: string
  /** As the superuser, before. */
  readonly before?: string
}

const table = `create table t (id int not null, v varchar); insert into t select n, 'v' || n from generate_series(1, 200) n;`

const traps: readonly Trap[] = [
  {
    name: 'index_expression',
    setup: `${table} create index i on t ((v || evil('const')))`,
    sprung: 'explain select * from t where id = 1',
  },
  {
    name: 'index_predicate',
    setup: `${table} create index i on t (id) where v <> evil('const')`,
    sprung: 'explain select * from t where id = 1',
  },
  {
    name: 'declared_again',
    setup: `${table} create index i on t ((v || evil('const')))`,
    declared: `{ name: i, table: t, keys: [{ expression: "v || declared_again.evil('const')" }] }`,
    sprung: 'explain select * from t where id = 1',
  },
  {
    name: 'statistics_object',
    setup: `${table} create statistics s on (v || evil('const')) from t`,
    sprung: 'explain select * from t where id = 1',
  },
  {
    name: 'overload',
    setup: `${table} create function lower(varchar) returns text immutable language plpgsql as $$ begin return evil($1::text); end $$`,
    declared: '{ name: i, table: t, keys: [{ expression: lower(v) }] }',
    sprung: `select lower('x'::varchar)`,
  },
  {
    name: 'overload_of_constant',
    setup: `${table} create function upper(varchar) returns text immutable language plpgsql as $$ begin return evil($1::text); end $$`,
    declared: `{ name: i, table: t, keys: [id], where: "v > upper('a'::varchar)" }`,
    sprung: `select upper('x'::varchar)`,
  },
  {
    name: 'operator_of_path',
    setup: `${table} create function joined(varchar, text) returns text immutable language plpgsql as $$ begin return evil($2); end $$;
      create operator || (function = joined, leftarg = varchar, rightarg = text)`,
    declared: `{ name: i, table: t, keys: [{ expression: "v || 'x'::text" }], unique: true }`,
    sprung: `select 'x'::varchar || 'x'::text`,
  },
  {
    name: 'operator_in_predicate',
    setup: `${table} create function same(varchar, varchar) returns boolean immutable language plpgsql as $$ begin perform evil($2::text); return true; end $$;
      create operator === (function = same, leftarg = varchar, rightarg = varchar, restrict = eqsel);
      update t set v = 'v1' where id < 100; create index i on t (id) where v === 'v1'::varchar; analyze t`,
    sprung: `explain select * from t where v === 'v1'::varchar and id = 1`,
  },
  {
    name: 'cast_of_type',
    setup: `create type mood as enum ('a', 'b'); create table t (id int not null, m mood); insert into t values (1, 'a'), (2, 'a');
      create function mood_text(mood) returns text immutable language plpgsql as $$ begin return evil('m'); end $$;
      create cast (mood as text) with function mood_text(mood)`,
    declared: '{ name: i, table: t, keys: [m], unique: true }',
    sprung: 'select m::text from t',
  },
  {
    name: 'domain_in_array',
    setup: `create domain d as text check (evil(value) is not null); create table t (id int not null, ds d[]); insert into t select 1`,
    declared: `{ name: i, table: t, keys: [{ expression: "ds || '{a}'" }] }`,
    sprung: `select '{a}'::d[]`,
  },
  {
    name: 'domain_in_predicate',
    setup: `create domain d as text check (evil(value) is not null); create table t (id int not null, ds d[]); insert into t select 1`,
    declared: `{ name: i, table: t, keys: [id], where: "ds = '{a}'" }`,
    sprung: `explain select * from t where ds = '{a}'`,
  },
  {
    name: 'domain_in_row',
    setup: `create domain d as text check (evil(value) is not null); create type r as (x d); create table t (id int not null, c r); insert into t select 1`,
    declared: `{ name: i, table: t, keys: [{ expression: "c = '(a)'::domain_in_row.r" }] }`,
    sprung: `explain select * from t where c = '(a)'::r`,
  },
  {
    name: 'domain_by_name',
    setup: `${table} create domain d as text check (evil(value) is not null)`,
    declared: `{ name: i, table: t, keys: [{ expression: "array_length('{a}'::domain_by_name.d[], id)" }] }`,
    sprung: `select '{a}'::d[]`,
  },
  {
    name: 'domain_of_system',
    setup: `create domain d as text check (query_to_xml('select domain_of_system.caught()', true, false, '') is not null);
      create table t (id int not null, ds d[]); insert into t select 1`,
    declared: `{ name: i, table: t, keys: [{ expression: "ds || '{a}'" }] }`,
    sprung: `select '{a}'::d[]`,
  },
  {
    name: 'range_difference',
    setup: `create function diff(float8, float8) returns float8 immutable language plpgsql as $$ begin perform evil('d'); return $1 - $2; end $$;
      create type span as range (subtype = float8, subtype_diff = diff);
      create table t (id int not null, s span); insert into t select n, span(n, n + 5) from generate_series(1, 500) n;
      create index g on t using gist (s); analyze t`,
    sprung: `explain select * from t where s && span(3, 4)`,
  },
  {
    name: 'partition_key',
    setup: `create table t (id int not null, v varchar) partition by list ((v || evil('const')));
      create table p partition of t for values in ('x')`,
    declared: '{ name: i, table: t, keys: [v] }',
    sprung: 'explain select * from t',
  },
  {
    name: 'partition_index',
    setup: `create table t (id int not null, v varchar) partition by range (id); create table p partition of t for values from (0) to (1000);
      insert into t select n, 'x' from generate_series(1, 200) n; create index i on p ((v || evil('const')))`,
    declared: '{ name: i2, table: t, keys: [v, id] }',
    sprung: 'explain select * from t where id = 1',
  },
  {
    name: 'partition_attached',
    setup: `create table t (id int not null, v varchar) partition by range (id); create table p partition of t for values from (0) to (1000);
      insert into t select n, 'x' from generate_series(1, 200) n`,
    declared: `{ name: i, table: t, keys: [{ expression: "v || partition_attached.evil('const')" }] }`,
    // ATTACH PARTITION computes it in a session that has not yet: as index_expression.
    sprung: `select evil('by hand')`,
  },
  {
    name: 'child_table',
    setup: `${table} create table c () inherits (t); create index i on c ((v || evil('const')))`,
    sprung: 'explain select * from t where id = 1',
  },
  {
    name: 'child_check',
    setup: `${table} create table c (check (v <> evil('const'))) inherits (t)`,
    sprung: `explain select * from t where v = 'v1'`,
  },
  {
    name: 'own_table_of_superuser',
    before: `create table own_table_of_superuser.t (id int not null, v varchar); insert into own_table_of_superuser.t values (1, 'a')`,
    setup: `create function lower(varchar) returns text immutable language plpgsql as $$ begin return evil($1::text); end $$`,
    declared: `{ name: i, table: t, keys: [{ expression: lower(v) }, { expression: "lower('x'::varchar)" }] }`,
    sprung: `create index x on t (lower(v))`,
  },
  {
    name: 'names_of_trusted',
    before: `create function names_of_trusted.trusted(text) returns text language plpgsql immutable strict as 'begin return inner_one($1); end';
      create function names_of_trusted.trusted_too(text) returns text language plpgsql immutable strict as 'begin return inner_one($1); end'`,
    setup: `${table} create function inner_one(text) returns text immutable language plpgsql as $$ begin return evil($1); end $$;
      create statistics s on (v || names_of_trusted.trusted('const')) from t`,
    declared: `{ name: j, table: t, keys: [{ expression: "names_of_trusted.trusted_too(v)" }, id], unique: true }`,
    sprung: 'explain select * from t where id = 1',
  },
  {
    name: 'functional_notation',
    setup: `${table} create function total(t) returns text immutable language plpgsql as $$ begin return evil('t'); end $$`,
    sprung: 'select t.total from t',
  },
  {
    name: 'materialized_view',
    setup: `${table} create materialized view m as select id, v from t; create index i on m ((v || evil('const')))`,
    declared: '{ name: um, table: m, keys: [id], unique: true }',
    sprung: 'explain select * from m where id = 1',
  },
  {
    name: 'generated_column',
    setup: `create table t (id int not null, v varchar, g text generated always as (evil('const')) stored); insert into t (id) values (1)`,
    sprung: `insert into t (id) values (1000)`,
  },
  {
    name: 'default_value',
    setup: `create table t (id int not null, v text default evil('const')); insert into t (id) values (1)`,
    sprung: `insert into t (id) values (1000)`,
  },
  {
    name: 'row_trigger',
    setup: `${table} create function trap() returns trigger language plpgsql as $$ begin perform evil('x'); return new; end $$;
      create trigger trap before insert on t for each row execute function trap()`,
    sprung: `insert into t (id) values (1000)`,
  },
  {
    name: 'rule_on_insert',
    setup: `${table} create rule r as on insert to t do also select evil('x')`,
    sprung: `insert into t (id) values (1000)`,
  },
  {
    name: 'policy',
    setup: `${table} create policy p on t using (v <> evil('const')); alter table t enable row level security; alter table t force row level security`,
    sprung: `select evil('by hand')`,
  },
  {
    name: 'index_of_collation',
    setup: `${table} create collation c from "C"; create index i on t ((v collate c || evil('const')))`,
    declared: '{ name: ic, table: t, keys: [{ column: v, collation: index_of_collation.c }] }',
    sprung: 'explain select * from t where id = 1',
  },
]

interface Ground extends AsyncDisposable {
  readonly db: TestDatabase
  readonly role: TestRole
  readonly folder: string
  /** Traps that ran as a superuser since the last look. */
  readonly ran: () => Promise<readonly string[]>
}

/** A database with these traps in it. */
async function ground(laid: readonly Trap[]): Promise<Ground> {
  const folder = await mkdtemp(join(tmpdir(), 'perfdb-test-'))
  await chmod(folder, 0o777)
  const db = await testDatabase()
  const role = await testRole(db)
  for (const { name, setup, before = '' } of laid) {
    const evil = `create function caught() returns void language plpgsql as $f$ begin
        if (select rolsuper from pg_catalog.pg_roles where rolname operator(pg_catalog.=) current_user::pg_catalog.name)
          then execute pg_catalog.format('copy (select 1) to %L', '${folder}/${name}'); end if; end $f$;
      create function evil(what text) returns text immutable language plpgsql as $f$ begin
        perform ${name}.caught(); return what; end $f$`
    await db.sql.unsafe(`create schema ${name} authorization ${role.name}; ${before}`)
    await asRole(role, `set search_path = ${name}; ${evil}; ${qualified(name, setup)}`)
  }
  return {
    db,
    role,
    folder,
    ran: async () => {
      const files = await readdir(folder)
      await Promise.all(files.map((file) => rm(join(folder, file))))
      return files
    },
    async [Symbol.asyncDispose]() {
      await role[Symbol.asyncDispose]()
      await db[Symbol.asyncDispose]()
      await rm(folder, { recursive: true })
    },
  }
}

/** So that it is found whatever search_path a build has. */
function qualified(name: string, script: string): string {
  return script.replaceAll(/(?<![\w.])evil\(/g, `${name}.evil(`)
}

async function asRole({ url }: TestRole, script: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined, connection: { search_path: 'pg_catalog' } })
  try {
    await sql.unsafe(script)
  } finally {
    await sql.end({ timeout: 2 })
  }
}

function trapProfile({ name, declared }: Trap): string {
  return `version: 1\nprofile: ${name}\nschema: ${name}\nindexes:\n  - { name: plain_unique, table: t, keys: [id], unique: true }\n${
    declared === undefined ? '' : `  - ${declared}\n`
  }`
}

describe(`${traps.length} traps of a role without rights, and a superuser`, () => {
  let here: Ground | undefined
  const laid = (): Ground => {
    if (here === undefined) throw new Error('no ground')
    return here
  }
  beforeAll(async () => {
    here = await ground(traps)
  })
  afterAll(async () => here?.[Symbol.asyncDispose]())

  test.each(traps)('plan, apply, verify: $name', async (trap) => {
    const { db, ran } = laid()
    const profiles = await profilesOf(trapProfile(trap))
    const told: unknown[] = []
    const refused = (error: unknown) => void told.push(error)
    await plan(db.url, profiles).catch(refused)
    expect(await ran(), 'plan').toEqual([])
    await apply(db.url, profiles, { allow: [...hazardCodes], ledger: true }).catch(refused)
    expect(await ran(), 'apply').toEqual([])
    await verify(db.url, profiles).catch(refused)
    expect(await ran(), 'verify').toEqual([])
    // What is refused is refused for this, and for nothing else.
    for (const error of told) expect(error).toMatchObject({ code: 'FOREIGN_CODE' })
  })

  test('import, status and rollback, with all of them laid', async () => {
    const { db, ran } = laid()
    await using session = await connectTo(db.url, 'look')
    await runImport(session, { schemas: [], tables: [], indexes: [] })
    expect(await ran(), 'import').toEqual([])
    await status(db.url)
    await rollback(db.url)
    expect(await ran(), 'status, rollback').toEqual([])
  })

  test('sprung by hand each of them runs as the superuser', async () => {
    const { db, ran } = laid()
    for (const { name, sprung } of traps) {
      await db.sql.begin(async (sql) => {
        await sql.unsafe(`set local search_path = ${name}, pg_catalog; ${qualified(name, sprung)}`)
      })
      expect(await ran()).toEqual([name])
    }
  })
})

function aQuery(sql: string): Query {
  return {
    name: sql,
    sql,
    parameters: [],
    variants: [],
    expect: {},
    place: { file: 'q.sql', line: 1, column: 1 },
  }
}

const shop = `create table t (id int not null, v varchar, own text default evil('x')); insert into t select n, 'v' || n from generate_series(1, 300) n;
  create index i on t ((v || evil('const'))); create view view_of_t as select * from t;
  create function total(t) returns text immutable language plpgsql as $$ begin return evil('t'); end $$`

test('explain runs the queries as psql would, and says once whose code that is; as the owner there is nothing to say', async () => {
  await using here = await ground([{ name: 'shop', setup: shop, sprung: '' }])
  const queries = [
    'select * from shop.t where id = 1',
    'select id from shop.view_of_t',
    'select t.total from shop.t as t',
  ].map(aQuery)
  for (const some of [queries, ...queries.map((query) => [query])]) {
    await using session = await connectTo(here.db.url, 'measure')
    const { findings } = await runExplain(session, some, { allowWrites: false, samples: 3 })
    expect(findings.filter(({ code }) => code === 'FOREIGN_CODE')).toMatchObject([
      {
        severity: 'warning',
        message: expect.stringContaining(`shop.evil(text) of ${here.role.name}`),
        hint: expect.stringContaining('measure_url'),
      },
    ])
  }
  await using session = await connectTo(here.role.url, 'measure')
  const { findings } = await runExplain(session, queries, { allowWrites: false, samples: 3 })
  expect(findings.map(({ code }) => code)).not.toContain('FOREIGN_CODE')
})

test('what is built and analyzed computes as the owner of the table, never as the superuser who builds it', async () => {
  await using here = await ground([])
  const { db, role } = here
  await db.sql.unsafe(`create schema app authorization ${role.name}`)
  await asRole(
    role,
    `set search_path = app; create table who (name text); create table t (id int, v varchar); insert into t select n, 'v' from generate_series(1, 50) n;
     create function noted() returns void language sql as $$ insert into app.who values (current_user) $$;
     create function lower(varchar) returns text immutable language plpgsql as $$ begin perform app.noted(); return $1::text; end $$`,
  )
  const profiles = await profilesOf(
    `version: 1\nprofile: app\nschema: app\nindexes:\n  - { name: i, table: t, keys: [{ expression: lower(v) }] }\n`,
  )
  expect((await plan(db.url, profiles)).steps).toMatchObject([{ step: 'create' }])
  expect(await db.sql`select from app.who`).toHaveLength(0)
  const { result } = await apply(db.url, profiles, { allow: [...hazardCodes] })
  expect(result).toMatchObject({ exit_code: 0, steps: [{ outcome: 'built' }], analyzed: [{ ok: true }] })
  expect(await db.sql`select distinct name from app.who`).toEqual([{ name: role.name }])
  const noted = await db.sql`select from app.who`
  expect((await verify(db.url, profiles)).exit_code).toBe(0)
  expect(await db.sql`select from app.who`).toHaveLength(noted.length)
})

test('where no copy can be handed over the text alone is compared, and what differs is UNKNOWN', async () => {
  await using here = await ground([
    { name: 'shop', setup: `${shop}; create index j on t ((v || evil('const')), id)`, sprung: '' },
  ])
  const { db, ran } = here
  await db.sql.unsafe(`revoke temporary on database ${db.name} from public`)
  const profiles = await profilesOf(`version: 1
profile: shop
schema: shop
indexes:
  - { name: i, table: t, keys: [{ expression: "((v)::text || shop.evil('const'::text))" }] }
  - { name: j, table: t, keys: [{ expression: "v || shop.evil('const')" }, id] }
`)
  const result = await verify(db.url, profiles)
  expect(result.steps.map(({ index, step }) => [index, step])).toEqual([
    ['i', 'keep'],
    ['j', 'replace'],
  ])
  expect(result.exit_code).toBe(1)
  expect(result.findings.filter(({ severity }) => severity === 'error')).toMatchObject([
    { code: 'UNKNOWN', index: 'j', message: expect.stringContaining('shop.evil(text)') },
  ])
  expect((await apply(db.url, profiles, { allow: [...hazardCodes] })).result).toMatchObject({ exit_code: 1 })
  expect(await ran()).toEqual([])
})

test('a registry of tenants is not read where that would run foreign code, and is by a role without rights', async () => {
  await using here = await ground([{ name: 'shop', setup: shop, sprung: '' }])
  const registry = (url: string) => ({
    url,
    sql: `select id, 'main' as server from shop.t where id < 3`,
    server: null,
    urlTemplate: null,
    labelColumns: [],
    ttlMs: 1000,
    place: { file: 'a.pools.yaml', line: 3, column: 1 },
  })
  await expect(askRegistry(registry(here.db.url), {})).rejects.toMatchObject({
    code: 'FOREIGN_CODE',
    place: { line: 3 },
    message: expect.stringContaining('shop.evil(text)'),
  })
  expect(await here.ran()).toEqual([])
  expect(await askRegistry(registry(here.role.url), {})).toHaveLength(2)
})

test('operators, functions and types in a search_path that the owner of the database set', async () => {
  const types = ['text', 'name', 'oid', 'int4', 'int8', '"char"', 'bool']
  const operators = types.flatMap((type, at) =>
    ['=', '<>', '>', '<'].map(
      (
        operator,
        number,
      ) => `create function f${at}_${number}(pg_catalog.${type}, pg_catalog.${type}) returns bool immutable language plpgsql
        as $$ begin perform evil('o'); return true; end $$;
      create operator ${operator} (function = f${at}_${number}, leftarg = pg_catalog.${type}, rightarg = pg_catalog.${type});`,
    ),
  )
  await using here = await ground([
    {
      name: 'path',
      setup: `${table} ${operators.join('\n')}
        create function lower(text) returns text immutable language plpgsql as $$ begin return evil($1); end $$;
        create function format_type(oid, int) returns text immutable language plpgsql as $$ begin return evil('t'); end $$`,
      sprung: '',
    },
  ])
  const { db, role, ran } = here
  await db.sql.unsafe(`alter database ${db.name} owner to ${role.name}`)
  await asRole(role, `alter database ${db.name} set search_path = path, pg_catalog`)
  const profiles = await profilesOf(
    `version: 1\nprofile: path\nschema: path\nindexes:\n  - { name: u, table: t, keys: [id], unique: true }\n  - { name: i, table: t, keys: [v], where: "id > 5" }\n`,
  )
  const refused: unknown[] = []
  const note = (error: unknown) => void refused.push(error)
  await plan(db.url, profiles).catch(note)
  await apply(db.url, profiles, { allow: [...hazardCodes], ledger: true }).catch(note)
  await verify(db.url, profiles).catch(note)
  await status(db.url)
  await rollback(db.url).catch(note)
  await using session = await connectTo(db.url, 'look')
  await runImport(session, { schemas: [], tables: [], indexes: [] })
  await using live = await connectTo(db.url, 'look')
  await readLive(live, { samples: 1, intervalMs: 1 })
  await using measure = await connectTo(db.url, 'measure')
  const explained = await runExplain(measure, [aQuery('select v from path.t order by v limit 1')], {
    allowWrites: false,
    samples: 3,
  })
  expect(explained.queries).toMatchObject([{ status: 'measured' }])
  expect(await ran()).toEqual([])
  for (const error of refused)
    expect(error).toMatchObject({
      code: expect.stringMatching(/^(FOREIGN_CODE|NOTHING_TO_ROLL_BACK|NO_RUN|NO_LEDGER)$/),
    })
  const byHand = postgres(db.url, { max: 1, onnotice: () => undefined, fetch_types: false })
  await byHand.unsafe(`select 1 from pg_catalog.pg_class where relname = 'x'::name`)
  await byHand.end()
  await db.sql.unsafe(`alter database ${db.name} owner to current_user`)
  expect(await ran()).toEqual(['path'])
})

test('the owner of the database exchanges the role of who logs in: his code and his ledger are foreign all the same', async () => {
  await using here = await ground([
    {
      name: 'shop',
      setup: `${table} create or replace function caught() returns void language plpgsql as $f$ begin
          begin perform pg_catalog.set_config('role', 'none', false); exception when others then return; end;
          if (select rolsuper from pg_catalog.pg_roles where rolname operator(pg_catalog.=) current_user::pg_catalog.name)
            then execute pg_catalog.format('copy (select 1) to %L', (select folder from shop.here)); end if; end $f$;
        create table here (folder text); create index i on t ((v || evil('const')))`,
      sprung: '',
    },
  ])
  const { db, role, ran } = here
  await db.sql.unsafe(
    `insert into shop.here values ('${here.folder}/shop'); alter database ${db.name} owner to ${role.name}`,
  )
  await asRole(
    role,
    `alter database ${db.name} set role = ${role.name}; create schema perfdb; create table perfdb.runs (run int)`,
  )
  const profiles = await profilesOf(
    `version: 1\nprofile: shop\nschema: shop\nindexes:\n  - { name: u, table: t, keys: [id], unique: true }\n`,
  )
  expect((await plan(db.url, profiles)).steps).toMatchObject([{ hazards: [{ code: 'UNIQUE_BUILD' }] }])
  await verify(db.url, profiles)
  await expect(apply(db.url, profiles, { allow: [...hazardCodes], ledger: true })).rejects.toMatchObject({
    code: 'LEDGER_UNTRUSTED',
  })
  expect((await apply(db.url, profiles, { allow: [...hazardCodes] })).result).toMatchObject({ exit_code: 0 })
  await using session = await connectTo(db.url, 'measure')
  const { findings } = await runExplain(session, [aQuery('select 1')], { allowWrites: false, samples: 3 })
  expect(findings.map(({ code }) => code)).not.toContain('FOREIGN_CODE')
  expect(await ran()).toEqual([])
  const byHand = postgres(db.url, { max: 1, onnotice: () => undefined })
  await byHand.unsafe('explain select * from shop.t where id = 1')
  await byHand.end()
  await db.sql.unsafe(`alter database ${db.name} owner to current_user`)
  expect(await ran()).toEqual(['shop'])
})

test('a trap that is laid between the question whose code runs and the look for duplicates does not run either', async () => {
  await using here = await ground([{ name: 'shop', setup: table, sprung: '' }])
  const { db, role, ran } = here
  const profiles = await profilesOf(
    `version: 1\nprofile: shop\nschema: shop\nindexes:\n  - { name: u, table: t, keys: [id], unique: true }\n  - { name: l, table: t, keys: [id, { expression: lower(v) }], unique: true }\n`,
  )
  const laid: unknown[] = []
  const lay = intercepted(db.url, async (_role, text) => {
    if (!text.includes('having pg_catalog.count')) return
    const index = `set lock_timeout = '50ms'; create index i on shop.t ((v || shop.evil('const')))`
    const overload = `create or replace function shop.lower(varchar) returns text immutable language plpgsql as $$ begin return shop.evil($1::text); end $$`
    await asRole(role, index).catch((error: unknown) => void laid.push(error))
    await asRole(role, overload)
  })
  await using session = await lay('look')
  const result = await runPlanCommand(session, profiles, {
    allow: new Set(),
    prune: false,
    maxWaitMs: 1000,
    maxSizeBytes: 2 ** 40,
    exitCode: false,
  })
  expect(result.steps).toHaveLength(2)
  expect(laid).toMatchObject([{ code: '55P03' }])
  expect(await ran()).toEqual([])
  await asRole(role, `create index i on shop.t ((v || shop.evil('const')))`)
  await db.sql`explain select * from shop.t where id = 1`
  expect(await ran()).toEqual(['shop'])
})

test('a view of a stranger that calls what only a superuser may is no registry', async () => {
  await using here = await ground([])
  await here.db.sql.unsafe(`create schema shop authorization ${here.role.name}`)
  await asRole(
    here.role,
    `create view shop.tenants as select '1' as id, 'main' as server, pg_catalog.lo_export(1, '/nowhere') as x`,
  )
  const registry = {
    url: here.db.url,
    sql: 'select id, server from shop.tenants',
    server: null,
    urlTemplate: null,
    labelColumns: [],
    ttlMs: 1000,
    place: { file: 'a.pools.yaml', line: 3, column: 1 },
  }
  await expect(askRegistry(registry, {})).rejects.toMatchObject({
    code: 'FOREIGN_CODE',
    message: expect.stringContaining(`view shop.tenants of ${here.role.name}`),
  })
})

test('a role without rights makes no event trigger', async () => {
  await using here = await ground([{ name: 'shop', setup: shop, sprung: '' }])
  const script = `create function shop.e() returns event_trigger language plpgsql as $$ begin perform shop.evil('e'); end $$;
    create event trigger e on ddl_command_start execute function shop.e()`
  await expect(asRole(here.role, script)).rejects.toMatchObject({ code: '42501' })
})
