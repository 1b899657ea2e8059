import { expect, test } from 'vitest'
import { apply, plan, verify, warnings } from '../support/apply.js'
import { testDatabase, type TestDatabase } from '../support/database.js'
import { intercepted, once } from '../support/intercept.js'
import { notReady, notValid, openTransaction, snapshot } from '../support/leftover.js'
import { allValid, ordersTable, treeOf, validity } from '../support/partitions.js'
import { profileOf } from '../support/profile.js'
import { inPhase, invalidIndexes, until } from '../support/slow.js'

const byKind = '{ name: i_kind, table: orders, keys: [kind, id] }'
const bySlow = '{ name: i_slow, table: orders, keys: [{ expression: public.slow(id) }] }'
const slowFunction = `create function public.slow(int) returns int language plpgsql immutable as $$ begin perform pg_catalog.pg_sleep(0.005); return $1; end $$;`

/** An INSERT through the partitioned table, a SELECT and an UPDATE, again and again, each with lock_timeout = 1s; stopped, it says what went wrong. */
function application(db: TestDatabase): { stop(): Promise<{ rounds: number; errors: readonly string[] }> } {
  let stopped = false
  let rounds = 0
  const errors: string[] = []
  const running = (async () => {
    const connection = await db.sql.reserve()
    await connection`set lock_timeout = '1s'`
    while (!stopped) {
      const day = `2025-01-${String(1 + (rounds % 28)).padStart(2, '0')}`
      try {
        await connection`insert into orders values (${rounds}, ${rounds % 2}, 'written', ${day}), (${rounds}, 0, 'written', '2023-05-05'), (${rounds}, 1, 'written', '2024-05-05')`
        await connection`select count(*) from orders where kind = 1`
        await connection`update orders set note = 'again' where id = ${rounds - 1} and note = 'written'`
      } catch (error) {
        errors.push(String(error))
      }
      rounds += 1
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    await connection`set lock_timeout = 0`
    connection.release()
  })()
  return {
    async stop() {
      stopped = true
      await running
      return { rounds, errors }
    },
  }
}

test('fault 36: while a writer, then a reader, is in the way, the application behind them never waits for a second', async () => {
  await using db = await testDatabase(ordersTable)
  const profiles = await profileOf([byKind])
  const app = application(db)
  await using writer = await openTransaction(db.sql, 'begin', "insert into orders values (0, 0, 'open', '2024-01-01')")
  const readers: { readonly pid: number; end(): Promise<void> }[] = []
  const blockers: string[] = []
  // The reader has the new index of the partition open, as each query of the partition has from now on.
  const connect = intercepted(
    db.url,
    once('ddl', /attach partition .*p_2024/, async () => {
      readers.push(await openTransaction(db.sql, 'begin', 'select count(*) from p_2024'))
    }),
  )
  const running = apply(db.url, profiles, {
    connect,
    onEvent: (event) => {
      if (event.type === 'step-progress' && event.blocker !== null) blockers.push(`${event.phase}: ${event.blocker}`)
    },
  })
  const told = (pid: number) => blockers.filter((text) => text.includes(`pid ${pid},`)).length
  await until('the writer is told, twice', () => told(writer.pid) >= 2)
  expect(await treeOf(db.sql, 'i_kind')).toEqual([])
  await writer.end()
  await until('the reader is told, twice', () => readers.some((reader) => told(reader.pid) >= 2))
  expect(await validity(db.sql, 'i_kind')).toEqual({ orders: false, p_2023: true })
  for (const reader of readers) await reader.end()
  const { result } = await running
  const { rounds, errors } = await app.stop()
  expect(result.steps).toMatchObject([{ outcome: 'built', state: 'valid' }])
  expect(errors).toEqual([])
  expect(rounds).toBeGreaterThan(10)
  expect(await validity(db.sql, 'i_kind')).toEqual(allValid)
  expect(blockers[0]).toMatch(
    /^waiting for table lock \(orders, 1 of 11\): pid \d+, .*user postgres, idle in transaction/,
  )
})

test('fault 36: who is in the way for longer than --max-wait is named, and the next apply finishes', async () => {
  await using db = await testDatabase(ordersTable)
  const profiles = await profileOf([byKind])
  const writer = await openTransaction(db.sql, 'begin', "insert into orders values (0, 0, 'open', '2024-01-01')")
  const { result } = await apply(db.url, profiles, { maxWaitMs: 700 })
  expect(result).toMatchObject({ exit_code: 3, steps: [{ outcome: 'failed', state: 'missing' }] })
  expect(result.steps[0]?.error).toMatchObject({
    code: 'BLOCKED',
    sqlstate: '55P03',
    detail: expect.stringMatching(`it waited for pid ${writer.pid}, .*on public.orders; 0 of 11 statements`),
  })
  await writer.end()
  expect((await apply(db.url, profiles)).result.exit_code).toBe(0)
  expect(await validity(db.sql, 'i_kind')).toEqual(allValid)
})

test('fault 22: where deadlock_timeout is short, the wait in a queue of locks is shorter', async () => {
  await using db = await testDatabase(ordersTable)
  await db.sql.unsafe(`alter database ${db.name} set deadlock_timeout = '300ms'`)
  const [step] = (await plan(db.url, await profileOf([byKind]))).steps
  expect(step?.sql.slice(0, 2)).toEqual(['begin', "set local lock_timeout = '150ms'"])
})

test('fault 37: a partition’s index that was attached and is not valid is repaired and attached again; the good ones stay', async () => {
  await using db = await testDatabase(`${ordersTable}
    insert into orders select 1, 1, 'twice', '2024-06-06' from generate_series(1, 2);
    create unique index u on only orders (id, at, kind);
    create unique index u_2025 on p_2025 (id, at, kind);
    create unique index u_2023 on p_2023 (id, at, kind);
    alter index u attach partition u_2025; alter index u attach partition u_2023`)
  await db.sql`create unique index concurrently u_2024 on p_2024 (id, at, kind)`.catch(() => undefined)
  await db.sql`alter index u attach partition u_2024`
  await db.sql`delete from orders where note = 'twice'`
  const profiles = await profileOf(['{ name: u, table: orders, keys: [id, at, kind], unique: true }'])
  expect((await verify(db.url, profiles)).findings).toMatchObject([
    { code: 'INVALID', message: 'u is not valid: u_2024 of public.p_2024 is not valid' },
  ])
  const before = await treeOf(db.sql, 'u')
  if (!(await looksAgain(db))) {
    expect((await apply(db.url, profiles)).result.steps).toMatchObject([
      {
        outcome: 'failed',
        error: { code: 'NOT_AS_DECLARED', hint: expect.stringMatching('update PostgreSQL.*ACCESS EXCLUSIVE') },
      },
    ])
    expect(await validity(db.sql, 'u')).toMatchObject({ orders: false, p_2024: true })
    return
  }
  expect(await executed(db, profiles)).toEqual([
    'reindex index concurrently "public"."u_2024"',
    'alter index "public"."u" attach partition "public"."u_2024"',
  ])
  expect(await treeOf(db.sql, 'u')).toEqual(before.map((index) => ({ ...index, oid: expect.any(Number), valid: true })))
  expect(await verify(db.url, profiles)).toMatchObject({ exit_code: 0, findings: [] })
})

/** Minor releases before 14.23, 15.18, 16.14, 17.10 and 18.4 never look again at a parent whose partitions are all attached. */
async function looksAgain(db: TestDatabase): Promise<boolean> {
  const [row] = await db.sql<{ version: number }[]>`select current_setting('server_version_num')::int as version`
  const version = row?.version ?? 0
  return version % 10_000 >= ({ 14: 23, 15: 18, 16: 14, 17: 10, 18: 4 }[Math.floor(version / 10_000)] ?? 0)
}

/** The statements of an apply that ends well, in their order: exactly those that the plan had told. */
async function executed(db: TestDatabase, profiles: Awaited<ReturnType<typeof profileOf>>): Promise<readonly string[]> {
  const work = /^(create|alter|reindex|drop)/
  const told = (await plan(db.url, profiles)).steps.flatMap((step) => step.sql.filter((sql) => work.test(sql)))
  const sent: string[] = []
  const connect = intercepted(db.url, (role, text) => {
    if (role === 'ddl' && work.test(text) && !text.startsWith('create temporary') && !text.includes('perfdb_probe'))
      sent.push(text)
  })
  const { result } = await apply(db.url, profiles, { connect })
  expect(result.steps.map((step) => step.error)).toEqual([undefined])
  expect(sent).toEqual(told)
  return sent
}

const onlyIndexes = 'create index i_kind on only orders (kind, id); create index mid on only p_2025 (kind, id);'

const states: readonly State[] = [
  { name: 'nothing', arrange: async () => undefined, statements: 11 },
  {
    name: 'the partitioned table’s own index, and nothing else',
    arrange: async (db: TestDatabase) => db.sql.unsafe(onlyIndexes),
    statements: 4 + 5,
  },
  {
    name: 'all there and nothing attached',
    arrange: async (db: TestDatabase) =>
      db.sql.unsafe(
        `${onlyIndexes} create index a on p_2023 (kind, id); create index b on p_2024 (kind, id); create index c on p_2025_even (kind, id); create index d on p_2025_odd (kind, id)`,
      ),
    statements: 5,
  },
  {
    name: 'a leftover of a build that failed early, under the name that perfdb gives',
    arrange: async (db: TestDatabase) => {
      const name = await nameOnPartition(db, 'p_2024')
      const insert = "insert into p_2024 values (1, 1, 'x', '2024-01-01')"
      await notReady(db.sql, `create index concurrently ${name} on p_2024 (kind, id)`, insert)
    },
    statements: 12,
  },
  {
    name: 'a leftover of a build that failed late, under the name that perfdb gives',
    arrange: async (db: TestDatabase) =>
      notValid(db.sql, `create index concurrently ${await nameOnPartition(db, 'p_2024')} on p_2024 (kind, id)`),
    statements: 12,
  },
  {
    name: 'all attached and valid, one of them repaired after it was attached',
    arrange: async (db: TestDatabase) => {
      await db.sql.unsafe('create index i_kind on orders (kind, id); drop index i_kind')
      await db.sql.unsafe('create index i_kind on only orders (kind, id); create index m on p_2025 (kind, id)')
      await db.sql.unsafe('create index a on p_2023 (kind, id)')
      await notValid(db.sql, 'create index concurrently b on p_2024 (kind, id)')
      for (const part of ['m', 'a', 'b']) await db.sql.unsafe(`alter index i_kind attach partition ${part}`)
      await db.sql`reindex index concurrently b`
    },
    statements: 1,
    again: true,
  },
  {
    name: 'a lower level whose one partition was attached while it was not valid, with the copy of a repair that was cut short',
    arrange: async (db: TestDatabase) => {
      await db.sql.unsafe(`${onlyIndexes} create index a on p_2023 (kind, id); create index b on p_2024 (kind, id)`)
      await db.sql.unsafe('create index c on p_2025_even (kind, id)')
      await notValid(db.sql, 'create index concurrently d on p_2025_odd (kind, id)')
      await notValid(db.sql, 'reindex index concurrently d')
      for (const part of ['c', 'd']) await db.sql.unsafe(`alter index mid attach partition ${part}`)
      for (const part of ['a', 'b', 'mid']) await db.sql.unsafe(`alter index i_kind attach partition ${part}`)
    },
    // drop d_ccnew, repair d, attach to the level, which is passed up.
    statements: 3,
    again: true,
  },
]

/** What an earlier run, or somebody else, may have left. */
interface State {
  readonly name: string
  readonly arrange: (db: TestDatabase) => Promise<unknown>
  /** That an apply then runs. */
  readonly statements: number
  /** Only where PostgreSQL looks again. */
  readonly again?: true
}

test.for(states)(
  'law 9: from any state one apply does what is missing and no more: $name',
  async ({ arrange, statements, again }, { skip }) => {
    await using db = await testDatabase(ordersTable)
    if (again === true) skip(!(await looksAgain(db)), 'this minor release never looks again')
    const profiles = await profileOf([byKind])
    await arrange(db)
    const before = await usable(db)
    const sent = await executed(db, profiles)
    expect(sent).toHaveLength(statements)
    expect(await validity(db.sql, 'i_kind')).toEqual(allValid)
    expect(await invalidIndexes(db.sql)).toEqual([])
    const after = new Set((await usable(db)).map(({ oid }) => oid))
    expect(before.filter(({ oid }) => !after.has(oid))).toEqual([])
    expect((await plan(db.url, profiles)).steps).toMatchObject([{ step: 'keep' }])
  },
)

async function nameOnPartition(db: TestDatabase, partition: string): Promise<string> {
  const steps = (await plan(db.url, await profileOf([byKind]))).steps
  const sql = steps[0]?.sql.find((text) => text.includes(`on "public"."${partition}"`)) ?? ''
  const name = /concurrently "([^"]+)"/.exec(sql)?.[1] ?? ''
  expect(name).toMatch(`i_kind_${partition}_`)
  return name
}

