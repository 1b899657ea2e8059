import { expect, test } from 'vitest'
import { parameterText } from '../../src/profile/written/values.js'
import { testDatabase } from '../support/database.js'

test.each([
  ['a', 'a'],
  ['', ''],
  [1.5, '1.5'],
  [false, 'false'],
  [null, null],
  [[], '{}'],
  [['a', 'b c', null, 'null', ''], '{a,"b c",NULL,"null",""}'],
  [
    [
      [1, 2],
      [3, 4],
    ],
    '{{1,2},{3,4}}',
  ],
])('%j', (value, text) => {
  expect(parameterText(value)).toBe(text)
})

test('the server reads array literals back as the list they were', async () => {
  const odd = [
    'a',
    '',
    ' ',
    'NULL',
    'null',
    null,
    '{',
    '}',
    ',',
    '"',
    '\\',
    '\\"',
    "'",
    'a\nb',
    '\t',
    '\u000b',
    '\u00a0',
    'ü😀',
  ]
  await using db = await testDatabase()
  const [row] = await db.sql.unsafe('select to_json($1::text[]) as list, to_json($2::int[]) as grid', [
    parameterText(odd),
    parameterText([
      [1, 2],
      [3, 4],
    ]),
  ])
  expect(row).toEqual({
    list: odd,
    grid: [
      [1, 2],
      [3, 4],
    ],
  })
})
