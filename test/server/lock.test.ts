import { expect, test } from 'vitest'
import { connect } from '../../src/server/connect.js'
import { acquireRunLock, holdsRunLock, runLockHolder } from '../../src/server/session/lock.js'
import { resolveTarget } from '../../src/server/target/target.js'
import { testDatabase } from '../support/database.js'

test('two sessions exclude each other, and the second learns who holds the lock', async () => {
  await using database = await testDatabase()
  await using first = await session(database.url, 'ddl')
  await using second = await session(database.url, 'look')
  expect(await runLockHolder(second)).toBe(null)
  const lock = await acquireRunLock(first, { waitMs: 0 })
  expect(await holdsRunLock(first)).toBe(true)
  expect(await holdsRunLock(second)).toBe(false)
  const seen: (number | undefined)[] = []
  const onWait = (holder: { readonly pid: number } | null) => seen.push(holder?.pid)
  await expect(acquireRunLock(second, { waitMs: 1000, pollMs: 20, onWait })).rejects.toMatchObject({
    code: 'LOCK_HELD',
    message: `another run of perfdb holds the lock of this database: pid ${first.pid}`,
    detail: expect.stringContaining('perfdb ddl, user postgres'),
  })
  expect(new Set(seen)).toEqual(new Set([first.pid]))
  await lock.release()
  expect(await holdsRunLock(first)).toBe(false)
  await acquireRunLock(second, { waitMs: 0 })
  expect(await holdsRunLock(second)).toBe(true)
})

test('who waits gets the lock as soon as it is free, and waits with no open statement', async () => {
  await using database = await testDatabase()
  await using first = await session(database.url, 'ddl')
  await using second = await session(database.url, 'ddl')
  const lock = await acquireRunLock(first, { waitMs: 0 })
  const states: unknown[] = []
  const onWait = () => {
    states.push(0)
    if (states.length === 2) void lock.release()
  }
  await acquireRunLock(second, { waitMs: 60_000, pollMs: 20, onWait })
  expect(await holdsRunLock(second)).toBe(true)
  expect(await holdsRunLock(first)).toBe(false)
})

test('the lock is gone with its backend, and releasing it then does nothing', async () => {
  await using database = await testDatabase()
  await using first = await session(database.url, 'ddl')
  await using second = await session(database.url, 'ddl')
  const lock = await acquireRunLock(first, { waitMs: 0 })
  await database.sql`select pg_terminate_backend(${first.pid})`
  await acquireRunLock(second, { waitMs: 5000, pollMs: 20 })
  expect(await holdsRunLock(second)).toBe(true)
  await first.query('select 1').catch(() => undefined)
  expect(await holdsRunLock(first)).toBe(false)
  await lock.release()
})

test('a signal ends the wait; another database has a lock of its own', async () => {
  await using database = await testDatabase()
  await using other = await testDatabase()
  await using first = await session(database.url, 'ddl')
  await using second = await session(database.url, 'ddl')
  await using elsewhere = await session(other.url, 'ddl')
  await acquireRunLock(first, { waitMs: 0 })
  await acquireRunLock(elsewhere, { waitMs: 0 })
  const stop = new AbortController()
  const waiting = acquireRunLock(second, {
    waitMs: 60_000,
    pollMs: 30_000,
    signal: stop.signal,
    onWait: () => stop.abort(),
  })
  await expect(waiting).rejects.toMatchObject({ code: 'INTERRUPTED' })
})

async function session(url: string, role: 'ddl' | 'look') {
  return connect(await resolveTarget({ url, environment: {}, home: '/nonexistent' }), role)
}
