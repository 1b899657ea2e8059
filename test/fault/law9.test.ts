import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { PerfdbError } from '../../src/errors.js'
import type { Session } from '../../src/server/session/session.js'
import { apply, plan, verify } from '../support/apply.js'
import { testDatabase, type TestDatabase } from '../support/database.js'
import { intercepted } from '../support/intercept.js'
import { openTransaction, type Open } from '../support/leftover.js'
import { profileOf } from '../support/profile.js'
import { invalidIndexes, slowTable } from '../support/slow.js'

/** What happens to a run, just before the n-th statement that its sessions send. */
interface Disturbance {
  readonly what: (typeof happenings)[number]
  readonly at: number
}

const happenings = [
  'the building backend is ended',
  'the watching backend is ended',
  'the statement is cancelled',
  'the user ends the run',
  'a writer is in the way',
  'a snapshot is in the way',
  'the table is locked',
  'ANALYZE queues behind it',
  'an index of it is dropped',
  'a build of somebody else begins',
] as const

const disturbance: fc.Arbitrary<Disturbance> = fc.record({
  what: fc.constantFrom(...happenings),
  // A run of this profile sends about 90; during a build one every 0.4 s.
  at: fc.integer({ min: 10, max: 90 }),
})

test(
  'law 9: after any sequence of apply, kill, lock and retry one undisturbed apply ends all valid',
  { timeout: 150_000 },
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(disturbance, { minLength: 1, maxLength: 3 }), async (disturbances) => {
        await using db = await testDatabase(`${slowTable(40, 10)} create index gone on t (b, a);`)
        const profiles = await profileOf(
          [
            '{ name: i_slow, table: t, keys: [{ expression: public.slow(a) }] }',
            '{ name: i_unique, table: t, keys: [a], unique: true }',
            '{ name: i_partial, table: t, keys: [c], where: b > 5 }',
          ],
          'absent: [gone]\n',
        )
        for (const one of disturbances) await disturbed(db, profiles, one)
        const { result } = await apply(db.url, profiles, { ledger: true, lockWaitMs: 20_000 })
        expect(result.steps.map((step) => [step.index, step.error?.message])).toEqual(
          result.steps.map((step) => [step.index, undefined]),
        )
        expect(result.exit_code).toBe(0)
        expect(await invalidIndexes(db.sql)).toEqual([])
        expect((await plan(db.url, profiles)).steps.map((step) => step.step)).toEqual(['keep', 'keep', 'keep'])
        expect((await verify(db.url, profiles)).findings.filter((finding) => finding.severity === 'error')).toEqual([])
      }),
      { numRuns: 8, interruptAfterTimeLimit: 60_000, endOnFailure: true },
    )
  },
)

/** One run with one disturbance; it may end as it likes, but in an error that says what is the matter. */
async function disturbed(
  db: TestDatabase,
  profiles: Parameters<typeof apply>[1],
  { what, at }: Disturbance,
): Promise<void> {
  const abort = new AbortController()
  const after: (() => Promise<unknown>)[] = []
  const pids = new Map<string, number>()
  let sent = 0
  const connect = intercepted(db.url, async (role, _, session: Session) => {
    pids.set(role, session.pid)
    sent += 1
    if (sent === at) await happen()
  })
  const held = async (...statements: readonly string[]) => {
    const open: Open = await openTransaction(db.sql, 'begin', "set local lock_timeout = '2s'", ...statements)
    after.push(() => open.end())
  }
  const happen = async () => {
    switch (what) {
      case 'the building backend is ended':
        return db.sql`select pg_terminate_backend(${pids.get('ddl') ?? 0})`
      case 'the watching backend is ended':
        return db.sql`select pg_terminate_backend(${pids.get('watchdog') ?? 0})`
      case 'the statement is cancelled':
        return db.sql`select pg_cancel_backend(${pids.get('ddl') ?? 0})`
      case 'the user ends the run':
        return abort.abort()
      case 'a writer is in the way':
        return held('insert into t values (-1, -1)')
      case 'a snapshot is in the way':
        return held('set transaction isolation level repeatable read', 'select 1')
      case 'the table is locked':
        return held('lock table t in share update exclusive mode').catch(() => undefined)
      case 'ANALYZE queues behind it': {
        const analyzed = db.sql`analyze t`.then(String, String)
        return after.push(() => analyzed)
      }
      case 'an index of it is dropped': {
        const dropped = db.sql`drop index concurrently if exists i_unique`.then(String, String)
        return after.push(() => dropped)
      }
      case 'a build of somebody else begins': {
        const built = db.sql`create index concurrently i_slow on t (public.slow(a))`.then(String, String)
        return after.push(() => built)
      }
    }
  }
  try {
    const { result } = await apply(db.url, profiles, {
      connect,
      ledger: true,
      maxWaitMs: 700,
      retries: 1,
      lockWaitMs: 5000,
      signal: abort.signal,
      signalName: () => (abort.signal.aborted ? 'SIGINT' : undefined),
    })
    for (const step of result.steps) expect(step.error?.code).not.toBe('INTERNAL')
  } catch (error) {
    expect(error).toBeInstanceOf(PerfdbError)
    expect(error).not.toMatchObject({ code: 'INTERNAL' })
  } finally {
    for (const end of after) await end()
  }
}
