import { expect, test } from 'vitest'
import { nearest } from '../../src/text/nearest.js'

test.each([
  ['indexs', 'indexes'],
  ['wehre', 'where'],
  ['SEQSCAN', 'SEQ_SCAN'],
  ['seq_scan', 'SEQ_SCAN'],
  ['nulls_distint', 'nulls_distinct'],
  ['filter', 'where'],
  ['columns', undefined],
  ['tablespace_name', undefined],
  ['xyz', undefined],
  ['', undefined],
])('the word nearest to %j', (word, near) => {
  expect(nearest(word, ['indexes', 'where', 'include', 'SEQ_SCAN', 'nulls_distinct', 'nulls'])).toBe(near)
})
