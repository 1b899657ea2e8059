import { keyDescriptions } from '../../pools/file/key-descriptions.js'
import { poolsSchema } from '../../pools/file/schema.js'
import { profileSchema } from '../../profile/written/schema.js'
import { z } from '../../yaml/schema.js'
import { configSchema } from '../../options/config-schema.js'
import { resultSchemas } from '../../result/schemas.js'

/**
 * The JSON Schemas that perfdb publishes, by file name below profiles/: what people write (profile, pools, config) and what
 * `--format json` prints (result). Draft 7, which the YAML language server of editors reads. Objects that perfdb prints
 * stay open, since keys may be added.
 */
export function jsonSchemas(): ReadonlyMap<string, string> {
  return new Map([
    ['profile.schema.json', textOf(profileSchema)],
    ['pools.schema.json', textOf(poolsSchema.meta({ title: 'perfdb pool config' }), keyDescriptions)],
    ['config.schema.json', textOf(configSchema, tenantDescriptions)],
    ['result.schema.json', textOf(z.union(Object.values(resultSchemas)).meta({ title: 'perfdb --format json' }))],
  ])
}

/** A list of tenants is the same wherever it stands. */
const tenantDescriptions = Object.fromEntries(
  Object.entries(keyDescriptions).flatMap(([key, text]) =>
    key.startsWith('tenants')
      ? [
          [key, text],
          [`environments.*.${key}`, text],
        ]
      : [],
  ),
)

function textOf(schema: z.ZodType, descriptions: Descriptions = {}): string {
  const written = z.toJSONSchema(schema, { target: 'draft-7', io: 'input' })
  return `${JSON.stringify(described(written, '', descriptions), null, 2)}\n`
}

type JsonSchema = z.core.JSONSchema.BaseSchema
type Descriptions = Readonly<Record<string, string>>

/** With the descriptions of a table by path, as keyDescriptions has them, wherever the schema itself says nothing. */
function described(schema: JsonSchema, path: string, descriptions: Descriptions): JsonSchema {
  const { properties, additionalProperties, items, anyOf } = schema
  const description = schema.description ?? descriptions[path]
  const below = (name: string) => (path === '' ? name : `${path}.${name}`)
  return {
    ...schema,
    ...(description === undefined || description === '' ? {} : { description }),
    ...(properties === undefined
      ? {}
      : {
          properties: Object.fromEntries(
            Object.entries(properties).map(([name, one]) => [name, member(one, below(name), descriptions)]),
          ),
        }),
    ...(typeof additionalProperties === 'object'
      ? { additionalProperties: described(additionalProperties, below('*'), descriptions) }
      : {}),
    ...(items === undefined || Array.isArray(items) ? {} : { items: member(items, `${path}[]`, descriptions) }),
    // The description of the whole is enough.
    ...(anyOf === undefined ? {} : { anyOf: anyOf.map((one) => described(one, path, without(path, descriptions))) }),
  }
}

function member(schema: JsonSchema | boolean, path: string, descriptions: Descriptions): JsonSchema | boolean {
  return typeof schema === 'boolean' ? schema : described(schema, path, descriptions)
}

function without(path: string, descriptions: Descriptions): Descriptions {
  return { ...descriptions, [path]: '' }
}
