import { z } from '../../yaml/schema.js'

export const interval = z.object({ median: z.number(), low: z.number(), high: z.number() })

const variant = z.object({
  name: z.string(),
  statements: z.int(),
  server_ms: interval,
  /** One statement after another, each waiting for the rows of the one before. */
  elapsed_ms: interval,
  /** Sent together, so that one round trip serves all; of a variant with several statements. */
  pipelined_ms: interval.optional(),
  /** Spread over `connections`, which the server must have to spare. */
  concurrent_ms: interval.optional(),
  connections: z.int().optional(),
})

/** A query with variants: what each costs, and whether they give the same rows. */
export const comparison = z.object({
  query: z.string(),
  round_trip_ms: z.number(),
  variants: z.array(variant),
  /** The same variants before the run changed anything. */
  before: z.array(variant).optional(),
  /** Each other variant against the first, in one snapshot, in any order of rows. */
  rows: z
    .array(
      z.object({
        variant: z.string(),
        against: z.string(),
        /** same_values: rows of another shape that hold the same values. */
        answer: z.enum(['same_rows', 'same_values', 'other_rows', 'not_comparable']),
        reason: z.string().optional(),
      }),
    )
    .optional(),
  /** Why no variant was measured over several connections. */
  not_concurrent: z.string().optional(),
  message: z.string(),
})
