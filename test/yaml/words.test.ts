import { expect, test } from 'vitest'
import { durationMs } from '../../src/yaml/duration.js'
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

test.each([
  ['10ms', 10],
  ['1.5s', 1500],
  ['1.1 s', 1100],
  ['2min', 120_000],
  ['250us', 0.25],
  [7, 7],
  [-1, undefined],
  ['10', undefined],
  ['2 parsecs', undefined],
])('duration %j', (written, ms) => {
  expect(durationMs(written)).toBe(ms)
})
