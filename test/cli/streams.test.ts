import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { testDatabase, type TestDatabase } from '../support/database.js'
import { masked } from './masked.js'
import { build, folder, perfdb, perfdbHere, shell, type Folder } from './perfdb.js'

/** Enough indexes that their plan does not fit into a pipe's buffer of 64 kB. */
const many = Array.from({ length: 700 }, (_, n) => `  - { name: index_number_${n}, table: t, keys: [a] }\n`).join('')

let database: TestDatabase
let home: Folder

beforeAll(async () => {
  await build()
  database = await testDatabase('create table t (a int, b int)')
  home = await folder({
    'one.yaml': 'version: 1\nindexes:\n  - { name: i, table: t, keys: [a] }\n',
    'many.yaml': `version: 1\nindexes:\n${many}`,
    'bad.yaml': 'version: 1\nindexes:\n  - { name: i, table: t, colums: [a] }\n',
  })
})

afterAll(async () => {
  await database[Symbol.asyncDispose]()
  await home[Symbol.asyncDispose]()
})

async function run(args: readonly string[], environment: Readonly<Record<string, string>> = {}, how = perfdbHere) {
  return how(args, { cwd: home.path, environment: { DATABASE_URL: database.url, ...environment } })
}

test('help of every command', async () => {
  const all = await run(['--help'], {}, perfdb)
  expect(all).toMatchObject({ code: 0, stderr: '' })
  await expect(all.stdout).toMatchFileSnapshot('../golden/cli/help.txt')
  expect(await run(['help'])).toEqual(all)
  const commands = [...all.stdout.matchAll(/^ {2}([a-z-]+) .*/gm)].map(([, name]) => name ?? '')
  expect(commands).toEqual(expect.arrayContaining(['plan', 'apply', 'verify', 'rollback', 'status', 'explain', 'demo']))
  for (const command of commands.filter((name) => /^[a-z]/.test(name) && !['help', 'perfdb'].includes(name))) {
    const help = await run(['help', command])
    expect(help).toMatchObject({ code: 0, stderr: '' })
    expect(await run([command, '--help'])).toEqual(help)
    expect(help.stdout.split('\n').filter((line) => line.length > 80)).toEqual([])
  }
  expect((await run(['help', 'apply'])).stdout).toMatch(
    /Options:[^]*Building:[^]*Tenants:[^]*Measuring:[^]*Connection:[^]*Output:[^]*Examples:/,
  )
})

test('without arguments the help goes to stderr: nothing was done', async () => {
  const nothing = await run([])
  expect(nothing).toMatchObject({ code: 2, stdout: '' })
  expect(nothing.stderr).toBe((await run(['--help'])).stdout)
})

test('the version alone', async () => {
  const manifest: unknown = JSON.parse(await readFile(join(import.meta.dirname, '../../package.json'), 'utf8'))
  for (const flag of ['--version', '-V'])
    expect(await run([flag], {}, perfdb)).toMatchObject({
      code: 0,
      stderr: '',
      stdout: `${Reflect.get(Object(manifest), 'version')}\n`,
    })
})

test.each([
  ['an unknown command', ['aply'], 'there is no command aply', 'did you mean apply?'],
  ['an unknown command after help', ['help', 'chek-pool'], 'there is no command chek-pool', 'did you mean check-pool?'],
  ['an unknown option', ['apply', '--alow', 'DROP'], 'there is no option --alow', 'did you mean --allow?'],
  ['an unknown format', ['plan', '--format', 'yaml'], '--format yaml: known are text, json, ', 'perfdb help plan'],
  ['a format of another command', ['verify', 'one.yaml', '--format', 'sql'], 'verify has no format sql', 'formats: '],
  ['an unknown hazard', ['apply', '--allow', 'REPLCE'], 'no such hazard: did you mean "REPLACE"?', 'perfdb help apply'],
  ['an unknown colour', ['plan', '--color', 'some'], '--color some: known are auto, always, never', ''],
  ['a bad duration', ['plan', '--max-wait', '5x'], '--max-wait 5x: expected a duration such as 500ms', ''],
  ['a duration without a unit', ['plan', '--max-wait', '30'], '30 has no unit: write 30s or 30ms', ''],
  ['a size without a unit', ['plan', '--max-size', '50'], '50 has no unit: write 50MB or 50GB', ''],
  ['a bad report', ['plan', '--report', 'x'], '--report x: the form is FORMAT=FILE', ''],
  ['a missing value', ['plan', '--url'], '--url needs a value', ''],
  ['a name too many', ['status', 'x'], 'status takes 0 names, not 1', ''],
  ['a password in a misspelt option', ['plan', '--ur=postgres://me:secret@host'], 'there is no option --ur', ''],
])('usage: %s', async (_, args, message, hint) => {
  const refused = await run(args)
  expect(refused).toMatchObject({ code: 2, stdout: '' })
  const words = refused.stderr.replace(/\s+/g, ' ')
  expect(words).toMatch(/^error\[BAD_(OPTION|FORMAT)\]: /)
  expect(words).toContain(message)
  expect(words).toContain(hint)
  expect(refused.stderr).not.toContain('secret')
  expect(refused.stderr.split('\n').filter((line) => line.length > 80)).toEqual([])
})

