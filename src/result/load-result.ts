import { z } from '../yaml/schema.js'

const time = z.number().nullable()

export const loadResult = z.object({
  perfdb: z.string(),
  ok: z.boolean(),
  /** 0: every step was measured; 1: a step ended early, had errors or no answer in time; 129, 130, 143 after a signal. */
  exit_code: z.int(),
  command: z.literal('load'),
  server: z.object({ host: z.string(), database: z.string(), version: z.string() }),
  /** What was sent, and what part of all it was to be. */
  mix: z.array(z.object({ query: z.string(), share: z.number() })),
  connections: z.int(),
  duration_ms: z.number(),
  /** An answer that comes later is a failure. */
  timeout_ms: z.number(),
  /** What was measured, with the indexes as they are. */
  load: z.object({
    after: z.object({
      steps: z.array(
        z.object({
          /** Arrivals a second as they were asked for, and answers a second. */
          offered: z.number(),
          achieved: z.number(),
          /** Of so many seconds, without the warm-up. */
          seconds: z.number(),
          /** From the moment a request was due. */
          latency_ms: z.object({ p50: time, p95: time, p99: time, max: time }),
          /** The part of it until there was a connection. */
          wait_ms: z.object({ p50: time, p95: time }),
          due: z.int(),
          /** Share of the requests that were answered within timeout_ms. */
          success: z.number(),
          errors: z.record(z.string(), z.int()),
          late: z.int(),
          skipped: z.int(),
          connections_busy: z.number(),
          saturated: z.boolean(),
          /** A signal or the end of all connections ended it. */
          cut_short: z.boolean(),
        }),
      ),
    }),
  }),
})

export type LoadResult = z.infer<typeof loadResult>
export type LoadStep = LoadResult['load']['after']['steps'][number]

/** A step that ran to its end and yet measures nothing that counts: requests failed, or none was answered in time. */
export function stepFailed({ cut_short: cutShort, errors, success }: LoadStep): boolean {
  return !cutShort && (Object.keys(errors).length > 0 || success === 0)
}
