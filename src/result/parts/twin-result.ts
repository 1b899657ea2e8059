import { z } from '../../yaml/schema.js'

/** How far the twin plans as its source does: so many query plans of so many are equal. */
export const twin = z.object({
  /** Of the twin's server. */
  version: z.string(),
  /** null where there is no server to compare with: then nothing is known of it. */
  equal: z.int().nullable(),
  of: z.int(),
  /** Node for node equal, and their costs differ by one to ten hundredths. */
  near: z.array(z.object({ query: z.string(), params: z.string().optional(), difference: z.string() })).optional(),
  differ: z.array(z.object({ query: z.string(), params: z.string().optional(), difference: z.string() })).optional(),
  /** What of the schema could not be made or restored. */
  gaps: z.array(z.string()).optional(),
})

export type ResultTwin = z.infer<typeof twin>
