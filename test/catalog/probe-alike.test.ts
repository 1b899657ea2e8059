import { expect, test } from 'vitest'
import { isRefused, probe } from '../../src/catalog/probe/probe.js'
import type { DeclaredIndex } from '../../src/profile/profile.js'
import type { Session } from '../../src/server/session/session.js'
import { connectTo } from '../support/connect.js'
import { testDatabase } from '../support/database.js'
import { profileOf } from '../support/profile.js'
import { testRole } from '../support/roles.js'

/** The same name is another type, length, collation or nothing at all from table to table; `b."A"` is `a` for who does not look. */
const kinds = [
  'a int, b text, c varchar(9)',
  'c varchar(9), b text not null, a int',
  'a smallint, b text collate "C", c varchar(8)',
  'a numeric(5, 2), b varchar, c bpchar',
  'a bigint, "B" text, c other.short',
  '"A" int, b citexts, c text, "a b" int',
]
const texts = [
  `keys: [b], where: "a in (1, 2)"`,
  `keys: [b], where: "A in (1, 2)"`,
  `keys: [b], where: "a > 1.5 and c <> 'x'"`,
  `keys: [{ expression: "b || c" }]`,
  `keys: [{ expression: 'lower("B")' }]`,
  `keys: [{ expression: 'U&"\\0061" + 1' }]`,
  `keys: [{ expression: '"A" + "a b"' }]`,
  `keys: [{ expression: strange(a) }], where: c like 'x%'`,
  `keys: [c], where: "b = 'y'", with: { fillfactor: 70 }, tablespace: fast`,
  `keys: [c], include: [a], where: "b = 'y'"`,
]

const schemas = ['public', 'other', 'third']
const tables = `create schema other; create schema third; create domain other.short as varchar(9); create domain public.citexts as text;
  create function other.strange(int) returns int language sql immutable as 'select $1'; create function strange(bigint) returns bigint language sql immutable as 'select $1';
  ${schemas.flatMap((schema) => kinds.map((columns, at) => `create table ${schema}.t${at} (${columns}); create table ${schema}.u${at} (z int, ${columns})`)).join(';')};
  create table third.parts (a int, b text, c varchar(9)) partition by list (a)`

async function declarations(): Promise<readonly DeclaredIndex[]> {
  const names = schemas.flatMap((schema) => kinds.flatMap((_, at) => [`${schema}.t${at}`, `${schema}.u${at}`]))
  const profiles = await profileOf(
    [...names, 'third.parts'].flatMap((table, at) =>
      texts.map((text, kind) => `{ name: i_${at}_${kind}, table: ${table}, ${text} }`),
    ),
  )
  return profiles.flatMap(({ indexes }) => indexes)
}

test('of what is alike on many tables one is asked about: the answers, and the words of what is refused, are those of asking one by one', async () => {
  await using db = await testDatabase(tables)
  await using session = await connectTo(db.url, 'look')
  const declared = await declarations()
  const partitioned = [{ schema: 'third', name: 'parts' }]
  const together = await probe(session, declared, new Map(), partitioned)
  const single = []
  for (let at = 0; at < declared.length; at += 50)
    single.push(...(await probe(session, declared.slice(at, at + 50), new Map(), partitioned)))
  expect(together).toEqual(single)
  expect(together.filter(isRefused).length).toBeGreaterThan(20)
  const printed = together.flatMap((answer) => (isRefused(answer) ? [] : [JSON.stringify(answer.canonical)]))
  // Where one text has several meanings, each of them is there.
  expect(new Set(printed).size).toBeGreaterThan(20)
})

test.each([70, 140])('an index that is the same on %i tables is asked about once', async (count) => {
  const names = Array.from({ length: count }, (_, at) => `t${at}`)
  await using db = await testDatabase(
    names.map((name) => `create table ${name} (a int, b text, ${name}_own int)`).join(';'),
  )
  await using session = await connectTo(db.url, 'look')
  const profiles = await profileOf(
    names.map((name) => `{ name: ${name}_i, table: ${name}, keys: [b], where: "a in (1, 2)" }`),
  )
  const { texts, counted } = counting(session)
  const answers = await probe(
    counted,
    profiles.flatMap(({ indexes }) => indexes),
    new Map(),
  )
  expect(answers).toHaveLength(count)
  expect(answers.some(isRefused)).toBe(false)
  expect(texts.filter((text) => /^create (temporary table|index)/.test(text))).toHaveLength(2)
  // The columns of all tables; begin, two settings, the copy, search_path, the index, search_path, what is read, rollback.
  expect(texts).toHaveLength(10)
})

test('a table that may not be read is no stand-in, and has none', async () => {
  const names = Array.from({ length: 70 }, (_, at) => `t${at}`)
  await using db = await testDatabase(names.map((name) => `create table ${name} (a int, b text)`).join(';'))
  await using reader = await testRole(db)
  await db.sql.unsafe(`grant select on ${names.slice(1).join(', ')} to ${reader.name}`)
  await using session = await connectTo(reader.url, 'look')
  const profiles = await profileOf(
    names.map((name) => `{ name: ${name}_i, table: ${name}, keys: [b], where: "a in (1, 2)" }`),
  )
  const declared = profiles.flatMap(({ indexes }) => indexes)
  await expect(probe(session, declared, new Map())).rejects.toMatchObject({ sqlstate: '42501' })
  expect((await probe(session, declared.slice(1), new Map())).some(isRefused)).toBe(false)
})

function counting(session: Session): { readonly texts: string[]; readonly counted: Session } {
  const texts: string[] = []
  const counted = new Proxy(session, {
    get(target, name) {
      if (name !== 'query') return Reflect.get(target, name)
      return async (text: string) => {
        texts.push(text.trim())
        return target.query(text)
      }
    },
  })
  return { texts, counted }
}
