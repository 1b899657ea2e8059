import { expect, test } from 'vitest'
import type { ResultFinding } from '../../src/result/documents/result.js'
import { render } from '../../src/report/render.js'
import { stepSummary } from '../../src/report/machine/github.js'
import type { Result } from '../../src/result/results.js'
import * as documents from './documents.js'

async function lines(result: Result): Promise<string[]> {
  return (await render(result, 'github', documents.narrow)).trimEnd().split('\n')
}

function finding(more: Partial<ResultFinding>): ResultFinding {
  return { code: 'MISSING', severity: 'error', message: 'm', ...more }
}

test('a finding with a place is an annotation there', async () => {
  const place = { file: 'a,b:c%.yaml', line: 3, column: 5 }
  const result = { ...documents.nothingToDo, findings: [finding({ place, message: '100 %: a,\nb', hint: 'x\r\ny' })] }
  expect(await lines(result)).toEqual([
    '::error file=a%2Cb%3Ac%25.yaml,line=3,col=5,title=perfdb MISSING::100 %25: a,%0Ab%0Ahint: x%0Ay',
    'perfdb plan: 31 indexes: nothing to do, exit code 0',
  ])
})

test('severities are error, warning and notice, the worst first', async () => {
  const findings = (['info', 'warning', 'error'] as const).map((severity) => finding({ severity, code: severity }))
  expect((await lines({ ...documents.nothingToDo, findings })).map((line) => line.split(' ')[0])).toEqual([
    '::error',
    '::warning',
    '::notice',
    'perfdb',
  ])
})

test('ten annotations at most: the worst nine and the number of the rest', async () => {
  const findings = [
    ...Array.from({ length: 12 }, (_, at) => finding({ severity: 'warning', index: `w${at}` })),
    ...Array.from({ length: 3 }, (_, at) => finding({ index: `e${at}` })),
  ]
  const told = await lines({ ...documents.nothingToDo, ok: false, exit_code: 1, findings })
  expect(told).toHaveLength(11)
  expect(told.slice(0, 3).every((line) => line.startsWith('::error'))).toBe(true)
  expect(told[9]).toBe('::warning title=perfdb plan::6 more: 6 warnings')
  expect(told[10]).toBe('perfdb plan: 31 indexes: nothing to do, exit code 1')
  const nine = await lines({ ...documents.nothingToDo, findings: findings.slice(0, 9) })
  expect(nine).toHaveLength(10)
  expect(nine.join()).not.toContain('more')
})

test('failed steps, refused hazards, missed expectations and errors are annotations too', async () => {
  const told = await lines(documents.applyFailed)
  expect(
    told.filter((line) => line.startsWith('::error')).map((line) => /title=perfdb (\w+)::/.exec(line)?.[1]),
  ).toEqual(['QUERY_FAILED', 'REPLACE', 'EXPECTATION_MISSED', 'EXPECTATION_MISSED'])
  expect(await lines(documents.manyErrors)).toMatchObject([
    expect.stringMatching(
      /^::error file=profiles\/job-shop\.yaml,line=12,col=12,title=perfdb NO_TABLE::table public\.job/,
    ),
    expect.stringMatching(/^::error file=profiles\/job-shop\.yaml,line=31,col=5,title=perfdb UNKNOWN_KEY::/),
    'perfdb plan: not ok, exit code 2',
  ])
})

test('no text begins a command of its own', async () => {
  const evil = 'x\n::set-env name=PATH::/tmp\r::add-mask::y'
  const told = await lines({
    ...documents.nothingToDo,
    findings: [
      finding({ code: evil, message: evil, hint: evil, index: evil, place: { file: evil, line: 1, column: 1 } }),
    ],
  })
  expect(told).toHaveLength(2)
  expect(told[0]).toMatch(/^::error file=x%0A%3A%3Aset-env name=PATH/)
})

test('a step summary above 1 MiB ends at a whole line and says so', () => {
  expect(stepSummary('short')).toBe('short\n')
  const line = `${'ü'.repeat(99)}\n`
  const cut = stepSummary(line.repeat(20_000))
  expect(Buffer.byteLength(cut)).toBeLessThan(1024 ** 2)
  expect(Buffer.byteLength(cut)).toBeGreaterThan(900_000)
  const [body = '', rest] = cut.split('\n\n')
  expect(body.split('\n').every((each) => each === line.trimEnd())).toBe(true)
  expect(rest).toBe('The rest is left out: a step summary holds 1 MiB.\n')
})
