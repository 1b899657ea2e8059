import { z } from '../../yaml/schema.js'

const savedStep = z.object({
  step: z.enum(['keep', 'create', 'rebuild', 'reindex', 'building', 'replace', 'adopt', 'drop']),
  schema: z.string(),
  index: z.string(),
  fingerprint: z.string(),
  target: z.string().nullable(),
  before: z.string().nullable(),
})

/** The part of a saved plan that apply goes by. */
export const savedPart = z.object({
  /** The server and the database in it: https://www.postgresql.org/docs/current/functions-info.html (pg_control_system). */
  database: z.object({ name: z.string(), oid: z.int(), system_identifier: z.string().nullable() }),
  extensions: z.array(z.string()),
  steps: z.array(savedStep),
})
export type SavedPart = z.infer<typeof savedPart>
