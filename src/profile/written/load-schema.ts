import { durationMs, ratePerSecond } from '../../text/units.js'
import { duration, percentage, rate } from '../../yaml/units.js'
import { z } from '../../yaml/schema.js'
import { mostLoad } from '../load.js'

const text = z.string().min(1)
const time = duration.optional()
const arrivals = rate.refine((written) => ratePerSecond(written) > 0 && ratePerSecond(written) <= mostLoad.rate, {
  error: `expected a rate up to ${mostLoad.rate}/s, and more than 0`,
})

/** The key `load` of a profile. */
export const loadSchema = z
  .strictObject({
    mix: z
      .record(text, z.number().min(0))
      .refine((mix) => Object.values(mix).some((weight) => weight > 0), { error: 'one of the weights must be above 0' })
      .optional()
      .meta({ description: 'How often each query is sent against the others; all by their weight when left out' }),
    params: z
      .record(text, z.strictObject({ sql: text.meta({ description: 'A query; each of its rows is a set of values' }) }))
      .optional()
      .meta({ description: 'Values of a query as production has them, instead of its params' }),
    connections: z
      .int()
      .min(1)
      .max(mostLoad.connections)
      .optional()
      .meta({ description: 'As many as the pool of the application has; 10 when left out' }),
    service: text.optional().meta({
      description:
        'Instead of connections: a service of a pools file, whose processes have a pool each, as check-pool counts them',
    }),
    pools: text.optional().meta({ description: 'The pools file, beside this one; those of perfdb.yaml when left out' }),
    timeout: time.meta({ description: 'An answer that comes later is a failure; 2s when left out' }),
    duration: duration
      .refine((written) => durationMs(written) >= 1000 && durationMs(written) <= mostLoad.durationMs, {
        error: 'a step takes 1s to 10min',
      })
      .optional()
      .meta({ description: 'Of each step; 10s when left out' }),
    rates: z.array(arrivals).min(1).optional().meta({ description: 'Arrivals a second, one step each: [20/s, 100/s]' }),
    users: z
      .array(z.int().min(1).max(mostLoad.users))
      .min(1)
      .optional()
      .meta({ description: 'Users who wait for an answer and think, one step each: [10, 50, 100]' }),
    think: time.meta({ description: 'What a user thinks between an answer and the next request; 1s when left out' }),
    expect: z
      .strictObject({
        p50: time.meta({ description: 'Half of all answers within' }),
        p95: time.meta({ description: '95 of 100 answers within' }),
        p99: time.meta({ description: '99 of 100 answers within' }),
        max: time.meta({ description: 'Every answer within' }),
        success: percentage.optional().meta({ description: 'At least this share answered in time' }),
        rate: rate
          .optional()
          .meta({ description: 'Answers a second that one of the steps must reach with all the others fulfilled' }),
      })
      .optional()
      .meta({ description: 'What the steps must fulfil; those at a higher rate than `rate` need not' }),
  })
  .refine(({ rates, users }) => rates === undefined || users === undefined, {
    error: 'either rates or users',
    when: () => true,
  })
  .refine(({ connections, service }) => connections === undefined || service === undefined, {
    error: 'either connections or service',
    when: () => true,
  })
  .meta({ description: 'What perfdb load sends, and what must hold under it' })

export type WrittenLoad = z.infer<typeof loadSchema>
