import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { testDatabase } from '../support/database.js'
import { folder, perfdbHere } from './perfdb.js'

const profile = `version: 1
profile: shop
indexes:
  - name: i_token
    table: t
    keys: [id]
    where: token = '\${SHOP_TOKEN}'
  - { name: i_both, table: t, keys: [id, token] }
queries:
  - { name: by-token, sql: "select * from t where token = '\${SHOP_TOKEN}' and id < \${MOST}" }
  - { name: by-param, sql: select * from t where token = $1, params: ['\${SHOP_TOKEN}'] }
  - { name: wrong, sql: "select '\${SHOP_TOKEN}'::int from t" }
`

test('a value of the environment inside SQL is shown as ${NAME}: on every stream, in every format, in saved plans, baselines and the ledger', async () => {
  await using db = await testDatabase(
    'create table t (id int, token text); insert into t select n, md5(n::text) from generate_series(1, 500) n',
  )
  await using home = await folder({ 'my.yaml': profile })
  const secret = "s3cret'value-of-nobody"
  const environment = { DATABASE_URL: db.url, SHOP_TOKEN: secret.replace("'", "''"), MOST: '42' }
  const said: string[] = []
  const run = async (...args: readonly string[]) => {
    const ended = await perfdbHere(args, { cwd: home.path, environment })
    said.push(ended.stdout, ended.stderr)
    return ended
  }
  for (const format of ['text', 'json', 'sql', 'html'])
    await run('plan', 'my.yaml', '-v', '--format', format, '--out', 'plan.json')
  const few = ['--samples', '3', '--time-budget', '100ms']
  await run('explain', 'my.yaml', '-v', '--save-baseline', 'base.yaml', ...few)
  await run('explain', 'my.yaml', '--format', 'json', ...few)
  const applied = await run(
    'apply',
    '-v',
    '--plan',
    'plan.json',
    '--report',
    'html=r.html',
    '--allow',
    'REDUNDANT',
    ...few,
  )
  await run('verify', 'my.yaml', '-v')
  for (const name of ['plan.json', 'base.yaml', 'r.html']) said.push(await readFile(join(home.path, name), 'utf8'))
  for (const { row } of await db.sql<{ row: string }[]>`select perfdb.steps.ddl_after as row from perfdb.steps
    union all select document::text from perfdb.measurements union all select error::text from perfdb.steps`)
    said.push(row ?? '')
  const everything = said.join('\n')
  expect(everything).toContain('${SHOP_TOKEN}')
  expect(everything.split('\n').filter((line) => /s3cret/.test(line))).toEqual([])
  expect(applied.stderr).toContain('i_token')
  // What it is in the database is what was meant.
  const [made] = await db.sql`select pg_get_indexdef('i_token'::regclass) as ddl`
  expect(made?.['ddl']).toContain(secret.replace("'", "''"))
  expect((await run('verify', 'my.yaml')).code).toBe(0)
}, 120_000)
