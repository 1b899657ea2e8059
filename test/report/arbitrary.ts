import * as fc from 'fast-check'
import type { Result } from '../../src/result/results.js'
import { resultSchemas } from '../../src/result/schemas.js'
import { z } from '../../src/yaml/schema.js'

/*
 * Documents of every command with any text, any numbers and any of the optional members, made from their schemas: what is added to a document
 * is fed to every law.
 */

// Names with everything that was ever trouble in a terminal or in markdown, and any other text.
const text = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      'idx_jobs_status',
      'x'.repeat(63),
      'ü'.repeat(31),
      '索引'.repeat(10),
      'กำ'.repeat(10),
      'a|b`c',
      'a|b',
      'a\\|b',
      '\u001b[2J',
      'a\nb\tc',
      '👩‍💻👍🏽',
      '\u202e',
      '',
      'a'.repeat(300),
      'word '.repeat(60),
      '\ud800',
      '"',
      '\u{f0000}\u{f0001}',
    ),
  },
  { weight: 3, arbitrary: fc.string({ unit: 'binary', maxLength: 100 }) },
)
const number = fc
  .oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.double({ min: 0, max: 1e7, noNaN: true }),
    fc.constantFrom(0, -1, 999.5, 1023.6, 59_950),
  )
  // JSON knows no negative zero.
  .map((value) => value + 0)
const int = fc.oneof(fc.maxSafeInteger(), fc.nat({ max: 500 }))

const leaves: ReadonlyMap<unknown, fc.Arbitrary<unknown>> = new Map<unknown, fc.Arbitrary<unknown>>([
  ['integer', int],
  ['number', number],
  ['boolean', fc.boolean()],
  ['null', fc.constant(null)],
])

type JsonSchema = z.core.JSONSchema.BaseSchema

function documentsOf<Document extends Result>(schema: z.ZodType<Document>): fc.Arbitrary<Document> {
  return valuesOf(z.toJSONSchema(schema)).map((value) => schema.parse(value))
}

function valuesOf(schema: JsonSchema | boolean | undefined): fc.Arbitrary<unknown> {
  if (typeof schema !== 'object') return text
  if (schema.const !== undefined) return fc.constant(schema.const)
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum)
  const either = schema.anyOf ?? schema.oneOf
  if (either !== undefined) return fc.oneof(...either.map(valuesOf))
  const { type } = schema
  if (Array.isArray(type)) return fc.oneof(...type.map((one) => valuesOf({ ...schema, type: one })))
  if (type === 'object') return objectsOf(schema)
  if (type === 'array')
    return fc.array(valuesOf(Array.isArray(schema.items) ? schema.items[0] : schema.items), { maxLength: 4 })
  return leaves.get(type) ?? text
}

function objectsOf({ properties, required, additionalProperties }: JsonSchema): fc.Arbitrary<unknown> {
  if (properties === undefined) return fc.dictionary(text, valuesOf(additionalProperties), { maxKeys: 3 })
  // Lines to paste are not broken, however narrow the terminal.
  const members = Object.entries(properties).map(
    ([name, schema]) => [name, name === 'yaml' ? fc.constantFrom('', 'a:\n  \u202e: 1 ') : valuesOf(schema)] as const,
  )
  return fc.record(Object.fromEntries(members), { requiredKeys: required ?? [] })
}

const { import: importResult, ...others } = resultSchemas

/** All but that of import, whose text is the profile that it holds. */
export function anyResult(): fc.Arbitrary<Result> {
  return fc.oneof(...Object.values(others).map((schema) => documentsOf<Result>(schema)))
}

/** With that of import: any width, any character. */
export function anyDocument(): fc.Arbitrary<Result> {
  const imported = documentsOf(importResult).map((one) => ({ ...one, profile: `${one.profile}\n` }))
  return fc.oneof({ weight: 9, arbitrary: anyResult() }, { weight: 1, arbitrary: imported })
}
