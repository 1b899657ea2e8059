import { expect, test } from 'vitest'
import { budgets } from '../../src/pools/judge/budget.js'
import { judgeMemory } from '../../src/pools/judge/judge-memory.js'
import { memoryNeed, workMemBytes, type MemorySettings } from '../../src/pools/sums/memory.js'
import type { Server } from '../../src/pools/sums/model.js'
import { settingFor } from '../../src/pools/server/role-settings.js'
import { deployment, pool, pooler, server, service } from './builders.js'

const mb = 1024 ** 2
const settings: MemorySettings = {
  sharedBuffers: 1000 * mb,
  workMem: 4 * mb,
  maintenanceWorkMem: 0,
  autovacuumWorkers: 0,
  hashMemMultiplier: 2,
  workersPerGather: 0,
  parallelWorkers: 8,
}

test('roles with a work_mem of their own weigh as many connections as they have', () => {
  const plain = memoryNeed(settings, 100, 20)
  expect([plain.expected / mb, plain.worst / mb]).toEqual([1000 + 500 + 160, 1000 + 500 + 1600])
  const own = memoryNeed(settings, 100, 20, [{ connections: 25, workMem: 256 * mb, hashMemMultiplier: 2 }])
  // A mean of 0.75 x 4 + 0.25 x 256 = 67 MB, two nodes each.
  expect([own.expected / mb, own.worst / mb]).toEqual([1500 + 20 * 2 * 67, 1500 + 100 * 2 * 67 * 2])
})

test('parallel workers are in the worst case, never more than max_parallel_workers', () => {
  const worst = (connections: number) =>
    memoryNeed({ ...settings, workersPerGather: 2 }, connections, 1).worst - memoryNeed(settings, connections, 1).worst
  const each = (5 + 2 * 4 * 2) * mb
  expect(worst(2)).toBe(4 * each)
  expect(worst(100)).toBe(8 * each)
})

test('work_mem is read as ALTER ROLE keeps it', () => {
  expect(['64MB', '1 GB', '65536', '512kB', 'much'].map(workMemBytes)).toEqual([
    64 * mb,
    1024 * mb,
    64 * mb,
    mb / 2,
    null,
  ])
})

test('the narrowest setting counts', () => {
  const all = [
    { role: null, database: 'app', name: 'work_mem', value: '1MB' },
    { role: 'bi', database: null, name: 'work_mem', value: '2MB' },
    { role: 'bi', database: 'app', name: 'work_mem', value: '3MB' },
  ]
  const of = (role: string | null, database: string | null) => settingFor(all, 'work_mem', role, database)
  expect([of('web', 'app'), of('bi', 'else'), of('bi', 'app'), of('web', 'else')]).toEqual([
    '1MB',
    '2MB',
    '3MB',
    undefined,
  ])
})

test('a reporting role that fills the memory is named, directly and through a pooler', () => {
  const found = (roleSettings: Server['roleSettings'], pooled: boolean) => {
    const via = pooled ? ({ kind: 'pooler', pooler: 'pgb' } as const) : ({ kind: 'direct' } as const)
    const written = deployment({
      servers: [server({ memoryBytes: 8192 * mb, memorySettings: settings, roleSettings })],
      services: [
        service({ name: 'web', role: 'web', pool: pool({ max: 40 }) }),
        service({ name: 'bi', role: 'bi', pool: pool({ max: 20 }), via }),
      ],
      poolers: [pooler({ defaultPoolSize: 20 })],
    })
    const [budget] = budgets(written)
    return budget === undefined ? [] : judgeMemory(budget)
  }
  const own = [{ role: 'bi', database: null, name: 'work_mem', value: '1GB' }]
  expect(found([], false)).toEqual([])
  for (const pooled of [false, true])
    expect(found(own, pooled)).toMatchObject([
      {
        code: 'MEMORY_OVER',
        severity: 'error',
        message: expect.stringMatching(/; 20 of them are of role bi with a work_mem of 1024 MB$/),
      },
    ])
})
