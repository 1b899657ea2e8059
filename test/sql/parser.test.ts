import { describe, expect, test } from 'vitest'
import { parseStatements, singleStatement } from '../../src/sql/parser/parser.js'
import { scanTokens } from '../../src/sql/parser/parser-tokens.js'

describe('statements of a text', () => {
  test('text, offset, line and column in UTF-16 units, comments around kept out', async () => {
    const source = '-- Größe 😀\nselect \'ü\', /* kept */ 1 -- end\n;\n;\n  insert into "😀" values ($2);\n-- done\n'
    const statements = await parseStatements(source)
    expect(statements.map(({ text, line, column, kind }) => ({ text, line, column, kind }))).toEqual([
      { text: "select 'ü', /* kept */ 1", line: 2, column: 1, kind: 'read' },
      { text: 'insert into "😀" values ($2)', line: 5, column: 3, kind: 'write' },
    ])
    for (const { text, offset } of statements) expect(source.slice(offset, offset + text.length)).toBe(text)
  })

  test.each(['', '  \n', '-- only\n', ';;', '/* a */'])('none in %j', async (text) => {
    expect(await parseStatements(text)).toEqual([])
    await expect(singleStatement(text)).rejects.toMatchObject({ code: 'BAD_SQL' })
  })

  test('exactly one', async () => {
    expect(await singleStatement(' select 1; ')).toMatchObject({ text: 'select 1', offset: 1 })
    await expect(singleStatement('select 1;\n delete from t', 'q.sql')).rejects.toMatchObject({
      code: 'BAD_SQL',
      message: 'expected one statement, found 2',
      place: { file: 'q.sql', line: 2, column: 2 },
    })
  })

  test.each([
    ['select 1', 0],
    ['select $2, $1, $2', 2],
    ['update t set a = $1 where b in (select c from u where d = any($12))', 12],
    ["select '$3', $$ $4 $$", 0],
  ])('parameters of %j', async (text, count) => {
    expect((await singleStatement(text)).parameterCount).toBe(count)
  })
})

describe('kind and description', () => {
  test.each([
    ['select 1', 'read', 'SELECT'],
    ['table t', 'read', 'SELECT'],
    ['values (1), (2)', 'read', 'VALUES'],
    ['with a as (select 1) select * from a union all select 2', 'read', 'SELECT'],
    ['(select 1)', 'read', 'SELECT'],
    ['select * into x from t', 'write', 'SELECT INTO'],
    ['select 1 as a into x union select 2 union select 3', 'write', 'SELECT INTO'],
    ['select * from t for update', 'write', 'SELECT FOR UPDATE'],
    ['select * from t for no key update', 'write', 'SELECT FOR NO KEY UPDATE'],
    ['select * from (select * from t for share) s', 'write', 'SELECT FOR SHARE'],
    ['with a as (select * from t for key share) select * from a', 'write', 'SELECT FOR KEY SHARE'],
    ['(select a from t) union all (select a from t limit 1 for update)', 'write', 'SELECT FOR UPDATE'],
    ['with a as (insert into t values (1) returning *) select * from a', 'write', 'WITH INSERT'],
    ['with a as (delete from t returning *) select * from a', 'write', 'WITH DELETE'],
    ['insert into t values (1)', 'write', 'INSERT'],
    ['update t set a = 1', 'write', 'UPDATE'],
    ['delete from t', 'write', 'DELETE'],
    ['merge into t using s on true when matched then delete', 'write', 'MERGE'],
    ['create temp table x as select 1', 'write', 'CREATE TABLE AS'],
    ['create materialized view x as select 1', 'write', 'CREATE MATERIALIZED VIEW'],
    ['create unique index concurrently on t (a)', 'index', 'CREATE INDEX'],
    ['analyze t', 'analyze', 'ANALYZE'],
    ['vacuum analyze t', 'other', 'VACUUM'],
    ['copy t to stdout', 'other', 'COPY'],
    ['explain analyze delete from t', 'other', 'EXPLAIN'],
    ['drop table t', 'other', 'DROP TABLE'],
    ['create or replace function f() returns int language sql as $$ select 1 $$', 'other', 'CREATE FUNCTION'],
    ['refresh materialized view x', 'other', 'REFRESH MATERIALIZED VIEW'],
    ['set search_path = x', 'other', 'SET'],
    ['begin', 'other', 'BEGIN'],
    ['do $$ begin end $$', 'other', 'DO'],
  ])('%s', async (text, kind, description) => {
    expect(await singleStatement(text)).toMatchObject({ kind, description })
  })
})

describe('what does not parse', () => {
  test('the message of the parser, at the character', async () => {
    await expect(parseStatements("select 'ü😀'\n  from where", 'a.sql')).rejects.toMatchObject({
      code: 'BAD_SQL',
      message: 'syntax error at or near "where"',
      detail: 'line 2, column 8',
      place: { file: 'a.sql', line: 2, column: 8 },
    })
    await expect(parseStatements('select (1')).rejects.toMatchObject({
      message: 'syntax error at end of input',
      detail: 'line 1, column 10',
    })
  })

  test('nothing hides behind a NUL character', async () => {
    await expect(parseStatements('select 1\0; drop table t')).rejects.toMatchObject({
      code: 'BAD_SQL',
      detail: 'line 1, column 9',
    })
  })

  test('too deep is an error, and the parser goes on working', async () => {
    await expect(parseStatements(`select ${'1+'.repeat(50_000)}1`)).rejects.toMatchObject({ code: 'BAD_SQL' })
    await expect(parseStatements(`select ${'('.repeat(50_000)}1`)).rejects.toMatchObject({ code: 'BAD_SQL' })
    expect(await parseStatements(`select ${'1+'.repeat(1000)}$7`)).toMatchObject([{ parameterCount: 7 }])
  })
})

test('tokens keep their place where the text holds control characters', async () => {
  const text = 'select \'a\u0001\u000bü\', "b\n" -- \u001f'
  expect((await scanTokens(text)).map((token) => token.text)).toEqual([
    'select',
    "'a\u0001\u000bü'",
    ',',
    '"b\n"',
    '-- \u001f',
  ])
})
