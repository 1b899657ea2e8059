import { expect, test } from 'vitest'
import type { ResultFinding, ResultQuery, Severity } from '../../src/result/documents/result.js'
import { allFindings, findingTally, messageOf } from '../../src/report/machine/all-findings.js'
import * as documents from './documents.js'

const query: ResultQuery = {
  name: 'q',
  status: 'measured',
  findings: [],
  expectations: [{ expect: 'time 10 ms', met: false, actual: '2 s' }],
}

test('a missed expectation is told once: by its finding where there is one', () => {
  const finding: ResultFinding = { code: 'EXPECTATION_MISSED', severity: 'error', query: 'q', message: 'with a place' }
  const of = (findings: ResultFinding[]) =>
    allFindings({ ...documents.explainDocument, queries: [{ ...query, findings }] }).map(({ message }) => message)
  expect(of([])).toEqual(['q: expected time 10 ms, got 2 s'])
  expect(of([finding])).toEqual(['with a place'])
})

test('a query that was refused is WRITE_QUERY only where it changes data', () => {
  const codeOf = (reason: string) =>
    allFindings({ ...documents.explainDocument, queries: [{ ...query, status: 'refused', reason, expectations: [] }] })
      .filter((finding) => finding.query === 'q')
      .map(({ code }) => code)
  expect(codeOf('UPDATE changes data, and EXPLAIN ANALYZE would carry it out')).toEqual(['WRITE_QUERY'])
  expect(codeOf('syntax error at or near "selec"')).toEqual(['QUERY_FAILED'])
})

test('a finding at its query and in the list of the document is told once', () => {
  const finding: ResultFinding = { code: 'SPILL', severity: 'warning', query: 'q', message: 'm' }
  const queries = [{ ...query, expectations: [], findings: [finding] }]
  expect(allFindings({ ...documents.explainDocument, queries, findings: [finding] })).toEqual([finding])
})

test('a failed step without an error is an error all the same, and an allowed hazard a note', () => {
  const steps = [
    documents.stepOf('create', 'idx_a', 'jobs', { outcome: 'failed' }),
    documents.stepOf('replace', 'b', 'jobs', { outcome: 'replaced', hazards: [{ code: 'REPLACE', message: 'm' }] }),
  ]
  const found = allFindings({ ...documents.rollbackDocument, steps })
  expect(found).toMatchObject([
    { code: 'BUILD_FAILED', severity: 'error', index: 'idx_a', table: 'jobs' },
    { code: 'REPLACE', severity: 'info', index: 'b' },
  ])
  expect(findingTally(found)).toBe('1 error, 1 note')
  expect(found.map(messageOf)).toEqual(['idx_a: the step failed', 'b: m'])
})

test('errors come first, each severity in the order of the document', () => {
  const found = allFindings(documents.planDocument).map(({ severity }) => severity)
  const ranks = found.map((severity) => ['error', 'warning', 'info'].indexOf(severity))
  expect(ranks).toEqual(ranks.toSorted((one, other) => one - other))
  expect(new Set(found).size).toBe(3)
})

test('a hazard and a finding about the same matter are told once: the worse of both, of two alike the hazard', () => {
  const place = { file: 'p.yaml', line: 3, column: 5 }
  const step = (hazard: string, more: object = {}) =>
    documents.stepOf('replace', 'a', 'jobs', { hazards: [{ code: hazard, message: hazard }], place, ...more })
  const told = (hazard: string, code: string, severity: Severity, more: object = {}) => {
    const findings = [{ code, severity, index: 'a', message: 'found', place }]
    return allFindings({ ...documents.verifyDocument, steps: [step(hazard, more)], findings }).map((one) => one.message)
  }
  expect(told('REPLACE', 'DIFFERS', 'error')).toEqual(['found'])
  expect(told('REPLACE', 'DIFFERS', 'error', { outcome: 'refused' })).toEqual(['REPLACE'])
  expect(told('RENAME', 'RENAMED', 'error')).toEqual(['found'])
  expect(told('REDUNDANT', 'DUPLICATE', 'warning')).toEqual(['REDUNDANT'])
  expect(told('REDUNDANT', 'REDUNDANT', 'warning', { outcome: 'built' })).toEqual(['found'])
  // What are two matters.
  expect(told('REDUNDANT', 'DIFFERS', 'error')).toEqual(['found', 'REDUNDANT'])
  expect(told('HOT_LOSS', 'DUPLICATE', 'warning')).toEqual(['HOT_LOSS', 'found'])
})