/** Indexes of the partitions that are good: none of them is ever dropped. */
async function usable(db: TestDatabase): Promise<readonly { readonly oid: number }[]> {
  return db.sql<
    { oid: number }[]
  >`select i.indexrelid::int8::int as oid from pg_index i join pg_class c on c.oid = i.indexrelid
    where indrelid::regclass::text ~ '^(p_|orders)' and indisvalid and c.relkind = 'i'`
}

test.each(['a signal', 'a terminated backend'])(
  'law 9: cut short by %s before any of its statements, the next apply finishes',
  async (how) => {
    const profiles = await profileOf([byKind])
    for (const cut of [0, 1, 2, 4, 5, 6, 8, 10]) {
      await using db = await testDatabase(ordersTable)
      const abort = new AbortController()
      let seen = -1
      const connect = intercepted(db.url, async (role, text, session) => {
        if (role !== 'ddl' || !/^(create index|alter index)/.test(text) || text.includes('perfdb_probe')) return
        seen += 1
        if (seen !== cut) return
        if (how === 'a signal') abort.abort()
        else await db.sql`select pg_terminate_backend(${session.pid}, 5000)`
      })
      const signalName = () => (abort.signal.aborted ? ('SIGTERM' as const) : undefined)
      const { result } = await apply(db.url, profiles, { connect, signal: abort.signal, signalName })
      const last = result.steps[0]?.outcome === 'built'
      expect([cut, result.exit_code]).toEqual([cut, last ? 143 : how === 'a signal' ? 143 : 3])
      expect((await invalidIndexes(db.sql)).filter((name) => /p_202[34]|even|odd/.test(name))).toEqual([])
      const good = await usable(db)
      const finished = await apply(db.url, profiles)
      expect([cut, finished.result.exit_code]).toEqual([cut, 0])
      expect(await validity(db.sql, 'i_kind')).toEqual(allValid)
      const now = new Set((await usable(db)).map(({ oid }) => oid))
      expect(good.filter(({ oid }) => !now.has(oid))).toEqual([])
      expect((await plan(db.url, profiles)).steps).toMatchObject([{ step: 'keep' }])
    }
  },
)

