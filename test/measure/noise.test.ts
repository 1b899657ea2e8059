import { expect, test } from 'vitest'
import { compareMeasurements } from '../../src/measure/sample/compare.js'
import type { Measurement, QueryMeasurement } from '../../src/measure/sample/measurement.js'
import { floorOf, noiseOf } from '../../src/measure/sample/noise.js'
import { shapeOf } from '../../src/measure/sample/shape.js'
import { readQueryPlan } from '../../src/measure/plan/query-plan.js'
import { measureAgain } from '../../src/measure/query/again.js'
import { measureQueries } from '../../src/measure/query/rounds.js'
import { testDatabase } from '../support/database.js'
import { aQuery } from './a-query.js'
import { openSession } from './open-session.js'
import { shop } from './shop.js'

const around = (ms: number, samples = 21) => Array.from({ length: samples }, (_, at) => ms * (1 + (at - 10) / 500))

function measured(more: Partial<Measurement> & { readonly scan?: string } = {}): Measurement {
  const { scan = 'Seq Scan', ...rest } = more
  return {
    params: null,
    status: 'measured',
    reason: null,
    sqlstate: null,
    timedOutMs: null,
    executionMs: around(10),
    controlMs: [],
    planningMs: 0.1,
    rows: 7,
    buffers: { hit: 1000, read: 0, temp: 0 },
    plan: readQueryPlan([{ Plan: { 'Node Type': scan }, 'Execution Time': 1 }]),
    findings: [],
    tables: [],
    unchosen: [],
    ...rest,
  }
}

const side = (name: string, ...measurements: readonly Measurement[]): QueryMeasurement => ({
  query: aQuery('select 1', { name }),
  measurements,
  variants: [],
  roundTripMs: null,
})

test('what did not change shows the noise of the run', () => {
  const noise = noiseOf(
    [side('q', measured()), side('r', measured())],
    [
      side('q', measured({ executionMs: around(23) })),
      side('r', measured({ executionMs: around(5), scan: 'Index Scan' })),
    ],
  )
  expect(noise.floor).toBeCloseTo(2.3, 6)
  expect(noise.pairs.filter(({ of }) => of === 'unchanged').map(({ query }) => query)).toEqual(['q'])
  expect(noise.pairs.filter(({ of }) => of === 'halves')).toHaveLength(4)
})

test('of 20 pairs one may be above the floor; a drift that the control shares is none', () => {
  expect(floorOf([...Array.from({ length: 19 }, () => 1.2), 9])).toBe(1.2)
  expect(floorOf([1.1, 3])).toBe(3)
  expect(floorOf([])).toBe(1)
  const drifted = measured({ executionMs: around(20), controlMs: around(6) })
  const noise = noiseOf([side('q', measured({ controlMs: around(3) }))], [side('q', drifted)])
  expect(noise.pairs.find(({ of }) => of === 'unchanged')?.ratio).toBe(1)
  expect(noise.pairs.some(({ of, ratio }) => of === 'control' && ratio > 1.99)).toBe(true)
})

test('a claim must clear the noise, and says so', () => {
  const faster = measured({ executionMs: around(5), scan: 'Index Scan' })
  expect(compareMeasurements(measured(), faster, 1.3)).toMatchObject({ verdict: 'faster' })
  const drowned = compareMeasurements(measured(), faster, 2.3)
  expect(drowned).toMatchObject({ verdict: 'inconclusive' })
  expect(drowned.reason).toMatch(/^within the noise of this run, 2.3x: /)
  expect(drowned.speedup?.low).toBeLessThan(1)
})

test('blocks that disagree claim nothing', () => {
  const blocks = [
    { executionMs: around(3), controlMs: [] },
    { executionMs: around(9), controlMs: [] },
  ]
  const after = measured({ executionMs: [...around(3), ...around(9)], blocks, scan: 'Index Scan' })
  const compared = compareMeasurements(measured(), after)
  expect(compared.verdict).toBe('inconclusive')
  expect(compared.reason).toMatch(/^its blocks after disagree \(3.0 ms, 9.0 ms\): /)
})

