import { chown, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { PerfdbError } from '../../src/errors.js'
import { connect } from '../../src/server/connect.js'
import { startEmbedded, type EmbeddedServer } from '../../src/server/embedded/embedded.js'
import { resolveTarget } from '../../src/server/target/target.js'
import { authority, certificate, key } from './certificates.js'

let server: EmbeddedServer
let files: string

beforeAll(async () => {
  server = await startEmbedded()
  files = await mkdtemp(join(tmpdir(), 'perfdb-tls-'))
  await writeFile(join(files, 'root.crt'), authority)
  await writeFile(join(files, 'other.crt'), certificate)
  const owner = await stat(join(server.folder, 'data'))
  for (const [name, content] of [
    ['server.crt', certificate],
    ['server.key', key],
  ] as const) {
    const file = join(server.folder, 'data', name)
    await writeFile(file, content, { mode: 0o600 })
    if (process.getuid?.() === 0) await chown(file, owner.uid, owner.gid)
  }
  await using session = await open('sslmode=disable')
  await session.query('alter system set ssl = on')
  await reload()
})

afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await rm(files, { recursive: true })
})

test('each sslmode does what libpq says of it', async () => {
  expect(await encrypted('sslmode=disable')).toBe(false)
  expect(await encrypted('sslmode=allow')).toBe(false)
  expect(await encrypted('')).toBe(true)
  expect(await encrypted('sslmode=require')).toBe(true)
  expect(await encrypted('ssl=true')).toBe(true)
  expect(await encrypted(`sslmode=verify-ca&sslrootcert=${files}/root.crt`, '127.0.0.1')).toBe(true)
  expect(await encrypted(`sslmode=verify-full&sslrootcert=${files}/root.crt`, 'localhost')).toBe(true)
  expect(await encrypted(`sslmode=verify-full&sslrootcert=${files}/root.crt&hostaddr=127.0.0.1`, 'localhost')).toBe(
    true,
  )
  expect(await encrypted(`sslmode=require&sslnegotiation=direct`)).toBe(true)
})

test('what cannot be verified is refused', async () => {
  const verifyFull = `sslmode=verify-full&sslrootcert=${files}/root.crt`
  expect(await codeOf(verifyFull, '127.0.0.1')).toBe('TLS_FAILED')
  expect(await codeOf(`sslmode=verify-ca&sslrootcert=${files}/other.crt`, 'localhost')).toBe('TLS_FAILED')
  expect(await codeOf(`sslmode=require&sslrootcert=${files}/other.crt`, 'localhost')).toBe('TLS_FAILED')
  expect(await codeOf('sslrootcert=system', 'localhost')).toBe('TLS_FAILED')
  expect(await codeOf('sslmode=verify-full', 'localhost')).toBe('TLS_FAILED')
  expect(await codeOf('sslmode=verify-full&sslrootcert=/not/there', 'localhost')).toBe('TLS_FAILED')
})

test('a cancel request goes through TLS as well', async () => {
  await using session = await open('sslmode=require')
  await using other = await open('sslmode=require')
  const sleeping = session.query('select pg_sleep(60)').catch((error: unknown) => error)
  const looks = () =>
    other.query(`select from pg_stat_activity where pid = $1 and wait_event = 'PgSleep'`, [session.pid])
  while ((await looks()).length === 0) await sleep(20)
  await session.cancel()
  expect(await sleeping).toMatchObject({ sqlstate: '57014' })
})

test('prefer and allow go the other way when pg_hba.conf wants it; require never does', async () => {
  const file = join(server.folder, 'data', 'pg_hba.conf')
  const kept = await readFile(file, 'utf8')
  try {
    await writeFile(file, 'hostnossl all all all scram-sha-256\n')
    await reload()
    expect(await encrypted('sslmode=prefer')).toBe(false)
    expect(await codeOf('sslmode=require')).toBe('AUTHENTICATION_FAILED')
    await writeFile(file, 'hostssl all all all scram-sha-256\n')
    await reload('sslmode=prefer')
    expect(await encrypted('sslmode=allow')).toBe(true)
    expect(await codeOf('sslmode=disable')).toBe('AUTHENTICATION_FAILED')
  } finally {
    await writeFile(file, kept)
  }
})

/** A reload is done when a new session sees another load time. */
async function reload(parameters = 'sslmode=prefer') {
  await using session = await open(parameters)
  const loaded = async () => (await session.query<{ at: Date }>('select pg_conf_load_time()::text as at'))[0]?.at
  const before = await loaded()
  await session.query('select pg_reload_conf()')
  while ((await loaded()) === before) await sleep(20)
}

async function open(parameters: string, host = '127.0.0.1') {
  const url = `${server.url.replace('127.0.0.1', host)}?${parameters}`
  return connect(await resolveTarget({ url: url.replace(/\?$/, ''), environment: {}, home: '/nonexistent' }), 'look')
}

async function encrypted(parameters: string, host?: string) {
  await using session = await open(parameters, host)
  const [row] = await session.query<{ ssl: boolean }>('select ssl from pg_stat_ssl where pid = pg_backend_pid()')
  return row?.ssl
}

async function codeOf(parameters: string, host?: string) {
  const outcome = await open(parameters, host).then(
    async (session) => session[Symbol.asyncDispose](),
    (error: unknown) => error,
  )
  return outcome instanceof PerfdbError ? outcome.code : outcome
}