test.each(['a signal', 'a terminated backend'])(
  'cut short by %s in the middle of a leaf’s build nothing invalid is left on it',
  async (how) => {
    await using db = await testDatabase(`${slowFunction} ${ordersTable}`)
    const profiles = await profileOf([bySlow])
    const abort = new AbortController()
    const running = apply(db.url, profiles, {
      signal: abort.signal,
      signalName: () => (abort.signal.aborted ? 'SIGINT' : undefined),
    })
    await until('the second leaf is built', async () => (await buildsOn(db, 'p_2024')) && inPhase(db.sql, 'building')())
    if (how === 'a signal') abort.abort()
    else
      await db.sql`select pg_terminate_backend(pid) from pg_stat_progress_create_index where datname = current_database()`
    const { result } = await running
    expect(result.exit_code).toBe(how === 'a signal' ? 130 : 3)
    expect(result.steps).toMatchObject([
      { outcome: 'failed', state: 'invalid', error: { code: how === 'a signal' ? 'INTERRUPTED' : 'CONNECTION_LOST' } },
    ])
    // Those of the partitioned tables hold nothing and are maintained by nobody: they are what is gone on with.
    expect((await invalidIndexes(db.sql)).every((name) => /^i_slow(_p_2025_[0-9a-f]{8})?$/.test(name))).toBe(true)
    const [step] = (await verify(db.url, profiles)).steps
    expect(step?.reason).toBe(
      'is not valid: public.p_2024, public.p_2025_even, public.p_2025_odd have no index of it; ' +
        `${(await leafIndex(db, 'p_2023')) ?? ''} of public.p_2023, ${(await leafIndex(db, 'p_2025')) ?? ''} of public.p_2025 are still to be attached`,
    )
    const kept = await usable(db)
    expect(kept).toHaveLength(1)
    expect((await apply(db.url, profiles)).result).toMatchObject({ exit_code: 0, steps: [{ outcome: 'rebuilt' }] })
    expect(await usable(db)).toEqual(expect.arrayContaining([...kept]))
    expect(await validity(db.sql, 'i_slow')).toEqual(allValid)
  },
)

