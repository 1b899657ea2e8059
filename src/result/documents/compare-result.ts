import { z } from '../../yaml/schema.js'
import { finding } from '../parts/step-result.js'

/** Before and after; null where it is not known. */
const both = z.object({ before: z.number().nullable(), after: z.number().nullable() })
const side = z.array(z.string())
const compared = z.object({
  name: z.string(),
  /** The same nodes with the same relations; null where one side has no query plan. */
  same_shape: z.boolean().nullable(),
  cost: both,
  rows: both,
  /** Shared blocks, hit and read. */
  buffers: both,
  /** Execution time in ms. */
  time: both,
  /** The query plans as lines, a dot for each level; where their shapes differ. */
  shapes: z.object({ before: side, after: side }).optional(),
  /** Codes of findings that only one side has. */
  findings: z.object({ gone: side, new: side }),
})

export const compareResult = z.object({
  perfdb: z.string(),
  ok: z.boolean(),
  exit_code: z.int(),
  command: z.literal('compare'),
  before: z.string(),
  after: z.string(),
  queries: z.array(compared),
  /** Queries that only one of the two holds. */
  only: z.object({ before: side, after: side }),
  findings: z.array(finding),
})

export type CompareResult = z.infer<typeof compareResult>
export type ComparedQuery = z.infer<typeof compared>
