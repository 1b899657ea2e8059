import { createHash } from 'node:crypto'
import { z } from '../../yaml/schema.js'
import { planResult, type PlanResult } from './result.js'
import { savedPart, type SavedPart } from '../parts/saved-part.js'

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
