import { z } from '../../yaml/schema.js'

/* What the documents say of one step, and of one finding. */
export const place = z.object({ file: z.string(), line: z.int(), column: z.int() })
/**
 * told: needs no permission; apply does what it can, and says at the step what it could not. refused: no permission makes the step
 * possible.
 */
const hazard = z.object({
  code: z.string(),
  message: z.string(),
  told: z.literal(true).optional(),
  refused: z.literal(true).optional(),
  hint: z.string().optional(),
})
export const severity = z.enum(['error', 'warning', 'info'])
export const finding = z.object({
  code: z.string(),
  severity,
  index: z.string().optional(),
  table: z.string().optional(),
  query: z.string().optional(),
  message: z.string(),
  hint: z.string().optional(),
  place: place.optional(),
})

export const errorFields = z.object({
  code: z.string(),
  message: z.string(),
  detail: z.string().optional(),
  hint: z.string().optional(),
  sqlstate: z.string().optional(),
  place: place.optional(),
})

export const server = z.object({
  version: z.string(),
  version_num: z.int(),
  database: z.string(),
  user: z.string(),
  host: z.string(),
  port: z.int(),
})

/** kept, built, dropped, renamed, failed, not_reached, refused (a hazard was not allowed), waited (another session built it). */
export const outcomes = [
  'kept',
  'built',
  'rebuilt',
  'reindexed',
  'replaced',
  'renamed',
  'dropped',
  'waited',
  'failed',
  'refused',
  'not_reached',
  'undone',
  'already_gone',
  'name_taken',
] as const

export const step = z.object({
  step: z.enum(['keep', 'create', 'rebuild', 'reindex', 'building', 'replace', 'adopt', 'drop']),
  index: z.string(),
  table: z.string(),
  schema: z.string(),
  reason: z.string(),
  /** What the step builds, in short: `unique btree (a) where b > 1`. */
  definition: z.string().optional(),
  /** What it replaces, in PostgreSQL's words. */
  definition_before: z.string().optional(),
  sql: z.array(z.string()),
  hazards: z.array(hazard),
  /** Of a drop: the builds of this run that must have succeeded before it; where one did not, the index is kept. */
  needs: z.array(z.object({ schema: z.string(), index: z.string() })).optional(),
  /** How many builds on its table it needs besides the first ten, which needs names. */
  needs_more: z.int().optional(),
  table_rows: z.number().optional(),
  table_bytes: z.number().optional(),
  /** From the planner's statistics, before it is built. */
  predicted_bytes: z.number().optional(),
  outcome: z.enum(outcomes).optional(),
  duration_ms: z.number().optional(),
  /** Of the duration, the part spent waiting for other transactions. */
  waited_ms: z.number().optional(),
  /** For whom: sessions and prepared transactions, as they were last seen. */
  waited_for: z.array(z.string()).optional(),
  size_bytes: z.number().optional(),
  /** WAL that the build wrote. */
  wal_bytes: z.number().optional(),
  /** True when WAL of other sessions is in it: before 18 a server counts only all sessions together. */
  wal_shared: z.boolean().optional(),
  /** What the catalog said of the index at the end: valid, invalid, missing. */
  state: z.enum(['valid', 'invalid', 'missing', 'building']).optional(),
  error: errorFields.optional(),
  /** Where it is declared. */
  place: place.optional(),
})
