import { expect, test } from 'vitest'
import { progressLine } from '../../src/report/machine/jsonl.js'
import { render } from '../../src/report/render.js'
import { z } from '../../src/yaml/schema.js'
import type { Result } from '../../src/result/results.js'
import * as documents from './documents.js'

const event = z.looseObject({ type: z.string() })

async function events(result: Result) {
  const text = await render(result, 'jsonl', documents.narrow)
  expect(text.endsWith('\n')).toBe(true)
  return text
    .slice(0, -1)
    .split('\n')
    .map((line) => event.parse(JSON.parse(line)))
}

test('a run is its start, a line each of its steps, tables, queries and findings, and its end', async () => {
  const told = await events(documents.applyFailed)
  expect(told.map(({ type }) => type)).toEqual([
    'start',
    ...documents.applyFailed.steps.map(() => 'step'),
    'analyzed',
    ...documents.applyFailed.queries.map(() => 'query'),
    'finding',
    'end',
  ])
  expect(told[0]).toEqual({
    type: 'start',
    perfdb: '0.1.0',
    command: 'apply',
    server: documents.applyFailed.server,
    run: 17,
    profiles: ['job-shop'],
  })
  expect(told[1]).toEqual({ type: 'step', ...documents.applyFailed.steps[0] })
  expect(told.at(-1)).toEqual({ type: 'end', command: 'apply', ok: false, exit_code: 3, duration_ms: 9812 })
})

test.each([
  ['explain', documents.explainDocument, ['query', 'query', 'query', 'query', 'comparison']],
  ['status', documents.statusDocument, ['build', 'run', 'run']],
  ['check-pool', documents.poolDocument, ['server', 'finding']],
  ['an error', documents.errorDocument, ['error']],
] as const)('%s', async (_, result, middle) => {
  expect((await events(result)).map(({ type }) => type)).toEqual(['start', ...middle, 'end'])
})

test('no character of a text ends its line, for any reader', async () => {
  const name = 'a\nb\u2028c\u0085d'
  const text = await render({ ...documents.nothingToDo, profiles: [name] }, 'jsonl', documents.narrow)
  expect(text).not.toMatch(/[\u2028\u2029\u0085]/)
  expect(text).toContain('"profiles":["a\\nb\\u2028c\\u0085d"]')
  expect((await events({ ...documents.nothingToDo, profiles: [name] }))[0]).toMatchObject({ profiles: [name] })
})

test('an event is one line of type progress, in snake_case', () => {
  const blocker = 'pid 1, a\u2028b'
  const at = new Date(0)
  expect(
    progressLine(
      { type: 'step-progress', index: 'i', phase: 'p', percent: null, etaMs: 7, elapsedMs: 12, blocker },
      at,
    ),
  ).toBe(
    '{"type":"progress","event":"step_progress","at":"1970-01-01T00:00:00.000Z","index":"i","phase":"p","percent":null,"eta_ms":7,"elapsed_ms":12,"blocker":"pid 1, a\\u2028b"}\n',
  )
})
