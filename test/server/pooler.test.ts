import { expect, test } from 'vitest'
import { PerfdbError } from '../../src/errors.js'
import { connect } from '../../src/server/connect.js'
import { resolveTarget } from '../../src/server/target/target.js'
import { testDatabase } from '../support/database.js'
import { translated, type Translated } from '../support/translated.js'

test('a pooler is refused where one backend is needed, and named with the way out', async () => {
  await using database = await testDatabase()
  await using pooler = await poolerBefore(database.url)
  for (const role of ['ddl', 'watchdog', 'ledger'] as const) {
    const outcome: unknown = await connect(await targetOf(pooler.url), role).catch((error: unknown) => error)
    expect(outcome).toMatchObject({ code: 'POOLER', hint: expect.stringContaining('PERFDB_DIRECT_URL') })
  }
})

test('through a pooler settings hold in each transaction, and none stays on the backend', async () => {
  await using database = await testDatabase(
    `create table t (a int); do $$ begin execute format('alter database %I set statement_timeout = ''11s''', current_database()); end $$`,
  )
  await using pooler = await poolerBefore(database.url)
  await using session = await connect(await targetOf(pooler.url), 'look')
  expect(session.pooled).toBe(true)
  const setting = `select current_setting('statement_timeout') as timeout, current_setting('search_path') as path`
  expect(await session.query(setting)).toEqual([{ timeout: '0', path: 'pg_catalog' }])
  const seen = await session.rolledBack({ readOnly: true, lockTimeoutMs: 5 }, async () => session.query(setting))
  expect(seen).toEqual([{ timeout: '0', path: 'pg_catalog' }])
  const afterwards = await session.transaction(async () => {
    await session.query('rollback')
    return session.query(setting)
  })
  expect(afterwards).toEqual([{ timeout: '11s', path: '"$user", public' }])
  await session.query('insert into public.t values (1)')
  expect(await session.query('select a from public.t')).toEqual([{ a: 1 }])
})

test('a variable of libpq that postgres.js reads by itself does no harm', async () => {
  await using database = await testDatabase()
  process.env['PGTARGETSESSIONATTRS'] = 'any'
  try {
    await using session = await connect(await targetOf(database.url), 'look')
    expect(await session.query('select 1 as one')).toEqual([{ one: 1 }])
    expect(process.env['PGTARGETSESSIONATTRS']).toBe('any')
  } finally {
    delete process.env['PGTARGETSESSIONATTRS']
  }
})

test('a server that is no PostgreSQL 14 is refused', async () => {
  await using database = await testDatabase()
  await using old = await translated(database.url, (bytes) => replaced(bytes, /\b1[4-9]00\d\d\b/g, '13'))
  const outcome: unknown = await connect(await targetOf(old.url), 'look').catch((error: unknown) => error)
  expect(outcome instanceof PerfdbError ? outcome.code : outcome).toBe('SERVER_TOO_OLD')
})

/** Stands between as a pooler does: the pid that it tells the client is not the backend's. */
async function poolerBefore(url: string): Promise<Translated> {
  return translated(url, withOtherPid)
}

/** BackendKeyData is K, its length 12, pid and secret. */
function withOtherPid(bytes: Buffer): Buffer {
  const at = bytes.indexOf(Buffer.from([0x4b, 0, 0, 0, 12]))
  if (at < 0) return bytes
  const copy = Buffer.from(bytes)
  copy.writeUInt32BE(681_538_397, at + 5)
  return copy
}

/** Text of the same length in its place, as latin1 so that no byte is lost. */
function replaced(bytes: Buffer, pattern: RegExp, start: string): Buffer {
  return Buffer.from(
    bytes.toString('latin1').replace(pattern, (found) => start + found.slice(start.length)),
    'latin1',
  )
}

async function targetOf(url: string) {
  return resolveTarget({ url, environment: {}, home: '/nonexistent' })
}
