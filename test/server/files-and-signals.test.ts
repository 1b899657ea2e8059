import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import { expect, test } from 'vitest'
import { PerfdbError } from '../../src/errors.js'
import { quotedPath } from '../../src/server/statements.js'
import { apply, plan } from '../support/apply.js'
import { perfdbHere } from '../cli/perfdb.js'
import { connectTo } from '../support/connect.js'
import { testDatabase } from '../support/database.js'
import { profileOf } from '../support/profile.js'

test('only regular files of at most 20 MB are read, and what they hold is not repeated', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'perfdb-files-'))
  try {
    await writeFile(join(folder, 'large.yaml'), Buffer.alloc(21 * 1024 ** 2, 'a'))
    await writeFile(join(folder, 'shadow.yaml'), 'root:$6$SECRET:19000:0:99999:7:::\ndaemon:*SECRET:1:::\n')
    await writeFile(
      join(folder, 'a.pools.yaml'),
      'kind: pools\nversion: 1\ntenants: [{ ids_from: shadow.yaml }]\nservices: []\n',
    )
    const run = (...args: readonly string[]) =>
      perfdbHere(args, { cwd: folder, environment: { PERFDB_URL: 'postgres://u@127.0.0.1:1/d' } })
    for (const [args, message] of [
      [['plan', '/dev/zero'], 'not a regular file'],
      [['import', '/dev/zero'], 'not a regular file'],
      [['plan', 'large.yaml'], 'larger than 20 MB (21 MB)'],
      [['plan', 'shadow.yaml'], 'shadow.yaml:1:1'],
      [['check-pool', '--offline', 'a.pools.yaml'], 'error['],
    ] as const) {
      const { code, stderr, stdout } = await run(...args)
      expect([code, stderr]).toEqual([2, expect.stringContaining(message)])
      expect(stderr + stdout).not.toContain('SECRET')
    }
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('a password is struck out of what looks like a url without a scheme', () => {
  const shown = new PerfdbError('FILE_NOT_FOUND', 'no such file: me:se-cret@db.example.com/shop', {
    detail: '(a:secret@h)',
  })
  expect(`${shown.message} ${shown.detail ?? ''}`).toBe('no such file: me:***@db.example.com/shop (a:***@h)')
})

test('SIGUSR1 opens no debugger', async () => {
  await using db = await testDatabase('create table t (a int); insert into t select 1')
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, '../../bin/perfdb.js'), 'explain', '--query', 'select pg_sleep(2)'],
    {
      env: { PATH: process.env['PATH'], PERFDB_URL: db.url },
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  )
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const ended = new Promise((resolve) => child.once('close', resolve))
  for (;;) {
    const rows =
      await db.sql`select from pg_stat_activity where datname = ${db.name} and application_name like 'perfdb%'`
    if (rows.length > 0) break
  }
  child.kill('SIGUSR1')
  await ended
  expect(stderr).not.toContain('Debugger')
})

test('a search_path that SET would not read is quoted name by name', async () => {
  expect(quotedPath('My-App,public, "Odd ""x"", y", $user')).toBe('"my-app", "public", "Odd ""x"", y", "$user"')
  await using db = await testDatabase(
    'create schema "my-app"; create table t (a text); create function "my-app".f(text) returns text immutable language sql return lower($1)',
  )
  const profiles = await profileOf(['{ name: i, table: t, keys: [{ expression: f(a) }] }'])
  expect((await apply(`${db.url}?options=-c%20search_path%3Dmy-app,public`, profiles)).result.exit_code).toBe(0)
})

test('a tablespace that is missing is seen by plan, at its place', async () => {
  await using db = await testDatabase('create table t (a int)')
  const profiles = await profileOf(['{ name: i, table: t, keys: [a], tablespace: nowhere }'])
  await expect(plan(db.url, profiles)).rejects.toMatchObject({
    code: 'BAD_DEFINITION',
    message: 'i: there is no tablespace nowhere on this server',
    place: { line: 5 },
  })
})

test('no slot for the second connection: tried again until there is one', async () => {
  await using db = await testDatabase(
    "create table t (a int); create role short login password 'p_w' connection limit 2",
  )
  try {
    await db.sql.unsafe('alter table t owner to short; grant create on schema public to short')
    const url = new URL(db.url)
    url.username = 'short'
    url.password = 'p_w'
    const other = postgres(url.href, { max: 1 })
    await other`select 1`
    const warned: string[] = []
    const profiles = await profileOf(['{ name: i, table: t, keys: [a] }'])
    const { result } = await apply(db.url, profiles, {
      connect: (role) => connectTo(url.href, role),
      onEvent: (event) => {
        if (event.type !== 'warning') return
        warned.push(event.message)
        void other.end()
      },
    })
    expect(result.exit_code).toBe(0)
    expect(warned[0]).toContain('trying again for half a minute')
  } finally {
    await db.sql.unsafe('drop owned by short; drop role short')
  }
})
