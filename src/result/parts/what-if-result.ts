import { z } from '../../yaml/schema.js'
import { twin } from './twin-result.js'

/**
 * What the planner would do with the declared indexes that are not there yet, by a twin or by HypoPG. Costs are the planner's
 * estimates in its own unit, and no time; `size_bytes` is a guess.
 */
export const whatIf = z.object({
  /** False without an engine: then `reason` says so, and a finding what to paste. */
  available: z.boolean(),
  /** Who was asked: a twin of the server, or the extension HypoPG on it. */
  engine: z.enum(['twin', 'hypopg']).optional(),
  /** Of HypoPG, or of the twin's server. */
  version: z.string().optional(),
  reason: z.string().optional(),
  /** With the twin: how far it plans as the server does. */
  twin: twin.optional(),
  queries: z.array(
    z.object({
      name: z.string(),
      params: z.string().optional(),
      /** Of a query with variants: `four-queries 2` is its second statement. */
      statement: z.string().optional(),
      cost_before: z.number(),
      cost_after: z.number(),
      would_use: z.array(z.string()),
    }),
  ),
  not_planned: z.array(
    z.object({
      name: z.string(),
      params: z.string().optional(),
      statement: z.string().optional(),
      reason: z.string(),
    }),
  ),
  indexes: z.array(
    z.object({
      name: z.string(),
      table: z.string(),
      /** exists: nothing to suppose. not_judged: the engine or the queries cannot say, for `reason`. */
      status: z.enum(['would_be_used', 'would_not_be_used', 'exists', 'not_judged']),
      reason: z.string().optional(),
      /** Names of the queries that would use it. */
      queries: z.array(z.string()),
      size_bytes: z.number().optional(),
    }),
  ),
})

export type ResultWhatIf = z.infer<typeof whatIf>
