import { z } from '../../yaml/schema.js'

const time = z.number().nullable()

const step = z.object({
  /** Arrivals a second as they were asked for; null where users were. */
  offered: z.number().nullable(),
  /** Users who wait and think; null where arrivals were asked for. */
  users: z.int().nullable(),
  /** Answers a second, over so many seconds without the warm-up. */
  achieved: z.number(),
  seconds: z.number(),
  /** From the moment a request was due. */
  latency_ms: z.object({ p50: time, p95: time, p99: time, max: time }),
  /** p95 of single seconds: a tenth of them were below `low`, a tenth above `high`. */
  p95_of_seconds_ms: z.object({ low: time, high: time }),
  /** The same times as a curve: what share was answered within how long. */
  curve: z.array(z.object({ share: z.number(), ms: z.number() })),
  /** The part of the latency until there was a connection. */
  wait_ms: z.object({ p50: time, p95: time }),
  due: z.int(),
  /** Share of the requests that were answered within timeout_ms. */
  success: z.number(),
  /** How many met which SQLSTATE; CONNECTION_LOST where no answer could come. */
  errors: z.record(z.string(), z.int()),
  late: z.int(),
  skipped: z.int(),
  connections_busy: z.number(),
  saturated: z.boolean(),
  /** A signal or the end of all connections ended it. */
  cut_short: z.boolean(),
  /** What the server itself saw, warm-up included; null where it could not be read. */
  server: z.object({
    /** Differences of pg_stat_statements, of one call. */
    queries: z
      .array(
        z.object({
          query: z.string(),
          calls: z.number(),
          mean_ms: z.number(),
          rows: z.number(),
          blocks_read: z.number(),
        }),
      )
      .nullable(),
    /** Of the moments in which a session was seen at work: what it waited for; null for none, it ran or wanted to. */
    waits: z.array(z.object({ wait: z.string().nullable(), share: z.number() })).nullable(),
  }),
  /** What the profile expects and this step did not fulfil, in words. */
  unmet: z.array(z.string()),
})

const knee = z.object({
  /** The time that 95 of 100 answers must keep. */
  limit_ms: z.number(),
  /** The highest rate that kept it; null where none did. */
  rate: z.number().nullable(),
  /** 20 % above, where a run saturated or two ran late; null where nothing was refuted. */
  refuted: z.number().nullable(),
  /** A second run kept the rate; false where the search ended before, and the rate may be any between the two. */
  confirmed: z.boolean(),
})

/** What was measured with the indexes as they were at that time. */
export const loadSide = z.object({ steps: z.array(step), knee: knee.nullable() })

export const loadResult = z.object({
  perfdb: z.string(),
  ok: z.boolean(),
  /** 0: every step was measured; 1: a step ended early, had errors, no answer in time, or an expectation that it did not fulfil; 129, 130, 143 after a signal. */
  exit_code: z.int(),
  command: z.literal('load'),
  server: z.object({ host: z.string(), database: z.string(), version: z.string() }),
  /** What was sent, and what part of all it was to be. */
  mix: z.array(z.object({ query: z.string(), share: z.number() })),
  /** Those of its queries that changed data: each request was committed. */
  committed: z.array(z.string()),
  connections: z.int(),
  /** Of a pools file, whose pools these are; null where a number of connections was given. */
  service: z.string().nullable(),
  /** That the connections are in: a request waits for one of its own pool. */
  pools: z.int(),
  /** That sent; each had its part of the connections. */
  threads: z.int(),
  duration_ms: z.number(),
  /** An answer that comes later is a failure. */
  timeout_ms: z.number(),
  /** What a user thinks; null where arrivals were asked for. */
  think_ms: z.number().nullable(),
  /** Of the whole: a rate that no step reached. */
  unmet: z.array(z.string()),
  load: z.object({ after: loadSide }),
})

export type LoadResult = z.infer<typeof loadResult>
export type LoadStep = z.infer<typeof step>
export type LoadKnee = z.infer<typeof knee>
export type LoadSide = z.infer<typeof loadSide>

/** A step that ran to its end and yet measures nothing that counts: requests failed, or none was answered in time. */
export function stepFailed({ cut_short: cutShort, errors, success }: LoadStep): boolean {
  return !cutShort && (Object.keys(errors).length > 0 || success === 0)
}

/** What a step was given, in words: `100/s` or `10 users`. */
export function offerOf({ offered, users }: Pick<LoadStep, 'offered' | 'users'>): string {
  return users === null ? `${offered ?? 0}/s` : `${users} ${users === 1 ? 'user' : 'users'}`
}
