import { hazardCodes } from '../codes/hazard-codes.js'
import { z } from '../yaml/schema.js'
import { limitsSchema, tenantsSchema } from './tenants-schema.js'
import { duration, size } from '../yaml/units.js'
import { fileLists, settingKeys, settings } from './table.js'
import type { OptionRow } from './rows/row.js'
import { configFormats } from './rows/formats.js'

const text = z.string().min(1)
const window = z.string().regex(/^\d{1,2}:\d\d-\d{1,2}:\d\d$/, { error: 'expected a window such as 22:00-05:00' })
const report = z.string().regex(new RegExp(`^(${configFormats.join('|')})=.+$`), {
  error: `the form is FORMAT=FILE; formats: ${configFormats.join(', ')}`,
})

/** Texts as on the command line, whose own readers read them; here they only must look right, so that an editor can tell. */
const shape: Readonly<Record<string, z.ZodType>> = Object.fromEntries(
  settingKeys.map((key) => {
    const row = settings.get(key)
    const [type, means] = row === undefined ? [z.array(text), fileLists.get(key)] : [typeOf(row), row.setting]
    return [key, type.optional().describe(means ?? '')]
  }),
)

/** The settings that are in force, whichever part of the file they stand in. */
export const settingsSchema = z.strictObject(shape)

/** Read where a command is run for many databases. */
const lists = {
  tenants: tenantsSchema
    .optional()
    .describe('The databases of --tenants: one by one, from a CSV file, a registry, or the schemas of a database'),
  limits: limitsSchema.optional().describe('Sessions at once with --tenants'),
}

/** For the file as it was written, whatever it holds. */
export const anySchema = z.unknown()

/** perfdb.yaml: settings, and for each environment those that are different there. */
export const configSchema = z
  .strictObject({
    $schema: z.string().optional().describe('The JSON Schema of this file, for editors'),
    version: z.literal(1).describe('The version of this format: 1'),
    ...shape,
    ...lists,
    environments: z
      .record(
        text,
        z.strictObject({ ...shape, ...lists }).meta({ description: 'Settings that beat those of the top level there' }),
      )
      .optional()
      .describe('By name, chosen with --env NAME or PERFDB_ENV; each beats the top level key by key'),
  })
  .meta({ title: 'perfdb.yaml', description: 'What perfdb uses when the command line does not say' })

function typeOf({ read, words = [], truth, least = 1 }: OptionRow): z.ZodType {
  switch (read) {
    case 'text':
    case 'file':
    case 'folder':
      return text
    case 'flag':
      return z.boolean()
    case 'duration':
    case 'seconds':
      return duration
    case 'size':
      return size
    case 'count':
      return z.int().min(least)
    case 'number':
      return z.number().gt(0)
    case 'window':
      return window
    case 'words':
      return truth === true ? z.union([z.boolean(), z.enum(words)]) : z.enum(words)
    case 'hazards':
      return z.array(z.enum(hazardCodes))
    case 'format':
      return z.enum(configFormats)
    case 'reports':
      return z.array(report)
    case 'texts':
      return z.array(text)
    case 'command':
      return z.union([text, z.array(text).min(1)])
  }
}
