import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { build, ended, folder, perfdbHere, start, type Folder } from '../cli/perfdb.js'
import { testDatabase, type TestDatabase } from '../support/database.js'
import { building, slowTable, until } from '../support/slow.js'

const three = `version: 1
indexes:
  - { name: i_a, table: t, keys: [a] }
  - { name: i_b, table: t, keys: [b, a] }
  - { name: i_c, table: t, keys: [c], where: a > 0 }
absent: [old]
`
/** A build that takes two seconds, as does each look at how wide its rows would be. */
const slow = three.replace('[b, a]', '[{ expression: public.slow(b) }]')
let db: TestDatabase
let home: Folder

beforeAll(build)
beforeEach(async () => {
  db = await testDatabase(`${slowTable(200, 10)} create index old on t (b)`)
  home = await folder({ 'p.yaml': three })
})
afterEach(async () => {
  await db[Symbol.asyncDispose]()
  await home[Symbol.asyncDispose]()
})

const run = async (...args: readonly string[]) =>
  perfdbHere(args, { cwd: home.path, environment: { DATABASE_URL: db.url } })
// After SIGKILL the server may hold the lock of the run until it notices.
const again = async () => run('apply', '--plan', 'plan.json', '--lock-wait', '60s')

test.each(['SIGTERM', 'SIGKILL'] as const)(
  'cancelled by %s at the second build, the same saved plan goes on; after success it ends 0, already done',
  async (signal) => {
    await home.write({ 'p.yaml': slow })
    expect((await run('plan', 'p.yaml', '--out', 'plan.json')).code).toBe(0)
    const running = start(['apply', '--plan', 'plan.json'], { cwd: home.path, environment: { DATABASE_URL: db.url } })
    const outcome = ended(running)
    await until('the second build', building(db.sql, 'i_b'))
    running.kill(signal)
    expect((await outcome).code ?? 'killed').toBe(signal === 'SIGTERM' ? 143 : 'killed')
    await db.sql.unsafe(
      'create or replace function public.slow(int) returns int language sql immutable as $$ select $1 $$',
    )
    const on = await again()
    expect([on.code, on.stderr]).toEqual([0, expect.stringContaining('i_b')])
    expect(await db.sql`select 1 from pg_class where relname in ('i_a', 'i_b', 'i_c')`).toHaveLength(3)
    expect(await db.sql`select 1 from pg_class where relname = 'old'`).toHaveLength(0)
    const done = await again()
    expect(done).toMatchObject({ code: 0, stdout: expect.stringContaining('already done') })
    expect(done.stderr).not.toContain('error')
  },
)

test('anything else than further along is PLAN_STALE, and names the index that moved', async () => {
  const stale = async (says: string) => {
    const refused = await again()
    expect([refused.code, refused.stderr.replace(/\s+/g, ' ')]).toEqual([2, expect.stringContaining('PLAN_STALE')])
    expect(refused.stderr.replace(/\s+/g, ' ')).toContain(says)
    expect(await db.sql`select 1 from pg_class where relname = 'old'`).toHaveLength(1)
  }
  await db.sql`create index i_a on t (a)`
  await run('plan', 'p.yaml', '--out', 'plan.json')
  await db.sql`drop index i_a`
  await stale('public.i_a moved: when the plan was saved it is as declared, now it is missing')
  await db.sql`create index i_a on t (c)`
  await stale('public.i_a moved')
  await db.sql`drop index i_a`
  await db.sql`create index i_a on t (a)`
  await db.sql`drop index old`
  await db.sql`create index old on t (c)`
  await stale('public.old is another one than it was when the plan was saved')
  await run('plan', 'p.yaml', '--out', 'plan.json')
  await home.write({ 'p.yaml': three.replace('keys: [c]', 'keys: [c, a]') })
  await stale('public.i_c is declared otherwise now')
  await home.write({ 'p.yaml': three.replace(/.*i_c.*\n/, '') })
  await stale('public.i_c is not declared any more')
  await home.write({ 'p.yaml': three.replace('absent', '  - { name: i_d, table: t, keys: [b] }\nabsent') })
  await stale('public.i_d is not in the saved plan: it is missing now')
})

test('a text that was edited and another database are refused, and say so', async () => {
  await run('plan', 'p.yaml', '--out', 'plan.json')
  const file = join(home.path, 'plan.json')
  const text = await readFile(file, 'utf8')
  for (const [from, to] of [
    ['create index concurrently', 'create unique index concurrently'],
    ['"step": "drop"', '"step": "keep"'],
  ] as const) {
    await writeFile(file, text.replace(from, to))
    expect(await again()).toMatchObject({ code: 2, stderr: expect.stringMatching(/PLAN_STALE[^]*was changed/) })
  }
  await writeFile(file, JSON.stringify(JSON.parse(text)))
  await using other = await testDatabase(`${slowTable(1, 1)} create index old on t (b)`)
  const elsewhere = await perfdbHere(['apply', '--plan', 'plan.json'], {
    cwd: home.path,
    environment: { DATABASE_URL: other.url },
  })
  expect(elsewhere).toMatchObject({ code: 2, stderr: expect.stringMatching(/PLAN_STALE[^]*saved for the database/) })
  expect(await other.sql`select 1 from pg_class where relname = 'i_a'`).toHaveLength(0)
  expect((await again()).code).toBe(0)
})

test('plan --fail-on refused is 1 only when apply would refuse; --fail-on work and --exit-code whenever there is work', async () => {
  const codes = async (...more: readonly string[]) => [
    (await run('plan', 'p.yaml', ...more)).code,
    (await run('plan', 'p.yaml', '--fail-on', 'refused', ...more)).code,
    (await run('plan', 'p.yaml', '--fail-on', 'work', ...more)).code,
    (await run('plan', 'p.yaml', '--exit-code', ...more)).code,
  ]
  expect(await codes()).toEqual([0, 0, 1, 1])
  await db.sql`create index i_a on t (c)`
  expect(await codes()).toEqual([0, 1, 1, 1])
  expect(await codes('--allow', 'REPLACE')).toEqual([0, 0, 1, 1])
  await home.write({ 'p.yaml': 'version: 1\nindexes: []\nabsent: [bound]\n' })
  await db.sql`alter table t add constraint bound unique (a)`
  expect(await codes('--allow', 'DROP')).toEqual([0, 1, 1, 1])
  expect((await run('plan', 'p.yaml')).stdout).toContain('1 refused')
  expect((await run('apply', 'p.yaml')).code).toBe(1)
  await db.sql`alter table t drop constraint bound`
  await db.sql`insert into t values (1, 1, 'same'), (2, 1, 'same')`
  await home.write({ 'p.yaml': 'version: 1\nindexes: [{ name: u, table: t, keys: [c], unique: true }]\n' })
  expect(await codes()).toEqual([0, 1, 1, 1])
})
