/*
 * The one reader of durations, sizes, rates and percentages, whoever writes them: options, variables, perfdb.yaml, profiles, pools files.
 * The case of a unit does not matter. A number without a unit is refused, as people read 30 as seconds and as milliseconds; 0 needs none.
 * What the server prints of its own settings has its own units, such as a bare work_mem in kB, and is not read here.
 */

const milliseconds = { us: 0.001, ms: 1, s: 1000, m: 60_000, min: 60_000, h: 3_600_000, d: 86_400_000 }
/** 1024 each, as in PostgreSQL. https://www.postgresql.org/docs/current/config-setting.html */
const bytes = { b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3, tb: 1024 ** 4 }
const perSecond = { '/s': 1, '/m': 1 / 60, '/min': 1 / 60, '/h': 1 / 3600, '/d': 1 / 86_400 }

const number = String.raw`\d+(\.\d+)?`

/** As JSON Schemas have it, where a pattern knows no flag for the case. */
export const durationPattern = patternOf(milliseconds)
export const sizePattern = patternOf(bytes)
/** `300/s`, `1/min`, `20/h`. */
export const ratePattern = patternOf(perSecond)
export const percentPattern = new RegExp(`^${number}%$`)

/** Milliseconds of `250us`, `1.5s`, `10min` or `0`, to the nanosecond: 1.1 s is 1100, not 1100.0000000000002. NaN for what is no duration. */
export function durationMs(written: string | number): number {
  return Math.round(scaled(String(written), milliseconds) * 1e6) / 1e6
}

/** Bytes of `512MB`, `4 GB` or `0`; NaN for what is no size. */
export function sizeBytes(written: string | number): number {
  return scaled(String(written), bytes)
}

/** Events a second of `300/s` or `1/min`; NaN for what is no rate. */
export function ratePerSecond(written: string): number {
  return scaled(written, perSecond)
}

/** Percent of a text that matches percentPattern: 25 for `25%`. */
export function percentOf(text: string): number {
  return Number.parseFloat(text)
}

/** What is wrong with a text that is no duration. */
export function notADuration(text: string): string {
  return withoutUnit(text, ['s', 'ms']) ?? 'expected a duration such as 500ms, 30s, 10min or 1h'
}

/** What is wrong with a text that is no size. */
export function notASize(text: string): string {
  return withoutUnit(text, ['MB', 'GB']) ?? 'expected a size such as 512MB or 50GB'
}

/** For a number alone both readings of it; undefined for other text. */
function withoutUnit(text: string, [one, other]: readonly [string, string]): string | undefined {
  const value = text.trim()
  if (!new RegExp(`^${number}$`).test(value)) return undefined
  return `${value} has no unit: write ${value}${one} or ${value}${other}`
}

function patternOf(units: Readonly<Record<string, number>>): RegExp {
  const names = Object.keys(units).map((unit) =>
    unit.replace(/[a-z]/g, (letter) => `[${letter}${letter.toUpperCase()}]`),
  )
  return new RegExp(String.raw`^(0|${number}\s*(${names.join('|')}))$`)
}

function scaled(text: string, units: Readonly<Record<string, number>>): number {
  const match = /^(\d+(?:\.\d+)?)\s*(\D*)$/.exec(text.trim())
  const [, value = '', unit = ''] = match ?? []
  if (unit === '' && Number(value) !== 0) return Number.NaN
  const factor = unit === '' ? 1 : (units[unit.toLowerCase()] ?? Number.NaN)
  return match === null ? Number.NaN : Number(value) * factor
}
