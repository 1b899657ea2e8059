import { expect, test } from 'vitest'
import type { RunEvent } from '../../src/build/events.js'
import { apply, blockersOf, plan, status, verify } from '../support/apply.js'
import { testDatabase } from '../support/database.js'
import { flags, notReady, openTransaction } from '../support/leftover.js'
import { profileOf } from '../support/profile.js'
import { testRole } from '../support/roles.js'
import { gatedTable, inPhase, openGate, slowIndex, until } from '../support/slow.js'

const table = 'create table t (a int, b int); insert into t select n, n from generate_series(1, 50) n;'
const one = ['{ name: i, table: t, keys: [a] }']

test('fault 64: who does not own the table is told so before anything is done, and may still verify', async () => {
  await using db = await testDatabase(`${table} create table own (a int)`)
  await using role = await testRole(db)
  await db.sql.unsafe(
    `grant all on t to ${role.name}; alter table own owner to ${role.name}; grant create on schema public to ${role.name}`,
  )
  const profiles = await profileOf([...one, '{ name: j, table: own, keys: [a] }'])
  await expect(apply(role.url, profiles)).rejects.toMatchObject({
    code: 'PRIVILEGE',
    message: `role ${role.name} does not own public.t`,
  })
  expect(await flags(db.sql, 'j')).toBe(undefined)
  expect((await verify(role.url, profiles)).findings.map(({ code }) => code)).toEqual(['MISSING', 'MISSING'])
})

test('fault 64: an owner without CREATE on the schema is told so before anything is done', async () => {
  await using db = await testDatabase(`create schema s; create table s.t (a int)`)
  await using role = await testRole(db)
  await db.sql.unsafe(`alter table s.t owner to ${role.name}; grant usage on schema s to ${role.name}`)
  const profiles = await profileOf(['{ name: i, table: s.t, keys: [a] }'])
  await expect(apply(role.url, profiles)).rejects.toMatchObject({
    code: 'PRIVILEGE',
    hint: `grant create on schema s to ${role.name}`,
  })
})

test('fault 64: a role without USAGE on the schema is told of a privilege, not of a table that is not there', async () => {
  await using db = await testDatabase(`create schema s; create table s.t (a int); create index i on s.t (a)`)
  await using role = await testRole(db)
  const outcome: unknown = await plan(role.url, await profileOf(['{ name: k, table: s.t, keys: [a] }'])).catch(
    (error: unknown) => error,
  )
  expect(outcome).toMatchObject({ message: expect.stringMatching(/permission denied for schema s/) })
})

test.each(['inherit', 'noinherit'])(
  'fault 64: a member (%s) of the owning role is judged as PostgreSQL will judge it',
  async (attribute) => {
    await using db = await testDatabase(table)
    await using owner = await testRole(db)
    await using member = await testRole(db, attribute)
    await db.sql.unsafe(
      `alter table t owner to ${owner.name}; grant create on schema public to ${owner.name}; grant ${owner.name} to ${member.name}`,
    )
    const outcome = apply(member.url, await profileOf(one))
    if (attribute === 'inherit') expect((await outcome).result.exit_code).toBe(0)
    else await expect(outcome).rejects.toMatchObject({ code: 'PRIVILEGE' })
  },
)

test('fault 64: a tablespace that the role may not use ends the build, and leaves nothing', async () => {
  await using db = await testDatabase(table)
  await using role = await testRole(db)
  await db.sql.unsafe(`alter table t owner to ${role.name}; grant create on schema public to ${role.name}`)
  const profiles = await profileOf(['{ name: i, table: t, keys: [a], tablespace: pg_global }'])
  const outcome = await apply(role.url, profiles).then(
    ({ result }) => result.steps[0]?.error,
    (error: unknown) => error,
  )
  expect(outcome).toMatchObject({ sqlstate: expect.stringMatching(/^(42501|22023)$/) })
  expect(await flags(db.sql, 'i')).toBe(undefined)
})

test('fault 64: a plain role sees of a blocker only the pid, and is told what would show more', async () => {
  await using db = await testDatabase(table)
  await using role = await testRole(db)
  await db.sql.unsafe(`alter table t owner to ${role.name}; grant create on schema public to ${role.name}`)
  await using holder = await openTransaction(db.sql, 'begin isolation level repeatable read', 'select 1')
  const seen: RunEvent[] = []
  const running = apply(role.url, await profileOf(one), { onEvent: (event) => seen.push(event) })
  await until('the blocker is told', () => blockersOf(seen).length > 0)
  await holder.end()
  expect((await running).result.exit_code).toBe(0)
  expect(blockersOf(seen)[0]).toMatch(new RegExp(`: pid ${holder.pid} \\(grant pg_monitor to see more\\)$`))
})

