import { hazardCodes } from '../codes/hazard-codes.js'
import type { Options } from '../options/values.js'
import { applyResult } from '../result/documents/result.js'
import { errorFields } from '../result/parts/step-result.js'
import { z } from '../yaml/schema.js'

/** What the coordinator says of how to build; a worker's own flags and perfdb.yaml do not count. */
const carried = z.object({
  allow: z.array(z.enum(hazardCodes)),
  prune: z.boolean().exactOptional(),
  reindex: z.array(z.string()).exactOptional(),
  maxSize: z.number(),
  maxWait: z.number(),
  lockWait: z.number(),
  retries: z.int(),
  jobs: z.int(),
  onQueue: z.enum(['report', 'cancel-build', 'cancel-waiter']),
  onDisconnect: z.enum(['cancel', 'finish']),
  window: z.object({ fromMinute: z.int(), toMinute: z.int(), text: z.string() }).exactOptional(),
  maxLag: z.number().exactOptional(),
  ledger: z.boolean(),
  samples: z.int().exactOptional(),
  timeBudget: z.number().exactOptional(),
})

/** A job of the queue: names, and no url, so that whoever reads the queue learns no password. Times in ms, sizes in bytes. */
export const tenantJob = z.object({
  /** Version of the coordinator: a worker of another one refuses it. */
  perfdb: z.string(),
  run: z.string(),
  tenant: z.string(),
  wave: z.int(),
  measured: z.boolean(),
  /** Digest of the tenant's profiles as the coordinator read them. */
  profiles: z.string(),
  options: carried,
})

/** What a worker leaves in its job. */
export const jobOutput = z.union([z.object({ result: applyResult }), z.object({ error: errorFields })])

export type TenantJob = z.infer<typeof tenantJob>
export type JobOutput = z.infer<typeof jobOutput>
export type CarriedOptions = z.infer<typeof carried>

export function carriedOptions(options: Options, allow: readonly (typeof hazardCodes)[number][]): CarriedOptions {
  const { prune, reindex, maxSize, maxWait, lockWait, retries, jobs, onQueue, onDisconnect, window, maxLag } = options
  const { ledger, samples, timeBudget } = options
  return {
    allow: [...allow],
    ...(prune === undefined ? {} : { prune }),
    ...(reindex === undefined ? {} : { reindex: [...reindex] }),
    ...(window === undefined ? {} : { window }),
    ...(maxLag === undefined ? {} : { maxLag }),
    ...(samples === undefined ? {} : { samples }),
    ...(timeBudget === undefined ? {} : { timeBudget }),
    maxSize,
    maxWait,
    lockWait,
    retries,
    jobs,
    onQueue,
    onDisconnect,
    ledger,
  }
}
