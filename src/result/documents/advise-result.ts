import { z } from '../../yaml/schema.js'
import { applyResult } from './result.js'
import { finding, place, server } from '../parts/step-result.js'
import { twin } from '../parts/twin-result.js'

/** Costs are the planner's estimates in its own unit, and no time. */
const served = z.object({
  query: z.string(),
  params: z.string().optional(),
  cost_before: z.number(),
  cost_after: z.number(),
  /** Where its LIMIT ends nothing early, as the rows that pass a filter come last; absent where that is no more than the cost before. */
  cost_at_worst: z.number().optional(),
  /** The server of the statistics file runs it already: it does not count for the exit code, and is no finding. */
  known: z.literal(true).optional(),
  /** Where the query is written. */
  place: place.optional(),
})
const named = z.object({
  name: z.string(),
  schema: z.string(),
  table: z.string(),
  /** `btree (total, placed desc) include (id)`: for people. */
  definition: z.string(),
  /** CREATE or DROP INDEX CONCURRENTLY, to paste. */
  sql: z.string(),
})
const advice = z.object({
  index: named.extend({
    /** Its entry in a profile. */
    yaml: z.string(),
  }),
  serves: z.array(served),
  size_bytes: z.number(),
  /** The size depends on what is in the values: it is guessed from their widths. */
  size_guessed: z.literal(true).optional(),
  /** Of the weighted cost of all queries, what would be lost without it: 0 to 1. */
  share: z.number(),
  /** The same of what the queries that write pay for it, at a measured price a row; absent where none of them writes to its table. */
  writes_share: z.number().optional(),
  /** Where it was judged: with --prove it was built. */
  tried: z.enum(['twin', 'hypopg', 'build']),
  why: z.string(),
  /** What has to be created before it, and who may; perfdb does not, but for apply with --allow CREATE_EXTENSION. */
  needs: z.object({ extension: z.string(), sql: z.string(), by: z.string() }).optional(),
  /** Rows that were inserted, updated and deleted in its table since the counters were reset: each insert writes the index too. */
  writes: z
    .object({ inserted: z.number(), updated: z.number(), hot_updated: z.number(), deleted: z.number() })
    .optional(),
  /** For the same queries, tried and not chosen, with the share that each would save alone. */
  rejected: z.array(z.object({ definition: z.string(), share: z.number(), size_bytes: z.number() })),
})

/** An existing index that nobody would miss: hidden on the twin, no query lost by it. */
const removed = z.object({
  index: named,
  size_bytes: z.number(),
  /** unused: never scanned on any node that was asked. */
  code: z.enum(['duplicate', 'redundant', 'unused']),
  /** The index that does its work. */
  by: z.string().optional(),
  why: z.string(),
})

export const adviseResult = z.object({
  perfdb: z.string(),
  ok: z.boolean(),
  exit_code: z.int(),
  command: z.literal('advise'),
  server: server.optional(),
  started_at: z.string().optional(),
  duration_ms: z.number().optional(),
  /** Best first. */
  advice: z.array(advice),
  removals: z.array(removed),
  /** Queries that were looked at, and the weighted cost of all of them without and with the advice. */
  queries: z.int(),
  /** With --baseline, those of them that the server of the statistics file runs already; absent where the file does not know. */
  known: z.int().optional(),
  /** Foreign keys that no index serves, though rows that they may refer to are deleted: each was judged as a query beside them. */
  foreign_keys: z.int().optional(),
  /** Of them with values: those that the twin plans as the server does; with none of them the exit code is 2. */
  judged: z.int(),
  cost: z.object({ before: z.number(), after: z.number() }),
  /** Indexes that were built on the twin and judged. */
  tried: z.int(),
  /** Nothing is said of these: they could not be planned, or the twin plans them otherwise. */
  not_judged: z.array(z.object({ query: z.string(), params: z.string().optional(), reason: z.string() })),
  twin,
  /** Of --prove: the run that built and measured the advice; `dropped` of its prices says what is not there any more. */
  proof: applyResult.optional(),
  /** The profile that --out wrote. */
  file: z.string().optional(),
  findings: z.array(finding),
})

export type AdviseResult = z.infer<typeof adviseResult>
export type Removed = z.infer<typeof removed>
export type Advice = z.infer<typeof advice>
