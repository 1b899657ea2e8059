import { expect, test } from 'vitest'
import { apply, plan, verify, warnings } from '../support/apply.js'
import { testDatabase } from '../support/database.js'
import { flags, notLive, notReady, notValid, openTransaction } from '../support/leftover.js'
import { profileOf } from '../support/profile.js'
import { invalidIndexes, until } from '../support/slow.js'

const table = `create table t (a int, b int, c text);
  insert into t select n, n % 100, 'c' || n from generate_series(1, 1000) n;`

test('fault 1: duplicates end a unique build as a data problem: five keys are named, nothing is left, and once they are gone it is built', async () => {
  await using db = await testDatabase(`${table} insert into t select n % 7, 0, 'x' from generate_series(1, 70) n;`)
  const profiles = await profileOf([
    "{ name: u, table: t, keys: [a, { expression: lower(c) }], unique: true, where: c = 'x' }",
  ])
  const { result, events } = await apply(db.url, profiles)
  expect(result).toMatchObject({
    exit_code: 3,
    steps: [{ outcome: 'failed', state: 'missing', error: { code: 'DUPLICATE_KEYS', sqlstate: '23505' } }],
  })
  expect(result.steps[0]?.error?.detail?.match(/\(\d, x\): 10 rows/g)).toHaveLength(5)
  // The same data would fail the same way: it is not tried again.
  expect(warnings(events)).toEqual([])
  expect(await invalidIndexes(db.sql)).toEqual([])
  await db.sql`delete from t where c = 'x'`
  expect((await apply(db.url, profiles)).result).toMatchObject({ exit_code: 0, steps: [{ outcome: 'built' }] })
})

test('fault 8: a unique leftover that still rejects rows is the first thing that apply sees to', async () => {
  await using db = await testDatabase(table)
  await notValid(db.sql, 'create unique index concurrently i_z on t (a)')
  expect(await flags(db.sql, 'i_z')).toBe('f/t/t')
  await expect(db.sql`insert into t values (1)`).rejects.toMatchObject({ code: '23505' })
  const profiles = await profileOf(['{ name: i_a, table: t, keys: [b] }', '{ name: i_z, table: t, keys: [a, b, c] }'])
  expect((await verify(db.url, profiles)).findings).toMatchObject([
    { code: 'MISSING', index: 'i_a' },
    { code: 'INVALID', index: 'i_z', message: expect.stringContaining('yet rejects duplicates') },
  ])
  const { result, events } = await apply(db.url, profiles)
  expect(events.flatMap((event) => (event.type === 'step-started' ? [event.index] : []))).toEqual(['i_z', 'i_a'])
  expect(result).toMatchObject({ exit_code: 0, steps: [{ outcome: 'rebuilt' }, { outcome: 'built' }] })
  await db.sql`insert into t values (1)`
})

test('fault 9: an empty invalid index stops HOT updates: verify tells its flags and the command that ends it, and fails', async () => {
  await using db = await testDatabase(table)
  await notReady(db.sql, 'create index concurrently "i Left" on t (b)', 'insert into t values (0, 0)')
  expect(await flags(db.sql, 'i Left')).toBe('f/f/t')
  const verified = await verify(db.url, await profileOf([], 'analyze: [t]\n'))
  expect(verified).toMatchObject({
    exit_code: 1,
    findings: [
      {
        code: 'INVALID',
        severity: 'error',
        index: 'i Left',
        message: expect.stringContaining('is not valid, not ready'),
        hint: 'if nobody needs it: drop index concurrently "public"."i Left"',
      },
    ],
  })
  await db.sql.unsafe('drop index concurrently "public"."i Left"')
  expect((await verify(db.url, await profileOf([], 'analyze: [t]\n'))).exit_code).toBe(0)
})

const halfDone: readonly (readonly [string, (db: Awaited<ReturnType<typeof testDatabase>>) => Promise<void>])[] = [
  ['f/f/t', (db) => notReady(db.sql, 'create index concurrently i on t (b)', 'insert into t values (0, 0)')],
  ['f/t/t', (db) => notValid(db.sql, 'create index concurrently i on t (b)')],
  [
    'f/f/f',
    async (db) => {
      await db.sql`create index i on t (b)`
      await notLive(db.sql, 'i', 't')
    },
  ],
]

