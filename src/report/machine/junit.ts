import type { FindingCode, PoolFindingCode } from '../../codes/codes.js'
import type { PoolServer } from '../../result/documents/pool-result.js'
import type { DoctorCheck } from '../../result/documents/doctor-result.js'
import type { ResultFinding, ResultQuery, ResultStep } from '../../result/documents/result.js'
import type { AnyFinding } from './all-findings.js'
import { messageOf } from './all-findings.js'
import { placeText } from '../block/findings.js'
import type { Case } from './junit-xml.js'
import { suitesXml, type Suite } from './junit-xml.js'
import type { SingleResult } from '../../result/results.js'
import { fleetSuites } from './junit-fleet.js'
import { queryTitle } from '../blocks/queries.js'
import { states } from '../blocks/steps.js'
import { type Result, isError, isFleet } from '../../result/results.js'
import { outcomeWords } from '../block/outcomes.js'

/**
 * The document as JUnit XML, one testsuite a command: each step, expectation, server and finding is a testcase. It fails
 * for what makes the command's answer no; a warning or note passes and is told in system-out. When the exit code says no and
 * no testcase does (`plan --exit-code`), one more says so. Times in seconds.
 * https://github.com/testmoapp/junitxml
 */
export function renderJunit(result: Result): string {
  return suitesXml(suitesOf(result))
}

function suitesOf(result: Result): readonly Suite[] {
  if (isFleet(result)) return fleetSuites(result)
  if (!isError(result) && result.command === 'demo')
    return [result.apply, result.verify, result.pools].flatMap(suitesOf)
  const cases = casesOf(result)
  const failing = cases.some((each) => each.outcome === 'failure' || each.outcome === 'error')
  const verdict: Case = {
    group: '',
    name: `exit code ${result.exit_code}`,
    outcome: result.ok ? 'passed' : 'failure',
    message: result.ok ? '' : `perfdb ${result.command} answered no: exit code ${result.exit_code}`,
  }
  return [
    {
      name: `perfdb ${result.command}`,
      group: `perfdb.${result.command}`,
      cases: cases.length === 0 || (!result.ok && !failing) ? [...cases, verdict] : cases,
      ...('started_at' in result && result.started_at !== undefined ? { startedAt: result.started_at } : {}),
      ...('duration_ms' in result && result.duration_ms !== undefined ? { durationMs: result.duration_ms } : {}),
    },
  ]
}

function casesOf(result: Exclude<SingleResult, { command: 'demo' }>): readonly Case[] {
  if (isError(result)) return (result.error.problems ?? [result.error]).map((error) => errorCase(error))
  const failing = failingSteps(result)
  return named([
    ...('error' in result && result.error !== undefined ? [errorCase(result.error)] : []),
    ...('steps' in result ? result.steps.map((step) => stepCase(step, result.command)) : []),
    ...('comparisons' in result ? result.queries.flatMap((query) => queryCases(query)) : []),
    ...('checks' in result ? result.checks.map((check) => checkCase(check)) : []),
    ...('servers' in result ? result.servers.map((server) => serverCase(server, result.findings)) : []),
    ...('findings' in result ? result.findings : [])
      .filter(({ index, table }) => !failing.has(`${index ?? ''}\0${table ?? ''}`))
      .map((finding) => findingCase(finding)),
  ])
}

/** What a step that fails its own case says already: one failure a problem. */
function failingSteps(result: SingleResult): ReadonlySet<string> {
  if (isError(result) || !('steps' in result)) return new Set()
  return new Set(
    result.steps
      .filter((step) => stepOutcome(step, result.command).outcome === 'failure')
      .map((step) => `${step.index}\0${step.schema}.${step.table}`),
  )
}

/** A name stays the same from run to run, and no two cases have the same: the second of a kind gets a number. */
function named(cases: readonly Case[]): readonly Case[] {
  const seen = new Map<string, number>()
  return cases.map((each) => {
    const number = (seen.get(each.name) ?? 0) + 1
    seen.set(each.name, number)
    return number === 1 ? each : { ...each, name: `${each.name} (${number})` }
  })
}

type ErrorFields = NonNullable<ResultStep['error']>

function errorCase(error: ErrorFields): Case {
  return {
    group: 'errors',
    name: error.code,
    outcome: 'error',
    message: error.message,
    code: error.code,
    text: errorText(error),
    ...(error.place === undefined ? {} : { place: error.place }),
  }
}

function errorText(error: ErrorFields): string {
  const { message, detail, hint, sqlstate, place } = error
  return [
    message,
    ...(place === undefined ? [] : [placeText(place)]),
    ...(detail === undefined ? [] : [`detail: ${detail}`]),
    ...(sqlstate === undefined ? [] : [`sqlstate: ${sqlstate}`]),
    ...(hint === undefined ? [] : [`hint: ${hint}`]),
  ].join('\n')
}

