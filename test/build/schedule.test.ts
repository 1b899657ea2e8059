import { expect, test } from 'vitest'
import { schedule } from '../../src/build/run/schedule.js'
import type { Definition } from '../../src/definition/definition.js'
import type { Step } from '../../src/plan/plan.js'

function step(index: string, table: string, fields: Partial<Definition> = {}): Step {
  const name = { schema: 'public', name: table }
  const declared: Definition = {
    name: index,
    table: name,
    method: 'btree',
    keys: [{ column: 'a' }],
    include: [],
    unique: false,
    nullsDistinct: true,
    storage: {},
    ...fields,
  }
  return {
    step: 'create',
    schema: 'public',
    index,
    table: name,
    statements: [],
    hazards: [],
    reason: '',
    declared,
    canonical: null,
    predictedBytes: null,
    existing: null,
    place: null,
  }
}

const bytes: Readonly<Record<string, number>> = { big: 1000, small: 10, mid: 100 }

test('one lane a table, the biggest first; partial and expression builds last and alone', () => {
  const steps = [
    step('s1', 'small'),
    step('p1', 'big', { predicate: 'a > 1' }),
    step('b1', 'big'),
    step('m1', 'mid'),
    step('e1', 'small', { keys: [{ expression: 'a + 1' }] }),
    step('b2', 'big'),
  ]
  const stages = schedule(steps, (table) => bytes[table.name] ?? 0)
  expect(stages.map((stage) => stage.map((lane) => lane.map((one) => one.index)))).toEqual([
    [['b1', 'b2'], ['m1'], ['s1']],
    [['p1', 'e1']],
  ])
})

test('every step is in exactly one lane, and a table in at most one lane of a stage', () => {
  const steps = Array.from({ length: 40 }, (_, n) =>
    step(`i${n}`, `t${n % 5}`, n % 3 === 0 ? { predicate: 'a > 1' } : {}),
  )
  const stages = schedule(steps, () => 1)
  const all = stages.flat(2).map((one) => one.index)
  expect(all.toSorted()).toEqual(steps.map((one) => one.index).toSorted())
  for (const stage of stages) {
    const tables = stage.map((lane) => new Set(lane.map((one) => one.table.name)))
    const seen = tables.flatMap((names) => [...names])
    expect(new Set(seen).size).toBe(seen.length)
  }
})
