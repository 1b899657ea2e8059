import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { mostHopeful } from '../../src/advise/candidates.js'
import { adviseResult } from '../../src/result/documents/advise-result.js'
import { countsTold, testDatabase, type TestDatabase } from '../support/database.js'
import { documentOf } from '../support/document.js'

let source: TestDatabase
let folder: string

const queries: readonly (readonly [string, string])[] = [
  ['grouped', 'select kind, sum(amount) from events group by kind'],
  ['recent', `select sum(length(note)) from events where at >= '2025-03-20'`],
  ['written', 'select * from counters where slot = 5'],
  ['writing', 'insert into counters select n, n, 1 from generate_series(1, 1000) n'],
  ['unwritten', 'select * from calm where slot = 5'],
  // What is no comparison of one column is no predicate, whatever several queries say.
  ['either', 'select * from calm where slot = 9 and (id % 3 = 1 or hits = 7)'],
  ['unlisted', 'select * from calm where slot = 9 and id not in (select id from owners)'],
  ['open', `select * from tickets where state = 'open' and owner = 5`],
  ['newest', `select * from tickets where state = 'open' and owner = 9 order by made desc limit 3`],
  ['once', `select * from letters where state = 'open' and owner = 5`],
]

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'perfdb-test-'))
  source = await testDatabase(`
    create table owners (id int primary key);
    create table things (id int primary key, owner int references owners, other int references owners);
    create index things_other on things (other);
    create table events (at timestamptz not null, kind int not null, amount int not null, note text not null);
    create table counters (id int, slot int, hits int);
    create table calm (id int, slot int, hits int);
    create table tickets (id int, state text not null, owner int not null, made timestamptz not null, note text not null);
    create table letters (id int, state text not null, owner int not null, note text not null);
    insert into tickets select n, case n % 20 when 0 then 'open' else 'done' end, n % 211, timestamptz '2025-01-01' + n * interval '1 min', repeat('x', 80) from generate_series(1, 30000) n;
    insert into letters select id, state, owner, note from tickets;
    insert into owners select generate_series(1, 5000);
    insert into things select n, 1 + n % 4000, 1 + n % 4000 from generate_series(1, 20000) n;
    insert into events select timestamptz '2025-01-01' + n * interval '1 min', n % 20, n, repeat('x', 400) from generate_series(1, 120000) n;
    insert into counters select n, n % 5000, 0 from generate_series(1, 20000) n;
    insert into calm select n, n % 5000, 0 from generate_series(1, 20000) n;
    delete from owners where id > 4990;
    ${countsTold}`)
  await source.sql.unsafe('vacuum analyze')
  const lines = queries.map(([name, sql]) => `  - { name: ${name}, sql: ${JSON.stringify(sql)} }`)
  await writeFile(join(folder, 'q.yaml'), `version: 1\nprofile: q\nqueries:\n${lines.join('\n')}\n`)
})

afterAll(async () => {
  await source[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

test('foreign keys that deletes look up, columns that are grouped by, brin; and no index for which writes pay more than it saves', async () => {
  const { advice, ...result } = await documentOf(
    adviseResult,
    source.url,
    folder,
    'advise',
    'q.yaml',
    '--out',
    'a.yaml',
  )
  const served = new Map(advice.flatMap(({ index, serves }) => serves.map(({ query }) => [query, index.definition])))
  expect(result.foreign_keys).toBe(1)
  expect(served.get('deletes from public.owners, by things_owner_fkey of public.things')).toBe('btree (owner)')
  expect(served.get('grouped')).toBe('btree (kind) include (amount)')
  // The planner takes it for dearer here, but it was tried: the rows lie in its order.
  const recent = advice.find(({ serves }) => serves.some(({ query }) => query === 'recent'))
  expect(recent?.rejected.map(({ definition }) => definition)).toContain('brin (at)')
  expect(served.get('unwritten')).toContain('btree (slot)')
  expect(served.get('either')).toContain('btree (slot)')
  expect(served.get('unlisted')).toContain('btree (slot)')
  expect(served.has('written')).toBe(false)
  // Two queries say it, so that the index holds a twentieth of the rows; what one query says is a key.
  expect(served.get('open')).toContain(`where state = 'open'`)
  expect(served.get('newest')).toContain(`where state = 'open'`)
  expect(served.get('once')).not.toContain('where')
})

test('of more candidates than are tried, those for the costly queries are', () => {
  const found = new Map(Array.from({ length: 400 }, (_, at) => [`index ${at}`, { hope: at === 399 ? 1000 : 400 - at }]))
  const kept = mostHopeful(found)
  expect(kept).toHaveLength(300)
  expect(kept[0]?.[0]).toBe('index 399')
  expect(kept.map(([text]) => text)).not.toContain('index 350')
})
