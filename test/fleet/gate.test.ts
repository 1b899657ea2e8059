import { render } from '../../src/report/render.js'
import { expect, test } from 'vitest'
import { runFleet, type FleetOptions, type FleetTenant } from '../../src/commands/fleet/fleet.js'
import { runScheduled } from '../../src/commands/fleet/schedule.js'
import { parseWaves, wavesOf } from '../../src/commands/fleet/waves.js'
import { PerfdbError } from '../../src/errors.js'
import { readProfiles } from '../../src/profile/read/read.js'
import type { ApplyResult, ResultQuery } from '../../src/result/documents/result.js'
import { anySchema, profileIn } from '../../src/tenants/in-schema.js'
import { folder } from '../cli/perfdb.js'

const tenant = (id: string, server = 'a:5432'): FleetTenant => ({ id, labels: {}, server, schema: null })

const options: FleetOptions = {
  command: 'apply',
  total: 4,
  perServer: () => 4,
  stopAfter: null,
  pauseMs: 0,
  signal: new AbortController().signal,
  signalName: () => undefined,
  listener: () => undefined,
  findings: [],
}

const applied: ApplyResult = {
  perfdb: '0',
  command: 'apply',
  ok: true,
  exit_code: 0,
  run: 1,
  profiles: [],
  steps: [],
  analyzed: [],
  queries: [],
  comparisons: [],
  findings: [],
}
const slower: ResultQuery = {
  name: 'by-owner',
  status: 'measured',
  verdict: 'slower',
  speedup: { median: 0.5, low: 0.4, high: 0.6 },
  findings: [],
  expectations: [],
}

test('a query of a canary that got slower ends the rollout with 1, and the report says which', async () => {
  const waves = [[tenant('canary')], [tenant('b'), tenant('c')]]
  const begun: string[] = []
  const result = await runFleet(waves, options, async ({ id }) => {
    begun.push(id)
    return { ...applied, queries: [slower] }
  })
  expect(begun).toEqual(['canary'])
  expect(result).toMatchObject({ exit_code: 1, ok: false, counts: { in_order: 1, not_reached: 2 } })
  expect(result.waves[0]).toMatchObject({ stopped: 'by-owner of canary got slower' })
  expect(result.groups[0]).toMatchObject({ outcome: 'not_reached', reason: 'by-owner of canary got slower' })
  const text = await render(result, 'text', { width: 120, color: false, unicode: true, verbose: false })
  expect(text).toContain('slower: by-owner of canary, 0.5x (0.4-0.6)\n')
})

test('a wave of which nobody could be looked at proves nothing; a server that does not answer is given up, others are not', async () => {
  const refused = new PerfdbError('CONNECTION_REFUSED', 'connection refused')
  const waves = [[tenant('canary', 'dead:5432')], [tenant('b')]]
  const first = await runFleet(waves, options, async ({ server }) => {
    if (server === 'dead:5432') throw refused
    return applied
  })
  expect(first).toMatchObject({ exit_code: 2, counts: { not_looked: 1, not_reached: 1 } })
  const tried: string[] = []
  const many = [
    ...Array.from({ length: 9 }, (_, at) => tenant(`d${at}`, 'dead:5432')),
    tenant('alive'),
    tenant('alive2'),
  ]
  const second = await runFleet([many], { ...options, perServer: () => 1 }, async ({ id, server }) => {
    tried.push(id)
    if (server === 'dead:5432') throw refused
    return applied
  })
  expect(tried.filter((id) => id.startsWith('d'))).toHaveLength(3)
  expect(second).toMatchObject({ exit_code: 2, counts: { not_looked: 9, in_order: 2 } })
  expect(second.tenants[8]?.error?.message).toContain('not tried: dead:5432 did not answer 3 tenants in a row')
})

test('no server gets more at once than its limit, in all no more than the total, and every item runs once', async () => {
  const items = Array.from({ length: 60 }, (_, at) => ({ server: `s${at % 4}`, at }))
  const running = new Map<string, number>()
  let [most, all, mostOfAll] = [0, 0, 0]
  const done: number[] = []
  const left = await runScheduled(
    items,
    ({ server }) => [server],
    { total: 5, of: () => 2 },
    async ({ server, at }) => {
      running.set(server, (running.get(server) ?? 0) + 1)
      all += 1
      most = Math.max(most, running.get(server) ?? 0)
      mostOfAll = Math.max(mostOfAll, all)
      await new Promise((resolve) => setImmediate(resolve))
      running.set(server, (running.get(server) ?? 0) - 1)
      all -= 1
      done.push(at)
    },
    () => false,
  )
  expect([left, most, mostOfAll]).toEqual([[], 2, 5])
  expect(new Set(done).size).toBe(60)
})

test('waves: sizes are what has been done by their end, canaries stand before them', () => {
  const ids = Array.from({ length: 20 }, (_, at) => at)
  const sizes = (text: string, canary: readonly number[] = []) =>
    wavesOf(ids, parseWaves(text), (id) => canary.includes(id)).map((wave) => wave.length)
  expect(sizes('1,10%,100%')).toEqual([1, 1, 18])
  expect(sizes('1,50%')).toEqual([1, 9, 10])
  expect(sizes('100%', [4, 7])).toEqual([2, 18])
  expect(wavesOf(ids, [], (id) => id === 7)[0]).toEqual([7])
  expect(wavesOf(ids, [], () => false)).toHaveLength(1)
  for (const bad of ['', '0', '101%', 'x', '1;2', '-1']) expect(() => parseWaves(bad), bad).toThrow(PerfdbError)
})

test('a profile for any schema is one of the tenant in all its parts', async () => {
  const text = `version: 1
indexes:
  - { name: i, table: jobs, keys: [a], partitions: [{ table: jobs_1, name: i_1 }, { table: other.jobs_2, name: i_2 }] }
absent: [gone]
analyze: [jobs]
`
  await using where = await folder({ 'p.yaml': text })
  const read = async (schema: string) =>
    readProfiles(['p.yaml'], { cwd: where.path, environment: {}, everySchema: schema })
  expect((await read(anySchema)).map((profile) => profileIn('a', profile))).toEqual(await read('a'))
})
