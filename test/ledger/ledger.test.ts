import { expect, test } from 'vitest'
import { openLedger, readLedger } from '../../src/ledger/records/history.js'
import type { Ledger, NewRun, NewStep } from '../../src/ledger/ledger.js'
import { connect } from '../../src/server/connect.js'
import { resolveTarget } from '../../src/server/target/target.js'
import { testDatabase } from '../support/database.js'

test('a run with its steps comes back as it was written, in the time of the server', async () => {
  await using database = await testDatabase()
  await using session = await open(database.url)
  const ledger = await openLedger(session)
  const run = await ledger.startRun(newRun)
  await ledger.startStep(run, step(1, 'i', { ddlAfter: 'create index i', predictedBytes: 5_000_000_000 }))
  await ledger.finishStep(run, 1, {
    ...done,
    outcome: 'built',
    sizeBytes: 6_000_000_000,
    durationMs: 12.5,
    waitedMs: 1,
  })
  await ledger.startStep(run, step(2, 'j', { step: 'drop', ddlBefore: 'create index "j"' }))
  const error = { code: 'BUILD_FAILED', message: "it's\nwrong", sqlstate: '40P01' }
  await ledger.finishStep(run, 2, { ...done, outcome: 'failed', error })
  await ledger.startStep(run, step(3, 'k'))
  await ledger.recordMeasurement(run, {
    query: 'q',
    parameterSet: 'hot',
    side: 'before',
    verdict: null,
    document: { samples: 3 },
  })
  await ledger.finishRun(run, 'failed')

  const found = await ledger.run(run)
  expect(found).toMatchObject({
    run,
    command: 'apply',
    outcome: 'failed',
    perfdbVersion: '0.1.0',
    user: 'postgres',
    profiles: ['a,b.yaml', 'c "d".yaml'],
    fingerprint: 'abc',
    built: 1,
    dropped: 0,
    failed: 1,
    rolledBackAt: null,
  })
  expect(found?.steps).toMatchObject([
    {
      number: 1,
      index: 'i',
      state: 'done',
      outcome: 'built',
      sizeBytes: 6_000_000_000,
      predictedBytes: 5_000_000_000,
      durationMs: 12.5,
      ddlAfter: 'create index i',
      error: null,
      table: { schema: 'public', name: 't' },
      canonical: { method: 'btree', keys: ['a'] },
    },
    { number: 2, index: 'j', state: 'failed', ddlBefore: 'create index "j"', error },
    { number: 3, index: 'k', state: 'started', outcome: null, finishedAt: null },
  ])
  const [clock] = await database.sql<{ now: Date }[]>`select clock_timestamp() as now`
  const times = [
    found?.startedAt,
    found?.steps[0]?.startedAt,
    found?.steps[0]?.finishedAt,
    found?.finishedAt,
    clock?.now,
  ].map(Number)
  expect(times.toSorted((one, other) => one - other)).toEqual(times)
  expect(await ledger.run(99)).toBe(null)
  expect(await database.sql`select query, document->>'samples' as samples from perfdb.measurements`).toEqual([
    { query: 'q', samples: '3' },
  ])
})

test('runs come newest first; reading a database without a ledger makes none', async () => {
  await using database = await testDatabase()
  await using session = await open(database.url)
  expect(await readLedger(session)).toBe(null)
  expect(await database.sql`select from pg_namespace where nspname = 'perfdb'`).toHaveLength(0)
  const ledger = await openLedger(session)
  const numbers = [await ledger.startRun(newRun), await ledger.startRun(newRun), await ledger.startRun(newRun)]
  const again = await readLedger(session)
  expect((await again?.runs(2))?.map(({ run }) => run)).toEqual([numbers[2], numbers[1]])
})

test('opening it again changes nothing; a run killed in the middle is found, a living one is not', async () => {
  await using database = await testDatabase()
  const killed = await open(database.url)
  const dead = await (await openLedger(killed)).startRun(newRun)
  await killed[Symbol.asyncDispose]()
  await untilGone(database, killed.pid)
  await using session = await open(database.url)
  const ledger = await openLedger(session)
  await ledger.startRun(newRun)
  const finished = await ledger.startRun(newRun)
  await ledger.finishRun(finished, 'done')
  expect((await ledger.interruptedRuns()).map(({ run }) => run)).toEqual([dead])
  expect(await database.sql`select name from perfdb.migrations`).toEqual([
    { name: '0001_ledger' },
    { name: '0002_kept' },
    { name: '0003_undo' },
    { name: '0004_fleet' },
  ])
})

test('indexes are owned from the build to the drop, through renames, and not after a rollback', async () => {
  await using database = await testDatabase()
  await using session = await open(database.url)
  const ledger = await openLedger(session)
  const owned = async () => (await ledger.ownedIndexes()).map(({ schema, name }) => `${schema}.${name}`)
  const first = await record(ledger, [
    ['create', 'a', 'built'],
    ['create', 'b', 'built'],
    ['rebuild', 'c', 'rebuilt'],
    ['keep', 'd', 'kept'],
    ['building', 'e', 'waited'],
  ])
  expect(await owned()).toEqual(['public.a', 'public.b', 'public.c'])
  await record(ledger, [
    ['drop', 'a', 'dropped'],
    ['adopt', 'b2', 'renamed', 'b'],
    ['adopt', 'f2', 'renamed', 'f'],
    ['create', 'g', 'failed'],
  ])
  expect(await owned()).toEqual(['public.c', 'public.b2'])
  const undoing = await record(ledger, [['create', 'a', 'built']], 'rollback')
  expect(await owned()).toEqual(['public.c', 'public.b2'])
  await ledger.markRolledBack(first, undoing)
  expect(await owned()).toEqual([])
  expect(await ledger.run(first)).toMatchObject({ rolledBackBy: undoing })
  await expect(ledger.markRolledBack(77, undoing)).rejects.toMatchObject({ code: 'NO_RUN' })
})

