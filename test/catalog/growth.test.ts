import { afterAll, beforeAll, expect, test } from 'vitest'
import { runImport } from '../../src/commands/import/import.js'
import type { Parameter } from '../../src/server/session/session.js'
import type { Connect } from '../../src/server/session/session.js'
import { apply, plan } from '../support/apply.js'
import { connectTo } from '../support/connect.js'
import { testDatabase } from '../support/database.js'
import { proxyBefore } from '../support/network.js'
import { profileOf } from '../support/profile.js'
import { ownServer } from '../support/server.js'

/*
 * What a run asks of the server, as functions of tables and indexes: without clocks, so that it is exact.
 */

let server: Awaited<ReturnType<typeof ownServer>>
beforeAll(async () => {
  server = await ownServer()
})
afterAll(async () => server[Symbol.asyncDispose]())

interface Counts {
  /** Of the sessions, without connecting. */
  trips: number
  statements: number
  rows: number
}

/** A statement that is sent while another is under way costs no round trip of its own; one with parameters costs a second. */
function counting(url: string): { readonly connect: Connect; readonly counts: Counts } {
  const counts = { trips: 0, statements: 0, rows: 0 }
  let underWay = 0
  const connect: Connect = async (role) => {
    const session = await connectTo(url, role)
    const query = session.query.bind(session)
    return Object.defineProperty(session, 'query', {
      value: async <Row>(text: string, parameters: readonly Parameter[] = []) => {
        counts.statements += 1
        if (underWay === 0 || parameters.length > 0) counts.trips += parameters.length > 0 ? 2 : 1
        underWay += 1
        const rows = await query<Row>(text, parameters).finally(() => (underWay -= 1))
        counts.rows += rows.length
        return rows
      },
    })
  }
  return { connect, counts }
}

function schema(tables: number, plain: number, computed: number): { readonly sql: string; readonly yaml: string[] } {
  const each = Array.from({ length: tables }, (_, t) => [
    `create table t${t} (id int primary key, a int, b int)`,
    ...Array.from({ length: plain }, (__, k) => `create index t${t}_p${k} on t${t} (a, b)`),
    ...Array.from({ length: computed }, (__, k) => `create index t${t}_c${k} on t${t} (b) where a in (${k}, 1, 2)`),
  ])
  const yaml = Array.from({ length: tables }, (_, t) => [
    ...Array.from({ length: plain }, (__, k) => `{ name: t${t}_p${k}, table: t${t}, keys: [a, b] }`),
    ...Array.from(
      { length: computed },
      (__, k) => `{ name: t${t}_c${k}, table: t${t}, keys: [b], where: "a in (${k}, 1, 2)" }`,
    ),
  ])
  return { sql: each.flat().join(';'), yaml: yaml.flat() }
}

test('a session of each role is there after one round trip', async () => {
  await using db = await testDatabase('', server.url)
  await using proxy = await proxyBefore(db.url)
  for (const role of ['look', 'measure', 'ledger', 'watchdog'] as const) {
    const before = proxy.trips()
    await using session = await connectTo(proxy.url, role)
    expect(session.pooled).toBe(false)
    expect(proxy.trips() - before).toBe(1)
  }
})

test.each([
  { tables: 2, plain: 2 },
  { tables: 5, plain: 6 },
])('a plan with nothing to do, of $tables tables with $plain indexes each', async ({ tables, plain }) => {
  const { sql, yaml } = schema(tables, plain, 0)
  await using db = await testDatabase(sql, server.url)
  const { connect, counts } = counting(db.url)
  await plan(db.url, await profileOf(yaml), connect)
  // A row for each index, those of the primary keys too.
  expect(counts).toEqual({ trips: 1, statements: 2, rows: 2 + tables * (plain + 1) })
})

