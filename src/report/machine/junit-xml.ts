import type { Place } from '../../result/documents/result.js'
import { withEntities } from '../page/html-text.js'
import { visible } from '../text/width.js'

export interface Suite {
  readonly name: string
  /** In front of the group of each case: the class name. */
  readonly group: string
  readonly cases: readonly Case[]
  /** ISO time. */
  readonly startedAt?: string
  readonly durationMs?: number
}

export interface Case {
  readonly group: string
  readonly name: string
  readonly outcome: 'passed' | 'failure' | 'error' | 'skipped'
  readonly message: string
  readonly code?: string
  readonly text?: string
  readonly place?: Place
  readonly durationMs?: number
}

/** Suites as JUnit XML. Any text may stand in them: what XML 1.0 has no way to write shows its code. */
export function suitesXml(suites: readonly Suite[]): string {
  const all = suites.flatMap((suite) => suite.cases)
  const time = suites.reduce((sum, suite) => sum + (suite.durationMs ?? 0), 0)
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${attributes({ name: 'perfdb', ...counts(all), time: seconds(time) })}>`,
    ...suites.flatMap(suiteLines),
    '</testsuites>',
  ]
  return `${lines.join('\n')}\n`
}

function suiteLines(suite: Suite): readonly string[] {
  const head = attributes({
    name: suite.name,
    ...counts(suite.cases),
    time: seconds(suite.durationMs ?? 0),
    ...(suite.startedAt === undefined ? {} : { timestamp: suite.startedAt }),
  })
  return [`  <testsuite ${head}>`, ...suite.cases.flatMap((each) => caseLines(each, suite.group)), '  </testsuite>']
}

function counts(cases: readonly Case[]): Readonly<Record<string, string>> {
  const of = (outcome: Case['outcome']) => String(cases.filter((each) => each.outcome === outcome).length)
  return { tests: String(cases.length), failures: of('failure'), errors: of('error'), skipped: of('skipped') }
}

function caseLines(each: Case, group: string): readonly string[] {
  const head = attributes({
    classname: each.group === '' ? group : `${group}.${each.group}`,
    name: each.name,
    time: seconds(each.durationMs ?? 0),
    ...(each.place === undefined ? {} : { file: each.place.file, line: String(each.place.line) }),
  })
  const body = bodyOf(each)
  return body === '' ? [`    <testcase ${head}/>`] : [`    <testcase ${head}>`, `      ${body}`, '    </testcase>']
}

function bodyOf(each: Case): string {
  switch (each.outcome) {
    case 'failure':
    case 'error': {
      const head = attributes({ message: each.message, type: each.code ?? each.outcome })
      return `<${each.outcome} ${head}>${xml(each.text ?? each.message)}</${each.outcome}>`
    }
    case 'skipped':
      return `<skipped ${attributes({ message: each.message })}/>`
    case 'passed':
      return each.message === '' ? '' : `<system-out>${xml(each.text ?? each.message)}</system-out>`
  }
}

function attributes(all: Readonly<Record<string, string>>): string {
  return Object.entries(all)
    .map(([name, value]) => `${name}="${xml(value).replaceAll('\n', ' ')}"`)
    .join(' ')
}

/** Line breaks stay; U+FFFE and U+FFFF are no characters of XML 1.0, others that are not are no visible text either. */
function xml(text: string): string {
  const lines = text.split(/\r?\n/).map((line) => visible(line))
  return withEntities(lines.join('\n').replace(/[\ufffe\uffff]/g, '\ufffd'))
}

function seconds(ms: number): string {
  return (Number.isFinite(ms) && ms > 0 ? ms / 1000 : 0).toFixed(3)
}