test('several that install at once all succeed', async () => {
  for (let round = 0; round < 3; round += 1) {
    await using database = await testDatabase()
    const sessions = await Promise.all([1, 2, 3, 4].map(async () => open(database.url)))
    try {
      const ledgers = await Promise.all(sessions.map(async (session) => openLedger(session)))
      const runs = await Promise.all(ledgers.map(async (ledger) => ledger.startRun(newRun)))
      expect(new Set(runs).size).toBe(4)
    } finally {
      await Promise.all(sessions.map(async (session) => session[Symbol.asyncDispose]()))
    }
  }
})

test('a role that may not create is told about --no-ledger; one that may not read, what to grant', async () => {
  await using database = await testDatabase()
  const role = `plain_${database.name}`
  await database.sql.unsafe(`create role ${role} login password 'p'`)
  try {
    const url = new URL(database.url)
    url.username = role
    url.password = 'p'
    await using session = await open(url.href)
    await expect(openLedger(session)).rejects.toMatchObject({
      code: 'PRIVILEGE',
      sqlstate: '42501',
      hint: expect.stringContaining('--no-ledger'),
    })
    expect(await readLedger(session)).toBe(null)
    expect(await session.query('select 1 as one')).toEqual([{ one: 1 }])
    await using owner = await open(database.url)
    await openLedger(owner)
    await expect(readLedger(session)).rejects.toMatchObject({
      code: 'PRIVILEGE',
      hint: expect.stringContaining('grant select'),
    })
    await expect(openLedger(session)).rejects.toMatchObject({
      code: 'PRIVILEGE',
      hint: expect.stringContaining('--no-ledger'),
    })
    await database.sql.unsafe(
      `grant usage on schema perfdb to ${role}; grant select on all tables in schema perfdb to ${role}`,
    )
    expect(await (await readLedger(session))?.runs(5)).toEqual([])
  } finally {
    await database.sql.unsafe(`drop owned by ${role}; drop role ${role}`)
  }
})

test('a ledger of a later perfdb is left alone', async () => {
  await using database = await testDatabase()
  await using session = await open(database.url)
  await openLedger(session)
  await database.sql`insert into perfdb.migrations values ('0009_later', '')`
  await expect(openLedger(session)).rejects.toMatchObject({ code: 'LEDGER_TOO_NEW' })
})

test('installing leaves no transaction open, and an index build does not wait for a ledger in use', async () => {
  await using database = await testDatabase('create table t (a int)')
  await using session = await open(database.url)
  const ledger = await openLedger(session)
  const run = await ledger.startRun(newRun)
  await ledger.startStep(run, step(1, 'i'))
  const [row] =
    await database.sql`select state, backend_xmin, backend_xid from pg_stat_activity where pid = ${session.pid}`
  expect(row).toEqual({ state: 'idle', backend_xmin: null, backend_xid: null })
  expect(session.takeNotices()).toEqual([])
  await database.sql.unsafe("set lock_timeout = '5s'", [], {}).execute()
  await database.sql`create index concurrently i on t (a)`
})

const newRun: NewRun = {
  command: 'apply',
  perfdbVersion: '0.1.0',
  profiles: ['a,b.yaml', 'c "d".yaml'],
  profileNames: ['a', 'd'],
  fingerprint: 'abc',
  backendPid: 1,
}
const done = { index: null, sizeBytes: null, durationMs: 0, waitedMs: 0, error: null }

function step(number: number, index: string, more: Partial<NewStep> = {}): NewStep {
  const canonical = {
    method: 'btree',
    unique: false,
    nullsDistinct: true,
    keys: ['a'],
    include: [],
    predicate: null,
    storage: [],
    tablespace: null,
  }
  return {
    number,
    step: 'create',
    schema: 'public',
    index,
    table: { schema: 'public', name: 't' },
    profile: 'a',
    tableOid: null,
    indexBeforeOid: null,
    canonicalBefore: null,
    ddlBefore: null,
    ddlAfter: null,
    canonical,
    ...more,
  }
}

type Line = readonly [
  kind: string,
  index: string,
  outcome: 'built' | 'rebuilt' | 'kept' | 'waited' | 'dropped' | 'renamed' | 'failed',
  before?: string,
]

async function record(ledger: Ledger, lines: readonly Line[], command: 'apply' | 'rollback' = 'apply') {
  const run = await ledger.startRun({ ...newRun, command })
  for (const [position, [kind, index, outcome, before]] of lines.entries()) {
    await ledger.startStep(run, step(position + 1, index, { step: kind, indexBefore: before ?? null }))
    await ledger.finishStep(run, position + 1, { ...done, outcome, error: outcome === 'failed' ? { code: 'X' } : null })
  }
  await ledger.finishRun(run, 'done')
  return run
}

async function open(url: string) {
  return connect(await resolveTarget({ url, environment: {}, home: '/nonexistent' }), 'ledger')
}

async function untilGone(database: Awaited<ReturnType<typeof testDatabase>>, pid: number) {
  while ((await database.sql`select from pg_stat_activity where pid = ${pid}`).length > 0);
}
