import { expect, test } from 'vitest'
import { probe } from '../../src/catalog/probe.js'
import { readSnapshot } from '../../src/catalog/read.js'
import { isRefused } from '../../src/catalog/probe.js'
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
]
const doubtful = [
  "keys: [a], where: c = 'x'",
  'keys: [a], where: (done)',
  'keys: [a], where: not done is null',
  'keys: [a], where: a > 0',
  'keys: [{ expression: lower(c) }]',
  'keys: [{ column: c, opclass: text_pattern_ops }]',
  'keys: [{ column: c, collation: C }]',
]

test('without a probe only what the probe would find the same', async () => {
  await using database = await testDatabase(`create table t (a int, b int, c text, done boolean, "a, b" int)`)
  const profiles = await profileOf([...plain, ...doubtful].map((fields, n) => `{ name: i${n}, table: t, ${fields} }`))
  const declared = profiles.flatMap((profile) => profile.indexes)
  await using session = await connectTo(database.url, 'look')
  const answers = await probe(session, declared, new Map())
  expect((await apply(database.url, profiles, { allow: ['REDUNDANT', 'UNIQUE_BUILD'] })).result.exit_code).toBe(0)
  const { indexes } = await readSnapshot(session, profiles)
  expect(indexes).toHaveLength(declared.length)
  const told: string[] = []
  for (const [at, { definition }] of declared.entries()) {
    for (const existing of indexes) {
      const named = { ...definition, name: existing.name }
      if (!plainlySame(named, existing)) continue
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