test.each([
  { tables: 2, computed: 1 },
  { tables: 5, computed: 4 },
])(
  'the same where PostgreSQL is asked, $tables tables with $computed indexes each, and with a ledger',
  async ({ tables, computed }) => {
    const { sql, yaml } = schema(tables, 1, computed)
    await using db = await testDatabase(sql, server.url)
    const profiles = await profileOf(yaml)
    const first = counting(db.url)
    await plan(db.url, profiles, first.connect)
    // begin, two settings, a copy a table, search_path twice, and what is read at the end; then rollback.
    const existing = tables * (2 + computed)
    const probe = 7 + tables + tables * computed
    expect(first.counts).toEqual({ trips: 2, statements: 3 + probe, rows: 3 + existing + tables * computed })
    await apply(db.url, await profileOf(['{ name: made, table: t0, keys: [b] }']), { ledger: true })
    const second = counting(db.url)
    await plan(db.url, profiles, second.connect)
    expect(second.counts).toEqual({ trips: 2, statements: 4 + probe, rows: 5 + existing + tables * computed })
    const third = counting(db.url)
    await using session = await third.connect('look')
    await runImport(session, { schemas: [], tables: [], indexes: [] })
    expect(third.counts.trips).toBe(3)
    expect(third.counts.statements).toBe(5 + probe)
  },
)

test.each([2, 5])(
  'an import asks what its indexes are in one statement, of unique ones too: %i tables',
  async (tables) => {
    const each = Array.from(
      { length: tables },
      (_, t) => `create table t${t} (a int, b int); create unique index t${t}_i on t${t} (b) where a in (${t}, 1, 2)`,
    )
    await using db = await testDatabase(each.join(';'), server.url)
    const { connect, counts } = counting(db.url)
    await using session = await connect('look')
    await runImport(session, { schemas: [], tables: [], indexes: [] })
    const probe = 7 + tables + tables
    // One more than this would be what constrains the unique ones.
    expect(counts.statements).toBe(4 + probe)
  },
)

/** What an apply with a ledger sends, without what depends on clocks (looks while a build lasts, and whether ANALYZE is counted yet) and without the indexes of the probe. */
async function sentBy(url: string, yaml: readonly string[], fleet = false) {
  const texts: string[] = []
  let versionNum = 0
  const connect: Connect = async (role) => {
    const session = await connectTo(url, role)
    ;({ versionNum } = session)
    const query = session.query.bind(session)
    return Object.defineProperty(session, 'query', {
      value: async <Row>(text: string, parameters?: readonly Parameter[]) => {
        if (!/pg_blocking_pids|pg_stat_get_last_analyze_time|on pg_temp\./.test(text)) texts.push(text)
        return query<Row>(text, parameters)
      },
    })
  }
  const options = { ledger: true, connect, ...(fleet && { fleet: { run: 'r', tenant: 't', wave: 1 } }) }
  const { result } = await apply(url, await profileOf(yaml), options)
  expect(result.steps.every(({ outcome }) => outcome === 'built')).toBe(true)
  return { texts, versionNum }
}

const table = `create table t (${Array.from({ length: 7 }, (_, n) => `c${n} int`).join(', ')})`
const builds = (number: number) => Array.from({ length: number }, (_, n) => `{ name: i${n}, table: t, keys: [c${n}] }`)

test.each([false, true])(
  'each build more is a fixed number of statements; of one tenant of many: %s',
  async (fleet) => {
    await using few = await testDatabase(table, server.url)
    await using many = await testDatabase(table, server.url)
    const { texts, versionNum } = await sentBy(few.url, builds(2), fleet)
    const more = await sentBy(many.url, builds(7), fleet)
    // Its end in the ledger, the next one's beginning, a look before it, search_path, the build, search_path, the proof; and the WAL, which 18 counts itself.
    const each = fleet ? 7 : versionNum < 180_000 ? 9 : 8
    expect(more.texts.length - texts.length).toBe(5 * each)
    const looks = texts.filter((text) => /nspname = 'perfdb'/.test(text) && /as there/.test(text))
    // A session that found no ledger under the run lock does not ask again.
    expect(looks.length).toBe(fleet ? 1 : 2)
  },
)

test('a build in another database of the server costs nothing more', async () => {
  await using other = await testDatabase(`${table}; insert into t values (1)`, server.url)
  await using quiet = await testDatabase(table, server.url)
  await using beside = await testDatabase(table, server.url)
  const alone = await sentBy(quiet.url, builds(2), true)
  const writer = await other.sql.reserve()
  await writer`begin`
  await writer`update t set c0 = 2`
  const building = other.sql`create index concurrently waits on t (c0)`.execute()
  while ((await other.sql`select from pg_stat_progress_create_index where index_relid <> 0`).length === 0);
  const { texts } = await sentBy(beside.url, builds(2), true)
  await writer`rollback`
  writer.release()
  await building
  expect(texts.length).toBe(alone.texts.length)
})
