import { settingKeys } from '../../options/table.js'
import { z } from '../../yaml/schema.js'

const setting = z.object({
  key: z.enum(settingKeys),
  /** As it is written, secrets hidden and `${NAME}` kept; null where nothing is given and there is no default. */
  value: z.union([z.string(), z.number(), z.boolean(), z.array(z.string()), z.null()]),
  source: z.enum(['flag', 'variable', 'environment', 'file', 'default']),
  /** The flag or the variable. */
  name: z.string().optional(),
  /** The section of perfdb.yaml. */
  environment: z.string().optional(),
  place: z.object({ file: z.string(), line: z.int(), column: z.int() }).optional(),
  /** What keeps it from being used, such as a variable that is not set. */
  note: z.string().optional(),
})

export const configResult = z.object({
  perfdb: z.string(),
  ok: z.boolean(),
  exit_code: z.int(),
  command: z.literal('config'),
  /** perfdb.yaml, relative to the working folder. */
  file: z.string().nullable(),
  /** The chosen one. */
  environment: z.string().nullable(),
  environments: z.array(z.string()),
  settings: z.array(setting),
})

export type ConfigResult = z.infer<typeof configResult>
export type ConfigSetting = z.infer<typeof setting>