async function buildsOn(db: TestDatabase, table: string): Promise<boolean> {
  const rows =
    await db.sql`select 1 from pg_stat_progress_create_index p where datname = current_database() and relid = ${table}::regclass`
  return rows.length > 0
}

async function leafIndex(db: TestDatabase, table: string): Promise<string | undefined> {
  const rows = await db.sql<
    { name: string }[]
  >`select c.relname as name from pg_index i join pg_class c on c.oid = i.indexrelid where i.indrelid = ${table}::regclass and c.relname like 'i_%'`
  return rows[0]?.name
}

test('fault 39: partitions that are made, attached, detached and dropped meanwhile', async () => {
  await using db = await testDatabase(`${slowFunction} ${ordersTable}
    create table filled (like orders); insert into filled select n, 0, 'f', '2027-01-01' from generate_series(1, 20) n`)
  const profiles = await profileOf([bySlow])
  // It keeps the first leaf's build at its end until all is done.
  await using holder = await snapshot(db.sql)
  const running = apply(db.url, profiles)
  await until('the first leaf is built', async () => buildsOn(db, 'p_2023'))
  await db.sql.unsafe("create table p_2026 partition of orders for values from ('2026-01-01') to ('2027-01-01')")
  await db.sql.unsafe("alter table orders attach partition filled for values from ('2027-01-01') to ('2028-01-01')")
  await db.sql.unsafe('create table p_2025_other partition of p_2025 default')
  await db.sql.unsafe('alter table p_2025 detach partition p_2025_odd; drop table p_2024')
  await holder.end()
  const { result, events } = await running
  expect(result.steps).toMatchObject([{ outcome: 'built', state: 'valid' }])
  expect(warnings(events)).toContain('public.p_2024 is no partition any more: going on without it')
  const { p_2024: _, p_2025_odd: __, ...left } = allValid
  expect(await validity(db.sql, 'i_slow')).toEqual({ ...left, p_2026: true, filled: true, p_2025_other: true })
  expect((await plan(db.url, profiles)).steps).toMatchObject([{ step: 'keep' }])
})

