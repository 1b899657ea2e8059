/** With its 95 % interval. */
interface Interval {
  readonly median: number
  readonly low: number
  readonly high: number
}

const noNumber = '-'

/** `0.042 ms`, `4.1 ms`, `412 ms`, `1.2 s`, `2 min 5 s`, `3 h 12 min`, `4 d 2 h`. */
export function duration(ms: number): string {
  if (!Number.isFinite(ms) || ms < 0) return noNumber
  if (ms < 999.5) return `${twoDigits(ms)} ms`
  if (ms < 59_950) return `${twoDigits(ms / 1000)} s`
  const seconds = Math.round(ms / 1000)
  if (seconds < 3600) return pair(seconds, 60, 'min', 's')
  const minutes = Math.round(seconds / 60)
  if (minutes < 1440) return pair(minutes, 60, 'h', 'min')
  return pair(Math.round(minutes / 60), 24, 'd', 'h')
}

/** `812 B`, `16 kB`, `12.3 MB`: units of 1024 as in pg_size_pretty. */
export function bytes(size: number): string {
  if (!Number.isFinite(size) || size < 0) return noNumber
  let value = size
  for (const unit of ['B', 'kB', 'MB', 'GB']) {
    if (value < 1023.5) return `${unit === 'B' ? Math.round(value) : digits(value, 3)} ${unit}`
    value /= 1024
  }
  return value < 1e6 ? `${digits(value, 3)} TB` : `${value.toExponential(1)} TB`
}

/** `950`, `12.3k`, `1.2M`, `3.1G`; a table that was never analyzed (-1) is `-`. */
export function count(value: number): string {
  if (!Number.isFinite(value) || value < 0) return noNumber
  let rest = value
  for (const unit of ['', 'k', 'M', 'G']) {
    if (rest < 999.5) return `${unit === '' ? plain(rest) : digits(rest, 3)}${unit}`
    rest /= 1000
  }
  return rest < 1e6 ? `${digits(rest, 3)}T` : `${rest.toExponential(1)}T`
}

/** `52x (48-57)`, `3,700x (3,400-4,100)`, `0.95x (0.91-0.98)`: two digits, more than an interval of 10 % would be a lie. */
export function speedup(interval: Interval): string {
  return `${ratio(interval.median)}x (${ratio(interval.low)}-${ratio(interval.high)})`
}

/** `4.1 ms (3.9-4.4)`, both ends in the unit of the median. */
export function timeInterval(interval: Interval): string {
  const text = duration(interval.median)
  if (interval.low < 0 || interval.high > 59_950 || interval.median >= 59_950 || interval.median < 0) return text
  const scale = text.endsWith(' ms') ? 1 : 1000
  return `${text} (${twoDigits(interval.low / scale)}-${twoDigits(interval.high / scale)})`
}

/** `1 index`, `31 indexes`. */
export function several(value: number, one: string, many = `${one}s`): string {
  return `${withThousands(value)} ${value === 1 ? one : many}`
}

/** `93 %`, `92.7 %` of a share; below 0 and above 1 it is no share, but rounding or a clock. */
export function percent(share: number): string {
  return `${Math.floor(Math.min(1, Math.max(0, share)) * 1000) / 10} %`
}

/** `2025-03-01 03:04:05` of an ISO time; other text as it is. */
export function moment(iso: string): string {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/.test(iso) ? iso.slice(0, 19).replace('T', ' ') : iso
}

/** `52`, `3,700`, `0.95`, of a speedup. */
export function ratio(value: number): string {
  if (!Number.isFinite(value) || value < 0) return noNumber
  if (value >= 1e9) return value.toExponential(1)
  if (value >= 9.95) return withThousands(Number(value.toPrecision(2)))
  return value >= 1 ? value.toFixed(1) : String(Number(value.toPrecision(2)))
}

/** `412`, `41`, `4.1`, `2.0`, `0.042`. */
function twoDigits(value: number): string {
  if (value >= 9.95) return String(Math.round(value))
  return value >= 0.995 ? value.toFixed(1) : String(Number(value.toFixed(value < 0.1 ? 3 : 2)))
}

/** At least the whole part, at most `significant` digits. */
function digits(value: number, significant: number): string {
  if (value < 1) return String(Number(value.toFixed(3)))
  return String(Number(value.toFixed(Math.max(0, significant - 1 - Math.floor(Math.log10(value))))))
}

function plain(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(1)
}

function pair(value: number, base: number, large: string, small: string): string {
  const rest = value % base
  return `${Math.floor(value / base)} ${large}${rest === 0 ? '' : ` ${rest} ${small}`}`
}

/** 1,234,567 as toLocaleString('en-US') writes it, which takes 14 ms to wake up for the first number. */
export function withThousands(value: number): string {
  const [whole = '', fraction] = String(Math.round(value * 1000) / 1000).split('.')
  const groups = whole.replace(/\B(?=(\d{3})+$)/g, ',')
  return fraction === undefined ? groups : `${groups}.${fraction}`
}
