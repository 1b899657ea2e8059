import type { Path } from './places.js'
import { z } from './schema.js'

/** The keys that a schema knows at a path, over all members of unions, in the order they were declared. */
export function knownKeys(schema: z.core.$ZodType, path: Path): readonly string[] {
  let schemas = membersOf(schema)
  for (const step of path) schemas = schemas.flatMap((member) => childrenOf(member, step))
  return [...new Set(schemas.flatMap((member) => (member instanceof z.ZodObject ? Object.keys(member.shape) : [])))]
}

function childrenOf(schema: z.core.$ZodType, step: string | number): readonly z.core.$ZodType[] {
  if (schema instanceof z.ZodArray) return membersOf(schema.element)
  if (schema instanceof z.ZodRecord) return membersOf(schema.valueType)
  if (!(schema instanceof z.ZodObject)) return []
  const child = schema.shape[String(step)]
  return child === undefined ? [] : membersOf(child)
}

function membersOf(schema: z.core.$ZodType): readonly z.core.$ZodType[] {
  if (schema instanceof z.ZodUnion) return schema.options.flatMap(membersOf)
  if (schema instanceof z.ZodLazy) return membersOf(schema.unwrap())
  if (schema instanceof z.ZodPipe) return membersOf(schema.in)
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable) return membersOf(schema.unwrap())
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodReadonly) return membersOf(schema.unwrap())
  return [schema]
}
