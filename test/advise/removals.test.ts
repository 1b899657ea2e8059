import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { adviseResult } from '../../src/result/documents/advise-result.js'
import { countsTold, testDatabase, type TestDatabase } from '../support/database.js'
import { documentOf } from '../support/document.js'

let source: TestDatabase
let folder: string

/** Those that are redundant or the same as another one, and one that nobody scans. */
const removable: Readonly<Record<string, string>> = {
  r_a: 'items (a)',
  r_ab: 'items (a, b)',
  r_a_desc: 'items (d desc)',
  r_again: 'items (b, c)',
  r_again_c: 'items (b) include (c)',
  r_include: 'items (a) include (c)',
  r_expression: 'items (lower(note))',
  r_partial: 'items (c) where b > 5',
  r_collate: 'items (note collate "C")',
  r_same: 'items (e)',
  r_logs: 'logs (level)',
  r_advised: 'items (f)',
  u_never: 'items (g)',
  r_younger: 'items using hash (j)',
}
/** What makes them so, or only looks as if it could go: with a query that scans it before there are others. */
const needed: Readonly<Record<string, readonly [string, string]>> = {
  k_abc: ['items (a, b, c)', 'from items where a = 1 and b = 1 and c = 1'],
  k_a_desc: ['items (d desc, a)', 'from items order by d desc, a limit 1'],
  k_expression: ['items (lower(note), a)', `from items where lower(note) = 'x' and a = 1`],
  k_partial: ['items (c, a) where b > 5', 'from items where c = 1 and a = 1 and b > 5'],
  k_collate: ['items (note collate "C", a)', `from items where note collate "C" = 'x' and a = 1`],
  k_same: ['items (e)', 'from items where e = 1'],
  k_logs: ['logs (level, at)', 'from logs where level = 1'],
  k_cheap: ['wide (k, filler)', `from wide where k = 1 and filler = 'x'`],
  n_predicate: ['items (c) where b > 6', 'from items where c = 1 and b > 6'],
  n_opclass: ['items (note text_pattern_ops)', `from items where note like 'abc%'`],
  n_scanned: ['items (h)', 'from items where h = 1'],
  n_cheap: ['wide (k)', 'from wide where k = 1'],
  n_foreign: ['items (owner)', ''],
  n_unique: ['logs (at, level, id)', ''],
  // The older of two that are the same: the younger one was scanned, and goes.
  n_older: ['items using hash (j)', ''],
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'perfdb-test-'))
  const made = (name: string, text: string) => `create ${name === 'n_unique' ? 'unique ' : ''}index ${name} on ${text};`
  const uses = Object.values(needed).flatMap(([, rest]) => (rest === '' ? [] : [`perform 1 ${rest};`]))
  source = await testDatabase(`
    create table owners (id int primary key);
    create table items (id int primary key, a int, b int, c int, d int, e int, f int, g int, h int, j int, note text, owner int references owners);
    create table logs (id bigint, at timestamptz not null, level int not null) partition by range (at);
    create table logs_1 partition of logs for values from ('2025-01-01') to ('2026-01-01');
    create table wide (id int primary key, k int, filler text);
    insert into owners select generate_series(1, 100);
    insert into items select n, n % 700, n % 11, n % 90, n, n, n % 300, n % 3000, n, n, md5(n::text), 1 + n % 100 from generate_series(1, 30000) n;
    insert into logs select n, timestamptz '2025-01-01' + n * interval '1 min', n % 500 from generate_series(1, 20000) n;
    insert into wide select n, n % 5, repeat(md5(n::text), 20) from generate_series(1, 20000) n;
    ${Object.entries(needed)
      .map(([name, [text]]) => made(name, text))
      .join('\n')}
    analyze;
    set enable_seqscan = off;
    do $$ begin ${uses.join('\n')} end $$;
    ${Object.entries(removable)
      .map(([name, text]) => made(name, text))
      .join('\n')}
    do $$ begin perform 1 from items where j = 1; end $$;
    create index k_again on items (b, c, g);
    do $$ begin perform 1 from items where b = 1 and c = 1 and g = 1; end $$;
    reset enable_seqscan;
    ${countsTold}`)
  await source.sql.unsafe('vacuum analyze')
  const queries = [
    'select * from items where a = 5 and b = 4 and c = 3',
    'select id from items where f = 7 and j > 29000',
    `select * from items where lower(note) = 'x'`,
    'select * from logs where level = 5',
    'select count(*) from wide where k = 3',
  ]
  const lines = queries.map((sql, at) => `  - { name: q${at}, sql: ${JSON.stringify(sql)} }`)
  await writeFile(join(folder, 'q.yaml'), `version: 1\nprofile: q\nqueries:\n${lines.join('\n')}\n`)
})

afterAll(async () => {
  await source[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

test('what may go: the same as another, the beginning of another, an advised one too, or never scanned; nothing that is needed', async () => {
  const { removals, file } = await documentOf(adviseResult, source.url, folder, 'advise', 'q.yaml', '--out', 'a.yaml')
  expect(removals.map(({ index }) => index.name).toSorted()).toEqual(Object.keys(removable).toSorted())
  // What does the work of one that goes is one that stays.
  const going = new Set(removals.map(({ index }) => index.name))
  expect(removals.filter(({ by }) => by !== undefined && going.has(by))).toEqual([])
  expect(file).toBe('a.yaml')
  expect(await readFile(join(folder, 'a.yaml'), 'utf8')).toContain('absent:')
})
