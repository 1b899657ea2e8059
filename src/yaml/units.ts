import { durationPattern, notADuration, notASize, percentPattern, ratePattern, sizePattern } from '../text/units.js'
import { z } from './schema.js'

/** What stands in a message for the value as it may be shown: a variable's name, never what it holds. */
export const shownValue = '{value}'

/** A duration as it is written; `durationMs` makes it milliseconds. */
export const duration = withUnit(durationPattern, notADuration, 'A duration: 10ms, 1.5s, 2min; 0 alone needs no unit')

/** A size as it is written; `sizeBytes` makes it bytes. */
export const size = withUnit(sizePattern, notASize, 'A size: 512MB, 4GB; units of 1024; 0 alone needs no unit')

/** `300/s`; `ratePerSecond` reads it. */
export const rate = z
  .string({ error: 'expected a rate with its unit, such as 300/s' })
  .regex(ratePattern, { error: 'expected a rate such as 300/s or 1/min' })

/** `25%`; `percentOf` reads it. */
export const percentage = z
  .string()
  .regex(percentPattern, { error: 'expected a number of instances or a percentage such as 25%' })

function withUnit(pattern: RegExp, wrong: (text: string) => string, description: string) {
  const error = ({ input }: { readonly input?: unknown }) => {
    const text = String(input)
    return wrong(text).replaceAll(/^\d+(\.\d+)?$/.test(text.trim()) ? text.trim() : /$^/g, shownValue)
  }
  return z.union([z.string().regex(pattern, { error }), z.literal(0)], { error }).meta({ description })
}
