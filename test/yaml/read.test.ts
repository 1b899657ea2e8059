import { describe, expect, test } from 'vitest'
import { readYaml } from '../../src/yaml/read.js'
import { z } from '../../src/yaml/schema.js'

const index = z.strictObject({
  name: z.string(),
  unique: z.boolean().optional(),
  fillfactor: z.int().min(10).max(100).optional(),
  order: z.enum(['asc', 'desc']).optional(),
  keys: z
    .array(z.union([z.string(), z.strictObject({ column: z.string(), opclass: z.string().optional() })]))
    .min(1)
    .optional(),
})
const schema = z.strictObject({ version: z.literal(1), url: z.string().optional(), indexes: z.array(index).optional() })

function read(text: string, environment: Record<string, string | undefined> = {}) {
  return readYaml(text, 'p.yaml', schema, environment)
}

/** `line:column CODE message`, the form in which they are printed. */
function problemsIn(text: string, environment: Record<string, string | undefined> = {}) {
  return read(text, environment).problems.map(
    ({ place, code, message }) => `${place?.line}:${place?.column} ${code} ${message}`,
  )
}

describe('values', () => {
  test('a byte-order mark and CRLF change nothing', () => {
    const result = read('\uFEFFversion: 1\r\nindexes:\r\n  - name: a\r\n')
    expect(result.value).toEqual({ version: 1, indexes: [{ name: 'a' }] })
    expect(result.placeOf(['indexes', 0, 'name'])).toEqual({ file: 'p.yaml', line: 3, column: 11 })
    expect(problemsIn('\uFEFFverion: 1\r\n')).toEqual(['1:1 UNKNOWN_KEY unknown key "verion": did you mean "version"?'])
  })

  test('what is often written wrong is said in words', () => {
    const [quoted] = read('version: "1"\n').problems
    expect(quoted).toMatchObject({ message: 'version: expected 1, found "1"', hint: 'write it without quotes' })
    expect(problemsIn('version: 1\n  indexes: []\n')).toEqual([
      '1:10 BAD_YAML a second key on one line: put a value that holds ": " in quotes, or fix the indentation of the next line',
    ])
    const [deep] = read(`version: 1\nindexes: ${'['.repeat(20_000)}${']'.repeat(20_000)}\n`).problems
    expect(deep).toMatchObject({ code: 'BAD_YAML', message: 'nested too deeply' })
  })

  test('of several forms of a map the one is meant that knows most of its keys', () => {
    const form = z.union([
      z.strictObject({ id: z.string(), url: z.string().optional() }),
      z.strictObject({ registry: z.strictObject({ url: z.string(), sql: z.string() }) }),
    ])
    const messages = (text: string) => readYaml(text, 'f', form, {}).problems.map(({ message }) => message)
    expect(messages('registry: { url: a, query: b }')).toEqual(['unknown key "query": did you mean "sql"?'])
    expect(messages('{ id: a, registry: { url: a, sql: b } }')).toEqual([
      'the key "registry" does not go with the other keys here',
    ])
  })

  test('aliases and merge keys', () => {
    const text = 'version: 1\nindexes:\n  - &a { name: x, unique: true }\n  - { <<: *a, name: y }\n  - *a\n'
    const result = read(text)
    expect(result.value?.indexes?.map(({ name, unique }) => [name, unique])).toEqual([
      ['x', true],
      ['y', true],
      ['x', true],
    ])
    expect(result.placeOf(['indexes', 1, 'unique'])).toMatchObject({ line: 3, column: 27 })
  })

  test('places: of values, of keys, and of the parent of what is missing', () => {
    const { placeOf } = read('version: 1\nindexes:\n  - name: a\n    unique: true\n')
    expect(placeOf(['indexes', 0, 'unique'])).toMatchObject({ line: 4, column: 13 })
    expect(placeOf(['indexes', 0, 'unique'], 'key')).toMatchObject({ line: 4, column: 5 })
    expect(placeOf(['indexes', 0, 'order'])).toMatchObject({ line: 3, column: 5 })
  })

  test('numbers that JavaScript would round stay text', () => {
    const numbers = z.array(z.union([z.number(), z.string()]))
    const { value } = readYaml('[9007199254740993, 12, 1.5, 0.12345678901234567, 1e400]', 'n', numbers, {})
    expect(value).toEqual(['9007199254740993', 12, 1.5, '0.12345678901234567', '1e400'])
    expect(readYaml('0.12345678901234567', 'n', z.number(), {}).value).toBeCloseTo(0.123456789, 9)
    expect(readYaml('[0x10, 1e3, 1.50, 0.010000000004196902]', 'n', numbers, {}).value).toEqual([
      16, 1000, 1.5, 0.010000000004196902,
    ])
  })
})

describe('YAML problems', () => {
  test.each([
    ['', '1:1 BAD_YAML the file is empty'],
    ['# nothing yet\n', '1:1 BAD_YAML the file is empty'],
    ['version: 1\nversion: 1\n', '2:1 BAD_YAML the key version is given twice'],
    [
      'version: 1\n---\nversion: 1\n',
      '2:1 BAD_YAML the file holds several documents (---): give each a file of its own',
    ],
    ['version: 1\nurl: "x\n', '3:1 BAD_YAML Missing closing "quote'],
    ['version: 1\nurl: *x\n', '2:6 BAD_YAML no anchor &x'],
    ['version: 1\nurl: !secret x\n', '2:6 BAD_YAML tags are not known here: !secret'],
    ['version: 1\n__proto__: {}\n', '2:1 BAD_VALUE not a usable key'],
    ['version: 1\n? [a]\n: 1\n', '2:3 BAD_YAML a key must be text'],
    [
      'version: 1\nurl: "a\\0b"\n',
      '2:6 BAD_VALUE PostgreSQL text holds neither NUL characters nor halves of surrogate pairs',
    ],
  ])('%j', (text, problem) => {
    expect(problemsIn(text)).toEqual([problem])
  })

  test('a merge bomb is refused', () => {
    const levels = Array.from({ length: 9 }, (_, n) => `l${n + 1}: &l${n + 1} [${`*l${n},`.repeat(9)}]`)
    const result = readYaml(`l0: &l0 [a]\n${levels.join('\n')}\n`, 'b', z.unknown(), {})
    expect(result.problems).toMatchObject([{ code: 'BAD_YAML', message: expect.stringContaining('alias') }])
  })
})

