import { z } from '../../yaml/schema.js'
import { finding, server } from '../parts/step-result.js'

export const statisticsResult = z.object({
  perfdb: z.string(),
  ok: z.boolean(),
  exit_code: z.int(),
  command: z.literal('statistics'),
  server: server.optional(),
  started_at: z.string().optional(),
  duration_ms: z.number().optional(),
  /** Where the statistics were written. */
  file: z.string(),
  file_bytes: z.number(),
  /** Whether values of rows are in it: kept, left out, some left out. */
  values: z.enum(['kept', 'left out', 'some left out']),
  counts: z.object({
    tables: z.int(),
    indexes: z.int(),
    /** Columns and expressions with statistics. */
    columns: z.int(),
    /** Columns whose least and greatest values are in it. */
    ends: z.int(),
    /** Statements of pg_stat_statements whose fingerprints are in it; absent where none could be read. */
    statements: z.int().optional(),
  }),
  /** Of all tables and indexes, which the twin will seem to have. */
  size_bytes: z.number(),
  findings: z.array(finding),
})

export type StatisticsResult = z.infer<typeof statisticsResult>
