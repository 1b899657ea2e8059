import postgres from 'postgres'
import { expect, test } from 'vitest'
import { apply, plan } from '../support/apply.js'
import { intercepted } from '../support/intercept.js'
import { serverMajor } from '../support/major.js'
import { profileOf } from '../support/profile.js'
import { ownServer } from '../support/server.js'

/*
 * How many statements a run sends is counted, not timed: what is there already costs none of its own, and what is built the same few an
 * index and a table (400 small indexes took 15 times as long as their statements).
 */

/** Keys and a predicate as PostgreSQL prints them. */
const kinds = ['[a]', '[b, a]', '[{ expression: lower(c) }]', '[a], where: b > 0']

async function counted(server: string, tables: number): Promise<{ built: Record<string, number>; kept: number }> {
  const names = Array.from({ length: tables }, (_, at) => `t${at}`)
  const url = new URL(server)
  url.pathname = `/of_${tables}`
  for (const [where, script] of [
    [server, `create database of_${tables}`],
    [url.href, names.map((name) => `create table ${name} (a int, b int, c text)`).join(';')],
  ] as const) {
    const sql = postgres(where, { max: 1 })
    await sql.unsafe(script)
    await sql.end()
  }
  const profiles = await profileOf(
    names.flatMap((table) => kinds.map((keys, at) => `{ name: ${table}_${at}, table: ${table}, keys: ${keys} }`)),
  )
  let sent: string[] = []
  const connect = intercepted(url.href, (role, text) => void sent.push(`${role} ${text}`))
  expect((await apply(url.href, profiles, { connect, ledger: true, allow: ['REDUNDANT'] })).result.exit_code).toBe(0)
  const built = {
    'ledger and looks': sent.filter((text) => text.startsWith('watchdog')).length,
    'create index concurrently': sent.filter((text) => text.startsWith('ddl create index concurrently')).length,
    analyze: sent.filter((text) => text.startsWith('ddl analyze')).length,
    'settings of a build': sent.filter((text) =>
      /^ddl (?:set search_path|select pg_catalog.set_config\('search_path')/.test(text),
    ).length,
    'written WAL': sent.filter((text) => /pg_current_wal_insert_lsn|pg_stat_get_backend_wal/.test(text)).length,
  }
  sent = []
  const kept = await plan(url.href, profiles, connect)
  expect(kept.steps.every(({ step }) => step === 'keep')).toBe(true)
  return { built, kept: sent.length }
}

test('of each index more that is built four statements watch and record it, and of each that is there none is sent', async () => {
  await using server = await ownServer()
  const [few, many] = [await counted(server.url, 2), await counted(server.url, 5)]
  const more = Object.fromEntries(
    Object.entries(many.built).map(([what, count]) => [what, count - (few.built[what] ?? 0)]),
  )
  // Three tables more, of four indexes each.
  expect(more).toEqual({
    'ledger and looks': 4 * 12,
    'create index concurrently': 12,
    analyze: 3,
    'settings of a build': 2 * 12,
    // From 18 on the end of one build is where the next begins.
    'written WAL': (serverMajor >= 18 ? 1 : 2) * 12,
  })
  // Whether there is a ledger, whether to trust it, what it built, and the catalog.
  expect([few.kept, many.kept]).toEqual([4, 4])
})
