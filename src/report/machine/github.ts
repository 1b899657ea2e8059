import type { AnyFinding } from './all-findings.js'
import { allFindings, findingTally, messageOf } from './all-findings.js'
import type { Severity } from '../../result/documents/result.js'
import { visible } from '../text/width.js'
import { bytes } from '../../text/amounts.js'
import { isError, isFleet, type Result } from '../../result/results.js'

// GitHub shows ten annotations of a kind a step: https://docs.github.com/en/rest/checks/runs
const most = 9

const commands: Readonly<Record<Severity, string>> = { error: 'error', warning: 'warning', info: 'notice' }

/**
 * Workflow commands of GitHub Actions, which make annotations in the changed files: the worst nine findings, the number of the rest, and the
 * headline as a plain line for the log. The step summary is the markdown format; the command line appends it to $GITHUB_STEP_SUMMARY.
 * https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions
 */
export function renderGithub(result: Result, headline: string): string {
  const findings = [...allFindings(result), ...plannedNotices(result)]
  const rest = findings.slice(most)
  const [worst] = rest
  const lines = [
    ...findings.slice(0, most).map(annotation),
    ...(worst === undefined
      ? []
      : [
          workflowCommand(
            commands[worst.severity],
            { title: `perfdb ${result.command}` },
            `${rest.length} more: ${findingTally(rest)}`,
          ),
        ]),
    `perfdb ${visible(result.command)}: ${visible(headline === '' ? (result.ok ? 'ok' : 'not ok') : headline)}, exit code ${result.exit_code}`,
  ]
  return `${lines.join('\n')}\n`
}

/** What a plan would build, at the line that declares it. */
function plannedNotices(result: Result): readonly AnyFinding[] {
  if (isError(result) || isFleet(result) || result.command !== 'plan') return []
  return result.steps
    .filter(({ step, hazards }) => step === 'create' && hazards.length === 0)
    .map(({ index, table, place, predicted_bytes: size }) => ({
      code: 'create',
      severity: 'info',
      index,
      table,
      message: `${index} would be built on ${table}${size === undefined ? '' : `, about ${bytes(size)}`}`,
      ...(place === undefined ? {} : { place }),
    }))
}

// https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#step-isolation-and-limits: 1 MiB a step
const summaryBytes = 1_000_000

/** The markdown of a run as a step summary: GitHub shows nothing of one above 1 MiB, so that a longer one ends at a whole line and says so. */
export function stepSummary(markdown: string): string {
  const text = Buffer.from(markdown)
  if (text.length <= summaryBytes) return `${markdown}\n`
  const end = text.lastIndexOf('\n', summaryBytes)
  return `${text.subarray(0, Math.max(0, end)).toString()}\n\nThe rest is left out: a step summary holds 1 MiB.\n`
}

function annotation(finding: AnyFinding): string {
  const place =
    finding.place === undefined
      ? {}
      : { file: finding.place.file, line: String(finding.place.line), col: String(finding.place.column) }
  const hint = finding.hint === undefined || finding.hint === '' ? '' : `\nhint: ${finding.hint}`
  return workflowCommand(
    commands[finding.severity],
    { ...place, title: `perfdb ${finding.code}` },
    `${messageOf(finding)}${hint}`,
  )
}

function workflowCommand(name: string, properties: Readonly<Record<string, string>>, message: string): string {
  const listed = Object.entries(properties).map(([key, value]) => `${key}=${escapedProperty(value)}`)
  return `::${name} ${listed.join(',')}::${escapedMessage(message)}`
}

/** As @actions/core does it (toolkit, packages/core/src/command.ts); other control characters show their code. */
function escapedMessage(text: string): string {
  return text
    .split(/\r?\n/)
    .map((line) => visible(line))
    .join('\n')
    .replaceAll('%', '%25')
    .replaceAll('\n', '%0A')
}

function escapedProperty(text: string): string {
  return escapedMessage(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
}
