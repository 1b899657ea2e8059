import { expect, test } from 'vitest'
import { probe } from '../../src/catalog/probe/probe.js'
import { readIndex, readSnapshot } from '../../src/catalog/read/read.js'
import type { Definition } from '../../src/definition/definition.js'
import type { DeclaredIndex, Profile } from '../../src/profile/profile.js'
import { connectTo } from '../support/connect.js'
import { testDatabase } from '../support/database.js'

const table = { schema: 'public', name: 't' }

function declared(fields: Partial<Definition>): DeclaredIndex {
  const definition = {
    name: 'i',
    table,
    method: 'btree',
    keys: [],
    include: [],
    unique: false,
    nullsDistinct: true,
    storage: {},
    ...fields,
  }
  return { definition, for: [], place: { file: 'p.yaml', line: 1, column: 1 } }
}

function profile(indexes: readonly DeclaredIndex[]): Profile {
  return { name: 'p', file: 'p.yaml', schema: 'public', indexes, absent: [], extensions: [], analyze: [], queries: [] }
}

test('the probe says what PostgreSQL makes of a declaration, and leaves nothing behind', async () => {
  await using db = await testDatabase(
    "create table t (a int, b text, c varchar(5)); create index i on t (lower(b) desc, a) include (c) where c = 'x' and a in (1, 2)",
  )
  await using session = await connectTo(db.url)
  const existing = await readIndex(session, 'public', 'i')
  const [same, other] = await probe(
    session,
    [
      declared({
        keys: [{ expression: 'lower( b )', order: 'desc' }, { column: 'a' }],
        include: ['c'],
        predicate: "c = 'x' AND a IN (1,2)",
      }),
      declared({ keys: [{ expression: 'upper(b)' }] }),
    ],
    new Map(),
  )
  expect(same).toEqual({ canonical: existing?.canonical })
  expect(other).not.toEqual({ canonical: existing?.canonical })
  const leftovers = await db.sql`select relname from pg_class where relname like 'perfdb_probe%'`
  expect(leftovers).toHaveLength(0)
})

test('the probe gives each refused declaration its reason and goes on with the next', async () => {
  await using db = await testDatabase('create table t (a int, b timestamptz)')
  await using session = await connectTo(db.url)
  const probed = await probe(
    session,
    [
      declared({ keys: [{ column: 'nope' }] }),
      declared({ keys: [{ expression: "to_char(b, 'YYYY')" }] }),
      declared({ keys: [{ column: 'a', opclass: 'gin_trgm_ops' }], method: 'gin' }),
      declared({ keys: [{ column: 'a' }], predicate: 'a > 0; drop table t' }),
      declared({ keys: [{ column: 'a' }] }),
    ],
    new Map(),
  )
  expect(probed.map((one) => ('problem' in one ? [one.problem.code, one.problem.sqlstate] : 'ok'))).toEqual([
    ['NO_COLUMN', '42703'],
    ['BAD_DEFINITION', '42P17'],
    ['BAD_DEFINITION', '42704'],
    ['BAD_DEFINITION', '42601'],
    'ok',
  ])
  expect(await db.sql`select 1 from t`).toHaveLength(0)
})

test('the probe computes with no row of the table: what fails on one is found by the build', async () => {
  await using db = await testDatabase('create table t (a int); insert into t values (0)')
  await using session = await connectTo(db.url)
  const [probed] = await probe(session, [declared({ keys: [{ expression: '10 / a' }] })], new Map())
  expect(probed).toMatchObject({ canonical: { method: 'btree' } })
})

test('the snapshot tells tables, indexes with their flags and constraints, and names that are taken', async () => {
  await using db = await testDatabase(
    'create table t (a int primary key, b int unique); create table r (t int references t (b)); create view v as select 1; create index x on t (b, a)',
  )
  await using session = await connectTo(db.url)
  const snapshot = await readSnapshot(session, [profile([declared({ name: 'v', keys: [{ column: 'a' }] })])])
  expect(snapshot.relations).toEqual([{ schema: 'public', name: 'v', relkind: 'v' }])
  expect(snapshot.tables).toMatchObject([{ schema: 'public', name: 't', relkind: 'r', owned: true, creatable: true }])
  const flags = snapshot.indexes
    .map((index) => [index.name, index.valid, index.primary, index.constraint, index.referencedBy])
    .sort((a, b) => String(a).localeCompare(String(b)))
  expect(flags).toEqual([
    ['t_b_key', true, false, 't_b_key', ['r_t_fkey']],
    ['t_pkey', true, true, 't_pkey', []],
    ['x', true, false, null, []],
  ])
})
