import { expect, test } from 'vitest'
import { isRefused, probe } from '../../src/catalog/probe/probe.js'
import { runPlanCommand } from '../../src/commands/apply/plan.js'
import type { Profile } from '../../src/profile/profile.js'
import type { Session } from '../../src/server/session/session.js'
import { connectTo } from '../support/connect.js'
import { testDatabase } from '../support/database.js'
import { profileOf } from '../support/profile.js'
import { ownServer } from '../support/server.js'

const tables = `
  create table t (a int, b text, c numeric[], d text collate "C", "E, e" date, f point);
  create table parts (a int, b text, c numeric[], d text, "E, e" date, f point) partition by list (a);
  create schema other; create domain other.short as varchar(9); create table other.t (a other.short, b uuid, c int4range, d bool, "E, e" inet, f "char");`

/** Indexes of few keys on these tables, no two alike; all sorts of keys, and some that are more than their keys. */
function declarations(count: number, more: readonly string[] = []): Promise<readonly Profile[]> {
  const keys = ['a', 'b', 'c', 'd', '"E, e"', ...more].flatMap((column) => [
    column,
    `{ column: ${column}, order: desc }`,
    `{ column: ${column}, nulls: first }`,
  ])
  keys.push('{ column: b, opclass: text_pattern_ops }', '{ column: d, collation: C, order: desc, nulls: last }')
  const kinds = [
    '',
    ', unique: true',
    ', where: a is null',
    ', include: [b]',
    ', with: { fillfactor: 70 }',
    ', method: brin',
  ]
  const plain = (key: string) => !key.startsWith('{ column: b, op') && !key.includes('order')
  return profileOf(
    Array.from({ length: count }, (_, at) => {
      const [one = '', other = ''] = [keys[at % keys.length], keys[(at * 7 + 3) % keys.length]]
      const table = ['t', 'parts', 'other.t'][at % 3] ?? ''
      const kind = kinds[at % 7] ?? ''
      const own = kind.includes('brin') || table === 'other.t' ? [one, other].filter(plain) : [one, other]
      const columns = own.length === 0 ? 'a' : own.join(', ')
      return `{ name: i_${at}, table: ${table}, keys: [${columns}]${kind}${at % 5 === 0 ? ', tablespace: fast' : ''} }`
    }),
  )
}

test('of many indexes the keys are asked about together: the answers are those of asking one by one', async () => {
  await using db = await testDatabase(tables)
  await using session = await connectTo(db.url, 'look')
  const declared = (await declarations(210)).flatMap(({ indexes }) => indexes)
  const partitioned = [{ schema: 'public', name: 'parts' }]
  const together = await probe(session, declared, new Map(), partitioned)
  const single = []
  for (let at = 0; at < declared.length; at += 50)
    single.push(...(await probe(session, declared.slice(at, at + 50), new Map(), partitioned)))
  expect(together).toEqual(single)
  // Where PostgreSQL refuses something, and where it does not.
  expect(new Set(together.map(isRefused))).toEqual(new Set([true, false]))
})

test('a key that is refused is told in the same words, of every index that has it', async () => {
  await using db = await testDatabase(tables)
  await using session = await connectTo(db.url, 'look')
  const declared = (await declarations(210, ['f', 'missing'])).flatMap(({ indexes }) => indexes)
  const together = await probe(session, declared, new Map())
  const single = []
  for (let at = 0; at < declared.length; at += 50)
    single.push(...(await probe(session, declared.slice(at, at + 50), new Map())))
  expect(together).toEqual(single)
  expect(together.filter(isRefused).map(({ problem }) => problem.sqlstate)).toEqual(
    expect.arrayContaining(['42703', '42704']),
  )
})

test('a plan of twice as many missing indexes of a table sends not one statement more', async () => {
  // One of its own: a build elsewhere is asked about once more.
  await using server = await ownServer()
  await using db = await testDatabase(
    `do $$ begin execute 'create table wide (' || (select string_agg(format('c%s text', n), ',') from generate_series(0, 59) n) || ')'; end $$;
    insert into wide (c0) values ('x')`,
    server.url,
  )
  await using session = await connectTo(db.url, 'look')
  const sent = async (count: number) => {
    const indexes = Array.from(
      { length: count },
      (_, at) => `{ name: i_${at}, table: wide, keys: [c${at % 30}, c${30 + Math.floor(at / 30)}] }`,
    )
    const counted = { statements: 0 }
    const { steps } = await runPlanCommand(counting(session, counted), await profileOf(indexes), {
      allow: new Set(),
      prune: false,
      maxWaitMs: 60_000,
      maxSizeBytes: 1e12,
      exitCode: false,
    })
    expect(steps.map(({ step }) => step)).toEqual(indexes.map(() => 'create'))
    return counted.statements
  }
  expect(await sent(800)).toBe(await sent(400))
})

function counting(session: Session, counted: { statements: number }): Session {
  return new Proxy(session, {
    get(target, name) {
      if (name === 'query' || name === 'rolledBack') counted.statements += 1
      return Reflect.get(target, name)
    },
  })
}