test('fault 64: a plain role does not drop what another role builds right now, though it may not see what that is', async () => {
  await using db = await testDatabase(gatedTable)
  await using role = await testRole(db)
  await db.sql.unsafe(`alter table t owner to ${role.name}; grant create on schema public to ${role.name}`)
  const foreign = db.sql
    .unsafe('create index concurrently i_slow on t (a) where public.slow(a) > 0')
    .then(() => 'built', String)
  await until('the other build', inPhase(db.sql, 'building index'))
  const [before] = await db.sql`select 'i_slow'::regclass::oid as oid`
  const profiles = await profileOf([slowIndex])
  expect((await plan(role.url, profiles)).steps).toMatchObject([{ step: 'building' }])
  const seen: RunEvent[] = []
  const running = apply(role.url, profiles, { onEvent: (event) => seen.push(event) })
  await until('perfdb waits', () => seen.some(({ type }) => type === 'step-progress'))
  await openGate(db.sql)
  expect((await running).result).toMatchObject({
    exit_code: 0,
    steps: [{ outcome: 'waited', state: 'valid' }],
  })
  expect(await foreign).toBe('built')
  expect(await db.sql`select 'i_slow'::regclass::oid as oid`).toEqual([before])
})

test('fault 64: a plain role waits for a build of another role on its table before it begins its own', async () => {
  await using db = await testDatabase(gatedTable)
  await using role = await testRole(db)
  await db.sql.unsafe(`alter table t owner to ${role.name}; grant create on schema public to ${role.name}`)
  const foreign = db.sql
    .unsafe('create index concurrently foreign_one on t (public.slow(a))')
    .then(() => 'built', String)
  await until('the other build', inPhase(db.sql, 'building index'))
  const seen: RunEvent[] = []
  const running = apply(role.url, await profileOf(one), { onEvent: (event) => seen.push(event) })
  await until('perfdb waits', () => blockersOf(seen).length > 0)
  await openGate(db.sql)
  const { result } = await running
  expect(await foreign).toBe('built')
  expect(result).toMatchObject({ exit_code: 0, steps: [{ outcome: 'built' }] })
})

test('fault 64: a role that may not write the ledger is told how to go on without it', async () => {
  await using db = await testDatabase(table)
  await using role = await testRole(db)
  await db.sql.unsafe(`alter table t owner to ${role.name}; grant create on schema public to ${role.name}`)
  await expect(apply(role.url, await profileOf(one), { ledger: true })).rejects.toMatchObject({
    code: 'PRIVILEGE',
    hint: expect.stringContaining('--no-ledger'),
  })
  expect((await apply(role.url, await profileOf(one))).result.exit_code).toBe(0)
})

test('fault 27: ANALYZE by one who is not the owner is found out, though PostgreSQL reports success', async () => {
  await using db = await testDatabase(`${table} create table theirs (a int)`)
  await using role = await testRole(db)
  await db.sql.unsafe(
    `alter table t owner to ${role.name}; grant create on schema public to ${role.name}; grant select on theirs to ${role.name}`,
  )
  const { result } = await apply(role.url, await profileOf(one, 'analyze: [theirs]\n'))
  expect(result).toMatchObject({
    exit_code: 3,
    steps: [{ outcome: 'built' }],
    analyzed: [
      { table: 'public.t', ok: true },
      { table: 'public.theirs', ok: false, message: expect.stringContaining('theirs') },
    ],
  })
})

test('fault 45: an extension that the server does not have, or that the role may not create, is told before anything is built', async () => {
  await using db = await testDatabase(table)
  await using role = await testRole(db)
  await db.sql.unsafe(
    `alter table t owner to ${role.name}; grant create on schema public to ${role.name}; grant create on database ${db.name} to ${role.name}`,
  )
  await expect(apply(role.url, await profileOf(one, 'extensions: [no_such_thing]\n'))).rejects.toMatchObject({
    code: 'NO_EXTENSION',
  })
  const untrusted = await profileOf(one, 'extensions: [amcheck]\n')
  await expect(apply(role.url, untrusted)).rejects.toMatchObject({ code: 'NO_EXTENSION' })
  const options = { allow: ['CREATE_EXTENSION'], ledger: true } as const
  await expect(apply(role.url, untrusted, options)).rejects.toMatchObject({ code: 'PRIVILEGE', sqlstate: '42501' })
  expect(await flags(db.sql, 'i')).toBe(undefined)
  expect((await status(role.url)).findings).toEqual([])
})

test('fault 43: a table of the system catalog is refused', async () => {
  await using db = await testDatabase()
  const profiles = await profileOf(['{ name: i, table: pg_catalog.pg_class, keys: [relpages] }'])
  const outcome = await apply(db.url, profiles).then(
    ({ result }) => result.steps[0]?.error,
    (error: unknown) => error,
  )
  expect(outcome).toMatchObject({ message: expect.stringMatching(/system catalog/) })
})

test('fault 9: a plain role that owns nothing still sees what is invalid', async () => {
  await using db = await testDatabase(table)
  await using role = await testRole(db)
  await notReady(db.sql, 'create index concurrently i on t (b)', 'insert into t values (0, 0)')
  expect((await verify(role.url, await profileOf([], 'analyze: [t]\n'))).findings).toMatchObject([
    { code: 'INVALID', index: 'i' },
  ])
})
