import { assert, property, string } from 'fast-check'
import { expect, test } from 'vitest'
import { partitionIndexName } from '../../src/plan/partitioned/partitioned-names.js'

const free = () => false

test('the name of a partition’s index reads as both names, and holds 63 bytes', () => {
  const name = partitionIndexName('i_created', { schema: 'public', name: 'orders_2024_01' }, free)
  expect(name).toMatch(/^i_created_orders_2024_01_[0-9a-f]{8}$/)
  const long = partitionIndexName('i'.repeat(63), { schema: 's', name: `${'p'.repeat(50)}_2024_01` }, free)
  expect(long).toMatch(/^i{27}_p{18}_2024_01_[0-9a-f]{8}$/)
  expect(partitionIndexName('i', { schema: 's', name: 'p'.repeat(63) }, free)).toMatch(/^i_p{52}_[0-9a-f]{8}$/)
  expect(partitionIndexName('i'.repeat(63), { schema: 's', name: 'p' }, free)).toMatch(/^i{52}_p_[0-9a-f]{8}$/)
})

test('whatever the names are: at most 63 bytes, the same every time, never that of another pair', () => {
  const name = string({ minLength: 1, maxLength: 63, unit: 'grapheme' }).filter((text) => Buffer.byteLength(text) <= 63)
  assert(
    property(name, name, name, name, (index, partition, otherIndex, otherPartition) => {
      const own = partitionIndexName(index, { schema: 's', name: partition }, free)
      expect(Buffer.byteLength(own)).toBeLessThanOrEqual(63)
      expect(partitionIndexName(index, { schema: 's', name: partition }, free)).toBe(own)
      if (index === otherIndex && partition === otherPartition) return
      expect(partitionIndexName(otherIndex, { schema: 's', name: otherPartition }, free)).not.toBe(own)
    }),
  )
})

test('put together they would read the same, and yet they differ; a name that is taken gives the next one', () => {
  const one = partitionIndexName('a_b', { schema: 's', name: 'c' }, free)
  const other = partitionIndexName('a', { schema: 's', name: 'b_c' }, free)
  expect(one).not.toBe(other)
  const next = partitionIndexName('a_b', { schema: 's', name: 'c' }, (name) => name === one)
  expect(next).toMatch(/^a_b_c_[0-9a-f]{8}$/)
  expect(next).not.toBe(one)
})