function stepCase(step: ResultStep, command: string): Case {
  return {
    group: 'steps',
    name: `${step.schema}.${step.index} on ${step.table}`,
    ...(step.duration_ms === undefined ? {} : { durationMs: step.duration_ms }),
    ...(step.place === undefined ? {} : { place: step.place }),
    ...stepOutcome(step, command),
  }
}

function stepOutcome(step: ResultStep, command: string): Pick<Case, 'outcome' | 'message' | 'code' | 'text'> {
  const told = { message: `${step.step}: ${step.reason}` }
  if (step.error !== undefined)
    return { outcome: 'failure', message: step.error.message, code: step.error.code, text: errorText(step.error) }
  switch (step.outcome) {
    case 'failed':
      return { outcome: 'failure', message: 'the step failed', code: 'BUILD_FAILED' satisfies FindingCode }
    case 'refused':
      return {
        outcome: 'failure',
        message: step.hazards.map(({ code, message }) => `${code}: ${message}`).join('; ') || 'refused',
        code: 'HAZARD' satisfies FindingCode,
      }
    case 'not_reached':
    case 'already_gone':
    case 'name_taken':
      return { outcome: 'skipped', message: outcomeWords[step.outcome] }
    case undefined:
      return command === 'verify' && step.step !== 'keep'
        ? { outcome: 'failure', message: `${states[step.step]}: ${step.reason}`, code: step.step }
        : { outcome: 'passed', ...told }
    case 'kept':
    case 'built':
    case 'rebuilt':
    case 'reindexed':
    case 'replaced':
    case 'renamed':
    case 'dropped':
    case 'waited':
    case 'undone':
      return { outcome: 'passed', message: `${outcomeWords[step.outcome]}: ${step.reason}` }
  }
}

function queryCases(query: ResultQuery): readonly Case[] {
  const title = queryTitle(query)
  const place = query.place === undefined ? {} : { place: query.place }
  const measured: Case = {
    group: 'queries',
    name: title,
    ...place,
    outcome: query.status === 'measured' || query.status === 'planned' ? 'passed' : 'skipped',
    message: query.reason ?? query.verdict ?? query.status,
  }
  const expectations = query.expectations.map(({ expect, met, actual, not_checked: unchecked }): Case => ({
    group: 'expectations',
    name: `${title}: ${expect}`,
    ...place,
    outcome: unchecked === true ? 'skipped' : met ? 'passed' : 'failure',
    message: met ? actual : `expected ${expect}, got ${actual}`,
    code: 'EXPECTATION_MISSED' satisfies FindingCode,
  }))
  // A missed expectation is told once, with what was measured.
  const findings = query.findings.filter(
    ({ code }) => code !== 'EXPECTATION_MISSED' || expectations.every((each) => each.outcome !== 'failure'),
  )
  return [
    measured,
    ...expectations,
    ...findings.map((finding) => findingCase({ query: query.name, ...place, ...finding })),
  ]
}

/** It fails by itself only where no finding of its own says what is wrong. */
function serverCase(server: PoolServer, findings: readonly AnyFinding[]): Case {
  const { name, verdict, headroom, declared } = server
  const room = headroom === null ? 'its limit is not known' : `headroom ${headroom} connections`
  const message = `${verdict}: ${declared.peak} connections at the peak, ${room}`
  const outcomes = { OK: 'passed', WARN: 'passed', FAIL: 'failure', UNKNOWN: 'skipped' } as const
  const told = findings.some((finding) => finding.severity === 'error' && finding.server === name)
  if (verdict === 'FAIL' && told) return { group: 'servers', name, outcome: 'passed', message }
  return { group: 'servers', name, outcome: outcomes[verdict], message, code: 'POOL_OVER' satisfies PoolFindingCode }
}

/** What a finding is about, without the numbers that change. */
function subjectOf({ query, index, table, service, server }: AnyFinding): string {
  return [query ?? index ?? service ?? '', table ?? server ?? ''].filter((part) => part !== '').join(' on ')
}

function checkCase({ code, ok, message, hint }: DoctorCheck): Case {
  const text = hint === undefined ? message : `${message}\nhint: ${hint}`
  return { group: 'checks', name: code, outcome: ok ? 'passed' : 'failure', message, code, text }
}

function findingCase(finding: AnyFinding | ResultFinding): Case {
  const hint = finding.hint === undefined ? '' : `hint: ${finding.hint}`
  const place = finding.place === undefined ? '' : placeText(finding.place)
  const message = messageOf(finding)
  return {
    group: 'findings',
    name: [finding.code, subjectOf(finding)].filter((part) => part !== '').join(' '),
    outcome: finding.severity === 'error' ? 'failure' : 'passed',
    message: finding.severity === 'error' ? message : `${finding.severity}: ${message}`,
    code: finding.code,
    text: [message, place, hint].filter((part) => part !== '').join('\n'),
    ...(finding.place === undefined ? {} : { place: finding.place }),
  }
}
