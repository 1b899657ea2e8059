import { z } from '../../yaml/schema.js'
import { interval } from './variants-result.js'

const writeSide = z.object({
  execution_ms: interval,
  buffers: z.number(),
  /** Of one run; full pages after a checkpoint are in the bytes, and are one record each all the same. */
  wal_records: z.number(),
  wal_bytes: z.number(),
})
/** A declared statement that writes to a table, before and after the run (with --allow WRITE_QUERY). */
export const writeCost = z.object({
  query: z.string(),
  params: z.string().optional(),
  table: z.string(),
  /** Indexes that the run built on the table: the difference is of all of them together. */
  indexes: z.int(),
  before: writeSide,
  after: writeSide,
})
/** What one declared index costs, and whether a declared query gains by it. */
export const price = z.object({
  index: z.string(),
  table: z.string(),
  schema: z.string(),
  verdict: z.enum(['pays', 'does_not_pay', 'cannot_say']),
  reason: z.string(),
  /** Names of the queries whose query plan uses it. */
  queries: z.array(z.string()),
  size_bytes: z.number().optional(),
  /** Waiting for other transactions not counted. */
  build_ms: z.number().optional(),
  wal_bytes: z.number().optional(),
  wal_shared: z.boolean().optional(),
  /** Of advise --prove: it was not shown to pay, and is not there any more. */
  dropped: z.literal(true).optional(),
})
