import { z } from '../../yaml/schema.js'
import { loadSide } from './load-result.js'
import { price, writeCost } from '../parts/price-result.js'
import { savedPart } from '../parts/saved-part.js'
import { errorFields, finding, place, server, step, type outcomes, type severity } from '../parts/step-result.js'
import { comparison, interval } from '../parts/variants-result.js'
import { twin } from '../parts/twin-result.js'
import { whatIf } from '../parts/what-if-result.js'

/*
 * The JSON documents that perfdb prints, as schemas: product contract, snake_case, times in _ms, sizes in _bytes.
 * A Result is such a document; the renderers of report/ read it, `--format json` prints it as it is.
 */
/** One node of a query plan. Rows are of one loop, as EXPLAIN prints them; self_ms is of all loops, without the nodes below. */
const planNode = z.object({
  depth: z.int(),
  node: z.string(),
  estimated_rows: z.number(),
  rows: z.number(),
  loops: z.number(),
  self_ms: z.number(),
  /** Shared blocks of the node and those below, hit and read. */
  buffers: z.number(),
  conditions: z.array(z.string()).optional(),
})
const measurement = z.object({
  samples: z.int(),
  execution_ms: interval,
  /** Of the samples: the least, the quartiles, the most. */
  spread_ms: z.object({ least: z.number(), lower: z.number(), upper: z.number(), most: z.number() }).optional(),
  planning_ms: z.number(),
  buffers: z.object({ hit: z.number(), read: z.number(), temp: z.number() }),
  rows: z.number(),
  indexes: z.array(z.string()),
  plan_signature: z.string(),
  /** Nodes in pre-order: the first is the root, of depth 0. */
  query_plan: z.array(planNode).optional(),
})
const planned = z.object({
  cost: z.number(),
  rows: z.number(),
  indexes: z.array(z.string()),
  plan_signature: z.string(),
  query_plan: z.array(planNode).optional(),
})
const expectation = z.object({
  expect: z.string(),
  met: z.boolean(),
  actual: z.string(),
  /** Nothing was compared that could tell: it counts as met, and `actual` says why. */
  not_checked: z.literal(true).optional(),
})
const verdict = z.enum(['faster', 'same', 'slower', 'inconclusive'])
/** Against the same query with the index, measured in turns: how many times faster it is with it. */
const without = z.object({
  indexes: z.array(z.string()),
  params: z.string().optional(),
  verdict,
  speedup: interval.optional(),
  reason: z.string().optional(),
})
const noisePair = z.object({
  query: z.string(),
  /** Halves of a block, blocks of one side, a query that did not change, a control query, odd and even rounds of two sides in turns. */
  of: z.enum(['halves', 'blocks', 'unchanged', 'control', 'turns']),
  ratio: z.number(),
})
const noiseFloor = z.object({ floor: z.number(), pairs: z.int(), measured: z.array(noisePair) })
/** What two measurements of the same thing differed by: 95 of 100 pairs by no more than `floor`. in_turns: of the queries whose sides were. */
const noise = noiseFloor.extend({ in_turns: noiseFloor.optional() })
const query = z.object({
  name: z.string(),
  /** Name of the parameter set that decided (the worst one). */
  params: z.string().optional(),
  /** measured, or why there is no measurement: not_measured, refused, failed. */
  /** planned: on a twin, where nothing runs. */
  status: z.enum(['measured', 'planned', 'not_measured', 'refused', 'failed']),
  reason: z.string().optional(),
  verdict: verdict.optional(),
  speedup: interval.optional(),
  before: measurement.optional(),
  after: measurement.optional(),
  /** What the planner makes of it, where nothing ran. */
  planned: planned.optional(),
  findings: z.array(finding),
  expectations: z.array(expectation),
  /** What it loses without each new index that it uses. */
  counterfactual: z.object({ without: z.array(without) }).optional(),
  /** Of pg_stat_statements, or of a log: how often it was called, in ms in all and on average, rows of all calls, and its share of the time of all, 0 to 1. */
  calls: z.number().optional(),
  total_ms: z.number().optional(),
  mean_ms: z.number().optional(),
  rows: z.number().optional(),
  share: z.number().optional(),
  /** Of a query plan that was read from a file: the planner's cost, the statement and its parameters where they were logged. */
  cost: z.number().optional(),
  sql: z.string().optional(),
  parameters: z.string().optional(),
  /** Where it is declared. */
  place: place.optional(),
})
const analyzed = z.object({
  table: z.string(),
  ok: z.boolean(),
  duration_ms: z.number(),
  message: z.string().optional(),
})

const base = {
  perfdb: z.string(),
  ok: z.boolean(),
  exit_code: z.int(),
}
const about = {
  ...base,
  server: server.optional(),
  started_at: z.string().optional(),
  duration_ms: z.number().optional(),
}

