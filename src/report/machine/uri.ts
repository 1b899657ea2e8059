import { allFindings } from './all-findings.js'
import type { Result } from '../../result/results.js'

/** The file that a finding without a place is put to: the first that the document names, else the configuration file. */
export function mainFile(result: Result): string {
  const named = 'files' in result ? result.files[0] : undefined
  return named ?? allFindings(result).find((finding) => finding.place !== undefined)?.place?.file ?? 'perfdb.yaml'
}

/** With slashes, without a leading `./`. */
export function relativePath(file: string): string {
  return file.replaceAll('\\', '/').replace(/^(?:\.\/+)+/, '')
}

/** A URI reference (RFC 3986): relative for a relative path, else with the scheme `file`. */
export function fileUri(file: string): string {
  const path = relativePath(file)
  const drive = /^[A-Za-z]:\//.test(path)
  // A first segment with a colon would be read as a scheme; encodeURIComponent takes care of it.
  const encoded = path
    // encodeURIComponent throws for half a character.
    .replace(/\p{Cs}/gu, '\ufffd')
    .split('/')
    .map((segment, at) => (drive && at === 0 ? segment : encodeURIComponent(segment)))
    .join('/')
  return drive ? `file:///${encoded}` : path.startsWith('/') ? `file://${encoded}` : encoded
}
