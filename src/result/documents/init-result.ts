import { z } from '../../yaml/schema.js'

export const initResult = z.object({
  perfdb: z.string(),
  ok: z.boolean(),
  exit_code: z.int(),
  command: z.literal('init'),
  /** Written, relative to the working folder. */
  files: z.array(z.string()),
  /** `init pools`: what was left out of the pools file, and why. */
  not_understood: z.array(z.string()).optional(),
})

export type InitResult = z.infer<typeof initResult>