test.each(halfDone)(
  'fault 10: over an index that is %s apply does not succeed silently: it builds it anew',
  async (state, make) => {
    await using db = await testDatabase(table)
    await make(db)
    expect(await flags(db.sql, 'i')).toBe(state)
    // What a migrator with IF NOT EXISTS would believe.
    await db.sql`create index concurrently if not exists i on t (b)`
    expect(await flags(db.sql, 'i')).toBe(state)
    const profiles = await profileOf(['{ name: i, table: t, keys: [b] }'])
    const planned = await plan(db.url, profiles)
    expect(planned.steps).toMatchObject([
      {
        step: 'rebuild',
        sql: ['drop index concurrently "public"."i"', expect.stringMatching(/^create index concurrently "i" on /)],
      },
    ])
    expect((await apply(db.url, profiles)).result).toMatchObject({ exit_code: 0, steps: [{ outcome: 'rebuilt' }] })
    expect(await flags(db.sql, 'i')).toBe('t/t/t')
  },
)

test.each([
  ['a table', 'create table taken (x int)'],
  ['an index of another table, public.other', 'create table other (x int); create index taken on other (x)'],
])('fault 10: a name that belongs to %s is refused before anything is done', async (what, make) => {
  await using db = await testDatabase(`${table} ${make}`)
  const profiles = await profileOf(['{ name: fine, table: t, keys: [a] }', '{ name: taken, table: t, keys: [b] }'])
  await expect(apply(db.url, profiles)).rejects.toMatchObject({
    code: 'NAME_TAKEN',
    message: expect.stringContaining(what),
  })
  expect(await flags(db.sql, 'fine')).toBe(undefined)
})

test('fault 12: what REINDEX CONCURRENTLY left is one finding for each index; apply drops what it left of declared ones, and nothing else', async () => {
  await using db = await testDatabase(
    `${table} create index i on t (b); create index j on t (c); create index k on t (a); create index other_ccnew on t (a, b)`,
  )
  await notReady(db.sql, 'reindex index concurrently i', 'insert into t values (0, 0)')
  await notReady(db.sql, 'reindex index concurrently i', 'insert into t values (0, 0)')
  await notReady(db.sql, 'reindex index concurrently k', 'insert into t values (0, 0)')
  // Bears such a name, and is another index: nobody knows whose.
  await notReady(db.sql, 'create index concurrently i_ccnew7 on t (a, c)', 'insert into t values (0, 0)')
  await oldHalf(db.sql, 'j')
  const left = ['i_ccnew', 'i_ccnew1', 'i_ccnew7', 'j_ccold', 'k_ccnew']
  expect(await Promise.all(left.map((name) => flags(db.sql, name)))).toEqual([
    'f/f/t',
    'f/f/t',
    'f/f/t',
    'f/t/t',
    'f/f/t',
  ])
  const profiles = await profileOf(['{ name: i, table: t, keys: [b] }', '{ name: j, table: t, keys: [c] }'])
  const verified = await verify(db.url, profiles)
  expect(verified.exit_code).toBe(1)
  const invalid = verified.findings.filter(({ code }) => code === 'INVALID')
  expect(invalid.map(({ index, message, hint }) => [index, message, hint])).toEqual([
    [
      'i',
      'REINDEX CONCURRENTLY of i did not come to its end and left i_ccnew, i_ccnew1: no query uses them, no write pays for it, but updates of its columns cannot be HOT',
      'perfdb apply drops them',
    ],
    ['i_ccnew7', expect.stringContaining('i_ccnew7, which no profile declares'), expect.anything()],
    ['j', expect.stringContaining('left j_ccold: no query uses it, each write pays for it'), 'perfdb apply drops it'],
    ['k', expect.stringContaining('left k_ccnew'), 'drop index concurrently "public"."k_ccnew"'],
  ])
  const { result } = await apply(db.url, profiles)
  expect(result.steps.map(({ index, outcome }) => [index, outcome])).toEqual([
    ['i', 'kept'],
    ['j', 'kept'],
    ['i_ccnew', 'dropped'],
    ['i_ccnew1', 'dropped'],
    ['j_ccold', 'dropped'],
  ])
  expect(result.exit_code).toBe(0)
  expect((await invalidIndexes(db.sql)).length).toBe(2)
  expect(await flags(db.sql, 'other_ccnew')).toBe('t/t/t')
  expect((await plan(db.url, profiles)).steps.map(({ step }) => step)).toEqual(['keep', 'keep'])
})

