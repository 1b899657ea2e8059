import { expect, test } from 'vitest'
import { jsonSchemas } from '../../src/commands/start/json-schemas.js'
import { keyDescriptions } from '../../src/pools/file/key-descriptions.js'

/** Every key of a schema by its path, with the words that an editor shows beside it. */
function keysOf(schema: unknown, path = ''): readonly (readonly [string, unknown])[] {
  if (Array.isArray(schema)) return schema.flatMap((one) => keysOf(one, path))
  if (typeof schema !== 'object' || schema === null) return []
  const member = (name: string): unknown => Reflect.get(schema, name)
  const below = (name: string) => (path === '' ? name : `${path}.${name}`)
  return [
    ...Object.entries(member('properties') ?? {}).flatMap(([name, one]) => [
      [below(name), Reflect.get(Object(one), 'description')] as const,
      ...keysOf(one, below(name)),
    ]),
    ...keysOf(member('additionalProperties'), below('*')),
    ...keysOf(member('items'), `${path}[]`),
    ...keysOf(member('anyOf'), path),
  ]
}

test.each(['profile', 'pools', 'config'])('%s: every key has a description', (name) => {
  const keys = keysOf(JSON.parse(jsonSchemas().get(`${name}.schema.json`) ?? ''))
  expect(keys.length).toBeGreaterThan(30)
  expect(keys.filter(([, description]) => typeof description !== 'string' || description === '')).toEqual([])
})

test('no description is of a key that pools files do not have', () => {
  const known = new Set(keysOf(JSON.parse(jsonSchemas().get('pools.schema.json') ?? '')).map(([key]) => key))
  expect(Object.keys(keyDescriptions).filter((key) => !known.has(key))).toEqual([])
})
