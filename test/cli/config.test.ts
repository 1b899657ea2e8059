import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { configResult, type ConfigResult } from '../../src/result/documents/config-result.js'
import { settingKeys } from '../../src/options/table.js'
import { settingsSchema } from '../../src/options/config-schema.js'
import { readConfig } from '../../src/settings/config.js'
import { readProfiles } from '../../src/profile/read/read.js'
import { folder, perfdbHere, type Ended, type Folder } from './perfdb.js'
import { configFormats, formats } from '../../src/options/rows/formats.js'

const file = `version: 1
url: postgres://me:top-secret@db.example.com/shop?sslpassword=hush
profiles: [indexes]
pools: ['*.pools.yaml']
max_wait: 5min
jobs: \${JOBS}
allow: [REDUNDANT]
environments:
  production:
    url: postgres://me:\${DB_PASSWORD}@prod.example.com/shop
    max_wait: \${PROD_WAIT}
    jobs: 1
    window: 22:00-05:00
  ci: { url: embedded, load: tables.sql, exit_code: true, jobs: 1 }
  quiet: { offline: true, report: [json=out.json], format: json, jobs: 1 }
`
const index = `version: 1
indexes:
  - { name: i_status, table: jobs, keys: [status] }
`
const pools = `version: 1
kind: pools
servers: { main: { max_connections: 100 } }
services: { web: { server: main, instances: 4, pool: { max: 40 } } }
`

let home: Folder

beforeAll(async () => {
  home = await folder({
    'repo/perfdb.yaml': file,
    'repo/indexes/a.yaml': index,
    'repo/shop.pools.yaml': pools,
    'repo/tables.sql': 'create table jobs (id int primary key, status text);',
    'perfdb.yaml': 'version: 1\nretries: 9\n',
  })
  await mkdir(join(home.path, 'repo', 'sub', 'deep'), { recursive: true })
  await mkdir(join(home.path, 'repo', '.git'))
  await mkdir(join(home.path, 'plain'))
  await mkdir(join(home.path, 'other', '.git'), { recursive: true })
})
afterAll(async () => home[Symbol.asyncDispose]())

async function run(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  cwd = 'repo/sub/deep',
): Promise<Ended> {
  return perfdbHere(args, { cwd: join(home.path, cwd), environment: { JOBS: '2', ...environment } })
}

async function config(...parameters: Parameters<typeof run>): Promise<ConfigResult> {
  const [args, ...rest] = parameters
  const { stdout } = await run(['config', '--format', 'json', ...args], ...rest)
  return configResult.parse(JSON.parse(stdout))
}

function setting(result: ConfigResult, key: string) {
  return result.settings.find((one) => one.key === key)
}

describe('which file', () => {
  test('the nearest from the folder up, to the root of the repository', async () => {
    expect(await config([])).toMatchObject({ file: '../../perfdb.yaml', environment: null })
    expect(await config([], {}, 'repo')).toMatchObject({ file: 'perfdb.yaml' })
    expect(await config([], {}, 'plain')).toMatchObject({ file: '../perfdb.yaml' })
    expect(await config([], {}, 'other')).toMatchObject({ file: null, environments: [] })
  })

  test('--config beats PERFDB_CONFIG, which beats the search', async () => {
    const up = join(home.path, 'perfdb.yaml')
    expect(setting(await config([], { PERFDB_CONFIG: up }), 'retries')).toMatchObject({ value: 9, source: 'file' })
    expect(await config(['--config', '../../perfdb.yaml'], { PERFDB_CONFIG: up })).toMatchObject({
      file: '../../perfdb.yaml',
    })
    const missing = await run(['config', '--config', 'no.yaml'])
    expect(missing).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('error[FILE_NOT_FOUND]: no such file: no.yaml'),
    })
  })

  test('its paths are relative to it, wherever perfdb runs', async () => {
    const { code, stdout } = await run(['plan', '--env', 'ci', '--format', 'json'])
    // --exit-code, too, comes from the file.
    expect(code).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({
      profiles: ['../../indexes/a.yaml'],
      steps: [{ step: 'create', index: 'i_status', table: 'jobs' }],
    })
  })
})

