import { z } from '../../yaml/schema.js'
import { driverNames } from '../sums/drivers.js'
import { runtimeNames, workerClasses } from '../sums/runtimes.js'
import { platformNames } from '../sums/platforms.js'
import { poolerSchema } from './schema-pooler.js'
import { tenantsSchema } from '../../options/tenants-schema.js'
import { duration, percentage, rate, size } from '../../yaml/units.js'

/*
 * A pools file as it is written: strict objects, durations "10s", sizes "4GB", rates "300/s". Nothing is transformed here, so that the same
 * schema becomes the JSON Schema of editors; complete.ts makes the model of it.
 */
const count = z.int().min(0)
const positive = z.int().min(1)
const name = z.string().min(1)
const share = z.union([count, percentage])
/** The words of the world for no limit: read, so that they can be refused with a reason. */
const bound = z.union([count, z.enum(['unlimited', 'infinity', 'none'])])

const roleSchema = z.strictObject({
  kind: z.enum(['ordinary', 'reserved', 'superuser']).optional(),
  connection_limit: z.int().min(-1).optional(),
  work_mem: size.optional(),
})

const serverSchema = z.strictObject({
  url: name.optional(),
  provider: z.strictObject({ name, size: z.union([name, z.number()]) }).optional(),
  max_connections: positive.optional(),
  superuser_reserved_connections: count.optional(),
  reserved_connections: count.optional(),
  cores: positive.optional(),
  memory: size.optional(),
  settings: z
    .strictObject({
      shared_buffers: size.optional(),
      work_mem: size.optional(),
      maintenance_work_mem: size.optional(),
      autovacuum_max_workers: positive.optional(),
      hash_mem_multiplier: z.number().min(1).optional(),
      max_parallel_workers_per_gather: count.optional(),
      max_parallel_workers: count.optional(),
    })
    .optional(),
  other_connections: count.optional(),
  perfdb_connections: count.optional(),
  role: z.enum(['primary', 'replica']).optional(),
  of: name.optional(),
  failover: z.boolean().optional(),
  connect_time: duration.optional(),
  roles: z.record(z.string(), roleSchema).optional(),
  databases: z
    .record(z.string(), z.strictObject({ connection_limit: z.int().min(-1).optional(), work_mem: size.optional() }))
    .optional(),
})

const runtimeSchema = z.strictObject({
  kind: z.enum(runtimeNames).optional(),
  worker_class: z.enum(workerClasses).optional(),
  processes: positive.optional(),
  workers: positive.optional(),
  concurrency: positive.optional(),
  threads: positive.optional(),
  scope: z.enum(['process', 'instance']).optional(),
  max_concurrency: positive.optional(),
  overlap: z.number().min(1).max(2).optional(),
})

const poolSchema = z.strictObject({
  driver: z.enum(driverNames).optional(),
  min: count.optional(),
  max: bound.optional(),
  policy: z
    .string()
    .regex(/^workers\s*\*\s*\d+$/, { error: 'expected a rule such as workers*6' })
    .optional(),
  max_overflow: z.union([z.int().min(-1), z.enum(['unlimited'])]).optional(),
  eager: z.boolean().optional(),
  acquire_timeout: duration.optional(),
  idle_timeout: duration.optional(),
  max_lifetime: duration.optional(),
  per_tenant: z.boolean().optional(),
  active: z.union([positive, z.record(z.string(), positive)]).optional(),
  prepared_statements: z.boolean().optional(),
  session_state: z.array(z.enum(['settings', 'advisory_locks', 'listen', 'temporary_tables', 'cursors'])).optional(),
})

const serviceSchema = z.strictObject({
  server: name.optional(),
  database: name.optional(),
  role: name.optional(),
  via: name.optional(),
  application_name: name.optional(),
  process_max: positive.optional(),
  runtime: runtimeSchema.optional(),
  instances: z.union([count, z.strictObject({ desired: count, max: count.optional() })]).optional(),
  deploy: z
    .strictObject({
      strategy: z.enum(['recreate', 'blue_green', 'canary', 'rolling']).optional(),
      platform: z.enum(platformNames).optional(),
      max_surge: share.optional(),
      max_unavailable: share.optional(),
      canary: share.optional(),
      count_terminating: z.boolean().optional(),
      startup: duration.optional(),
      termination: duration.optional(),
    })
    .optional(),
  startup: duration.optional(),
  termination: duration.optional(),
  pool: poolSchema.optional(),
  connections_per_request: positive.optional(),
  extra_connections: count.optional(),
  request_timeout: duration.optional(),
  load: z
    .strictObject({
      rate: rate.optional(),
      service_time: duration.optional(),
      cv2: z.number().min(0).optional(),
      slo_wait: duration.optional(),
      expected_concurrent: count.optional(),
      max_concurrent: count.optional(),
    })
    .optional(),
  cache: z
    .strictObject({
      kind: z.enum(['in_process', 'shared']),
      maxsize: positive,
      ttl: duration,
      active_users: positive,
      rate_per_user: rate,
      queries_per_miss: count.optional(),
      max_staleness: duration.optional(),
      entry_size: size.optional(),
      hit_time: duration.optional(),
      miss_time: duration.optional(),
      stale_if_error: duration.optional(),
    })
    .optional(),
  audit: z
    .strictObject({
      workers: positive,
      queue: positive.optional(),
      rate: rate.optional(),
      burst: rate.optional(),
      service_time: duration.optional(),
      own_connections: z.boolean().optional(),
      bounded: z.boolean().optional(),
      table: name.optional(),
      id_column: name.optional(),
      key_column: name.optional(),
      when_full: z.enum(['block', 'drop_oldest']).optional(),
      block_timeout: duration.optional(),
    })
    .optional(),
})

/** A pools file, version 1: servers, tenants, services and poolers, and the shares of the capacity that warn and fail. */
export const poolsSchema = z.strictObject({
  version: z.literal(1),
  kind: z.literal('pools').optional(),
  defaults: z
    .strictObject({
      warn_at: z.number().min(0).max(1).optional(),
      fail_at: z.number().min(0).max(1).optional(),
      count_terminating: z.boolean().optional(),
    })
    .optional(),
  servers: z.record(z.string(), serverSchema).optional(),
  tenants: tenantsSchema.optional(),
  services: z.record(z.string(), serviceSchema).optional(),
  poolers: z.record(z.string(), poolerSchema).optional(),
})

export type WrittenPools = z.infer<typeof poolsSchema>
export type WrittenServer = z.infer<typeof serverSchema>
export type WrittenService = z.infer<typeof serviceSchema>
export type WrittenPool = z.infer<typeof poolSchema>
export type WrittenPooler = z.infer<typeof poolerSchema>
