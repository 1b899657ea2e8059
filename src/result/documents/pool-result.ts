import { z } from '../../yaml/schema.js'
import { finding } from '../parts/step-result.js'

const place = z.object({ file: z.string(), line: z.int(), column: z.int() })

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
      /** Over all requests, those that do not wait included; an upper bound above cv2 = 1. */
      mean_wait_ms: z.number().nullable().optional(),
      p99_wait_ms: z.number().nullable(),
      /** The load was measured on the server, because the file declares none. */
      measured: z.boolean().optional(),
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

/** A service with a pool for each tenant: so many of this server, connections of each at the peak, and the first of them by name. */
const tenantPools = z.object({ service: z.string(), count: z.int(), each: z.int(), ids: z.array(z.string()) })

const waterfallLine = z.object({ label: z.string(), connections: z.int(), total: z.boolean() })

/** Client backends now, the most of all looks; busy ones have a statement or a transaction open. */
const session = z.object({
  role: z.string(),
  database: z.string(),
  application_name: z.string().nullable(),
  connections: z.int(),
  busy: z.int(),
  hidden: z.int(),
  /** Declared services and poolers whose sessions look like these. */
  services: z.array(z.string()),
})

/** From pg_stat_database, over so many seconds. */
const databaseLoad = z.object({
  database: z.string(),
  erlangs: z.number(),
  transactions_per_second: z.number(),
  /** Connections opened. */
  sessions_per_second: z.number().optional(),
  seconds: z.number(),
})

/** The largest value of one number of the file that fits; null when not even 1 does. */
const change = z.object({
  name: z.string(),
  /** The key of the file: pool.max, instances.max, runtime.max_concurrency, default_pool_size, tenants ... */
  change: z.string(),
  now: z.int(),
  largest: z.int().nullable(),
  /** The same for --what-if; empty when nothing fits. */
  what_if: z.array(z.string()).optional(),
  place,
})

/** One look of --watch at one server; sessions is null where it could not be asked. */
const sample = z.object({
  at: z.string(),
  server: z.string(),
  sessions: z.int().nullable(),
  available: z.int().nullable(),
  headroom: z.int().nullable(),
  verdict,
  /** Connections busy on average since the look before. */
  erlangs: z.number().optional(),
  message: z.string().optional(),
})

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
  tenants: z.array(tenantPools).optional(),
  changes: z.array(change).optional(),
  recommendations: z.array(z.string()),
  sessions: z.array(session).optional(),
  load: z.array(databaseLoad).optional(),
  /** Without the changes of --what-if. */
  before: z.object({ peak: z.int(), headroom: z.int().nullable(), verdict }).optional(),
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
  /** Changes that everything below is judged with. */
  what_if: z.array(z.string()).optional(),
  /** What they changed, as the file writes it: keys that follow another too. */
  changed: z
    .array(z.object({ name: z.string(), key: z.string(), from: z.string().nullable(), to: z.string().nullable() }))
    .optional(),
  servers: z.array(server),
  /** Of --suggest: sizes with which each server's connections are divided, judged with everything else, and what the verdict then is. */
  suggestion: z
    .object({
      servers: z.array(
        z.object({
          name: z.string(),
          /** What is divided: the warning share of `available`, less what no size here changes. */
          connections: z.int(),
          sizes: z.array(z.object({ name: z.string(), key: z.string(), from: z.int(), to: z.int() })),
          /** At the peak, with all sizes. */
          peak: z.int(),
          reason: z.string().nullable(),
        }),
      ),
      what_if: z.array(z.string()),
      yaml: z.string(),
      verdict,
    })
    .optional(),
  samples: z.array(sample).optional(),
  findings: z.array(finding.extend({ server: z.string().optional(), service: z.string().optional() })),
})

export type PoolResult = z.infer<typeof poolResult>
export type PoolServer = PoolResult['servers'][number]
export type PoolSample = z.infer<typeof sample>
export type PoolLine = PoolServer['services'][number]
