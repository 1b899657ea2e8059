import { z } from '../../yaml/schema.js'
import { poolResult } from './pool-result.js'
import { applyResult, verifyResult } from './result.js'

const claim = z.object({
  claim: z.string(),
  reported_before: z.string(),
  reported_after: z.string(),
  query: z.string(),
  params: z.string().optional(),
  before_ms: z.number().optional(),
  after_ms: z.number().optional(),
  speedup: z.number().optional(),
  verdict: z.string().optional(),
})

/** The demo's document: the whole job, and the field report's claims beside what was measured. */
export const demoResult = z.object({
  perfdb: z.string(),
  ok: z.boolean(),
  exit_code: z.int(),
  command: z.literal('demo'),
  duration_ms: z.number(),
  /** Whose data it was. */
  shop: z.string(),
  scale: z.number(),
  load_ms: z.number(),
  rows: z.record(z.string(), z.int()),
  claims: z.array(claim),
  notes: z.array(z.string()),
  apply: applyResult,
  verify: verifyResult,
  pools: poolResult,
  report: z.string(),
})

export type DemoResult = z.infer<typeof demoResult>
export type DemoClaimResult = DemoResult['claims'][number]
