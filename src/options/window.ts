import { PerfdbError } from '../errors.js'

/** Minutes after midnight by the server's clock and its own time zone; `to` may be before `from`: over midnight. */
export interface Window {
  readonly fromMinute: number
  readonly toMinute: number
  readonly text: string
}

/** `22:00-05:00`. Throws BAD_OPTION. */
export function parseWindow(text: string): Window {
  const match = /^([01]?\d|2[0-3]):([0-5]\d)-([01]?\d|2[0-4]):([0-5]\d)$/.exec(text)
  if (match === null)
    throw new PerfdbError('BAD_OPTION', `not a window: ${text}`, { hint: 'the form is --window 22:00-05:00' })
  const [, fromHour, fromMinute, toHour, toMinute] = match.map(Number)
  return {
    fromMinute: (fromHour ?? 0) * 60 + (fromMinute ?? 0),
    toMinute: (toHour ?? 0) * 60 + (toMinute ?? 0),
    text,
  }
}
