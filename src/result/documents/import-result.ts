import type { FindingCode } from '../../codes/codes.js'
import { z } from '../../yaml/schema.js'
import { server } from '../parts/step-result.js'

/** What import tells beside the profile: what was left out and why, with the names as `schema.index`. */
const note = z.object({
  code: z.enum([
    'CONSTRAINT',
    'ATTACHED',
    'EXTENSION',
    'INVALID',
    'NOT_DECLARABLE',
    'OTHER_STATEMENT',
    'UNNAMED',
    'NOTHING_FOUND',
    /** Storage parameters of attached indexes that a profile cannot declare. */
    'OTHER_STORAGE',
    /** A name of over 63 bytes in a script. */
    'NAME_CUT',
    /** perfdb built it for a profile already. */
    'OWNED',
  ] satisfies readonly FindingCode[]),
  message: z.string(),
  indexes: z.array(z.string()),
})

export const importResult = z.object({
  perfdb: z.string(),
  ok: z.boolean(),
  exit_code: z.int(),
  command: z.literal('import'),
  server: server.optional(),
  started_at: z.string().optional(),
  duration_ms: z.number().optional(),
  /** The SQL file that was read, or null for a database. */
  source: z.string().nullable(),
  /** Where the profile was written, or null. */
  file: z.string().nullable(),
  /** The profile as YAML. */
  profile: z.string(),
  notes: z.array(note),
  counts: z.object({
    tables: z.int(),
    /** Of all indexes that the filters pick. */
    indexes: z.int(),
    imported: z.int(),
    constraint: z.int(),
    attached: z.int(),
    extension: z.int(),
    invalid: z.int(),
    not_declarable: z.int(),
  }),
})

export type ImportResult = z.infer<typeof importResult>
export type ImportNote = z.infer<typeof note>
