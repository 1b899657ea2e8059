import { expect, test } from 'vitest'
import type { ResultStep, WriteCost } from '../../src/result/documents/result.js'
import { prices, type PriceEvidence } from '../../src/measure/price/price.js'
import { indexKey, type IndexUse } from '../../src/measure/price/price-uses.js'
import { profileOf } from '../support/profile.js'
import { aQuery } from './a-query.js'

const step: ResultStep = {
  step: 'create',
  index: 'i',
  table: 't',
  schema: 'public',
  reason: '',
  sql: [],
  hazards: [],
  outcome: 'built',
  state: 'valid',
  duration_ms: 900,
  waited_ms: 400,
  size_bytes: 8192,
}
const use: IndexUse = {
  query: 'q',
  params: null,
  verdict: 'faster',
  ratio: 12.3,
  savedMs: 40,
  together: [],
  small: false,
}
const side = { execution_ms: { median: 1, low: 0.9, high: 1.1 }, buffers: 3, wal_records: 2, wal_bytes: 200 }
const write: WriteCost = {
  query: 'put',
  table: 'public.t',
  indexes: 1,
  before: side,
  after: { ...side, execution_ms: { median: 3, low: 2.9, high: 3.1 }, buffers: 5, wal_records: 3 },
}

async function priceOf(
  uses: readonly IndexUse[],
  more: Partial<ResultStep> = {},
  {
    index = '{ name: i, table: t, keys: [a] }',
    writes = [],
    ...evidence
  }: Partial<PriceEvidence> & { index?: string } = {},
) {
  const [profile] = await profileOf([index])
  const after = [{ query: aQuery('select 1'), measurements: [], variants: [], roundTripMs: null }]
  const known = {
    uses: new Map([[indexKey('public', 'i'), uses]]),
    after,
    tooSmall: new Set<string>(),
    writes,
    ...evidence,
  }
  return prices([{ ...step, ...more }], profile?.indexes ?? [], known)[0]
}

test.each<[string, readonly Partial<IndexUse>[], Partial<ResultStep>, string]>([
  ['faster', [{}], {}, 'pays: q 12x faster'],
  [
    'several, the most first',
    [{ ratio: 2 }, { query: 'r', params: 'hot' }],
    {},
    'pays: r (hot) 12x faster and q 2.0x faster',
  ],
  ['ended in time after', [{ ratio: null }], {}, 'pays: q ends in time'],
  ['one faster, one slower', [{ verdict: 'slower' }, { query: 'r' }], {}, 'pays: r 12x faster; q slower'],
  ['no faster', [{ verdict: 'same' }], {}, 'does_not_pay: q uses it and is no faster than without it'],
  [
    'two no faster',
    [{ verdict: 'same' }, { verdict: 'slower', query: 'r' }],
    {},
    'does_not_pay: q and r use it and are no faster than without it',
  ],
  ['slower', [{ verdict: 'slower' }], {}, 'does_not_pay: q uses it and is no faster than without it'],
  [
    'replaced and no faster',
    [{ verdict: 'same' }],
    { outcome: 'replaced' },
    'does_not_pay: q uses it and is no faster than with the definition that it replaced',
  ],
  [
    'inconclusive',
    [{ verdict: 'inconclusive' }],
    {},
    'cannot_say: q uses it, and the measurements do not tell whether it is faster',
  ],
  ['small', [{ verdict: 'same', small: true }], {}, 'cannot_say: q uses it, on a table too small to tell'],
  ['not measured before', [{ verdict: null }], {}, 'cannot_say: q uses it, and was not measured before'],
  [
    'there before',
    [{}],
    { outcome: 'kept' },
    'cannot_say: q uses it; the gain is not known, for the index already existed',
  ],
  ['unused', [], {}, 'does_not_pay: no declared query uses it'],
  ['credited together', [{ together: ['j'] }], {}, 'pays: i and j together: q 12x faster'],
  [
    'the loss is larger than the gain',
    [{ savedMs: 2 }, { query: 'r', verdict: 'slower', savedMs: -3 }],
    {},
    'does_not_pay: q 12x faster; r slower, which costs more than it saves',
  ],
])('%s', async (_, uses, more, said) => {
  const price = await priceOf(
    uses.map((one) => ({ ...use, ...one })),
    more,
  )
  expect(`${price?.verdict}: ${price?.reason}`).toBe(said)
})

test('waiting is no part of the build, and an index that is not valid has no price', async () => {
  expect(await priceOf([use])).toMatchObject({ build_ms: 500, size_bytes: 8192, queries: ['q'] })
  expect(await priceOf([use], { outcome: 'kept' })).not.toHaveProperty('build_ms')
  expect(await priceOf([use], { state: 'invalid' })).toBeUndefined()
})

test('a write that became dearer for certain is set against what is saved', async () => {
  const reason = async (cost: WriteCost) => (await priceOf([use], {}, { writes: [cost] }))?.reason
  expect(await reason(write)).toBe('q 12x faster; put takes 2.0 ms more, so one q pays for 20 of them')
  // Intervals that touch, or no more work than before: noise.
  expect(await reason({ ...write, after: { ...write.after, execution_ms: { median: 3, low: 1, high: 5 } } })).toBe(
    'q 12x faster',
  )
  expect(await reason({ ...write, after: { ...side, execution_ms: write.after.execution_ms } })).toBe('q 12x faster')
  expect(await reason({ ...write, table: 'public.other' })).toBe('q 12x faster')
  // What three indexes cost together is not what one costs.
  expect(await reason({ ...write, indexes: 3 })).toBe(
    'q 12x faster; put takes 2.0 ms more by the 3 new indexes of the table together, so one q pays for 20 of them',
  )
})

test('the queries count by their weights', async () => {
  const uses: readonly IndexUse[] = [
    { ...use, savedMs: 2 },
    { ...use, query: 'r', verdict: 'slower', savedMs: -3 },
  ]
  const weights = { of: new Map([['q', 100]]), by: 'calls' as const }
  expect(await priceOf(uses, {}, { weights })).toMatchObject({ verdict: 'pays', reason: 'q 12x faster; r slower' })
})

test('an index that already existed is used by whom the statistics saw', async () => {
  const scans = { of: new Map([[indexKey('public', 'i'), { scans: 233, since: '2026-03-01' }]]), unasked: 0 }
  const kept = { outcome: 'kept' as const }
  expect(await priceOf([], kept, { scans })).toMatchObject({
    verdict: 'cannot_say',
    reason: 'no declared query; 233 scans since 2026-03-01',
  })
  // A standby that was not asked may use even a new one.
  expect(await priceOf([], {}, { scans: { of: new Map(), unasked: 1 } })).toMatchObject({
    verdict: 'cannot_say',
    reason: 'no declared query; 1 standby not asked (replicas)',
  })
})

test('what was not looked at is not judged', async () => {
  expect(await priceOf([], {}, { after: [] })).toMatchObject({ verdict: 'cannot_say', reason: 'no query was measured' })
  expect(await priceOf([], {}, { tooSmall: new Set(['i']) })).toMatchObject({ verdict: 'cannot_say' })
  expect(await priceOf([], {}, { index: '{ name: i, table: t, keys: [a], unique: true }' })).toMatchObject({
    verdict: 'cannot_say',
  })
  const wanted = { index: '{ name: i, table: t, keys: [a], for: [q] }\nqueries:\n  - { name: q, sql: select 1 }' }
  expect(await priceOf([], {}, wanted)).toMatchObject({
    verdict: 'cannot_say',
    reason: 'q, which it was declared for, could not be measured',
  })
})
