import { z } from '../yaml/schema.js'
import { finding } from './result.js'

/* The document of check-pool. All counts are connections; null is "not known": no server was asked, or it did not say. */
const verdict = z.enum(['OK', 'WARN', 'FAIL', 'UNKNOWN'])

const amounts = z.object({ steady: z.int(), peak: z.int() })

const serviceLine = z.object({
  name: z.string(),
  kind: z.enum(['service', 'pooler']),
  /** The pooler that a service goes through: its connections are then the pooler's clients, and do not count here. */
  via: z.string().optional(),
  steady: z.int(),
  peak: z.int(),
  /** Opened at once at boot. */
  warm: z.int(),
  /** What the maxima of the pools promise, threads or not. */
  nominal: z.int(),
  /** The arithmetic in words. */
  sum: z.string(),
  /** Where the file declares its load; p99_wait_ms is null for a line that only grows. */
  queue: z
    .object({
      pools: z.int(),
      connections: z.int(),
      utilization: z.number(),
      waits: z.number(),
      p99_wait_ms: z.number().nullable(),
    })
    .optional(),
})

const limitUse = z.object({
  kind: z.enum(['role', 'database']),
  name: z.string(),
  limit: z.int(),
  peak: z.int(),
  services: z.array(z.string()),
})

const waterfallLine = z.object({ label: z.string(), connections: z.int(), total: z.boolean() })

const server = z.object({
  name: z.string(),
  verdict,
  max_connections: z.int().nullable(),
  /** Kept from ordinary roles. */
  reserved: z.int().nullable(),
  /** What the least privileged declared role may use. */
  available: z.int().nullable(),
  limits_from: z.enum(['live', 'file', 'provider', 'unknown']),
  version: z.string().optional(),
  /** Services, poolers and declared others. */
  declared: amounts,
  unmanaged: z.int().nullable(),
  perfdb: z.int(),
  /** Client backends now, the most of all samples; an upper bound when some are hidden. */
  live: z.int().nullable(),
  hidden: z.int(),
  /** At the peak. */
  headroom: z.int().nullable(),
  services: z.array(serviceLine),
  limits: z.array(limitUse),
  waterfall: z.array(waterfallLine),
  recommendations: z.array(z.string()),
})

export const poolResult = z.object({
  perfdb: z.string(),
  ok: z.boolean(),
  exit_code: z.int(),
  command: z.literal('check-pool'),
  files: z.array(z.string()),
  /** True when no server was asked. */
  offline: z.boolean(),
  verdict,
  servers: z.array(server),
  findings: z.array(finding.extend({ server: z.string().optional(), service: z.string().optional() })),
})

export type PoolResult = z.infer<typeof poolResult>
export type PoolServer = PoolResult['servers'][number]
export type PoolLine = PoolServer['services'][number]
