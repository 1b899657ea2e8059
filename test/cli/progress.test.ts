import { expect, test } from 'vitest'
import type { RunEvent } from '../../src/build/events.js'
import { drawProgress } from '../../src/cli/terminal/progress.js'

const options = { quiet: false, color: false, unicode: true }
const stage: RunEvent = { type: 'stage', stage: 'build', message: 'building 2 indexes' }
const start = (index: string, number: number): RunEvent => ({
  type: 'step-started',
  step: 'create',
  index,
  table: 'jobs',
  number,
  of: 2,
})
const done = (index: string, outcome: 'built' | 'failed'): RunEvent => ({
  type: 'step-done',
  index,
  outcome,
  durationMs: 1200,
  sizeBytes: null,
  message: outcome === 'failed' ? 'no room' : null,
})
const warning: RunEvent = { type: 'warning', message: 'statistics are old' }

/** A stream that keeps what was written, and the screen that a terminal would show of it. */
function recording(terminal: boolean) {
  const written: string[] = []
  return {
    isTTY: terminal,
    columns: 80,
    rows: 24,
    write: (text: string) => written.push(text),
    text: () => written.join(''),
    screen: () => screenOf(written.join('')),
    hidden: () => written.join('').lastIndexOf('\u001b[?25l') > written.join('').lastIndexOf('\u001b[?25h'),
  }
}

/** The few control sequences that the drawing uses: up, wipe below, show and hide the cursor. */
function screenOf(text: string): string[] {
  const lines = ['']
  let row = 0
  let column = 0
  // eslint-disable-next-line no-control-regex
  for (const [piece] of text.matchAll(/\u001b\[\??\d*[A-Za-z]|\r|\n|[^\u001b\r\n]+/g)) {
    if (piece === '\r') column = 0
    else if (piece === '\n') {
      row += 1
      column = 0
      lines[row] ??= ''
    } else if (piece.startsWith('\u001b[?')) continue
    else if (piece.endsWith('A') && piece.startsWith('\u001b')) row -= Number(piece.slice(2, -1))
    else if (piece === '\u001b[2K') lines[row] = ''
    else if (piece === '\u001b[K') lines[row] = (lines[row] ?? '').slice(0, column)
    else if (piece === '\u001b[J') {
      lines.length = row + 1
      lines[row] = (lines[row] ?? '').slice(0, column)
    } else {
      lines[row] = (lines[row] ?? '').slice(0, column).padEnd(column) + piece
      column += piece.length
    }
  }
  // Wiped lines below the cursor are as if nothing had been there.
  while (lines.length > row + 1 && lines.at(-1) === '') lines.pop()
  return lines
}

test('in a pipe: plain lines, no control sequence', () => {
  const stream = recording(false)
  const drawing = drawProgress(stream, options)
  for (const event of [stage, start('a', 1), done('a', 'built'), warning]) drawing.listener(event)
  drawing.close()
  expect(stream.text()).toBe(
    'building 2 indexes\n[1/2] create a on jobs\n[1/2] a built in 1.2 s\nwarning: statistics are old\n',
  )
})

test('quiet: only what must be said', () => {
  const stream = recording(true)
  const drawing = drawProgress(stream, { ...options, quiet: true })
  for (const event of [stage, start('a', 1), warning]) drawing.listener(event)
  drawing.say('stopping')
  drawing.close()
  expect(stream.text()).toBe('stopping\n')
})

test('on a terminal: redrawn in place, warnings and failures stay, nothing else is left, the cursor is back', async () => {
  const stream = recording(true)
  const drawing = drawProgress(stream, options)
  for (const event of [stage, start('a', 1), start('b', 2)]) drawing.listener(event)
  await expect
    .poll(stream.screen)
    .toEqual([
      expect.stringMatching(/^\[1\/2\] a .*create {2}0 ms$/),
      expect.stringMatching(/^\[2\/2\] b /),
      'building 2 indexes  0/2 done',
    ])
  expect(stream.hidden()).toBe(true)
  drawing.listener(warning)
  expect(stream.screen()).toHaveLength(4)
  drawing.listener(done('a', 'failed'))
  drawing.say('stopping')
  expect(stream.screen()).toEqual([
    'warning: statistics are old',
    'a failed after 1.2 s: no room',
    'stopping',
    expect.stringMatching(/^\[2\/2\] b /),
    'building 2 indexes  0/2 done, 1 failed',
  ])
  drawing.listener(done('b', 'built'))
  drawing.close()
  expect(stream.screen()).toEqual(['warning: statistics are old', 'a failed after 1.2 s: no room', 'stopping', ''])
  expect(stream.hidden()).toBe(false)
})

test('after closing nothing is drawn any more', () => {
  const stream = recording(true)
  const drawing = drawProgress(stream, options)
  drawing.listener(stage)
  drawing.close()
  const before = stream.text()
  drawing.listener(start('a', 1))
  drawing.close()
  expect(stream.text()).toBe(before)
})

test('a dumb terminal gets plain lines', () => {
  const stream = recording(true)
  const drawing = drawProgress(stream, { ...options, dumb: true })
  for (const event of [stage, start('a', 1), done('a', 'built')]) drawing.listener(event)
  drawing.close()
  expect(stream.text()).toBe('building 2 indexes\n[1/2] create a on jobs\n[1/2] a built in 1.2 s\n')
})

test('while it builds the last line says so, and not what was before', async () => {
  const stream = recording(true)
  const drawing = drawProgress(stream, options)
  drawing.listener({ type: 'stage', stage: 'measure-before', message: 'measuring the queries before' })
  drawing.listener({ type: 'measured', query: 'q', number: 4, of: 4, executionMs: 1 })
  drawing.listener(start('a', 1))
  await expect.poll(() => stream.screen().at(-1)).toBe('building  0/2 done')
  drawing.close()
})

test('a terminal that says it has no rows and columns is one of the usual size', async () => {
  const stream = { ...recording(true), columns: 0, rows: 0 }
  const drawing = drawProgress(stream, options)
  const blocked: RunEvent = {
    type: 'step-progress',
    index: 'idx_jobs_status',
    phase: 'waiting for writers before build',
    percent: null,
    etaMs: null,
    elapsedMs: 2000,
    blocker: 'pid 425, psql',
  }
  for (const event of [stage, start('idx_jobs_status', 1), blocked]) drawing.listener(event)
  await expect.poll(stream.text).toContain('waits for pid 425, psql')
  drawing.close()
})
