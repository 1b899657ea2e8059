import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { testDatabase, type TestDatabase } from '../support/database.js'
import { toPerfdbError } from '../../src/server/session/failure.js'
import { build, folder, perfdbHere, shell, type Folder } from './perfdb.js'
import { translated } from '../support/translated.js'

/* What keeps perfdb from looking at a server: one clear message, its code, exit 2, and never the password. */

let database: TestDatabase
let home: Folder

beforeAll(async () => {
  await build()
  database = await testDatabase('create table jobs (status text)')
  home = await folder({ 'my.yaml': 'version: 1\nindexes:\n  - { name: i, table: jobs, keys: [status] }\n' })
})

afterAll(async () => {
  await database[Symbol.asyncDispose]()
  await home[Symbol.asyncDispose]()
})

async function refused(environment: Readonly<Record<string, string>>, ...more: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await perfdbHere(['plan', 'my.yaml', ...more], { cwd: home.path, environment })
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).not.toMatch(/secret|internal|undefined/i)
  expect(stderr.match(/error\[/g)).toHaveLength(1)
  expect(stderr.split('\n').filter((line) => line.length > 80)).toEqual([])
  return stderr.replace(/\s+/g, ' ').trim()
}

function changed(change: (url: URL) => void): { readonly DATABASE_URL: string } {
  const url = new URL(database.url)
  change(url)
  return { DATABASE_URL: url.href }
}

test('no database is named', async () => {
  expect(await refused({})).toMatch(/^error\[NO_URL\]: no database is named hint: .*--url/)
})

test('a wrong password, against scram', async () => {
  const said = await refused(changed((url) => (url.password = 'secret')))
  expect(said).toMatch(/^error\[AUTHENTICATION_FAILED\]: .*password authentication failed for user "postgres"/)
  expect(said).toContain('hint: check the user of the URL (or PGUSER), its password')
})

test('no password', async () => {
  const said = await refused(changed((url) => (url.password = '')))
  expect(said).toMatch(/^error\[AUTHENTICATION_FAILED\]/)
  expect(said).toContain('hint: no password was given: set PGPASSWORD, or add a line to .pgpass')
})

test('a closed port', async () => {
  const said = await refused({ DATABASE_URL: `postgres://me:secret@127.0.0.1:${await closedPort()}/shop` })
  expect(said).toMatch(/^error\[CONNECTION_REFUSED\]: cannot connect to 127\.0\.0\.1:\d+: connection refused hint: /)
})

test('a name that nobody knows', async () => {
  const said = await refused({ DATABASE_URL: 'postgres://me:secret@nowhere.invalid/shop' })
  expect(said).toMatch(/^error\[CONNECTION_REFUSED\]: cannot connect to nowhere\.invalid:5432: /)
})

test('no such database', async () => {
  const said = await refused(changed((url) => (url.pathname = '/nowhere')))
  expect(said).toMatch(/^error\[NO_DATABASE\]: .*database "nowhere" does not exist .*hint: check the database name/)
})

test('a server before 14', async () => {
  await using old = await translated(database.url, (bytes) => asVersion13(bytes))
  expect(await refused({ DATABASE_URL: old.url })).toMatch(
    /^error\[SERVER_TOO_OLD\]: 127\.0\.0\.1:\d+ runs PostgreSQL 13.* hint: perfdb works with PostgreSQL 14 to 18$/,
  )
})

test('a server that is no PostgreSQL', async () => {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  expect(await refused({ DATABASE_URL: `postgres://me:secret@127.0.0.1:${port}/shop` })).toMatch(
    /^error\[(CONNECTION_REFUSED|TLS_FAILED)\]: .*127\.0\.0\.1:\d+: /,
  )
  server.close()
})

test('a parameter that PostgreSQL does not know', async () => {
  const said = await refused({ DATABASE_URL: `${database.url}?sslmod=require` })
  expect(said).toMatch(/^error\[UNKNOWN_URL_PARAMETER\]: .*sslmod/)
  expect(said).toMatch(/hint: .*sslmode/)
})

