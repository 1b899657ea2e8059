import { expect, test } from 'vitest'
import { budgets } from '../../src/pools/judge/budget.js'
import { judge } from '../../src/pools/judge/judge.js'
import { judgeService } from '../../src/pools/judge/judge-service.js'
import type { Deployment, Load } from '../../src/pools/sums/model.js'
import type { Live } from '../../src/pools/server/sessions.js'
import { deployment, instances, liveServer, pool, runtime, server, service } from './builders.js'

function found(code: string, written: Deployment, live?: Live) {
  const [budget] = budgets(written, live === undefined ? new Map() : new Map([['main', live]]))
  return budget === undefined ? [] : judge(budget, written).filter((one) => one.code === code)
}

test('a connection for every transaction is told, a kept one is not', () => {
  const churn = (sessionsPerSecond: number, transactionsPerSecond: number) => {
    const load = { app: { erlangs: 1, sessionsPerSecond, transactionsPerSecond, seconds: 10 } }
    return found('CONNECTION_CHURN', deployment(), liveServer({ load }))
  }
  expect(churn(40, 40)).toMatchObject([
    {
      severity: 'info',
      message: 'main: 40.0 connections a second are opened on app for 40.0 transactions: 5 ms and more of each',
    },
  ])
  expect(churn(40, 1000)).toEqual([])
  expect(churn(0.5, 0.5)).toEqual([])
})

const load: Load = {
  ratePerSecond: 20,
  serviceTimeSeconds: 0.05,
  cv2: 1,
  sloWaitMs: 100,
  expectedConcurrent: null,
  maxConcurrent: null,
}

test('a pool far beyond its load is told where slots are short', () => {
  const oversized = (max: number, count: number, more: Partial<Load> = {}) =>
    found(
      'POOL_OVERSIZED',
      deployment({
        servers: [server()],
        services: [service({ instances: instances(count), pool: pool({ max }), load: { ...load, ...more } })],
      }),
    )
  expect(oversized(45, 2)).toMatchObject([
    { severity: 'info', message: expect.stringContaining('of the 45 connections of a pool are enough') },
  ])
  expect(oversized(45, 1)).toEqual([])
  expect(oversized(45, 2, { ratePerSecond: 800 })).toEqual([])
  expect(oversized(45, 2, { measuredSeconds: 4 })).toEqual([])
})

test('a cache in every process takes its memory that many times', () => {
  const cache = {
    maxsize: 1000,
    ttlSeconds: 900,
    activeUsers: 400,
    ratePerUserPerSecond: 1,
    queriesPerMiss: 1,
    maxStalenessSeconds: null,
    entryBytes: 10_240,
    hitMs: null,
    missMs: null,
  }
  const codes = (kind: 'in_process' | 'shared', processes: number) =>
    judgeService(service({ cache: { ...cache, kind }, runtime: runtime({ processes }) }), [])
  expect(codes('in_process', 4)).toMatchObject([
    { code: 'CACHE_MEMORY', message: expect.stringContaining('take 40 MB, 10 MB in each of 4 processes') },
  ])
  expect(codes('shared', 4)).toEqual([])
  expect(codes('in_process', 1)).toEqual([])
})
