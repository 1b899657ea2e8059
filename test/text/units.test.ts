import { expect, test } from 'vitest'
import { readYaml } from '../../src/yaml/read.js'
import { z } from '../../src/yaml/schema.js'
import { duration, size } from '../../src/yaml/units.js'
import { durationMs, notADuration, notASize, ratePerSecond, sizeBytes } from '../../src/text/units.js'

test.each([
  ['10ms', 10],
  ['1.5s', 1500],
  ['1.1 s', 1100],
  ['2min', 120_000],
  ['250us', 0.25],
  ['10MIN', 600_000],
  ['5m', 300_000],
  ['1.5 H', 5_400_000],
  ['1d', 86_400_000],
  ['0', 0],
  [0, 0],
  [7, Number.NaN],
  [-1, Number.NaN],
  ['10', Number.NaN],
  ['2 parsecs', Number.NaN],
  ['', Number.NaN],
])('duration %j', (written, ms) => {
  expect(durationMs(written)).toBe(ms)
})

test.each([
  ['512MB', 512 * 1024 ** 2],
  ['4 gb', 4 * 1024 ** 3],
  ['64KB', 65_536],
  ['12b', 12],
  ['0', 0],
  ['50', Number.NaN],
  ['50 MiB', Number.NaN],
])('size %j', (written, size) => {
  expect(sizeBytes(written)).toBe(size)
})

test.each([
  ['300/s', 300],
  ['30/MIN', 0.5],
  ['300', Number.NaN],
])('rate %j', (written, perSecond) => {
  expect(ratePerSecond(written)).toBe(perSecond)
})

test('a number without a unit is refused with both readings', () => {
  expect(notADuration(' 30 ')).toBe('30 has no unit: write 30s or 30ms')
  expect(notADuration('soon')).toBe('expected a duration such as 500ms, 30s, 10min or 1h')
  expect(notASize('50')).toBe('50 has no unit: write 50MB or 50GB')
})

test('and in a file of YAML; of a variable only the name is shown', () => {
  const schema = z.strictObject({ wait: duration, most: size, other: duration })
  const read = (text: string) => readYaml(text, 'x.yaml', schema, { WAIT: '4711' })
  expect(read('wait: 30\nmost: 50\nother: ${WAIT}').problems.map(({ message }) => message)).toEqual([
    'wait: 30 has no unit: write 30s or 30ms',
    'most: 50 has no unit: write 50MB or 50GB',
    'other: ${WAIT} has no unit: write ${WAIT}s or ${WAIT}ms',
  ])
  expect(read('wait: 0\nmost: 1gb\nother: 2 MIN')).toMatchObject({
    problems: [],
    value: { wait: 0, most: '1gb', other: '2 MIN' },
  })
})
