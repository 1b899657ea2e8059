import { afterAll, beforeAll, expect, test } from 'vitest'
import { limitsOf } from '../../src/measure/sample/limits.js'
import { explainOnce } from '../../src/measure/sample/sample.js'
import { readSchema } from '../../src/twin/load.js'
import { makeTwin } from '../../src/twin/make/make-twin.js'
import { readStatistics } from '../../src/twin/read/read-statistics.js'
import type { Twin } from '../../src/twin/twin.js'
import { connectTo } from '../support/connect.js'
import { testDatabase, type TestDatabase } from '../support/database.js'
import { market, queries } from './market.js'

const limits = limitsOf({ allowWrites: false })
/** What a gin index holds stands in its metapage, which only a superuser reads: pages are guessed. */
const gin = new Set(['tags', 'trigrams'])
let source: TestDatabase
let twin: Twin

beforeAll(async () => {
  source = await testDatabase(market)
  await using session = await connectTo(source.url, 'look')
  const { statistics, notes } = await readStatistics(session, { noValues: false, hide: [] })
  expect(notes).toEqual([])
  // A file that names a library: the superuser of the twin would load it at the next login, and there is none of that name.
  const settings = { ...statistics.settings, session_preload_libraries: 'no_such_library' }
  twin = await makeTwin(
    { statistics: { ...statistics, settings }, schema: await readSchema(session), scale: 1 },
    limits,
  )
})

afterAll(async () => {
  await twin[Symbol.asyncDispose]()
  await source[Symbol.asyncDispose]()
})

test('everything of the schema is there', () => {
  expect(twin.gaps).toEqual([])
})

test.each(Object.entries(queries))('the query plan is that of the source: %s', async (name, text) => {
  const subject = { text, values: [], writes: false }
  await using session = await connectTo(source.url, 'measure')
  const there = await explainOnce(session, subject, 'plain', limits)
  const here = await twin.plan(subject)
  expect(here.signature).toBe(there.signature)
  expect(Math.abs(here.cost / there.cost - 1)).toBeLessThan(gin.has(name) ? 0.2 : 0.001)
})