test('in turns a burst that meets both sides of a round says nothing', () => {
  const burst = (ms: number, factor = 5) =>
    Array.from({ length: 12 }, (_, round) => around(round % 4 < 2 ? ms : factor * ms, 3))
  const sides = (before: readonly number[][], after: readonly number[][]) =>
    [
      measured({ executionMs: before.flat(), rounds: before }),
      measured({ executionMs: after.flat(), rounds: after, scan: 'Index Scan' }),
    ] as const
  const [before, after] = sides(burst(10), burst(5))
  const told = compareMeasurements(before, after, 1.2)
  expect(told).toMatchObject({ verdict: 'faster', reason: null })
  expect(told.speedup?.median).toBeCloseTo(2, 6)
  expect(compareMeasurements(before, after, 2.3).reason).toMatch(
    /^within the noise of this run, 2.3x: .*, or --time-budget 10s$/,
  )
  const { rounds: _, ...blind } = after
  expect(compareMeasurements(before, blind, 1.2).verdict).toBe('inconclusive')
  const swinging = Array.from({ length: 12 }, (_, round) => around(round % 2 === 0 ? 8 : 3, 3))
  const apart = compareMeasurements(...sides(burst(10, 1), swinging))
  expect(apart.verdict).toBe('inconclusive')
  expect(apart.reason).toMatch(/^its odd and even rounds disagree \(2.7x\): /)
})

test('too few samples are named, with the budget that gives more', () => {
  const few = { executionMs: around(1100, 5) }
  const compared = compareMeasurements(measured(few), measured({ executionMs: around(150, 7), scan: 'Index Scan' }))
  expect(compared).toMatchObject({
    verdict: 'inconclusive',
    reason: '5 samples before and 7 after, 6 of each are needed: --time-budget 50s',
  })
})

test('an index is what it is, whatever it is called', async () => {
  await using database = await testDatabase(
    `${shop} create index one_name on jobs (customer_id, total desc) where total > 1; analyze jobs;`,
  )
  await using session = await openSession(database.url)
  const query = aQuery('select * from jobs where customer_id = 7 and total > 1 order by total desc')
  const look = async () => {
    const [one] = await measureQueries(session, [query], { samples: 3, allowWrites: false })
    return one?.measurements[0] ?? measured()
  }
  const before = await look()
  await database.sql.unsafe(
    'create index other_name on jobs (customer_id, total desc) where total > 1; drop index one_name',
  )
  const renamed = await look()
  expect([before.plan?.indexes, renamed.plan?.indexes]).toEqual([['one_name'], ['other_name']])
  expect(shapeOf(before)).toContain('(customer_id, total desc) where (total > ')
  expect(shapeOf(renamed)).toBe(shapeOf(before))
  expect(compareMeasurements(before, { ...renamed, executionMs: around(0.001) }).verdict).toBe('same')
  await database.sql.unsafe(
    'create index third on jobs (customer_id, total desc) include (status); drop index other_name',
  )
  expect(shapeOf(await look())).not.toBe(shapeOf(before))
})

test('measured again, the same statements get a block more and the same control', async () => {
  await using database = await testDatabase(shop)
  await using session = await openSession(database.url)
  const options = { samples: 16, blocks: 2, timeBudgetMs: 1000, allowWrites: false }
  const query = aQuery('select status, count(*) from jobs group by status')
  const once = await measureQueries(session, [query], options)
  const [twice] = await measureAgain(session, once, options)
  expect(once[0]?.control?.text).toBe('select pg_catalog.count(*) from only "public"."jobs"')
  expect(once[0]?.control?.set).toMatchObject({ enable_indexonlyscan: 'off' })
  expect(twice?.measurements[0]?.blocks?.map(({ executionMs }) => executionMs.length)).toEqual([8, 8])
  expect(twice?.measurements[0]?.executionMs).toHaveLength(16)
  // A new index may not serve the control.
  await database.sql.unsafe('create index by_status on jobs (status); analyze jobs')
  const [after] = await measureQueries(session, [query], { ...options, before: once })
  expect(after?.control).toEqual(once[0]?.control)
})