test('an error is a document on stdout for who asked for JSON, also when the options are wrong', async () => {
  for (const args of [['aply'], ['plan', '--nope'], ['plan', 'nowhere.yaml'], ['plan', 'bad.yaml']]) {
    const refused = await run([...args, '--format', 'json'])
    expect(refused).toMatchObject({ code: 2, stderr: '' })
    expect(JSON.parse(refused.stdout)).toMatchObject({ ok: false, exit_code: 2, error: { code: expect.any(String) } })
  }
})

test('a reader that leaves early ends perfdb quietly', async () => {
  const cut = await shell('perfdb plan many.yaml --allow REDUNDANT --format json | head -n 1', {
    cwd: home.path,
    environment: { DATABASE_URL: database.url },
  })
  expect(cut).toMatchObject({ code: 0, stdout: '{\n', stderr: '' })
  const help = await shell('perfdb help apply | head -n 1', { cwd: home.path })
  expect(help).toMatchObject({ code: 0, stderr: '' })
  const errors = await shell('perfdb plan bad.yaml 2>&1 | head -c 5', { cwd: home.path })
  expect(errors).toMatchObject({ code: 2, stdout: 'error', stderr: '' })
})

test('colours when asked for, none in a pipe, none with NO_COLOR', async () => {
  const escape = '\u001b['
  const plain = await run(['plan', 'one.yaml'], {}, perfdb)
  expect(plain.stdout).not.toContain(escape)
  expect((await run(['plan', 'one.yaml'], { NO_COLOR: '1' }, perfdb)).stdout).not.toContain(escape)
  const colored = await run(['plan', 'one.yaml', '--color', 'always'], { NO_COLOR: '1' })
  expect(colored.stdout).toContain(escape)
  // oxlint-disable-next-line no-control-regex
  expect(colored.stdout.replaceAll(/\u001b\[\d+m/g, '')).toBe(plain.stdout)
  expect((await run(['plan', 'bad.yaml', '--color', 'always'])).stderr).toContain(escape)
})

test('a pipe is 80 columns wide, or what COLUMNS says', async () => {
  const widest = (text: string) => Math.max(...text.split('\n').map((line) => line.length))
  const error = (environment: Readonly<Record<string, string>>) =>
    run(['plan', 'postgres-profile-of-a-name-that-is-much-too-long-for-one-line-of-80.yaml'], environment)
  expect(widest((await error({})).stderr)).toBeLessThanOrEqual(82)
  expect(widest((await error({ COLUMNS: '200' })).stderr)).toBeGreaterThan(82)
})

test('progress and result do not mix', async () => {
  const applied = await run(['apply', 'one.yaml'], {}, perfdb)
  expect(applied.code).toBe(0)
  expect(masked(applied.stderr)).toBe(
    'planning against 127.0.0.1:<port>/<database> as postgres\n[1/1] create i on public.t\n[1/1] i built in <time>, <size>\n',
  )
  expect(applied.stdout).toContain('1 built')
  expect(await run(['apply', 'one.yaml', '--quiet'])).toMatchObject({ code: 0, stderr: '' })
})
