import { expect, test } from 'vitest'
import type { ApplyResult, Price } from '../../src/result/documents/result.js'
import { render } from '../../src/report/render.js'
import { shop } from '../measure/shop.js'
import { apply } from '../support/apply.js'
import { testDatabase } from '../support/database.js'
import { serverMajor } from '../support/major.js'
import { profilesOf } from '../support/profile.js'

const profile = `version: 1
profile: priced
schema: public
indexes:
  - { name: i_customer, table: jobs, keys: [customer_id], for: [by-customer] }
  - { name: i_note, table: jobs, keys: [note], for: [by-note] }
  - { name: i_total, table: jobs, keys: [total], unique: true }
  - { name: i_tiny, table: tiny, keys: [a] }
  - { name: i_old, table: jobs, keys: [created_at] }
queries:
  - { name: by-customer, sql: select * from jobs where customer_id = $1, params: [7] }
  - { name: by-note, sql: select count(*) from jobs where note = $1, params: [${'x'.repeat(60)}] }
  - { name: newest, sql: select id from jobs order by created_at desc limit 5 }
  - { name: take, sql: "insert into jobs (id, customer_id, status, total, note, created_at) values (0, 1, 'new', -1, 'n', now())" }
`
/** Leaves of the old indexes have room for all that is rolled back: clearing a full one writes a record of its own. */
const schema = `${shop} create table tiny (a int); insert into tiny select generate_series(1, 9); create index i_old on jobs (created_at); analyze tiny;
  alter index jobs_pkey set (fillfactor = 10); alter index i_old set (fillfactor = 10); reindex table jobs;
  alter index i_old reset (fillfactor);`

function priceOf({ prices = [] }: ApplyResult, index: string): Price | undefined {
  return prices.find((price) => price.index === index)
}

test('what each index costs and whether it pays, with the cost of a declared write', async () => {
  await using db = await testDatabase(schema)
  const profiles = await profilesOf(profile)
  const options = { measure: true, samples: 21, allow: ['WRITE_QUERY', 'UNIQUE_BUILD', 'HOT_LOSS'] as const }
  const { result } = await apply(db.url, profiles, options)
  expect(result.prices?.map(({ index, verdict }) => [index, verdict]).toSorted()).toEqual([
    ['i_customer', 'pays'],
    ['i_note', 'does_not_pay'],
    ['i_old', 'cannot_say'],
    ['i_tiny', 'cannot_say'],
    ['i_total', 'cannot_say'],
  ])
  const paying = priceOf(result, 'i_customer')
  expect(paying).toMatchObject({ queries: ['by-customer'], schema: 'public', table: 'jobs' })
  expect(paying?.reason).toMatch(/^by-customer \d+(\.\d+)?x faster/)
  const step = result.steps.find(({ index }) => index === 'i_customer')
  expect(paying?.build_ms).toBeGreaterThan(0)
  expect(paying?.build_ms).toBeLessThanOrEqual(step?.duration_ms ?? 0)
  expect(paying?.size_bytes).toBe(step?.size_bytes)
  // Each page of a new btree is in the WAL once, without its free space: much of the two pages of a tiny one.
  for (const price of result.prices?.filter(({ build_ms }) => build_ms !== undefined) ?? [])
    expect((price.wal_bytes ?? 0) / (price.size_bytes ?? 1), price.index).toBeGreaterThan(0.2)
  expect(priceOf(result, 'i_old')).not.toHaveProperty('wal_bytes')
  expect(priceOf(result, 'i_old')?.reason).toBe('newest uses it; the gain is not known, for the index already existed')
  expect(priceOf(result, 'i_note')?.reason).toMatch(/^by-note: /)
  expect(priceOf(result, 'i_tiny')?.reason).toBe('no declared query uses it, on a table too small to tell')
  expect(priceOf(result, 'i_total')?.reason).toMatch(/unique/)
  const [write] = result.write_costs ?? []
  expect(write).toMatchObject({ query: 'take', table: 'public.jobs', indexes: 3 })
  // A record for each index that was built, and now and then some of pruning what earlier runs left.
  expect((write?.after.wal_records ?? 0) - (write?.before.wal_records ?? 0)).toBeGreaterThanOrEqual(3)
  expect(write?.after.buffers).toBeGreaterThan(write?.before.buffers ?? 0)
  expect(await db.sql`select from jobs where id = 0`).toHaveLength(0)
  for (const format of ['text', 'markdown', 'html'] as const) {
    const text = await render(result, format, { width: 160, color: false, unicode: true, verbose: false })
    expect(text).toContain('What each index costs, and whether it pays')
    expect(text).toContain('does not pay')
    expect(text).toContain('What a write costs')
    expect(text).toMatch(/1 of 5 pays, 1 does not/)
  }
})