/** REINDEX cancelled while it waits for readers of the old half: that half stays as NAME_ccold. */
async function oldHalf(sql: Awaited<ReturnType<typeof testDatabase>>['sql'], name: string): Promise<void> {
  const connection = await sql.reserve()
  try {
    await using reader = await openTransaction(sql, 'begin', 'select 1 from t limit 1')
    const [row] = await connection<{ pid: number }[]>`select pg_backend_pid() as pid`
    const pid = row?.pid ?? 0
    const reindexing = connection.unsafe(`reindex index concurrently ${name}`).catch(() => undefined)
    await until(
      'REINDEX waits for the reader',
      async () => (await sql`select 1 where ${reader.pid} = any (pg_blocking_pids(${pid}))`).length > 0,
    )
    await sql`select pg_cancel_backend(${pid})`
    await reindexing
  } finally {
    connection.release()
  }
}

test.each([
  ['22012', 'division by zero', '{ name: i, table: t, keys: [{ expression: 10 / (a - 500) }] }'],
  ['54000', 'index row requires', '{ name: i, table: t, keys: [c] }'],
])(
  'fault 14: %s in the data ends the build, is not tried again, and leaves nothing',
  async (sqlstate, message, index) => {
    await using db = await testDatabase(
      // Random text cannot be compressed below the limit of a btree row.
      `${table} update t set c = (select string_agg(md5(n::text), '') from generate_series(1, 300) n) where a = 900`,
    )
    const { result, events } = await apply(db.url, await profileOf([index, '{ name: other, table: t, keys: [b] }']))
    expect(result.exit_code).toBe(3)
    expect(result.steps.find((step) => step.index === 'i')).toMatchObject({
      outcome: 'failed',
      state: 'missing',
      error: { code: 'BUILD_FAILED', sqlstate, message: expect.stringContaining(message) },
    })
    expect(result.steps.find((step) => step.index === 'other')).toMatchObject({ outcome: 'built' })
    expect(warnings(events)).toEqual([])
    expect(await invalidIndexes(db.sql)).toEqual([])
  },
)

test('fault 15: an event trigger that ends the build after it was built leaves nothing', async () => {
  await using db = await testDatabase(`${table} ${refusing('create index')}`)
  const profiles = await profileOf(['{ name: i, table: t, keys: [a] }'])
  const told = { code: 'EVENT_TRIGGER', severity: 'warning', message: expect.stringMatching(/: refuse$/) }
  expect(await plan(db.url, profiles)).toMatchObject({ exit_code: 0, findings: [told] })
  const { result } = await apply(db.url, profiles)
  expect(result).toMatchObject({
    exit_code: 3,
    steps: [{ outcome: 'failed', state: 'missing', error: { message: 'not today', sqlstate: 'P0001' } }],
  })
  expect(await invalidIndexes(db.sql)).toEqual([])
  await db.sql`alter event trigger refuse disable`
  expect((await plan(db.url, profiles)).findings).toEqual([])
  expect((await apply(db.url, profiles)).result.exit_code).toBe(0)
})

test('fault 15: when the trigger refuses the clean-up too, the command to finish with is told', async () => {
  await using db = await testDatabase(`${table} ${refusing('create index', 'drop index')}`)
  const profiles = await profileOf(['{ name: i, table: t, keys: [a] }'])
  const { result } = await apply(db.url, profiles)
  expect(result.steps).toMatchObject([
    {
      outcome: 'failed',
      state: 'invalid',
      error: { hint: expect.stringContaining('drop index concurrently "public"."i"') },
    },
  ])
  await db.sql`drop event trigger refuse`
  expect((await apply(db.url, profiles)).result).toMatchObject({ exit_code: 0, steps: [{ outcome: 'rebuilt' }] })
})

/** Raises at the end of these commands in the schema public; a probe on a temporary table passes. */
function refusing(...tags: readonly string[]): string {
  return `create function refuse() returns event_trigger language plpgsql as $$ begin
      if tg_tag = 'DROP INDEX' or exists (select from pg_event_trigger_ddl_commands() where schema_name = 'public')
      then raise 'not today'; end if; end $$;
    create event trigger refuse on ddl_command_end when tag in (${tags.map((tag) => `'${tag}'`).join(', ')})
      execute function refuse();`
}
