import { createHash } from 'node:crypto'
import type { AnyFinding } from './all-findings.js'

/**
 * For each finding a hash that stays the same from run to run, 32 hex digits: of its code, what it is about, and its file. Not of its
 * line (which moves) nor of its message (which holds what was measured). Findings alike in all of that are numbered.
 */
export function fingerprints(findings: readonly AnyFinding[]): readonly string[] {
  const times = new Map<string, number>()
  return findings.map((finding) => {
    const { code, query, index, table, service, server, place } = finding
    const key = JSON.stringify([code, query, index, table, service, server, place?.file].map((part) => part ?? null))
    const time = times.get(key) ?? 0
    times.set(key, time + 1)
    return createHash('sha256').update(`${key}#${time}`).digest('hex').slice(0, 32)
  })
}
