import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isExpressionText, keyAsMap } from '../../src/definition/key-text.js'
import { commandFirst } from '../../src/cli/help/usage.js'
import { testDatabase, type TestDatabase } from '../support/database.js'
import { build, folder, perfdb, perfdbHere, type Folder } from './perfdb.js'

/* What somebody writes who never read the documentation, and the message that has the fix in it. */

let database: TestDatabase
let home: Folder

beforeAll(async () => {
  database = await testDatabase(`create schema sales;
    create table sales.orders (id int);
    create table jobs (id int, status text, email text, title text, created_at timestamptz, day date);
    create index idx_jobs_status on jobs (status)`)
  home = await folder()
})

afterAll(async () => {
  await database[Symbol.asyncDispose]()
  await home[Symbol.asyncDispose]()
})

async function typed(args: readonly string[], files: Readonly<Record<string, string>> = {}) {
  await home.write(files)
  const { code, stdout, stderr } = await perfdbHere(args, {
    cwd: home.path,
    environment: { DATABASE_URL: database.url },
  })
  return { code, stdout, said: `${stdout}${stderr}`.replace(/\s+/g, ' ') }
}

interface Problem {
  readonly code: string
  readonly message: string
  readonly hint: string
  readonly place: { readonly file: string; readonly line: number }
}

function problemsOf(stdout: string): readonly Problem[] {
  const { error }: { error: Problem & { problems?: readonly Problem[] } } = JSON.parse(stdout)
  return error.problems ?? [error]
}

/** What is wrong with an index of these keys, each mistake with the hint that it must get. */
const mistakes: readonly (readonly [fields: string, code: string, hint: string])[] = [
  ['table: job, keys: [status]', 'NO_TABLE', 'did you mean "jobs"?'],
  ['table: orders, keys: [id]', 'NO_TABLE', 'it is in another schema: table: sales.orders'],
  ['table: sale.orders, keys: [id]', 'NO_SCHEMA', 'it is in another schema: table: sales.orders'],
  ['table: jobs, keys: [statu]', 'NO_COLUMN', 'did you mean "status"?'],
  ['table: jobs, keys: [email desc]', 'NO_COLUMN', 'write the key as { column: email, order: desc }'],
  [
    'table: jobs, keys: [title text_pattern_ops]',
    'NO_COLUMN',
    'write the key as { column: title, opclass: text_pattern_ops }',
  ],
  [
    'table: jobs, keys: [lower(email) desc nulls last]',
    'BAD_DEFINITION',
    'write the key as { expression: lower(email), order: desc, nulls: last }',
  ],
  ['table: jobs, keys: [coalesce(email, title)]', 'BAD_DEFINITION', 'put an expression with a comma in quotes'],
  ['table: jobs, keys: [lower(emial)]', 'NO_COLUMN', 'did you mean "email"?'],
  ['table: jobs, keys: [id], where: status = pending', 'NO_COLUMN', "where: status = 'pending'"],
  ['table: jobs, keys: [id], where: "status in (open, done)"', 'NO_COLUMN', "where: status in ('open', 'done')"],
  ['table: jobs, keys: [date(created_at)]', 'BAD_DEFINITION', "date(created_at at time zone 'UTC')"],
  ['table: jobs, keys: ["created_at::date"]', 'BAD_DEFINITION', "at time zone 'UTC'"],
  ['table: jobs, keys: [id], where: created_at > now()', 'BAD_DEFINITION', 'an index cannot move with time'],
  ['table: jobs, keys: ["to_char(created_at, \'YYYY\')"]', 'BAD_DEFINITION', 'instead of to_char index the column'],
  ['table: jobs, keys: [{ column: title, opclass: gin_trgm_ops }], method: gin', 'BAD_DEFINITION', 'pg_trgm'],
]

test('every mistake of all files is reported at once, each with what to write', async () => {
  const lines = mistakes.map(([fields], at) => `  - { name: i${at}, ${fields} }`)
  const half = 6
  const file = (some: readonly string[]) => `version: 1\nindexes:\n${some.join('\n')}\n`
  const { code, stdout } = await typed(['plan', 'a.yaml', 'b.yaml', '--format', 'json'], {
    'a.yaml': file(lines.slice(0, half)),
    'b.yaml': file(lines.slice(half)),
  })
  expect(code).toBe(2)
  const found = problemsOf(stdout)
  for (const [at, [fields, code, hint]] of mistakes.entries()) {
    const file = at < half ? 'a.yaml' : 'b.yaml'
    const own = found.find(({ place }) => place.file === file && place.line === 3 + (at < half ? at : at - half))
    expect(own, fields).toMatchObject({ code, hint: expect.stringContaining(hint) })
  }
  expect(found).toHaveLength(mistakes.length)
})

test('a key that is no plain name is an expression', async () => {
  const profile = `version: 1\nindexes:\n  - { name: idx_jobs_email, table: jobs, keys: [lower(email), "email || title"] }\n`
  const { code, said } = await typed(['plan', 'my.yaml', '--format', 'sql'], { 'my.yaml': profile })
  expect({ code, said }).toEqual({ code: 0, said: expect.stringContaining('(lower(email)), (email || title)') })
  expect(['status', 'Odd Name', 'order-date', 'größe', 'a.b'].filter(isExpressionText)).toEqual([])
  expect(['a + b', "'x'", 'a->>b', 'day::text', 'tags[1]'].filter((text) => !isExpressionText(text))).toEqual([])
  expect(keyAsMap('name collate "C" desc')).toBe('{ column: name, collation: C, order: desc }')
  expect(keyAsMap('coalesce(a, b) desc')).toBe("{ expression: 'coalesce(a, b)', order: desc }")
  expect(keyAsMap('Odd Name')).toBeUndefined()
})