test.each([
  ['?pgbouncer=true', 'PERFDB_DIRECT_URL'],
  ['?connection_limit=5', 'connection_limit'],
  // Not left out: the default schema of a profile that names none.
  ['?schema=public', ''],
])('a parameter of another driver is left out with a note: %s', async (parameters, named) => {
  const environment = { DATABASE_URL: `${database.url}${parameters}` }
  const { code, stderr } = await perfdbHere(['plan', 'my.yaml'], { cwd: home.path, environment })
  expect({ code, named: stderr.includes(named) }).toEqual({ code: 0, named: true })
})

test('a URL that is none, from each place that may hold one', async () => {
  expect(await refused({ DATABASE_URL: 'mysql://me:secret@host/x' })).toMatch(/^error\[BAD_URL\]: .*DATABASE_URL/)
  expect(await refused({}, '--url', 'postgres://me:secret@host:port/x')).toMatch(/^error\[BAD_URL\]: /)
})

test('PERFDB_DIRECT_URL beats PERFDB_URL, which beats DATABASE_URL; --url beats all', async () => {
  const wrong = { DATABASE_URL: 'postgres://u@127.0.0.1:1/a', PERFDB_URL: 'postgres://u@127.0.0.1:1/b' }
  const run = (environment: Readonly<Record<string, string>>, ...more: readonly string[]) =>
    perfdbHere(['verify', 'my.yaml', ...more], { cwd: home.path, environment })
  expect((await run({ ...wrong, PERFDB_DIRECT_URL: database.url })).code).toBe(1)
  expect((await run({ DATABASE_URL: 'postgres://u@127.0.0.1:1/a', PERFDB_URL: database.url })).code).toBe(1)
  expect((await run({ ...wrong, PERFDB_DIRECT_URL: 'postgres://u@127.0.0.1:1/c' }, '--url', database.url)).code).toBe(1)
})

test('--load goes with the embedded server', async () => {
  expect(await refused({ DATABASE_URL: database.url }, '--load', 'schema.sql')).toMatch(/^error\[BAD_OPTION\]: --load/)
})

async function closedPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** 180004 becomes 130004, and 18.4 becomes 13.4, wherever the server says it. */
function asVersion13(bytes: Buffer): Buffer {
  const text = bytes.toString('latin1').replace(/\b1[4-9]00\d\d\b/g, (found) => `13${found.slice(2)}`)
  return Buffer.from(text.replace(/\b1[4-9]\.(?=\d)/g, '13.'), 'latin1')
}

test('node --permission: what it does not allow is said to be that, and a folder above that it hides holds no perfdb.yaml', async () => {
  const denied = Object.assign(new Error('Access to this API has been restricted'), { code: 'ERR_ACCESS_DENIED' })
  expect(toPerfdbError(denied, { phase: 'connect', label: '127.0.0.1:5432' })).toMatchObject({
    code: 'NODE_PERMISSION',
    message: 'cannot connect to 127.0.0.1:5432: node --permission does not allow it',
    hint: expect.stringContaining('--allow-net'),
  })
  const under = async (...readable: readonly string[]) => {
    // Quoted by nothing: no such folder has a space.
    const allowed = [packageFolder, ...readable].map((path) => `--allow-fs-read=${path}`).join(' ')
    const flag = process.allowedNodeEnvironmentFlags.has('--permission')
      ? '--permission --allow-net'
      : '--experimental-permission'
    const script = `"${process.execPath}" --no-warnings ${flag} ${allowed} "${join(packageFolder, 'bin/perfdb.js')}" plan my.yaml`
    return shell(script, { cwd: home.path, environment: { DATABASE_URL: database.url } })
  }
  expect(await under(home.path)).toMatchObject({ code: 0, stderr: '' })
  expect(await under()).toMatchObject({ code: 2, stderr: expect.stringMatching(/FILE_UNREADABLE[^]*--allow-fs-read/) })
})

const packageFolder = join(import.meta.dirname, '../..')
