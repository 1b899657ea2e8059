import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { RunEvent } from '../../src/build/events.js'
import { liveLines } from '../../src/report/text/live.js'
import type { Progress } from '../../src/report/text/progress.js'
import { advance, noProgress, plainLines } from '../../src/report/text/progress.js'
import { widthOf } from '../../src/report/text/width.js'
import { longNames, narrow } from './documents.js'

const start: RunEvent = {
  type: 'step-started',
  step: 'create',
  index: 'idx_jobs_due',
  table: 'public.jobs',
  number: 3,
  of: 31,
}
const done: RunEvent = {
  type: 'step-done',
  index: 'idx_jobs_due',
  outcome: 'built',
  durationMs: 41_200,
  sizeBytes: 12_900_000,
  message: null,
}
const stage: RunEvent = { type: 'stage', stage: 'build', message: 'building 31 indexes' }
const blocker = "pid 4242 (psql, alice, idle in transaction for 12 min): update jobs set status = 'done'"

function tick(
  elapsedMs: number,
  phase: string,
  rest: Partial<Extract<RunEvent, { type: 'step-progress' }>> = {},
): RunEvent {
  return {
    type: 'step-progress',
    index: 'idx_jobs_due',
    phase,
    percent: null,
    etaMs: null,
    elapsedMs,
    blocker: null,
    ...rest,
  }
}

function after(events: readonly RunEvent[]): Progress {
  return events.reduce(advance, noProgress)
}

function log(events: readonly RunEvent[]): readonly string[] {
  let progress = noProgress
  return events.flatMap((event) => {
    const lines = plainLines(progress, event)
    progress = advance(progress, event)
    return lines
  })
}

test('a build in a log is two lines, however often it reports', () => {
  const ticks = Array.from({ length: 500 }, (_, at) =>
    tick(at * 500, 'building index: scanning table', { percent: at / 5 }),
  )
  expect(log([stage, start, ...ticks, done])).toEqual([
    'building 31 indexes',
    '[3/31] create idx_jobs_due on public.jobs',
    '[3/31] idx_jobs_due built in 41 s, 12.3 MB',
  ])
})

test('a blocker is told at once and then every 30 s', () => {
  const ticks = Array.from({ length: 131 }, (_, at) =>
    tick(at * 500, 'waiting for writers before build', at < 2 ? {} : { blocker }),
  )
  expect(log([start, ...ticks]).slice(1)).toEqual([
    `[3/31] idx_jobs_due waiting for writers before build for 1.0 s, waits for ${blocker}`,
    `[3/31] idx_jobs_due waiting for writers before build for 31 s, waits for ${blocker}`,
    `[3/31] idx_jobs_due waiting for writers before build for 61 s, waits for ${blocker}`.replace('61 s', '1 min 1 s'),
  ])
})

test('a phase that waits is told after 5 s, not when it passes', () => {
  const phase = 'waiting for old snapshots'
  expect(log([start, tick(9000, 'building index'), tick(9500, phase), tick(10_000, phase), done])).toHaveLength(2)
  const waiting = [
    tick(9000, 'building index'),
    ...[9500, 10_000, 14_000, 14_500, 15_000, 20_000].map((ms) => tick(ms, phase)),
  ]
  expect(log([start, ...waiting]).slice(1)).toEqual([`[3/31] idx_jobs_due ${phase} for 15 s`])
})

test('a kept index is no line, a failure says why, a warning is a line', () => {
  const kept: readonly RunEvent[] = [
    { ...start, step: 'keep' },
    { ...done, outcome: 'kept', durationMs: 0 },
  ]
  expect(log(kept)).toEqual([])
  expect(after(kept)).toMatchObject({ done: 1, running: [] })
  const failed: RunEvent = { ...done, outcome: 'failed', sizeBytes: null, message: 'could not create unique index' }
  expect(log([start, failed, { type: 'warning', message: 'a\nb' }])).toEqual([
    '[3/31] create idx_jobs_due on public.jobs',
    '[3/31] idx_jobs_due failed after 41 s: could not create unique index',
    'warning: a b',
  ])
})

