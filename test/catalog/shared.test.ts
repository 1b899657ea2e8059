import { expect, test } from 'vitest'
import type { SharedAnswers } from '../../src/catalog/shared.js'
import { apply, verify } from '../support/apply.js'
import { testDatabase } from '../support/database.js'
import { intercepted } from '../support/intercept.js'
import { profileOf } from '../support/profile.js'

test('what PostgreSQL makes of a declaration is asked once for tables that are alike, and anew where a column, or what is named, may be another', async () => {
  const indexes = [
    '{ name: i, table: t, keys: [{ column: a, order: desc }, b] }',
    '{ name: j, table: t, keys: [b], include: [a], unique: true }',
  ]
  const named = '{ name: k, table: t, keys: [{ column: b, opclass: text_ops }] }'
  const shared: SharedAnswers = new Map()
  const probes = async (columns: string, declared: readonly string[]) => {
    await using db = await testDatabase(`create domain d as int; create table t (${columns})`)
    const profiles = await profileOf(declared)
    let asked = 0
    const connect = intercepted(db.url, (_, text) => {
      if (/^create (unique )?index "perfdb_probe_index/.test(text)) asked += 1
    })
    const { result } = await apply(db.url, profiles, { connect, shared })
    expect(result.steps.map(({ outcome }) => outcome)).toEqual(declared.map(() => 'built'))
    expect((await verify(db.url, profiles)).exit_code).toBe(0)
    return asked
  }
  expect(await probes('a int, b text', indexes)).toBe(2)
  expect(await probes('a int, b text', indexes)).toBe(0)
  expect(await probes('a int, b text, c int', indexes)).toBe(2)
  expect(await probes('a bigint, b text', indexes)).toBe(2)
  expect(await probes('a int, b text collate "C"', indexes)).toBe(2)
  for (const _ of [1, 2]) expect(await probes('a d, b text', indexes)).toBe(2)
  for (const _ of [1, 2]) expect(await probes('a int, b text', [...indexes, named])).toBe(1)
})
