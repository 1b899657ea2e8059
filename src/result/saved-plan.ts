import { createHash } from 'node:crypto'
import { z } from '../yaml/schema.js'
import { planResult, type PlanResult } from './result.js'

const savedStep = z.object({
  step: z.enum(['keep', 'create', 'rebuild', 'building', 'replace', 'adopt', 'drop']),
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

export const savedPlan = planResult.extend({ saved: savedPart, digest: z.string() })

/** The file of `plan --out`: the document, what apply goes by, and a digest over both. */
export function savedPlanText(result: PlanResult, saved: SavedPart): string {
  const document = { ...result, saved }
  return `${JSON.stringify({ ...document, digest: digestOf(document) }, null, 2)}\n`
}

/** SHA-256 over the document without its digest; white space does not count. */
export function digestOf(document: object): string {
  const content = Object.entries(document).filter(([key]) => key !== 'digest')
  return createHash('sha256')
    .update(JSON.stringify(Object.fromEntries(content)))
    .digest('hex')
}