describe('which value', () => {
  test('flag before variable before environment before top level before default', async () => {
    const max = async (...parameters: Parameters<typeof run>) => setting(await config(...parameters), 'max_wait')
    const production = { PROD_WAIT: '7min' }
    const variables = { ...production, PERFDB_MAX_WAIT: '8min' }
    expect(await max(['--env', 'production', '--max-wait=9min'], variables)).toEqual({
      key: 'max_wait',
      value: '9min',
      source: 'flag',
      name: '--max-wait',
    })
    expect(await max(['--env', 'production'], variables)).toMatchObject({ source: 'variable', name: 'PERFDB_MAX_WAIT' })
    expect(await max(['--env', 'production'], production)).toMatchObject({
      value: '${PROD_WAIT}',
      source: 'environment',
      environment: 'production',
      place: { file: '../../perfdb.yaml', line: 11, column: 15 },
    })
    expect(await max([], { PERFDB_ENV: 'production', ...production })).toMatchObject({ source: 'environment' })
    expect(await max([])).toMatchObject({ value: '5min', source: 'file', place: { line: 5, column: 11 } })
    expect(await max([], {}, 'other')).toEqual({ key: 'max_wait', value: '10min', source: 'default' })
  })

  test('--allow adds to the file, PERFDB_ALLOW replaces it', async () => {
    expect(setting(await config(['--allow', 'DROP']), 'allow')).toMatchObject({
      value: 'DROP',
      note: 'added to REDUNDANT of ../../perfdb.yaml:7:8',
    })
    expect(setting(await config([], { PERFDB_ALLOW: 'RENAME' }), 'allow')).toMatchObject({ value: 'RENAME' })
  })

  test('only variables of what is in force must be set', async () => {
    expect(await run(['config', '--env', 'production'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('../../perfdb.yaml:11:15'),
    })
    expect((await run(['config', '--env', 'production'], { PERFDB_MAX_WAIT: '1min' })).code).toBe(0)
    const none = { cwd: join(home.path, 'repo') }
    expect(await perfdbHere(['config'], none)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('JOBS is not set'),
    })
    expect((await perfdbHere(['config', '--env', 'ci'], none)).code).toBe(0)
    expect((await perfdbHere(['config', '--jobs', '3'], none)).code).toBe(0)
  })

  test('the variable of a url is missed only where somebody connects there', async () => {
    const args = ['--env', 'production', '--max-wait', '1min']
    expect(setting(await config(args), 'url')).toMatchObject({
      note: 'the environment variable DB_PASSWORD is not set',
    })
    expect(await run(['plan', ...args])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('error[MISSING_ENVIRONMENT]: the environment variable DB_PASSWORD is not set'),
    })
    const offline = await run(['check-pool', '--offline', '--env', 'production'], { PERFDB_MAX_WAIT: '1min' })
    expect(offline).toMatchObject({ code: 1, stderr: '' })
    const beaten = await run(['plan', ...args], { DATABASE_URL: 'postgres://127.0.0.1:1/x' })
    expect(beaten.stderr).toContain('DATABASE_URL is set, and beats the url of the environment production')
    expect(beaten.stderr).toContain('CONNECTION_REFUSED')
  })

  test('output and boolean options are taken from the file', async () => {
    const { code, stdout } = await run(['check-pool', '--env', 'quiet'])
    expect(code).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({ command: 'check-pool' })
    expect(JSON.parse(await readText('repo/out.json'))).toMatchObject({ command: 'check-pool' })
    const flag = await run(['check-pool', '--env', 'quiet', '--format', 'text', '--report', 'text=own.txt'])
    expect(flag.stdout).toMatch(/^FAIL: /)
    expect(await readText('repo/sub/deep/own.txt')).toMatch(/^FAIL: /)
  })
})

describe('secrets', () => {
  const secret = 'top-secret'
  test.each([
    ['file', {}, 'postgres://me:***@db.example.com/shop?sslpassword=***'],
    ['production', { DB_PASSWORD: secret, PROD_WAIT: '1s' }, 'postgres://me:${DB_PASSWORD}@prod.example.com/shop'],
    ['variable', { PERFDB_URL: `postgres://me:${secret}@h/d` }, 'postgres://me:***@h/d'],
    ['variable', { DATABASE_URL: `host=h user=me password='${secret}'` }, 'host=h user=me password=***'],
    ['variable', { DATABASE_URL: `postgres://me:${secret}@@h/d` }, null],
    ['variable', { DATABASE_URL: `mysql://me:${secret}@h/d` }, null],
  ])('%s: no format shows one', async (from, environment, value) => {
    const args = from === 'production' ? ['--env', 'production'] : []
    expect(setting(await config(args, environment), 'url')).toMatchObject({ value })
    const reports = configFormats.flatMap((format) => ['--report', `${format}=shown.${format}`])
    const { code, stdout, stderr } = await run(['config', '--verbose', ...reports, ...args], environment)
    const texts = await Promise.all(configFormats.map(async (format) => readText(`repo/sub/deep/shown.${format}`)))
    const leaked = [stdout, stderr, ...texts].filter((text) => /top-secret|hush/.test(text))
    expect({ code, leaked }).toEqual({ code: 0, leaked: [] })
  })
})

