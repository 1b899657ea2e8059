/** `250ms`, `10s`, `15m`, `1.5h`: a number and its unit, so that 10 is never mistaken for milliseconds. */
export const durationPattern = /^\d+(\.\d+)?(us|ms|s|m|min|h|d)$/
/** PostgreSQL's memory units (1 kB = 1024 B), `KB` and `B` besides. https://www.postgresql.org/docs/current/config-setting.html */
export const sizePattern = /^\d+(\.\d+)?(B|kB|KB|MB|GB|TB)$/
/** `300/s`, `1/min`, `20/h`. */
export const ratePattern = /^\d+(\.\d+)?\/(s|m|min|h)$/
export const percentPattern = /^\d+(\.\d+)?%$/

/** Milliseconds of a text that matches durationPattern. */
export function durationMs(text: string): number {
  return scaled(text, { us: 0.001, ms: 1, s: 1000, m: 60_000, min: 60_000, h: 3_600_000, d: 86_400_000 })
}

/** Bytes of a text that matches sizePattern. */
export function sizeBytes(text: string): number {
  return scaled(text, { B: 1, kB: 1024, KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3, TB: 1024 ** 4 })
}

/** Events per second of a text that matches ratePattern. */
export function ratePerSecond(text: string): number {
  return scaled(text, { '/s': 1, '/m': 1 / 60, '/min': 1 / 60, '/h': 1 / 3600 })
}

/** Percent of a text that matches percentPattern: 25 for `25%`. */
export function percent(text: string): number {
  return Number.parseFloat(text)
}

function scaled(text: string, units: Readonly<Record<string, number>>): number {
  const unit = text.replace(/^[\d.]+/, '')
  return Number.parseFloat(text) * (units[unit] ?? Number.NaN)
}

/** A count with its noun: `1 instance`, `4 instances`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
