import type { Severity } from '../../result/documents/result.js'
import type { AnyFinding } from './all-findings.js'
import { allFindings, messageOf } from './all-findings.js'
import { fingerprints } from './fingerprint.js'
import { ruleTexts } from './sarif-rules.js'
import { fileUri, mainFile } from './uri.js'
import { visible } from '../text/width.js'
import type { Result } from '../../result/results.js'

const levels: Readonly<Record<Severity, 'error' | 'warning' | 'note'>> = {
  error: 'error',
  warning: 'warning',
  info: 'note',
}

/**
 * The findings as a SARIF 2.1.0 log: a rule for each code that occurs, a result for each finding with its place and a fingerprint that stays
 * the same from run to run. GitHub refuses a result without a file, so a finding of no place is put to the first file
 * that the document names, and says in logicalLocations what it is about.
 * https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
 */
export function renderSarif(result: Result): string {
  const findings = allFindings(result)
  const codes = [...new Set(findings.map((finding) => finding.code))]
  const hashes = fingerprints(findings)
  const file = mainFile(result)
  const log = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'perfdb',
            version: wellFormed(result.perfdb),
            informationUri: 'https://github.com/placeholder-organisation/perfdb',
            rules: codes.map(rule),
          },
        },
        // One category a command: an upload of verify does not close the findings of check-pool.
        automationDetails: { id: `perfdb/${visible(result.command)}/` },
        invocations: [
          { executionSuccessful: result.exit_code === 0 || result.exit_code === 1, exitCode: result.exit_code },
        ],
        originalUriBaseIds: { SRCROOT: { description: { text: 'the folder that perfdb ran in' } } },
        columnKind: 'unicodeCodePoints',
        results: findings.map((finding, at) => ({
          ruleId: finding.code,
          ruleIndex: codes.indexOf(finding.code),
          level: levels[finding.severity],
          message: { text: messageText(finding) },
          locations: [location(finding, file)],
          partialFingerprints: { 'perfdbFinding/v1': hashes[at] },
        })),
      },
    ],
  }
  return `${JSON.stringify(log, null, 2)}\n`
}

function rule(code: string) {
  const { text, help } = ruleTexts(code)
  return {
    id: code,
    name: code.toLowerCase().replace(/(?:^|_)(\w)/g, (_, letter: string) => letter.toUpperCase()),
    shortDescription: { text },
    fullDescription: { text },
    help: { text: help, markdown: help },
  }
}

function messageText(finding: AnyFinding): string {
  const message = wellFormed(messageOf(finding))
  // Text in brackets would be read as a link to a location (section 3.11.6).
  const plain = message.replace(/[\\[\]]/g, (character) => `\\${character}`)
  return finding.hint === undefined || finding.hint === '' ? plain : `${plain}\nHint: ${wellFormed(finding.hint)}`
}

function location(finding: AnyFinding, file: string) {
  const { place } = finding
  const uri = fileUri(place?.file ?? file)
  const region =
    place === undefined
      ? { startLine: 1 }
      : { startLine: Math.max(1, place.line), startColumn: Math.max(1, place.column) }
  const logical = [
    ...named('table', finding.table),
    ...named('index', finding.index),
    ...named('query', finding.query),
    ...named('server', finding.server),
    ...named('service', finding.service),
  ]
  return {
    physicalLocation: {
      artifactLocation: uri.startsWith('file:') ? { uri } : { uri, uriBaseId: 'SRCROOT' },
      region,
    },
    ...(logical.length === 0 ? {} : { logicalLocations: logical }),
  }
}

function named(kind: string, name: string | undefined) {
  return name === undefined ? [] : [{ name: wellFormed(name), kind }]
}

/** Half a character is no Unicode text. */
function wellFormed(text: string): string {
  return text.replace(/\p{Cs}/gu, '\ufffd')
}
