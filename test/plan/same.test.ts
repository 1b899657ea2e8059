import { expect, test } from 'vitest'
import { probe } from '../../src/catalog/probe/probe.js'
import { readSnapshot } from '../../src/catalog/read/read.js'
import { isRefused } from '../../src/catalog/probe/probe.js'
import { plainMatch } from '../../src/plan/make/plan-indexes.js'
import { plainlySame, sameDefinition } from '../../src/plan/match/same.js'
import { apply } from '../support/apply.js'
import { connectTo } from '../support/connect.js'
import { testDatabase } from '../support/database.js'
import { profileOf } from '../support/profile.js'

/** What a declaration may say beside its name; those before the line are told without a probe. */
const plain = [
  'keys: [a]',
  'keys: [a, { column: b, order: desc }]',
  'keys: [a, { column: b, order: desc, nulls: last }]',
  'keys: [a], include: [b]',
  'keys: [a], unique: true',
  'keys: [a], where: done',
  'keys: [a], where: not done',
  'keys: [a], where: b is null',
  'keys: [a], where: b is not null',
  'keys: [a], with: { fillfactor: 90 }',
  'keys: [a], with: { fillfactor: 90, deduplicate_items: off }, where: done',
  'keys: [a], method: brin, with: { pages_per_range: 16 }',
  'keys: ["a, b"]',
  'keys: [a], where: a > 0',
  'keys: [a], where: "c = \'x\'::text"',
  'keys: [a], where: "(a > 1) AND (b < 3)"',
  'keys: [{ expression: lower(c) }]',
  'keys: [{ expression: a + b, order: desc }, b], unique: true',
  'keys: [{ column: c, opclass: text_pattern_ops }]',
  'keys: [{ column: c, collation: C, opclass: text_pattern_ops }]',
]
const doubtful = [
  "keys: [a], where: c = 'x'",
  'keys: [a], where: (done)',
  'keys: [a], where: not done is null',
  'keys: [a], where: a > 0 and b > 0',
  'keys: [{ expression: "coalesce(b, a)" }], where: "NULLIF(a, b) > 0"',
  'keys: [a], where: public.odd(a)',
]

test('without a probe only what the probe would find the same', async () => {
  await using database = await testDatabase(`create table t (a int, b int, c text, done boolean, "a, b" int);
    create function odd(int) returns bool language sql immutable as 'select $1 % 2 = 1'`)
  const profiles = await profileOf([...plain, ...doubtful].map((fields, n) => `{ name: i${n}, table: t, ${fields} }`))
  const declared = profiles.flatMap((profile) => profile.indexes)
  await using session = await connectTo(database.url, 'look')
  const answers = await probe(session, declared, new Map())
  expect((await apply(database.url, profiles, { allow: ['REDUNDANT', 'UNIQUE_BUILD'] })).result.exit_code).toBe(0)
  const { indexes, overloads } = await readSnapshot(session, profiles)
  expect(indexes).toHaveLength(declared.length)
  const told: string[] = []
  for (const [at, { definition }] of declared.entries()) {
    for (const existing of indexes) {
      const named = { ...definition, name: existing.name }
      if (!plainlySame(named, existing, overloads)) continue
      const answer = answers[at]
      if (answer === undefined || isRefused(answer)) throw new Error('the probe refused it')
      expect(sameDefinition(answer.canonical, existing.canonical), `${definition.name} and ${existing.indexdef}`).toBe(
        true,
      )
      if (existing.name === definition.name) told.push(definition.name)
    }
  }
  expect(told).toEqual(plain.map((_, n) => `i${n}`))
})

test('a name of pg_catalog that another schema has as well is left to the probe', async () => {
  await using database = await testDatabase(`create table t (a int, b int, c text);
    create function smaller(int, text) returns bool language sql immutable as 'select true';
    create operator < (leftarg = int, rightarg = text, function = smaller)`)
  const texts = ['[a], where: a > 0', '[a], where: a < 0', '[{ expression: lower(c) }]', '[{ expression: upper(c) }]']
  const profiles = await profileOf(texts.map((keys, n) => `{ name: i${n}, table: t, keys: ${keys} }`))
  expect((await apply(database.url, profiles)).result.exit_code).toBe(0)
  await database.sql`create function lower(int) returns text language sql immutable as ${database.sql.unsafe("'select null::text'")}`
  const told = async (url: string) => {
    await using session = await connectTo(url, 'look')
    const snapshot = await readSnapshot(session, profiles)
    return profiles.flatMap(({ indexes }) =>
      indexes.flatMap((index) => (plainMatch(index, snapshot) === undefined ? [] : [index.definition.name])),
    )
  }
  expect(await told(database.url)).toEqual(['i0', 'i3'])
  // Others may come first there.
  const options = encodeURIComponent('-c search_path=public,pg_catalog')
  expect(await told(`${database.url}${database.url.includes('?') ? '&' : '?'}options=${options}`)).toEqual([])
})
