import { expect, test } from 'vitest'
import { faithfulSql } from '../../src/sql/import/import-faithful.js'
import { readableSql } from '../../src/sql/import/import-simplify.js'

/** With every edit but those that are a last resort. */
async function shortest(sql: string): Promise<string> {
  const { edits, print } = await readableSql(sql)
  return print(edits.filter(({ kind }) => kind !== 'between'))
}

test.each([
  [
    "((status)::text = ANY ((ARRAY['open'::character varying, 'held'::character varying])::text[]))",
    "status IN ('open', 'held')",
  ],
  ["status::text = ANY (ARRAY['a'::character varying, 'b'::character varying]::text[])", "status IN ('a', 'b')"],
  [
    "v::text = ANY (ARRAY['a'::character varying::text, 'b'::character varying::text])",
    "v IN ('a'::character varying, 'b'::character varying)",
  ],
  ['s <> ALL (ARRAY[\'a\'::other."St x", \'b\'::other."St x"])', "s NOT IN ('a', 'b')"],
  ["x = ANY (ARRAY['a'::text])", "x = ANY (ARRAY['a'])"],
  ['id = ANY (arr)', 'id = ANY (arr)'],
  [
    "((n > (5)::numeric) AND (m > '-1'::integer) AND (f = (0.5)::double precision))",
    '(n > 5) AND (m > -1) AND f = 0.5',
  ],
  [
    "\nCASE\n    WHEN a > 0 THEN 'x\n  y'::text\n    ELSE NULL::text\nEND",
    "CASE WHEN a > 0 THEN 'x\n  y' ELSE NULL END",
  ],
  ["\"a::b\"::text = 'it''s::text'::text", "\"a::b\" = 'it''s::text'"],
  ['"ä"::text = \'ü😀\'::text AND f("ö"::text)', '"ä" = \'ü😀\' AND f("ö")'],
  ["ts > '2024-01-01 00:00:00'::timestamp(3) without time zone", "ts > '2024-01-01 00:00:00'"],
  [
    "to_tsvector('english'::regconfig, COALESCE(t, ''::character varying)::text || ' '::text)",
    "to_tsvector('english', COALESCE(t, '') || ' ')",
  ],
  ["name ~~ 'a%'::text OR name !~~* 'b'::text", "name LIKE 'a%' OR name NOT ILIKE 'b'"],
  ["a OPERATOR(ext.~~) 'a'::text", "a OPERATOR(ext.~~) 'a'"],
  ["((j ->> 'n'::text)::integer) > 5", "(j ->> 'n') > 5"],
  ['(a || b) || c', 'a || b || c'],
  ['a - (b - c)', 'a - (b - c)'],
  ['(arr)[1]', '(arr)[1]'],
  ['(created_at)::date', 'created_at::date'],
  ['(x).y', '(x).y'],
])('%s is written %s', async (sql, text) => {
  expect(await shortest(sql)).toBe(text)
})

test('BETWEEN is there for where nothing else is right', async () => {
  const { edits, print } = await readableSql('id >= 1 AND id <= 10 AND (a < 2 OR a > 3)')
  expect(print(edits.filter(({ kind }) => kind === 'between'))).toBe('id BETWEEN 1 AND 10 AND (a NOT BETWEEN 2 AND 3)')
})

test('what the parser would read otherwise is kept apart by a cast', async () => {
  expect(await faithfulSql('(((a >= 1) AND (a <= 2)) AND b)')).toBe('(((a >= 1) AND (a <= 2))::boolean AND b)')
  expect(await faithfulSql('(b AND ((a >= 1) AND (a <= 2)))')).toBe('(b AND ((a >= 1) AND (a <= 2)))')
  expect(
    await faithfulSql("((v)::text ~~ ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[]))"),
  ).toBe("((v)::text ~~ ANY ((ARRAY['a'::character varying, 'b'::character varying]::character varying[])::text[]))")
})
