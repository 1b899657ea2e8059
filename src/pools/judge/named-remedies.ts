import type { PoolFinding, Remedy } from '../sums/model.js'

/** A finding with values of keys of its service that may fix it. The hint names all of them; judged-remedies.ts keeps those that hold. */
export function withRemedies(
  finding: PoolFinding,
  values: readonly (readonly [key: string, value: number, more?: string])[],
): PoolFinding {
  const remedies = values.map(([key, value, more = '']): Remedy => ({
    text: `${key}: ${value}${more}`,
    change: `${finding.service ?? ''}.${key}=${value}`,
  }))
  return { ...finding, remedies, hint: hintOf(remedies) }
}

/** One sentence of several remedies. */
export function hintOf(remedies: readonly Remedy[]): string {
  return remedies.map(({ text }) => text).join(', or ')
}
