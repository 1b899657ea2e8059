import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parameterOfText } from '../../src/profile/written/values.js'
import { readQueries } from '../../src/commands/explain/explain-inputs.js'

async function inputs(text: string, path = 'q.sql') {
  const folder = await mkdtemp(join(tmpdir(), 'perfdb-test-'))
  try {
    await writeFile(join(folder, 'q.sql'), text)
    return await readQueries([path], undefined, { cwd: folder, environment: {}, stdin: async () => text })
  } finally {
    await rm(folder, { recursive: true })
  }
}

test('statements with annotations of sqlc, aiosql and perfdb', async () => {
  const { queries, broken } = await inputs(`
-- name: ByStatus :many
select * from jobs where status = $1;
-- name: rows^
-- perfdb: params={"hot": ["active", [1, 2]], "rare": ["on, hold", null]} expect_index=i,j max_ms=1.5 max_buffers=20 forbid=SEQ_SCAN,SPILL
select * from jobs where status = $1 and id = any ($2);
/* perfdb: name="two words" params=["x y"] */ select 'a;b' /* ; */ , $1::text; select 2`)
  expect(broken).toEqual([])
  expect(
    queries.map(({ name, place, parameters, expect }) => ({ name, line: place.line, parameters, expect })),
  ).toEqual([
    { name: 'ByStatus', line: 3, parameters: [], expect: {} },
    {
      name: 'rows',
      line: 6,
      parameters: [
        { name: 'hot', values: ['active', '{1,2}'] },
        { name: 'rare', values: ['on, hold', null] },
      ],
      expect: { uses: ['i', 'j'], timeMs: 1.5, buffers: 20, forbid: ['SEQ_SCAN', 'SPILL'] },
    },
    { name: 'two words', line: 7, parameters: [{ name: 'default', values: ['x y'] }], expect: {} },
    { name: 'q.sql:7', line: 7, parameters: [], expect: {} },
  ])
  expect(queries[2]?.sql).toBe(`select 'a;b' /* ; */ , $1::text`)
})

test.each([
  ['7', '7'],
  ['007', '007'],
  ['', ''],
  ['null', null],
  ['"null"', 'null'],
  ["'it''s'", "it's"],
  ['[1, null, "a b"]', '{1,NULL,"a b"}'],
  ['"[1, 2]"', '[1, 2]'],
  ['{"plan": "pro"}', '{"plan": "pro"}'],
  ['[{"a": 1}]', '[{"a": 1}]'],
  ['a: b', 'a: b'],
  ['[1', '[1'],
])('--param %s is the value %s', (text, value) => {
  expect(parameterOfText(text)).toBe(value)
})

test('named parameters become numbers; casts, slices and quoted text are none', async () => {
  const { queries } = await inputs(`
-- perfdb: params={"status": "active", "id": 7}
select ':no', a[1:n], x::text, :'status' from t where id = :id and s = :status and s2 = :status;
-- perfdb: params={"hot": {"a": 1}, "rare": {"a": 2}}
select :a;
select $1, :more`)
  expect(queries.map(({ sql }) => sql?.trimEnd())).toEqual(
    [
      `select ':no', a[1:n], x::text, $1        from t where id = $2  and s = $1      and s2 = $1     `.trimEnd(),
      'select $1',
      'select $1, $2   ',
    ].map((sql) => sql.trimEnd()),
  )
  expect(queries[0]?.parameters).toEqual([{ name: 'default', values: ['active', '7'] }])
  expect(queries[1]?.parameters.map(({ values }) => values)).toEqual([['1'], ['2']])
})

test('a syntax error has the line and column of the file, and leaves the others', async () => {
  const { queries, broken } = await inputs(
    `select 1;\n\n  select 2 form x y;\nselect\n  3 4;\nselect 'ü', 5;select "open`,
  )
  expect(queries.map(({ sql }) => sql)).toEqual(['select 1', `select 'ü', 5`])
  expect(broken.map(({ problem }) => [problem.code, problem.place?.line, problem.place?.column])).toEqual([
    ['BAD_SQL', 3, 17],
    ['BAD_SQL', 5, 5],
    ['BAD_SQL', 6, 22],
  ])
  expect(broken[0]).toMatchObject({ name: 'q.sql:3', problem: { message: 'syntax error at or near "x"' } })
})

test('a syntax error of --query is one as well, by its line and column there', async () => {
  const read = await readQueries([], 'select 1,\n  form x y', { cwd: '/', environment: {}, stdin: async () => '' })
  expect(read.queries).toEqual([])
  expect(read.broken).toMatchObject([
    { name: 'query', problem: { code: 'BAD_SQL', place: { file: '--query', line: 2, column: 10 } } },
  ])
})

test.each([
  ['parms=[1]', 'UNKNOWN_KEY', 'unknown annotation: parms'],
  ['max_ms=soon', 'BAD_VALUE', 'max_ms: expected a number of milliseconds'],
  ['params=[1,', 'BAD_VALUE', 'params: expected JSON: [values] for $1 $2 ..., or {"name": value} for :name'],
  ['params=[1,2]', 'BAD_VALUE', 'params: the statement has 1 parameters, 2 values are given'],
  ['params={"other": 1}', 'BAD_VALUE', 'params: expected JSON: [values] for $1 $2 ..., or {"name": value} for :name'],
  ['forbid=NOTHING', 'BAD_VALUE', 'forbid: there is no finding NOTHING'],
])('a wrong annotation is told with its place: %s', async (written, code, message) => {
  const { queries, broken } = await inputs(`\n-- perfdb: ${written}\nselect :a; select 2`)
  expect(queries).toHaveLength(1)
  expect(broken).toMatchObject([{ problem: { code, message, place: { file: 'q.sql', line: 2, column: 1 } } }])
})

test('a function body with semicolons is one statement', async () => {
  const { queries } = await inputs(`
    create function f() returns int language sql begin atomic select case when true then 1 end; select 2; end;
    create function g() returns int language plpgsql as $b$ begin return 1; end $b$; select 3`)
  expect(queries.map(({ place }) => place.line)).toEqual([2, 3, 3])
})

test('stdin, and nothing to look at', async () => {
  expect((await inputs('select 1', '-')).queries).toMatchObject([{ name: 'stdin:1', place: { file: 'stdin' } }])
  await expect(inputs('-- nothing')).rejects.toMatchObject({ code: 'NO_PROFILE' })
  await expect(inputs('', 'other.sql')).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' })
})