describe('queries', () => {
  test('a table, a column and an index that do not exist', async () => {
    const profile = `version: 1\nqueries:
  - { name: a, sql: select * from job }
  - { name: b, sql: select * from orders }
  - { name: c, sql: select statu from jobs }
  - { name: d, sql: select * from jobs where status = 'x', expect: { uses: [idx_job_status] } }\n`
    const { code, said } = await typed(['explain', 'my.yaml', '--samples', '1'], { 'my.yaml': profile })
    expect(code).toBe(1)
    expect(said).toContain('relation "job" does not exist: did you mean "jobs"?')
    expect(said).toContain('relation "orders" does not exist: it is sales.orders')
    expect(said).toContain('Perhaps you meant to reference the column "jobs.status"')
    expect(said).toContain('there is no index idx_job_status: did you mean "idx_jobs_status"?')
  })

  test('two statements in --query could not start, as one that does not parse', async () => {
    for (const text of ['select 1; select 2', 'selct 1'])
      expect(await typed(['explain', '--query', text])).toMatchObject({
        code: 2,
        said: expect.stringContaining('BAD_SQL'),
      })
  })
})

describe('files', () => {
  test('psql commands and rows of COPY in a script', async () => {
    const load = ['plan', 'my.yaml', '--url', 'embedded', '--load', 'dump.sql']
    const files = { 'my.yaml': 'version: 1\n', 'dump.sql': 'create table t (id int);\n\\connect shop\nselect 1;\n' }
    const psql = await typed(load, files)
    expect(psql.code).toBe(2)
    expect(psql.said).toContain('\\connect is a command of psql, not SQL')
    expect(psql.said).toContain('dump.sql:2:1')
    const copy = await typed(load, { 'dump.sql': 'copy t (id) from stdin;\n1\n\\.\n' })
    expect(copy.said).toContain('pg_dump --schema-only leaves the rows out')
  })

  test('a report makes its folder', async () => {
    const { code } = await typed(['plan', 'my.yaml', '--report', 'junit=out/deep/x.xml'], { 'my.yaml': 'version: 1\n' })
    expect(code).toBe(0)
    expect(await readFile(join(home.path, 'out', 'deep', 'x.xml'), 'utf8')).toContain('<testsuites')
  })

  test('a profile from import names a schema only where there is one', async () => {
    const { code, stdout } = await typed(['import'])
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.not.stringContaining('yaml-language-server') })
    expect(stdout).toContain('idx_jobs_status')
  })
})

describe('what YAML takes for something else', () => {
  test.each([
    ['indexes: []', 'add version: 1'],
    ['version: 1\nindexes: [{ name: i, table: jobs, keys: status }]', 'write it as a list: [status]'],
    ['version: 1\nindexes: [{ name: i, table: jobs, keys: [id], unique: yes }]', 'write true'],
    ['version: 1\nqueries: [{ name: q, sql: select $1, params: open }]', 'write it as a list: [open]'],
  ])('%s', async (profile, hint) => {
    const { code, said } = await typed(['plan', 'my.yaml'], { 'my.yaml': `${profile}\n` })
    expect({ code, said }).toEqual({ code: 2, said: expect.stringContaining(hint) })
  })
})

describe('the command line', () => {
  test('a file or a query where a command or a file belongs', async () => {
    expect((await typed(['my.yaml'])).said).toContain('perfdb plan my.yaml')
    expect((await typed(['explain', 'select * from jobs'])).said).toContain('perfdb explain --query')
    expect((await typed(['explain', '--query', 'select', 'id', 'from', 'jobs'])).said).toContain('put it in quotes')
  })

  test('a file that is there by nearly that name', async () => {
    const { said } = await typed(['plan', 'shop.yml'], { 'shop.yaml': 'version: 1\nindexes: []\n' })
    expect(said).toContain('no such file: shop.yml: did you mean shop.yaml?')
  })

  test('parameters of other drivers, and what changes data', async () => {
    for (const sql of ['select * from jobs where status = ?', 'select * from jobs where status = :status'])
      expect((await typed(['explain', '--query', sql])).said).toContain('parameters are written $1, $2')
    expect((await typed(['explain', '--query', 'delete from jobs'])).said).toContain('--allow WRITE_QUERY')
  })

  test('options before the command, and version', async () => {
    expect((await typed(['--env', 'nowhere', 'plan'])).said).toContain('there is no environment nowhere')
    expect(commandFirst(['-q', '--format=json', '--env', 'ci', 'plan', 'my.yaml'])).toEqual([
      'plan',
      '-q',
      '--format=json',
      '--env',
      'ci',
      'my.yaml',
    ])
    for (const args of [['--help'], ['-V'], ['plan', '--env', 'ci'], ['--nonsense', 'plan'], []])
      expect(commandFirst(args)).toEqual(args)
    await build()
    expect((await perfdb(['version'], { cwd: home.path })).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  })

  test('no profile: what to do', async () => {
    await using empty = await folder()
    const { code, stderr } = await perfdbHere(['plan'], { cwd: empty.path })
    expect(code).toBe(2)
    expect(stderr).toContain('perfdb init')
  })
})
