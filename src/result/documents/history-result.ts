import { z } from '../../yaml/schema.js'
import { finding, server } from '../parts/step-result.js'
import { interval } from '../parts/variants-result.js'

const side = z.object({ execution_ms: interval, buffers: z.number().optional() })

export const historyResult = z.object({
  perfdb: z.string(),
  ok: z.boolean(),
  exit_code: z.int(),
  command: z.literal('history'),
  server,
  started_at: z.string(),
  duration_ms: z.number(),
  /** False where this database has no ledger. */
  ledger: z.boolean(),
  /** The name that was asked for, of a query or an index. */
  name: z.string().optional(),
  /** How many of the latest runs were looked at. */
  runs: z.int(),
  /** By name; of each the oldest run first. */
  queries: z.array(
    z.object({
      name: z.string(),
      params: z.string().optional(),
      runs: z.array(
        z.object({
          run: z.int(),
          at: z.string(),
          before: side.optional(),
          after: side.optional(),
          speedup: interval.optional(),
          verdict: z.string().optional(),
        }),
      ),
    }),
  ),
  indexes: z.array(
    z.object({
      schema: z.string(),
      index: z.string(),
      runs: z.array(
        z.object({
          run: z.int(),
          at: z.string(),
          step: z.string(),
          /** null of a step that began and was never finished. */
          outcome: z.string().nullable(),
          size_bytes: z.number().optional(),
          duration_ms: z.number().optional(),
        }),
      ),
    }),
  ),
  findings: z.array(finding),
})

export type HistoryResult = z.infer<typeof historyResult>
