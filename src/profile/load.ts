import type { Place } from '../errors.js'

/** Bounds of every load: it always ends, and one process of Node can do it. */
export const mostLoad = { rate: 100_000, durationMs: 600_000, connections: 500, users: 10_000 }

export type Percentile = 'p50' | 'p95' | 'p99' | 'max'

export interface LoadExpectation {
  /** Times in ms at most. */
  readonly times: readonly { readonly of: Percentile; readonly ms: number }[]
  /** Of 100 requests so many at least are answered in time. */
  readonly successPercent?: number
  /** Answers a second at least. */
  readonly rate?: number
}

/** The key `load` of a profile; what is left out has its default elsewhere. */
export interface DeclaredLoad {
  readonly mix?: readonly { readonly query: string; readonly weight: number }[]
  readonly params: readonly { readonly query: string; readonly sql: string }[]
  readonly connections?: number
  /** Of a pools file instead of `connections`. */
  readonly service?: string
  /** Relative to the folder of the profile; those of perfdb.yaml where it is left out. */
  readonly pools?: string
  readonly timeoutMs?: number
  readonly durationMs?: number
  /** Arrivals a second. */
  readonly rates?: readonly number[]
  readonly users?: readonly number[]
  readonly thinkMs?: number
  readonly expect: LoadExpectation
  readonly place: Place
}
