import { z } from '../../yaml/schema.js'
import { errorFields, finding, outcomes, step } from '../parts/step-result.js'
import { interval } from '../parts/variants-result.js'

/** From the worst to the best; a table of tenants is in this order. */
export const tenantOutcomes = [
  /** A step was begun and failed (3). */
  'failed',
  /** Ended by a signal. */
  'interrupted',
  /** Could not be looked at: no connection, no right, no such table (2). */
  'not_looked',
  /** Looked, and the answer is no (1). */
  'no',
  /** Not begun: the run was stopped before. */
  'not_reached',
  /** A plan that has something to do. */
  'to_do',
  /** The run did something, and all went well. */
  'done',
  /** Nothing to do. */
  'in_order',
] as const

/** What the matrix needs of a step, without its SQL. */
const tenantStep = step
  .pick({ step: true, schema: true, index: true, table: true, duration_ms: true, size_bytes: true })
  .extend({
    outcome: z.enum(outcomes).optional(),
    hazards: z.array(z.string()).optional(),
    error: errorFields.optional(),
  })

const verdict = z.object({ query: z.string(), verdict: z.string(), speedup: interval.optional() })

const tenant = z.object({
  id: z.string(),
  labels: z.record(z.string(), z.string()),
  /** host:port, as the list of tenants has it. */
  server: z.string(),
  outcome: z.enum(tenantOutcomes),
  exit_code: z.int(),
  /** Number of its group in `groups`, from 0. */
  group: z.int(),
  /** From 1; without waves there is one. */
  wave: z.int(),
  /** Number of the run in the tenant's own ledger. */
  run: z.int().optional(),
  /** Those that are not kept as they are; all are in its group. */
  steps: z.array(tenantStep).optional(),
  findings: z.array(finding).optional(),
  verdicts: z.array(verdict).optional(),
  error: errorFields.optional(),
  duration_ms: z.number(),
})

/** Tenants that are alike: the same outcome of the same steps. */
const group = z.object({
  tenants: z.int(),
  first: z.string(),
  /** The first of them, as the list has them. */
  ids: z.array(z.string()),
  outcome: z.enum(tenantOutcomes),
  exit_code: z.int(),
  /** Of the error, the finding or the difference that is told first. */
  code: z.string().optional(),
  /** Why, in a few words. */
  reason: z.string(),
  steps: z.array(tenantStep),
})

const wave = z.object({
  number: z.int(),
  tenants: z.int(),
  /** Tenants that were begun. */
  begun: z.int(),
  not_in_order: z.int(),
  /** Why no further wave was begun. */
  stopped: z.string().optional(),
})

/** One command for many databases: what each of them became, and which are alike. */
export const fleetResult = z.object({
  perfdb: z.string(),
  command: z.enum(['plan', 'apply', 'verify', 'explain', 'rollback', 'status', 'worker']),
  ok: z.boolean(),
  exit_code: z.int(),
  started_at: z.string(),
  duration_ms: z.number(),
  /** What apply did, as the ledger of each tenant names it, and what rollback undid: perfdb rollback NAME --tenants. */
  fleet_run: z.string().optional(),
  /** In the order of the run: canaries first, then as the list has them. A worker, which may work for months, counts them only. */
  tenants: z.array(tenant),
  /** The worst first. */
  groups: z.array(group),
  waves: z.array(wave),
  /** Of outcomes that occur, and `total`. */
  counts: z.record(z.string(), z.int()),
  /** What is to be known of the run itself: a server that was given up, a registry that is stale. */
  findings: z.array(finding),
})

export type TenantOutcome = (typeof tenantOutcomes)[number]
export type TenantStep = z.infer<typeof tenantStep>
export type TenantResult = z.infer<typeof tenant>
export type TenantGroup = z.infer<typeof group>
export type TenantWave = z.infer<typeof wave>
export type FleetResult = z.infer<typeof fleetResult>
export type FleetCommand = FleetResult['command']
