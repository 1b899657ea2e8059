import { z } from './schema.js'

const units: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000, min: 60_000, h: 3_600_000, d: 86_400_000 }
const form = /^\s*(\d+(?:\.\d+)?)\s*(us|ms|s|min|h|d)\s*$/

/**
 * A duration as written, in milliseconds: a number is milliseconds, text has one of PostgreSQL's time units (manual,
 * "Parameter Names and Values": us, ms, s, min, h, d). undefined when it is neither.
 */
export function durationMs(written: number | string): number | undefined {
  if (typeof written === 'number') return written >= 0 ? written : undefined
  const match = form.exec(written)
  const unit = units[match?.[2] ?? '']
  // 1.1 s is 1100 ms, not 1100.0000000000002.
  return match === null || unit === undefined ? undefined : Number((Number(match[1]) * unit).toPrecision(15))
}

/** Duration as it is written; `durationMs` makes it milliseconds. */
export const duration = z
  .union([z.number().min(0), z.string().regex(form, { error: 'expected a duration such as 10ms, 1.5s or 2min' })])
  .meta({ description: 'A duration: 10ms, 1.5s, 2min; a plain number is milliseconds' })