describe('values that the schema refuses', () => {
  test('all at once, each at its key or value', () => {
    const text = [
      'version: 2',
      'indexs: []',
      'indexes:',
      '  - name: 12',
      '    unique: yes',
      '    order: dsc',
      '    fillfactor: 5',
      '    keys: []',
      '  - unique: true',
      '    keys: [a, { colum: b }, { opclass: x }, 3]',
      '  - name:',
    ].join('\n')
    expect(problemsIn(text)).toEqual([
      '1:10 BAD_VALUE version: expected 1, found 2',
      '2:1 UNKNOWN_KEY unknown key "indexs": did you mean "indexes"?',
      '4:11 BAD_VALUE indexes[0].name: expected text, found 12',
      '5:13 BAD_VALUE indexes[0].unique: expected true or false, found "yes"',
      '6:12 BAD_VALUE indexes[0].order: expected asc or desc, found "dsc": did you mean "desc"?',
      '7:17 BAD_VALUE indexes[0].fillfactor: must be at least 10, found 5',
      '8:11 BAD_VALUE indexes[0].keys: must not be empty',
      '9:5 BAD_VALUE indexes[1]: the key "name" is missing',
      '10:17 UNKNOWN_KEY unknown key "colum": did you mean "column"?',
      '10:29 BAD_VALUE indexes[1].keys[2]: the key "column" is missing',
      '10:45 BAD_VALUE indexes[1].keys[3]: expected text or a map of keys, found 3',
      '11:10 BAD_VALUE indexes[2].name: expected text, found nothing',
    ])
  })

  test('an unknown key with nothing near lists the known ones', () => {
    expect(read('version: 1\nwarehouse: x\n').problems).toMatchObject([
      { message: 'unknown key "warehouse"', hint: 'known keys here: version, url, indexes' },
    ])
  })

  test('a document that is no map', () => {
    expect(problemsIn('- a\n')).toEqual(['1:1 BAD_VALUE expected a map of keys, found a list'])
  })
})

describe('environment', () => {
  test('is put in after parsing, as text', () => {
    const text = 'version: 1\nurl: "a ${X} b ${Y} $${X} $X"\n'
    expect(read(text, { X: 'x: {', Y: '' }).value?.url).toBe('a x: {  b  ${X} $X'.replace('  b', ' b'))
  })

  test('a missing variable at its very place; what else is wrong with the value is no news', () => {
    const text = 'version: 1\nurl: "a ${X} ${Y}"\nindexes:\n  - { name: n, order: "${Z}" }\n'
    expect(problemsIn(text, { X: 'x' })).toEqual([
      '2:14 MISSING_ENVIRONMENT the environment variable Y is not set',
      '4:24 MISSING_ENVIRONMENT the environment variable Z is not set',
    ])
  })

  test('stands for a number or boolean only alone and where one is wanted', () => {
    const text = 'version: 1\nurl: ${F}\nindexes:\n  - name: n\n    unique: ${B}\n    fillfactor: "${F}"\n'
    const environment = { B: 'true', F: '90' }
    expect(read(text, environment).value).toEqual({
      version: 1,
      url: '90',
      indexes: [{ name: 'n', unique: true, fillfactor: 90 }],
    })
    expect(problemsIn(text.replace('"${F}"', '"90"'), environment)).toEqual([
      '6:17 BAD_VALUE indexes[0].fillfactor: expected a number, found "90"',
    ])
    expect(problemsIn(text.replace('"${F}"', '1${F}'), environment)).toHaveLength(1)
  })

  test('unquoted in a flow collection it is no YAML: the message says what to do', () => {
    expect(problemsIn('version: 1\nindexes: [{ name: ${X}, unique: ${Y} }]\n')).toEqual([
      '2:19 BAD_YAML inside [ ] and { } a ${NAME} must be in quotes',
    ])
  })

  test('no message shows what came from it, nor a URL, nor what a key calls secret', () => {
    const text = [
      'version: ${S}',
      'indexes:',
      '  - { name: n, unique: "${S}", order: "x${S}", fillfactor: "${S}" }',
      '  - { name: n, unique: "postgres://u:hunter2@h/d" }',
      '  - { name: n, password: hunter2 }',
      '  - "${S}"',
    ].join('\n')
    const { problems } = read(text, { S: 'hunter2' })
    expect(problems).toHaveLength(7)
    expect(JSON.stringify(problems)).not.toContain('hunter2')
    expect(JSON.stringify(problems)).toContain('${S}')
  })

  test('shell forms are refused, with the way out', () => {
    expect(problemsIn('version: 1\nurl: "${X:-y}"\n', { X: 'x' })).toEqual([
      '2:7 BAD_VALUE only ${X} is known, without a default or other shell syntax',
    ])
    expect(read('version: 1\nurl: "$${X:-y} ${} $$body$$"\n').value?.url).toBe('${X:-y} ${} $$body$$')
  })
})
