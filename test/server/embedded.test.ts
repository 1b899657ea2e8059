import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { startEmbedded } from '../../src/server/embedded/embedded.js'
import { testDatabase } from '../support/database.js'

test('a fresh database answers', async () => {
  await using database = await testDatabase('create table t (a int)')
  const rows = await database.sql`select count(*)::int as n from t`
  expect(rows[0]?.['n']).toBe(0)
})

test('disposing ends the server and removes its folder', async () => {
  const server = await startEmbedded()
  expect(existsSync(server.folder)).toBe(true)
  await server[Symbol.asyncDispose]()
  expect(existsSync(server.folder)).toBe(false)
  expect(() => process.kill(server.pid, 0)).toThrow('ESRCH')
})
