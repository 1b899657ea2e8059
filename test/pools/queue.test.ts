import { expect, test } from 'vitest'
import { queue, waitsLongerThan } from '../../src/pools/sums/queue.js'
import { seeded, serviceTimes, simulatedWaits } from './simulate.js'

const requests = 250_000

/** Mean service time 1. What is above 1 in `meanBound` is how far the mean wait may lie above the simulated one: a bound, and said so. */
test.each([
  [0, 1, 0.8, 1.1],
  [0.25, 10, 0.8, 1.1],
  [1, 5, 0.7, 1.05],
  [4, 5, 0.7, 1.2],
  [4, 1, 0.5, 1.05],
  [9, 10, 0.8, 1.3],
  [16, 1, 0.5, 1.1],
  [16, 20, 0.8, 1.8],
])('cv2 %d, %d connections, %d busy: waits, tail and p99 against a simulation', (cv2, servers, busy, meanBound) => {
  const random = seeded(servers * 1000 + cv2)
  const waits = simulatedWaits(busy * servers, servers, serviceTimes(cv2, random), random, requests)
  const at = (share: number) => waits[Math.floor(waits.length * share)] ?? 0
  const made = queue(busy * servers, 1, servers, cv2)
  const mean = waits.reduce((sum, wait) => sum + wait, 0) / waits.length
  const waiting = waits.filter((wait) => wait > 0).length / waits.length
  expect(Math.abs(made.waits / waiting - 1)).toBeLessThan(0.1)
  expect(made.meanWaitSeconds / mean).toBeGreaterThan(0.9)
  expect(made.meanWaitSeconds / mean).toBeLessThan(meanBound)
  expect(Math.abs(made.p99WaitSeconds / at(0.99) - 1)).toBeLessThan(0.15)
  const [p95, p995] = [at(0.95), at(0.995)]
  expect(waitsLongerThan(busy * servers, 1, servers, p95, cv2)).toBeGreaterThan(0.04)
  expect(waitsLongerThan(busy * servers, 1, servers, p95, cv2)).toBeLessThan(cv2 > 4 ? 0.12 : 0.065)
  expect(waitsLongerThan(busy * servers, 1, servers, p995, cv2)).toBeGreaterThan(0.003)
  expect(waitsLongerThan(busy * servers, 1, servers, p995, cv2)).toBeLessThan(0.009)
})

test('more variation never makes a shorter tail', () => {
  const p99 = (cv2: number) => queue(8, 1, 10, cv2).p99WaitSeconds
  const waits = [0, 0.5, 1, 1.001, 1.5, 4, 9, 16, 100].map(p99)
  expect(waits).toEqual(waits.toSorted((one, other) => one - other))
})