describe('mistakes', () => {
  test.each([
    [
      ['config', '--env', 'prodution'],
      {},
      'error[BAD_OPTION]: there is no environment prodution: did you mean "production"?',
    ],
    [['config', '--env', 'x'], {}, 'known are production, ci, quiet'],
    [['config'], { PERFDB_JOBS: 'many' }, 'error[BAD_OPTION]: PERFDB_JOBS: a whole number from 1 on'],
    [['plan'], { PERFDB_EXIT_CODE: 'maybe' }, 'error[BAD_OPTION]: PERFDB_EXIT_CODE: expected true or false'],
    [['config'], { PERFDB_ALLOW: 'DORP' }, 'error[BAD_OPTION]: PERFDB_ALLOW: no such hazard'],
    [['config'], { JOBS: '0' }, '../../perfdb.yaml:6:7'],
  ])('%j %j', async (args, environment, said) => {
    const { code, stderr } = await run(args, environment)
    expect(code).toBe(2)
    expect(stderr.replace(/\s+/g, ' ')).toContain(said)
  })

  test('every problem of the file at once, in sections that nobody chose too', async () => {
    await home.write({
      'bad.yaml':
        'version: 1\nmax_wiat: 5min\nwindow: 25:00-26:00\nenvironments:\n  a: { jobs: 0, url: $HOME }\n  b: { allow: DROP }\n',
    })
    const { code, stderr } = await run(['config', '--config', join(home.path, 'bad.yaml')])
    expect(code).toBe(2)
    for (const said of ['"max_wait"', 'environments.a.jobs', 'environments.b.allow']) expect(stderr).toContain(said)
  })

  test('an environment without a file, and a broken file beside init and demo', async () => {
    expect((await run(['config', '--env', 'ci'], {}, 'other')).stderr).toContain('there is no perfdb.yaml')
    await home.write({ 'broken/.git/x': '', 'broken/perfdb.yaml': 'version: 2\n' })
    expect((await run(['config'], {}, 'broken')).code).toBe(2)
    expect((await run(['init'], {}, 'broken')).stderr).toContain('error[FILE_EXISTS]')
  })
})

test('what init writes works at once', async () => {
  await mkdir(join(home.path, 'new', '.git'), { recursive: true })
  const answer = async (...args: readonly string[]) => (await run(args, {}, 'new')).code
  expect(await answer('init')).toBe(0)
  expect(await answer('plan', '--url', 'embedded')).toBe(0)
  expect(await answer('verify', '--env', 'ci')).toBe(0)
  expect(await answer('check-pool', '--offline')).toBe(0)
  const ci = await config(['--env', 'ci'], {}, 'new/perfdb')
  expect(setting(ci, 'url')).toMatchObject({ value: 'embedded', source: 'environment', environment: 'ci' })
  expect(setting(ci, 'profiles')).toMatchObject({ value: ['perfdb/indexes.yaml'], source: 'file' })
})

test('an environment made of another one by an anchor needs its variables too; globs lead up from a folder below', async () => {
  await using place = await folder({
    'perfdb.yaml': `version: 1
profiles: ['indexes/**/*.yaml']
environments:
  base: &base { jobs: '\${JOBS}', max_wait: 1min }
  more: { <<: *base, max_wait: 2min }
`,
    'indexes/x/a.yaml': index,
    'below/x': '',
  })
  const below = join(place.path, 'below')
  const of = async (environment: string, variables = {}) => readConfig(below, { environment }, variables)
  await expect(of('more')).rejects.toMatchObject({ code: 'MISSING_ENVIRONMENT', place: { line: 4, column: 24 } })
  const { given, profiles } = await of('more', { JOBS: '3' })
  expect([given.get('jobs'), given.get('max_wait')]).toMatchObject([
    { texts: ['3'], written: '${JOBS}', section: 'more', place: { line: 4 } },
    { texts: ['2min'], section: 'more', place: { line: 5 } },
  ])
  expect((await readConfig(below, {}, {})).given.has('jobs')).toBe(false)
  expect(await readProfiles(profiles, { cwd: below, environment: {} })).toHaveLength(1)
})

test('each key has its place in the schema, and its option on the command line', async () => {
  expect(Object.keys(settingsSchema.shape)).toEqual([...settingKeys])
  expect(configFormats).toEqual(formats.filter((format) => format !== 'sql' && format !== 'prometheus'))
  const all = await config([], {}, 'other')
  expect(all.settings.map(({ key }) => key)).toEqual([...settingKeys])
  // A boolean without an option would be null.
  for (const key of ['prune', 'exit_code', 'offline', 'quiet', 'verbose'])
    expect(setting(all, key)).toMatchObject({ value: false })
})

async function readText(name: string): Promise<string> {
  return readFile(join(home.path, name), 'utf8')
}
