import { expect, test } from 'vitest'
import { apply, plan, verify } from '../support/apply.js'
import { testDatabase, type TestDatabase } from '../support/database.js'
import { intercepted } from '../support/intercept.js'
import {
  allValid,
  bySlow,
  byKind,
  buildsOn,
  ordersTable,
  slowFunction,
  usable,
  validity,
} from '../support/partitions.js'
import { profileOf } from '../support/profile.js'
import { inPhase, invalidIndexes, until } from '../support/slow.js'

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
      const good = await usable(db.sql)
      const finished = await apply(db.url, profiles)
      expect([cut, finished.result.exit_code]).toEqual([cut, 0])
      expect(await validity(db.sql, 'i_kind')).toEqual(allValid)
      const now = new Set((await usable(db.sql)).map(({ oid }) => oid))
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
    await until(
      'the second leaf is built',
      async () => (await buildsOn(db.sql, 'p_2024')) && inPhase(db.sql, 'building')(),
    )
    if (how === 'a signal') abort.abort()
    else
      await db.sql`select pg_terminate_backend(pid) from pg_stat_progress_create_index where datname = current_database()`
    const { result } = await running
    expect(result.exit_code).toBe(how === 'a signal' ? 130 : 3)
    expect(result.steps).toMatchObject([
      { outcome: 'failed', state: 'invalid', error: { code: how === 'a signal' ? 'INTERRUPTED' : 'CONNECTION_LOST' } },
    ])
    // Those of the partitioned tables hold nothing and are maintained by nobody: they are what is continued.
    expect((await invalidIndexes(db.sql)).every((name) => /^i_slow(_p_2025_[0-9a-f]{8})?$/.test(name))).toBe(true)
    const [step] = (await verify(db.url, profiles)).steps
    expect(step?.reason).toBe(
      'is not valid: public.p_2024, public.p_2025_even, public.p_2025_odd have no index of it; ' +
        `${(await leafIndex(db, 'p_2023')) ?? ''} of public.p_2023, ${(await leafIndex(db, 'p_2025')) ?? ''} of public.p_2025 are still to be attached`,
    )
    const kept = await usable(db.sql)
    expect(kept).toHaveLength(1)
    expect((await apply(db.url, profiles)).result).toMatchObject({ exit_code: 0, steps: [{ outcome: 'rebuilt' }] })
    expect(await usable(db.sql)).toEqual(expect.arrayContaining([...kept]))
    expect(await validity(db.sql, 'i_slow')).toEqual(allValid)
  },
)

async function leafIndex(db: TestDatabase, table: string): Promise<string | undefined> {
  const rows = await db.sql<
    { name: string }[]
  >`select c.relname as name from pg_index i join pg_class c on c.oid = i.indexrelid where i.indrelid = ${table}::regclass and c.relname like 'i_%'`
  return rows[0]?.name
}
