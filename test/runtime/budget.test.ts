import { setTimeout as pause } from 'node:timers/promises'
import { array, assert as check, asyncProperty, constant, constantFrom, integer, nat, oneof, record } from 'fast-check'
import { expect, test } from 'vitest'
import { backends, deployment, watchBackends } from './service.js'

/*
 * The law of perfdb/runtime: no process ever holds more connections than its file gives it. The role's CONNECTION LIMIT is that number, so that the
 * server itself refuses one too many at whatever moment; besides it is looked at all the time.
 */
const request = record({
  user: nat(),
  sleepMs: oneof({ weight: 5, arbitrary: constant(0) }, integer({ min: 1, max: 30 })),
  pauseMs: oneof({ weight: 4, arbitrary: constant(0) }, integer({ min: 1, max: 10 })),
  how: constantFrom(
    'query',
    'query',
    'query',
    'begin',
    'reserve',
    'cursor',
    'fails',
    'temporary',
    'cancelled',
    'killed',
  ),
})

/** Names what never ends. */
async function within(work: Promise<unknown>, what: string): Promise<unknown> {
  const end = new AbortController()
  const late = pause(60_000, undefined, { signal: end.signal }).then(
    () => Promise.reject(new Error(`not over after a minute: ${what}`)),
    () => undefined,
  )
  return Promise.race([work, late]).finally(() => end.abort())
}

test('random tenants, bursts, slow queries, cancelled and killed ones: never one connection more', async () => {
  await check(
    asyncProperty(
      record({
        tenants: integer({ min: 2, max: 9 }),
        processMax: integer({ min: 3, max: 8 }),
        poolMax: integer({ min: 1, max: 4 }),
        idleMs: constantFrom(20, 60_000),
        requests: array(request, { minLength: 20, maxLength: 120 }),
      }),
      async ({ tenants, processMax, poolMax, idleMs, requests }) => {
        await using place = await deployment({
          tenants,
          limit: processMax,
          service: { process_max: processMax, pool: { max: poolMax, per_tenant: true, idle_timeout: `${idleMs}ms` } },
        })
        const app = await place.open()
        const watch = watchBackends(place.db, place.role)
        const one = async ({ user, sleepMs, how }: (typeof requests)[number]): Promise<unknown> => {
          const number = (user % tenants) + 1
          const tenant = await app.tenant(`u${number}`)
          if (tenant === undefined) throw new Error('no tenant')
          const { sql } = tenant
          if (how === 'begin')
            return sql.begin(async (inner) => {
              await inner`select pg_sleep(${sleepMs / 1000})`
              expect(await inner`select number from mine`).toEqual([{ number }])
            })
          if (how === 'reserve') {
            const reserved = await sql.reserve()
            try {
              return await reserved`select pg_sleep(${sleepMs / 1000})`
            } finally {
              reserved.release()
            }
          }
          if (how === 'cursor') {
            for await (const rows of sql`select generate_series(1, 100)`.cursor(10)) if (rows.length === 10) break
            return undefined
          }
          // Its backend has something to clear away before its slot is free.
          if (how === 'temporary')
            return sql.unsafe(
              `do $$ begin for n in 1..20 loop execute format('create temporary table %I (a text)', gen_random_uuid()); end loop; end $$`,
            )
          if (how === 'fails') return expect(sql`select 1 / 0`).rejects.toMatchObject({ code: '22012' })
          if (how === 'cancelled') {
            const query = sql`select pg_sleep(60)`
            const failed = expect(query).rejects.toMatchObject({ code: '57014' })
            await pause(sleepMs)
            query.cancel()
            return failed
          }
          if (how === 'killed') return expect(sql`select pg_terminate_backend(pg_backend_pid())`).rejects.toThrow(/./)
          const [row] = await sql`select number, pg_sleep(${sleepMs / 1000}) from mine`
          return expect(row?.['number']).toBe(number)
        }
        const running: Promise<unknown>[] = []
        for (const each of requests) {
          running.push(within(one(each), JSON.stringify(each)))
          if (each.pauseMs > 0) await pause(each.pauseMs)
        }
        const ended = await Promise.allSettled(running)
        const { most, looks } = await watch.stop()
        const held = app.health().pools
        await app.close()
        expect(ended.flatMap((end) => (end.status === 'rejected' ? [String(end.reason)] : []))).toEqual([])
        expect(most).toBeLessThanOrEqual(processMax)
        expect(looks).toBeGreaterThan(3)
        expect(held.most).toBeLessThanOrEqual(processMax - 2)
        expect(await backends(place.db, place.role)).toBe(0)
      },
    ),
    { endOnFailure: true, numRuns: Number(process.env['PERFDB_RANDOM'] ?? 6) },
  )
}, 300_000)
