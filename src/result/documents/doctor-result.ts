import { z } from '../../yaml/schema.js'

export const doctorResult = z.object({
  perfdb: z.string(),
  ok: z.boolean(),
  /** 0: all is well; 1: a check failed; 2: the server could not be asked. */
  exit_code: z.int(),
  command: z.literal('doctor'),
  checks: z.array(
    z.object({
      code: z.string(),
      ok: z.boolean(),
      message: z.string(),
      /** The grant or command to paste. */
      hint: z.string().optional(),
    }),
  ),
})

export type DoctorResult = z.infer<typeof doctorResult>
export type DoctorCheck = DoctorResult['checks'][number]
