import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Column } from '../../src/report/block/block.js'
import { fitColumns, tableWidth } from '../../src/report/text/columns.js'
import { cutEnd, cutMiddle, headOf, visible, widthOf } from '../../src/report/text/width.js'
import { wrap, wrapSql } from '../../src/report/text/wrap.js'

test('columns on a terminal', () => {
  expect(['abc', 'ü', '索引', 'กำ', 'e\u0301', '👍'].map(widthOf)).toEqual([3, 1, 4, 2, 1, 2])
})

test('a long name is cut in the middle, never inside a wide character', () => {
  expect(cutMiddle('idx_orders_customer_id', 11, '…')).toBe('idx_o…er_id')
  expect(cutMiddle('索引索引索引', 8, '…')).toBe('索引…引')
  expect(cutMiddle('abc', 3, '...')).toBe('abc')
  expect(cutEnd('waiting for writers', 12, '…')).toBe('waiting for…')
})

test('cut text fits, and a mark never stands without its letter', () => {
  const text = fc.string({ unit: fc.constantFrom('a', '索', 'e\u0301', 'ก', '👍'), maxLength: 40 })
  fc.assert(
    fc.property(text, fc.integer({ min: 1, max: 30 }), (text, room) => {
      for (const cut of [cutMiddle(text, room, '…'), cutEnd(text, room, '…'), headOf(text, room)]) {
        expect(widthOf(cut)).toBeLessThanOrEqual(room)
        expect(cut).not.toMatch(/…\p{M}/u)
      }
    }),
  )
})

test('nothing that moves the cursor or turns the line is left', () => {
  expect(visible('a\u001b[31mb\r\nc\u202e\ud800')).toBe('a\\u{1b}[31mb c\\u{202e}\ufffd')
})

test('wrapped text keeps every word', () => {
  expect(wrap('one two three', 9, '- ', '  ')).toEqual(['- one two', '  three'])
  expect(wrap('a\n::error::b', 30, '  hint: ', '    ')).toEqual(['  hint: a ::error::b'])
  fc.assert(
    fc.property(fc.lorem({ maxCount: 30 }), fc.integer({ min: 8, max: 60 }), (text, room) => {
      const lines = wrap(text, room, '', '')
      for (const line of lines) expect(line.length).toBeLessThanOrEqual(room)
      expect(lines.join('').replaceAll(' ', '')).toBe(text.replaceAll(/\s/g, ''))
    }),
  )
})

test('SQL is broken only where a line break changes nothing', () => {
  const sql = `create index concurrently "an index" on "a schema"."a table" (lower("a column")) where status = 'in progress now'`
  const lines = wrapSql(sql, 40, '  ')
  expect(lines).toMatchInlineSnapshot(`
    [
      "  create index concurrently "an index"",
      "      on "a schema"."a table"",
      "      (lower("a column")) where status =",
      "      'in progress now'",
    ]
  `)
  expect(lines.map((line) => line.trim()).join(' ')).toBe(sql)
  const long = `"${'a'.repeat(63)}"."${'b'.repeat(63)}"`
  expect(wrapSql(`select ${long}`, 80, '  ').map((line) => line.trim())).toEqual([
    `select ${long.slice(0, 66)}`,
    long.slice(66),
  ])
  expect(wrapSql('select $1', 40, '  ')).toEqual(['  select $1'])
})

const columns: readonly Column[] = [
  { head: 'index', kind: 'name', floor: 10 },
  { head: 'rows', kind: 'number', drop: 2 },
  { head: 'why', kind: 'prose', floor: 10, drop: 1 },
]

test('prose gives way first, then names to their floor, then columns are dropped, then names shrink', () => {
  expect(fitColumns(columns, [20, 5, 30], 80)).toEqual([20, 5, 30])
  expect(fitColumns(columns, [20, 5, 30], 45)).toEqual([20, 5, 16])
  expect(fitColumns(columns, [20, 5, 30], 38)).toEqual([20, 5, 0])
  expect(fitColumns(columns, [20, 5, 30], 20)).toEqual([13, 5, 0])
  expect(fitColumns(columns, [20, 5, 30], 14)).toEqual([14, 0, 0])
  expect(fitColumns(columns, [20, 5, 30], 6)).toEqual([6, 0, 0])
  expect(fitColumns(columns, [20, 5, 30], 38, true)).toEqual([19, 5, 10])
})

test('a table always fits', () => {
  const natural = fc.tuple(fc.nat(300), fc.nat(20), fc.nat(300))
  fc.assert(
    fc.property(natural, fc.integer({ min: 10, max: 240 }), fc.boolean(), (natural, room, keepAll) => {
      const widths = fitColumns(columns, natural, room, keepAll)
      expect(tableWidth(widths)).toBeLessThanOrEqual(room)
      for (const [at, width] of widths.entries()) expect(width).toBeLessThanOrEqual(natural[at] ?? 0)
    }),
  )
})

test('a name is broken between its words', () => {
  expect(wrap('idx_orders_customer_id_created_at', 12)).toEqual(['idx_orders_', 'customer_id_', 'created_at'])
  expect(wrap('see profiles/a_long_folder/name.yaml', 20, '  --> ', '    ')).toEqual([
    '  --> see',
    '    profiles/a_long_',
    '    folder/name.yaml',
  ])
  expect(wrap('x'.repeat(9), 8, '  -- ', '  -- ')).toEqual(['  -- xxx', '  -- xxx', '  -- xxx'])
})
