import { expect, test } from 'vitest'
import { holdersOf } from '../../src/build/look.js'
import type { Statement } from '../../src/plan/plan.js'
import { apply, plan, verify, warnings } from '../support/apply.js'
import { connectTo } from '../support/connect.js'
import { testDatabase, type TestDatabase } from '../support/database.js'
import { intercepted, once } from '../support/intercept.js'
import { notValid, openTransaction, snapshot } from '../support/leftover.js'
import {
  allValid,
  byKind,
  bySlow,
  buildsOn,
  ordersTable,
  slowFunction,
  treeOf,
  validity,
} from '../support/partitions.js'
import { profileOf } from '../support/profile.js'
import { inPhase, until } from '../support/slow.js'

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
      if (event.type === 'step-progress') blockers.push(`${event.phase}: ${event.blocker ?? ''}`)
    },
  })
  const told = (pid: number) => blockers.filter((text) => text.includes(`pid ${pid},`)).length
  // The pauses between two tries grow: each has a wait of its own. On a busy machine a try is over before the look at it, and the lock is looked at instead.
  for (const times of [1, 2]) await until(`the writer is told, ${times}`, () => told(writer.pid) >= times)
  expect(await treeOf(db.sql, 'i_kind')).toEqual([])
  await writer.end()
  for (const times of [1, 2])
    await until(`the reader is told, ${times}`, () => readers.some((reader) => told(reader.pid) >= times))
  expect(await validity(db.sql, 'i_kind')).toEqual({ orders: false, p_2023: true })
  for (const reader of readers) await reader.end()
  const { result } = await running
  const { rounds, errors } = await app.stop()
  expect(result.steps).toMatchObject([{ outcome: 'built', state: 'valid' }])
  expect(errors).toEqual([])
  expect(rounds).toBeGreaterThan(10)
  expect(await validity(db.sql, 'i_kind')).toEqual(allValid)
  expect(blockers.find((text) => text.includes(`pid ${writer.pid},`))).toMatch(
    /^waiting for table lock( \(orders, 1 of 11\):|, held when a try had failed: RowExclusiveLock on public.orders by) pid \d+, .*user postgres, idle in transaction/,
  )
}, 300_000)

test('fault 36: who is in the way for longer than --max-wait is named, and the next apply finishes', async () => {
  await using db = await testDatabase(ordersTable)
  const profiles = await profileOf([byKind])
  const writer = await openTransaction(db.sql, 'begin', "insert into orders values (0, 0, 'open', '2024-01-01')")
  const { result } = await apply(db.url, profiles, { maxWaitMs: 700 })
  expect(result).toMatchObject({ exit_code: 3, steps: [{ outcome: 'failed', state: 'missing' }] })
  expect(result.steps[0]?.error).toMatchObject({
    code: 'BLOCKED',
    sqlstate: '55P03',
    detail: expect.stringMatching(
      `(it waited for|held when a try had failed: RowExclusiveLock on public.orders by) pid ${writer.pid}, .*on public.orders; 0 of 11 statements`,
    ),
  })
  await writer.end()
  expect((await apply(db.url, profiles)).result.exit_code).toBe(0)
  expect(await validity(db.sql, 'i_kind')).toEqual(allValid)
})

test('fault 36: who holds a lock after a failed try is told where the two could not be beside each other, by pid or gid, and nobody else', async () => {
  await using db = await testDatabase(
    `${ordersTable} create index i_kind on only orders (kind); create index i_2023 on p_2023 (kind)`,
  )
  await using reader = await openTransaction(db.sql, 'begin', 'select count(*) from p_2023')
  await using writer = await openTransaction(db.sql, 'begin', 'update p_2023 set note = note')
  await using commenter = await openTransaction(db.sql, 'begin', "comment on index i_2023 is 'x'")
  const prepared = `mine_${db.name}`
  await (
    await openTransaction(db.sql, 'begin', "insert into p_2024 values (0, 0, 'x', '2024-01-01')")
  ).run(`prepare transaction '${prepared}'`)
  await using _ = { [Symbol.asyncDispose]: async () => void (await db.sql.unsafe(`rollback prepared '${prepared}'`)) }
  await using session = await connectTo(db.url, 'watchdog')
  const who = async (name: string, index: string, verb: Statement['verb']) => {
    const table = { schema: 'public', name }
    const texts = await holdersOf(session, 0, table, { kind: 'swap', verb, schema: 'public', index, sql: [] })
    return texts
      .map((text) => /by (?:pid (\d+)|prepared transaction (\w+))/.exec(text)?.slice(1).find(Boolean) ?? text)
      .toSorted()
  }
  const pids = (...of: readonly { readonly pid: number }[]) => of.map(({ pid }) => String(pid)).toSorted()
  expect(await who('p_2023', 'i_new', 'create_only')).toEqual(pids(writer))
  expect(await who('p_2023', 'i_new', 'attach')).toEqual(pids(writer))
  expect(await who('p_2023', 'i_2023', 'attach')).toEqual(pids(reader, writer, commenter))
  expect(await who('p_2023', 'i_2023', 'rename')).toEqual(pids(commenter))
  expect(await who('orders', 'i_kind', 'drop')).toEqual([...pids(reader, writer), prepared].toSorted())
})

test('fault 22: where deadlock_timeout is short, the wait in a queue of locks is shorter', async () => {
  await using db = await testDatabase(ordersTable)
  await db.sql.unsafe(`alter database ${db.name} set deadlock_timeout = '60ms'`)
  const [step] = (await plan(db.url, await profileOf([byKind]))).steps
  expect(step?.sql.slice(0, 2)).toEqual(['begin', "set local lock_timeout = '30ms'"])
})

test('fault 39: partitions that are made, attached, detached and dropped meanwhile', async () => {
  await using db = await testDatabase(`${slowFunction} ${ordersTable}
    create table filled (like orders); insert into filled select n, 0, 'f', '2027-01-01' from generate_series(1, 20) n`)
  const profiles = await profileOf([bySlow])
  // It keeps the first leaf's build at its end until all is done.
  await using holder = await snapshot(db.sql)
  const running = apply(db.url, profiles)
  await until('the first leaf is built', async () => buildsOn(db.sql, 'p_2023'))
  await db.sql.unsafe("create table p_2026 partition of orders for values from ('2026-01-01') to ('2027-01-01')")
  await db.sql.unsafe("alter table orders attach partition filled for values from ('2027-01-01') to ('2028-01-01')")
  await db.sql.unsafe('create table p_2025_other partition of p_2025 default')
  await db.sql.unsafe('alter table p_2025 detach partition p_2025_odd; drop table p_2024')
  await holder.end()
  const { result, events } = await running
  expect(result.steps).toMatchObject([{ outcome: 'built', state: 'valid' }])
  expect(warnings(events)).toContain('public.p_2024 is no longer a partition: continuing without it')
  const { p_2024: _, p_2025_odd: __, ...left } = allValid
  expect(await validity(db.sql, 'i_slow')).toEqual({ ...left, p_2026: true, filled: true, p_2025_other: true })
  expect((await plan(db.url, profiles)).steps).toMatchObject([{ step: 'keep' }])
})

test('what another session builds on a partition right now is waited for, then attached', async () => {
  await using db = await testDatabase(`${slowFunction} ${ordersTable}`)
  const profiles = await profileOf([bySlow])
  const other = db.sql`create index concurrently theirs on p_2024 (public.slow(id))`.then(() => 'built')
  await until('theirs is built', async () => (await buildsOn(db.sql, 'p_2024')) && inPhase(db.sql, 'building')())
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
