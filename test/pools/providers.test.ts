import { expect, test } from 'vitest'
import { providerLimits } from '../../src/pools/sums/providers.js'

test('an instance class of RDS is its memory, by the formula; one that is not known is not guessed', () => {
  const most = (size: string) => providerLimits('rds', size)?.maxConnections
  expect(most('db.r6g.large')).toBe(most('16GB'))
  expect(most('db.m5.2xlarge')).toBe(most('32GB'))
  expect(most('db.t3.medium')).toBe(most('4GB'))
  expect(most('db.r6g.16xlarge')).toBe(5000)
  expect(most('db.z1d.large')).toBeUndefined()
})
