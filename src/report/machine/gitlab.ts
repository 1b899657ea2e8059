import type { Severity } from '../../result/documents/result.js'
import { allFindings, messageOf } from './all-findings.js'
import { fingerprints } from './fingerprint.js'
import { mainFile, relativePath } from './uri.js'
import { visible } from '../text/width.js'
import type { Result } from '../../result/results.js'

const severities: Readonly<Record<Severity, string>> = { error: 'critical', warning: 'minor', info: 'info' }

/**
 * A Code Quality report of GitLab: all findings, each with a file, as GitLab drops those without. A finding of no file goes to the first file
 * that the document names.
 * https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
 */
export function renderGitlab(result: Result): string {
  const findings = allFindings(result)
  const hashes = fingerprints(findings)
  const report = findings.map((finding, at) => ({
    description: visible(messageOf(finding)) + (finding.hint === undefined ? '' : ` Hint: ${visible(finding.hint)}`),
    check_name: finding.code,
    fingerprint: hashes[at],
    severity: severities[finding.severity],
    location: {
      path: relativePath(finding.place?.file ?? mainFile(result)),
      lines: { begin: Math.max(1, finding.place?.line ?? 1) },
    },
  }))
  return `${JSON.stringify(report, null, 2)}\n`
}
