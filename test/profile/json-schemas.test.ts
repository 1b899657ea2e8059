import { readdir, readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { jsonSchemas } from '../../src/commands/start/json-schemas.js'
import { z } from '../../src/yaml/schema.js'

const folder = new URL('../../profiles/', import.meta.url)
const schemas = jsonSchemas()

/** The published schema itself, read back: what an editor or a pipeline checks with. */
function published(name: string) {
  return z.fromJSONSchema(JSON.parse(schemas.get(name) ?? '{}'))
}

test.each([...schemas])('profiles/%s is what the code says: npm run build writes it', async (name, text) => {
  expect(await readFile(new URL(name, folder), 'utf8')).toBe(text)
})

describe('the published schemas', () => {
  test('accept every ready profile and pool config', async () => {
    const files = (await readdir(folder)).filter((file) => file.endsWith('.yaml'))
    expect(files.length).toBeGreaterThan(3)
    for (const file of files) {
      const value: unknown = parse(await readFile(new URL(file, folder), 'utf8'))
      const schema = published(file.endsWith('.pools.yaml') ? 'pools.schema.json' : 'profile.schema.json')
      expect(schema.safeParse(value).error?.issues ?? []).toEqual([])
    }
  })

  test('refuse what the reader refuses', () => {
    const profile = published('profile.schema.json')
    const index = { name: 'i', table: 't', keys: ['a'] }
    expect(profile.safeParse({ version: 1, indexes: [index] }).success).toBe(true)
    expect(profile.safeParse({ indexes: [index] }).success).toBe(false)
    expect(profile.safeParse({ version: 1, indexes: [{ ...index, colums: [] }] }).success).toBe(false)
    expect(profile.safeParse({ version: 1, indexes: [{ ...index, keys: [] }] }).success).toBe(false)
    expect(
      profile.safeParse({ version: 1, queries: [{ name: 'q', sql: 'x', expect: { forbid: ['NOPE'] } }] }).success,
    ).toBe(false)
  })

  test('the result of a command may have keys that are added later', () => {
    const result = published('result.schema.json')
    const error = { perfdb: '1', ok: false, exit_code: 2, command: 'plan', error: { code: 'BAD_URL', message: 'm' } }
    expect(result.safeParse(error).success).toBe(true)
    expect(result.safeParse({ ...error, later: 1 }).success).toBe(true)
    expect(result.safeParse({ ...error, ok: 'no' }).success).toBe(false)
  })
})