test('without measuring nothing is claimed', async () => {
  await using db = await testDatabase(shop)
  const profiles = await profilesOf(profile.replace(/^ {2}- \{ name: i_tiny.*\n/m, ''))
  const { result } = await apply(db.url, profiles, { allow: ['UNIQUE_BUILD', 'HOT_LOSS'] })
  expect(new Set(result.prices?.map(({ verdict, reason }) => `${verdict}: ${reason}`))).toEqual(
    new Set(['cannot_say: no query was measured']),
  )
  expect(result).not.toHaveProperty('write_costs')
  expect(priceOf(result, 'i_customer')?.wal_bytes).toBeGreaterThan(100_000)
  const again = await apply(db.url, profiles)
  expect(again.result).not.toHaveProperty('prices')
})

test('WAL of other sessions', async () => {
  await using db = await testDatabase(`${shop} create table other (a int)`)
  const profiles = await profilesOf(profile.replace(/^ {2}- \{ name: (i_tiny|i_note|i_total|i_old).*\n/gm, ''))
  const state = { going: true }
  const writing = (async () => {
    while (state.going) await db.sql`insert into other select generate_series(1, 500)`
  })()
  const { result } = await apply(db.url, profiles)
  state.going = false
  await writing
  const price = priceOf(result, 'i_customer')
  // From 18 on the backend's own is known.
  expect(price?.wal_shared).toBe(serverMajor < 18)
  if (serverMajor >= 18) expect(price?.wal_bytes).toBeLessThan(2 * (price?.size_bytes ?? 0))
  await using quiet = await testDatabase(shop)
  const alone = await apply(quiet.url, profiles)
  if (serverMajor >= 18) expect(priceOf(alone.result, 'i_customer')?.wal_shared).toBe(false)
})

test('an index of the same name in another schema gains nothing by it', async () => {
  await using db = await testDatabase(
    `${shop} create schema other; create table other.jobs as select * from jobs; analyze other.jobs`,
  )
  const profiles = await profilesOf(`version: 1
profile: tenants
schema: public
indexes:
  - { name: i_customer, table: jobs, keys: [customer_id], for: [by-customer] }
  - { name: i_customer, table: other.jobs, keys: [customer_id] }
queries:
  - { name: by-customer, sql: select * from public.jobs where customer_id = 7 }
`)
  const { result } = await apply(db.url, profiles, { measure: true, samples: 21 })
  expect(result.prices?.map(({ schema, verdict, queries }) => [schema, verdict, queries]).toSorted()).toEqual([
    ['other', 'does_not_pay', []],
    ['public', 'pays', ['by-customer']],
  ])
  expect(result.findings).toMatchObject([{ code: 'NOT_USED', index: 'i_customer', table: 'other.jobs' }])
})

test('variants that answer differently, and those of which one parameter set was run, are told by apply too', async () => {
  await using db = await testDatabase(shop)
  const profiles = await profilesOf(`version: 1
profile: variants
schema: public
indexes:
  - { name: i_customer, table: jobs, keys: [customer_id] }
queries:
  - name: dashboard
    params: { hot: [7], rare: [8] }
    variants:
      right: [select count(*) from jobs where customer_id = $1]
      wrong: [select count(*) + 1 from jobs where customer_id = $1]
`)
  const { result } = await apply(db.url, profiles, { measure: true, samples: 3, timeBudgetMs: 300 })
  const told = result.findings.map(({ code, query, message }) => `${code} ${query}: ${message}`)
  expect(told).toEqual([
    expect.stringMatching(/^OTHER_ROWS dashboard: dashboard: wrong gives other rows than right/),
    'NOT_MEASURED dashboard: dashboard: its variants were run with the parameter set hot alone, not with rare',
  ])
})