export const errorResult = z.object({
  ...base,
  command: z.string(),
  error: errorFields.extend({ problems: z.array(errorFields).optional() }),
})
export const planResult = z.object({
  ...about,
  command: z.literal('plan'),
  profiles: z.array(z.string()),
  steps: z.array(step),
  /** Extensions to create first, with --allow CREATE_EXTENSION. */
  extensions: z.array(z.string()),
  findings: z.array(finding),
  /** What is worth knowing besides, a sentence each. */
  notes: z.array(z.string()).optional(),
  fingerprint: z.string(),
  /** What apply goes by; in the document that the library's `plan` returns. */
  saved: savedPart.optional(),
  /** Files that --export wrote. */
  exported: z.array(z.string()).optional(),
  /** With --what-if. */
  what_if: whatIf.optional(),
})
export const verifyResult = z.object({
  ...about,
  command: z.literal('verify'),
  profiles: z.array(z.string()),
  steps: z.array(step),
  findings: z.array(finding),
})
export const applyResult = z.object({
  ...about,
  command: z.enum(['apply', 'rollback']),
  /** Of a saved plan: everything that it was to do had been done before. */
  already_done: z.literal(true).optional(),
  /** null without a ledger, or when nothing was to do. */
  run: z.int().nullable(),
  profiles: z.array(z.string()),
  steps: z.array(step),
  /** Created by the run, or by the run that is rolled back: rollback leaves them. */
  extensions: z.array(z.string()).optional(),
  analyzed: z.array(analyzed),
  queries: z.array(query),
  comparisons: z.array(comparison),
  /** Of each declared index that stands after a run that changed something. */
  prices: z.array(price).optional(),
  write_costs: z.array(writeCost).optional(),
  noise: noise.optional(),
  /** What a run of one query counted for against one of another in the prices. */
  weights: z.enum(['calls', 'declared', 'equal']).optional(),
  /** The role that the queries ran as. */
  measured_as: z.string().optional(),
  /** Whether indexes were hidden to measure in turns, and why not. */
  counterfactual: z.object({ on: z.boolean(), reason: z.string().optional() }).optional(),
  /** Of duration_ms: building (with ANALYZE), and measuring. */
  build_ms: z.number().optional(),
  measure_ms: z.number().optional(),
  /** With --ramp: what was felt under load before the builds and after them; null where it could not be measured any more. */
  load: z.object({ before: loadSide, after: loadSide.nullable() }).optional(),
  findings: z.array(finding),
  error: errorFields.optional(),
})
export const explainResult = z.object({
  ...about,
  command: z.literal('explain'),
  /** The role that the queries ran as. */
  measured_as: z.string().optional(),
  queries: z.array(query),
  comparisons: z.array(comparison),
  findings: z.array(finding),
  /** With --statistics. */
  twin: twin.optional(),
  /** With --what-if. */
  what_if: whatIf.optional(),
})
const run = z.object({
  run: z.int(),
  command: z.string(),
  started_at: z.string(),
  finished_at: z.string().nullable(),
  outcome: z.string(),
  built: z.int(),
  dropped: z.int(),
  failed: z.int(),
  user: z.string(),
  /** Of a run for many tenants: its name, the same in all their ledgers, and the tenant. */
  fleet_run: z.string().optional(),
  tenant: z.string().optional(),
})
const build = z.object({
  pid: z.int(),
  table: z.string(),
  index: z.string().nullable(),
  phase: z.string(),
  percent: z.number().nullable(),
  age_ms: z.number(),
  user: z.string().nullable(),
  application_name: z.string(),
  blockers: z.array(z.string()),
})
export const statusResult = z.object({
  ...about,
  command: z.literal('status'),
  ledger: z.boolean(),
  runs: z.array(run),
  /** What perfdb built here and nobody dropped through it, by profile; `gone`: not there any more under its name. */
  owned: z.array(z.object({ profile: z.string(), indexes: z.int(), gone: z.int() })).optional(),
  builds: z.array(build),
  findings: z.array(finding),
})

export type Place = z.infer<typeof place>
export type Severity = z.infer<typeof severity>
export type ResultFinding = z.infer<typeof finding>
export type ResultStep = z.infer<typeof step>
export type Outcome = (typeof outcomes)[number]
export type Interval = z.infer<typeof interval>
export type ResultMeasurement = z.infer<typeof measurement>
export type ResultPlanNode = z.infer<typeof planNode>
export type ResultQuery = z.infer<typeof query>
export type ResultNoise = z.infer<typeof noise>
export type Comparison = z.infer<typeof comparison>
export type Price = z.infer<typeof price>
export type WriteCost = z.infer<typeof writeCost>
export type ErrorResult = z.infer<typeof errorResult>
export type PlanResult = z.infer<typeof planResult>
export type VerifyResult = z.infer<typeof verifyResult>
export type ApplyResult = z.infer<typeof applyResult>
export type ExplainResult = z.infer<typeof explainResult>
export type StatusResult = z.infer<typeof statusResult>
