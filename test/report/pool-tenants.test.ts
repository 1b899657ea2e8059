import { expect, test } from 'vitest'
import { tenantGrid } from '../../src/report/blocks/pool-tenants.js'
import { poolDocument } from './documents.js'

const [primary] = poolDocument.servers
if (primary === undefined) throw new Error('no server')
const server = {
  ...primary,
  tenants: [
    { service: 'api', count: 3, each: 20, ids: ['a', 'b', 'c'] },
    { service: 'worker', count: 2, each: 5, ids: ['b', 'c'] },
  ],
}

test('the matrix of tenants and services: what each takes, and all together', () => {
  const grid = tenantGrid(server, true)
  if (grid.kind !== 'grid') throw new Error('no grid')
  expect(grid.columns.map(({ head }) => head)).toEqual(['tenant', 'api', 'worker', 'together'])
  expect(grid.rows.map((row) => row.map(({ text }) => text))).toEqual([
    ['a', '20', '', '20'],
    ['b', '20', '5', '25'],
    ['c', '20', '5', '25'],
    ['all 3 tenants', '60', '10', '70'],
  ])
})

test('many tenants: the first of them by name, all of them in the sum; in text only under verbose', () => {
  const ids = Array.from({ length: 200 }, (_, at) => `t${at}`)
  const grid = tenantGrid({ ...primary, tenants: [{ service: 'api', count: 10_000, each: 2, ids }] }, true)
  if (grid.kind !== 'grid') throw new Error('no grid')
  expect(grid.rows).toHaveLength(31)
  expect(grid.rows.at(-1)?.map(({ text }) => text)).toEqual(['all 10,000 tenants', '20000', '20000'])
  expect(tenantGrid(server, false)).toMatchObject({ rows: [] })
  expect(tenantGrid(primary, true)).toMatchObject({ rows: [] })
})
