import { chmod, readdir } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { build, folder, perfdb, type Folder } from './perfdb.js'

let home: Folder

const schema = `\\restrict token
-- as pg_dump writes it
set client_encoding = 'UTF8';
create table jobs (id int primary key, status text not null);
insert into jobs select n, case when n % 100 = 0 then 'on_hold' else 'active' end from generate_series(1, 50000) n;
analyze jobs;
\\unrestrict token
`

const profile = `version: 1
indexes:
  - { name: i, table: jobs, keys: [status] }
queries:
  - { name: held, sql: "select * from jobs where status = 'on_hold'", expect: { uses: [i] } }
`

beforeAll(async () => {
  await build()
  home = await folder({
    'schema.sql': schema,
    'my.yaml': profile,
    'bad.sql': 'create table t (a int);\n\ncreate table t (b int);\n',
  })
  await chmod(home.path, 0o755)
})

afterAll(async () => {
  await home[Symbol.asyncDispose]()
})

async function embedded(command: string, load: string) {
  return perfdb([command, 'my.yaml', '--url', 'embedded', '--load', load, '--format', 'json'], {
    cwd: home.path,
    environment: { TMPDIR: home.path },
  })
}

test.each([
  ['plan', 0, { steps: [{ step: 'create', index: 'i' }], findings: [] }],
  ['verify', 1, { steps: [{ step: 'create', index: 'i' }], findings: [{ code: 'MISSING' }] }],
  ['apply', 0, { steps: [{ outcome: 'built' }], queries: [{ name: 'held', verdict: 'faster' }] }],
  ['explain', 1, { queries: [{ name: 'held', expectations: [{ met: false }] }] }],
])('%s on an embedded server with a schema', async (command, code, document) => {
  const ended = await embedded(command, 'schema.sql')
  expect(ended.code, ended.stdout + ended.stderr).toBe(code)
  expect(JSON.parse(ended.stdout)).toMatchObject(document)
  expect((await readdir(home.path)).filter((name) => name.startsWith('perfdb-embedded'))).toEqual([])
})

test('a statement that fails is named with its line; no server is left', async () => {
  const ended = await embedded('plan', 'bad.sql')
  expect(ended.code).toBe(2)
  expect(JSON.parse(ended.stdout)).toMatchObject({
    error: { code: 'QUERY_FAILED', sqlstate: '42P07', place: { file: 'bad.sql', line: 3, column: 1 } },
  })
  expect((await readdir(home.path)).filter((name) => name.startsWith('perfdb-embedded'))).toEqual([])
})

test('a script that is not there is found before a server is started', async () => {
  const ended = await embedded('plan', 'nowhere.sql')
  expect(ended).toMatchObject({ code: 2, stderr: '' })
  expect(JSON.parse(ended.stdout)).toMatchObject({ error: { code: 'FILE_NOT_FOUND' } })
})