test('what another session builds on a partition right now is waited for, then attached', async () => {
  await using db = await testDatabase(`${slowFunction} ${ordersTable}`)
  const profiles = await profileOf([bySlow])
  const other = db.sql`create index concurrently theirs on p_2024 (public.slow(id))`.then(() => 'built')
  await until('theirs is built', async () => (await buildsOn(db, 'p_2024')) && inPhase(db.sql, 'building')())
  const [step] = (await plan(db.url, profiles)).steps
  expect(step?.sql.filter((sql) => sql.includes('on "public"."p_2024"'))).toEqual([])
  const { result } = await apply(db.url, profiles)
  expect(await other).toBe('built')
  expect(result.steps).toMatchObject([{ outcome: 'built', state: 'valid' }])
  expect((await treeOf(db.sql, 'i_slow')).find((index) => index.table === 'p_2024')?.name).toBe('theirs')
})

test('fault 9: an index of a partition that is not valid and belongs to nothing is told, and left alone', async () => {
  await using db = await testDatabase(ordersTable)
  const profiles = await profileOf([byKind])
  await notValid(db.sql, 'create index concurrently stray on p_2024 (kind, id)')
  expect((await apply(db.url, profiles)).result.steps).toMatchObject([{ outcome: 'built' }])
  expect(await validity(db.sql, 'i_kind')).toEqual(allValid)
  expect(await verify(db.url, profiles)).toMatchObject({
    exit_code: 1,
    findings: [
      { code: 'INVALID', index: 'stray', hint: expect.stringContaining('drop index concurrently "public"."stray"') },
    ],
  })
})

test('an index of that name that is made between plan and apply is left alone', async () => {
  await using db = await testDatabase(ordersTable)
  const theirs = async () => void (await db.sql`create index i_kind on only orders (note)`)
  const connect = intercepted(db.url, once('watchdog', /pg_get_indexdef/, theirs))
  const { result } = await apply(db.url, await profileOf([byKind]), { connect })
  expect(result.steps).toMatchObject([
    { outcome: 'failed', error: { code: 'CHANGED', detail: expect.stringContaining('(note)') } },
  ])
  expect(await validity(db.sql, 'i_kind')).toEqual({ orders: false })
})
