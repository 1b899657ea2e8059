import { afterAll, beforeAll, expect, test } from 'vitest'
import { runDoctor } from '../../src/commands/start/doctor.js'
import { knownCodes } from '../../src/codes/help-texts.js'
import { PerfdbError } from '../../src/errors.js'
import type { DoctorResult } from '../../src/result/documents/doctor-result.js'
import { connectTo } from '../support/connect.js'
import { testDatabase, type TestDatabase } from '../support/database.js'
import { testRole } from '../support/roles.js'

/* What doctor says a role may do is what it may do, and the grants of its hints are those that are missing. */

let database: TestDatabase

beforeAll(async () => {
  database = await testDatabase('create schema app; create table app.jobs (id int); create table app.parts (id int)')
})

afterAll(async () => {
  await database[Symbol.asyncDispose]()
})

function failed({ checks }: DoctorResult): readonly string[] {
  return checks.filter(({ ok }) => !ok).map(({ code }) => code)
}

test('a role without rights: with the grants of the hints everything is well', async () => {
  await using owner = await testRole(database)
  await using role = await testRole(database)
  await database.sql.unsafe(`alter table app.jobs owner to ${owner.name}; alter table app.parts owner to ${owner.name};
    revoke temporary on database ${database.name} from public`)
  const look = async () => runDoctor(async () => connectTo(role.url, 'look'))
  const before = await look()
  expect(before).toMatchObject({ ok: false, exit_code: 1, command: 'doctor' })
  expect(failed(before)).toEqual(['TEMPORARY', 'CAN_SEE', 'LEDGER', 'CAN_READ', 'CAN_BUILD'])
  expect(before.checks.filter(({ code }) => !knownCodes.has(code))).toEqual([])
  const grants = before.checks.filter(({ ok }) => !ok).flatMap(({ hint = '' }) => hint.split('; '))
  for (const grant of grants.filter((text) => text.startsWith('grant'))) await database.sql.unsafe(grant)
  const after = await look()
  expect(failed(after)).toEqual([])
  expect(after).toMatchObject({ ok: true, exit_code: 0 })
  await database.sql.unsafe(`alter table app.jobs owner to current_user; alter table app.parts owner to current_user`)
})

test('a superuser is told so, and a server that does not answer is exit code 2', async () => {
  const known = await runDoctor(async () => connectTo(database.url, 'look'))
  expect(known.checks.find(({ code }) => code === 'SUPERUSER')).toMatchObject({ ok: true })
  expect(failed(known)).toEqual([])
  const nowhere = await runDoctor(async () => {
    throw new PerfdbError('CONNECTION_REFUSED', 'cannot connect')
  })
  expect(nowhere).toMatchObject({ ok: false, exit_code: 2 })
  expect(failed(nowhere)).toEqual(['CONNECTION_REFUSED'])
})
