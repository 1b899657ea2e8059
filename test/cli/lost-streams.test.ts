import { spawn } from 'node:child_process'
import { closeSync, existsSync, openSync } from 'node:fs'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { testDatabase, type TestDatabase } from '../support/database.js'
import { needing } from '../support/needs.js'
import { mayMount, smallDisk } from '../support/small-disk.js'
import { build, ended, folder, perfdb, type Folder } from './perfdb.js'

/** Enough indexes that no document of them fits on the small disk. */
const many = Array.from({ length: 300 }, (_, n) => `  - { name: index_number_${n}, table: t${n}, keys: [a] }\n`).join(
  '',
)
const program = join(import.meta.dirname, '../../bin/perfdb.js')
let database: TestDatabase
let home: Folder

beforeAll(async () => {
  await build()
  database = await testDatabase(
    `create table t (a int, b int); insert into t select 1, 1 from generate_series(1, 2);
     do $$ begin for n in 0..299 loop execute format('create table t%s (a int)', n); end loop; end $$`,
  )
  home = await folder({
    'one.yaml': 'version: 1\nindexes:\n  - { name: i, table: t, keys: [a] }\n',
    'two.yaml':
      'version: 1\nindexes:\n  - { name: i2, table: t, keys: [b] }\n  - { name: u, table: t, keys: [a], unique: true }\n',
    'many.yaml': `version: 1\nindexes:\n${many}`,
    'bad.yaml': 'version: 1\nindexes:\n  - { name: i, table: t, colums: [a] }\n',
  })
})
afterAll(async () => {
  await database[Symbol.asyncDispose]()
  await home[Symbol.asyncDispose]()
})

/** perfdb with stdout and stderr in these files, or in a pipe. */
async function writing(args: readonly string[], to: { readonly out?: string; readonly err?: string }) {
  const open = (file: string | undefined) => (file === undefined ? ('pipe' as const) : openSync(file, 'a'))
  const [out, err] = [open(to.out), open(to.err)]
  const env = { PATH: process.env['PATH'], HOME: home.path, LANG: 'C.UTF-8', DATABASE_URL: database.url }
  const child = spawn(process.execPath, [program, ...args], { cwd: home.path, env, stdio: ['ignore', out, err] })
  const outcome = await ended(child)
  for (const descriptor of [out, err]) if (descriptor !== 'pipe') closeSync(descriptor)
  return outcome
}

const full = existsSync('/dev/full')
const withFull = needing('/dev/full', full)
const lostText = 'error[OUTPUT_LOST]: the result could not be written to stdout: no space left'

withFull('stderr is full: the work is done, and the exit code is what it would have been', async () => {
  expect(await writing(['apply', 'one.yaml'], { err: '/dev/full' })).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('1 built'),
  })
  expect(await writing(['verify', 'many.yaml'], { err: '/dev/full' })).toMatchObject({ code: 1 })
  expect(await writing(['plan', 'bad.yaml'], { err: '/dev/full' })).toMatchObject({ code: 2 })
})

withFull('stdout is full: the work is done, the result is lost: at least 2, and 3 when a step failed', async () => {
  await database.sql`drop index if exists i`
  const applied = await writing(['apply', 'one.yaml'], { out: '/dev/full' })
  expect(applied).toMatchObject({ code: 2, stderr: expect.stringContaining(lostText) })
  expect(applied.stderr).not.toMatch(/\n\s+at /)
  expect(await database.sql`select 1 from pg_index where indexrelid = 'i'::regclass and indisvalid`).toHaveLength(1)
  const failed = await writing(['apply', 'two.yaml', '--format', 'jsonl', '--allow', 'UNIQUE_BUILD'], {
    out: '/dev/full',
  })
  expect(failed).toMatchObject({ code: 3, stderr: expect.stringContaining(lostText) })
  expect(await database.sql`select 1 from pg_class where relname = 'i2'`).toHaveLength(1)
  for (const args of [['verify', 'one.yaml'], ['help'], ['--version'], ['plan', 'bad.yaml', '--format', 'json']])
    expect([args, (await writing(args, { out: '/dev/full', err: '/dev/full' })).code]).toEqual([args, 2])
})

withFull('a report that cannot be written: at least 2, the others are written', async () => {
  const kept = await perfdb(['verify', 'one.yaml', '--report', 'json=/dev/full', '--report', 'junit=kept.xml'], {
    cwd: home.path,
    environment: { DATABASE_URL: database.url },
  })
  expect(kept).toMatchObject({ code: 2, stderr: expect.stringContaining('OUTPUT_LOST') })
  expect(await readFile(join(home.path, 'kept.xml'), 'utf8')).toContain('<testsuite')
  expect(existsSync('/dev/full')).toBe(true)
})

needing('the right to mount', mayMount())(
  'a disk that is nearly full takes half of a result: that is not all of it',
  async () => {
    await using disk = smallDisk(1, { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 })
    // 64 kB are left for what is more than 100 kB.
    await writeFile(join(disk.folder, 'filler'), Buffer.alloc((await disk.freeBytes()) - 65_536))
    const out = join(disk.folder, 'out.json')
    const cut = await writing(['plan', 'many.yaml', '--format', 'json'], { out })
    expect(cut).toMatchObject({ code: 2, stderr: expect.stringContaining(lostText) })
    const report = join(disk.folder, 'report.json')
    const lost = await writing(['verify', 'many.yaml', '--report', `json=${report}`], {})
    expect([lost.code, lost.stderr.replace(/\s+/g, ' ')]).toEqual([
      2,
      expect.stringContaining(`could not be written to ${report}: no space left`),
    ])
    expect(await readdir(disk.folder)).not.toContain('report.json')
    expect(await writing(['verify', 'one.yaml'], { err: join(disk.folder, 'err') })).toMatchObject({ code: 0 })
  },
)

test('a reader of stderr that leaves ends no work', async () => {
  await database.sql`drop index if exists i`
  const env = { PATH: process.env['PATH'], HOME: home.path, LANG: 'C.UTF-8', DATABASE_URL: database.url }
  const script = `exec 3>&1; { "${process.execPath}" "${program}" apply one.yaml 2>&1 >&3; echo "code $?" >&3; } | true`
  const done = await ended(spawn('bash', ['-c', script], { cwd: home.path, env, stdio: ['ignore', 'pipe', 'pipe'] }))
  expect(done.stdout).toMatch(/1 built[^]*code 0/)
})
