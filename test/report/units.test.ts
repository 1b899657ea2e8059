import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { bytes, count, duration, moment, several, speedup, timeInterval } from '../../src/text/amounts.js'

test.each([
  [0, '0 ms'],
  [0.0423, '0.042 ms'],
  [4.12, '4.1 ms'],
  [9.96, '10 ms'],
  [412.4, '412 ms'],
  [999.6, '1.0 s'],
  [9812, '9.8 s'],
  [59_949, '60 s'],
  [125_000, '2 min 5 s'],
  [3_600_000, '1 h'],
  [11_520_000, '3 h 12 min'],
  [352_800_000, '4 d 2 h'],
  [-1, '-'],
])('duration %d ms', (ms, text) => expect(duration(ms)).toBe(text))

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1 kB'],
  [12_900_000, '12.3 MB'],
  [241_234_567, '230 MB'],
  [5e12, '4.55 TB'],
])('bytes %d', (size, text) => expect(bytes(size)).toBe(text))

test.each([
  [-1, '-'],
  [950, '950'],
  [12_345, '12.3k'],
  [1_234_567, '1.23M'],
  [1e12, '1T'],
])('count %d', (value, text) => expect(count(value)).toBe(text))

test('a speedup has two digits and its interval', () => {
  expect(speedup({ median: 52.3, low: 48.1, high: 57.2 })).toBe('52x (48-57)')
  expect(speedup({ median: 3712, low: 3400, high: 4123 })).toBe('3,700x (3,400-4,100)')
  expect(speedup({ median: 0.912, low: 0.881, high: 0.952 })).toBe('0.91x (0.88-0.95)')
  expect(speedup({ median: 1.04, low: 0.97, high: 1.12 })).toBe('1.0x (0.97-1.1)')
})

test('an interval keeps the unit of its median', () => {
  expect(timeInterval({ median: 4.1, low: 3.9, high: 4.4 })).toBe('4.1 ms (3.9-4.4)')
  expect(timeInterval({ median: 1100, low: 980, high: 1300 })).toBe('1.1 s (0.98-1.3)')
})

test('words', () => {
  expect([several(1, 'index', 'indexes'), several(1200, 'index', 'indexes')]).toEqual(['1 index', '1,200 indexes'])
  expect([moment('2025-03-01T03:04:05.123Z'), moment('now')]).toEqual(['2025-03-01 03:04:05', 'now'])
})

test('no number makes a cell wide', () => {
  const number = fc.double({ noNaN: true, noDefaultInfinity: true })
  fc.assert(
    fc.property(number, number, number, (median, low, high) => {
      for (const text of [bytes(median), count(median)]) expect(text.length).toBeLessThanOrEqual(11)
      expect(speedup({ median, low, high }).length).toBeLessThanOrEqual(40)
    }),
  )
})