test('a build on a terminal is one line, its blocker a second', () => {
  const running = [stage, start, tick(4100, 'building index: scanning table', { percent: 62, etaMs: 12_000 })]
  expect(liveLines(after(running), { ...narrow, width: 100 }, 24)).toMatchInlineSnapshot(`
    [
      "[3/31] idx_jobs_due  building index: scanning table  ███████░░░░░ 62 %  12 s left  4.1 s",
      "building 31 indexes  0/31 done",
    ]
  `)
  expect(liveLines(after(running), { ...narrow, width: 60, unicode: false }, 24)).toMatchInlineSnapshot(`
    [
      "[3/31] idx_jobs_due  scanning table  62 %  12 s left  4.1 s",
      "building 31 indexes  0/31 done",
    ]
  `)
  expect(liveLines(after([...running, tick(9000, 'waiting for writers before build', { blocker })]), narrow, 24))
    .toMatchInlineSnapshot(`
      [
        "[3/31] idx_jobs_due  waiting for writers before build  9.0 s",
        "    waits for pid 4242 (psql, alice, idle in transaction for 12 min): update j…",
        "building 31 indexes  0/31 done",
      ]
    `)
  expect(liveLines(after([...running, done]), narrow, 24)).toEqual([
    '[3/31] idx_jobs_due  built in 41 s, 12.3 MB',
    'building 31 indexes  1/31 done',
  ])
  expect(liveLines(noProgress, narrow, 24)).toEqual([])
})

test('a wait has no percent and no time left: the counters are those of the phase before', () => {
  const wait = tick(9000, 'waiting for old snapshots', { percent: 100, etaMs: 99 })
  expect(liveLines(after([stage, start, wait]), narrow, 24)[0]).toBe(
    '[3/31] idx_jobs_due  waiting for old snapshots  9.0 s',
  )
})

test('what has ended stays in the list, the newest where there is no room for all, a failure where it was told', () => {
  const builds = Array.from({ length: 30 }, (_, at): readonly RunEvent[] => [
    { ...start, index: `idx_${at + 1}`, number: at + 1 },
    { ...done, index: `idx_${at + 1}`, ...(at === 27 ? { outcome: 'failed', message: 'no room' } : {}) },
  ]).flat()
  const running = [stage, ...builds, { ...start, number: 31 }, tick(4100, 'building index: scanning table')]
  expect(liveLines(after(running), { ...narrow, width: 60 }, 8)).toMatchInlineSnapshot(`
    [
      "[25/31] idx_25        built in 41 s, 12.3 MB",
      "[26/31] idx_26        built in 41 s, 12.3 MB",
      "[27/31] idx_27        built in 41 s, 12.3 MB",
      "[29/31] idx_29        built in 41 s, 12.3 MB",
      "[30/31] idx_30        built in 41 s, 12.3 MB",
      "[31/31] idx_jobs_due  building index: scanning table  4.1 s",
      "building 31 indexes  29/31 done, 1 failed",
    ]
  `)
  // While queries are measured there are two numbers: of what was built, and of them.
  const measuring: readonly RunEvent[] = [
    { type: 'stage', stage: 'measure-after', message: 'measuring after' },
    { type: 'measured', query: 'jobs-by-status', number: 2, of: 12, executionMs: 4.1 },
  ]
  expect(liveLines(after([...running, done, ...measuring]), { ...narrow, width: 60 }, 4)).toMatchInlineSnapshot(`
    [
      "[30/31] idx_30        built in 41 s, 12.3 MB",
      "[31/31] idx_jobs_due  built in 41 s, 12.3 MB",
      "30/31 done, 1 failed; measuring after  2/12  jobs-by-status",
    ]
  `)
})

test('measuring shows the query', () => {
  const events: readonly RunEvent[] = [
    { type: 'stage', stage: 'measure-before', message: 'measuring before' },
    { type: 'measured', query: 'jobs-by-status', number: 2, of: 12, executionMs: 4.1 },
  ]
  expect(liveLines(after(events), narrow, 24)).toEqual(['measuring before  2/12  jobs-by-status'])
})

test('live lines stay inside the window', () => {
  const name = fc.constantFrom(...longNames, 'a', 'x\ny', '\u001b[2J')
  const one = fc.record({
    index: name,
    phase: name,
    percent: fc.option(fc.integer({ min: 0, max: 100 })),
    etaMs: fc.option(fc.nat(1e9)),
    elapsedMs: fc.nat(1e9),
    blocker: fc.option(name),
  })
  fc.assert(
    fc.property(
      fc.array(one, { maxLength: 12 }),
      fc.integer({ min: 40, max: 240 }),
      fc.integer({ min: 4, max: 40 }),
      fc.boolean(),
      (builds, width, rows, unicode) => {
        const events = builds.flatMap((build, at): RunEvent[] => [
          { ...start, index: `${at}${build.index}`, number: at, of: 12 },
          { type: 'step-progress', ...build, index: `${at}${build.index}` },
        ])
        const lines = liveLines(after([stage, ...events]), { ...narrow, width, unicode }, rows)
        expect(lines.length).toBeLessThanOrEqual(rows)
        expect(
          lines.filter((line) => widthOf(line) >= width || line.includes('\n') || line.includes('\u001b')),
        ).toEqual([])
      },
    ),
  )
})
