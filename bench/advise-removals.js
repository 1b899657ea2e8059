import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import { advisedBy } from './advise.js'
import { source } from './server.js'

/*
 * `npm run bench -- advise-removals`: ten indexes that others make redundant, and ten that look needed and that nobody scans on the server; a standby scans four of
 * these. What advise says may go, with the standby and without.
 */
const redundant = {
  r_prefix: 'items (a)',
  r_two: 'items (a, b)',
  r_descending: 'items (d desc)',
  r_include: 'items (a) include (b)',
  r_expression: 'items (lower(note))',
  r_partial: 'items (c) where b > 5',
  r_collation: 'items (note collate "C")',
  r_same: 'items (e)',
  r_partitioned: 'logs (level)',
  r_gin_same: 'items using gin (tags)',
}
const wider = {
  k_three: 'items (a, b, c)',
  k_descending: 'items (d desc, a)',
  k_expression: 'items (lower(note), a)',
  k_partial: 'items (c, a) where b > 5',
  k_collation: 'items (note collate "C", a)',
  k_same: 'items (e)',
  k_partitioned: 'logs (level, at)',
  k_gin: 'items using gin (tags)',
}
/** By the query that scans it on the standby; empty where nobody does. */
const unused = {
  u_f: ['items (f)', 'select count(*) from items where f = 7'],
  u_g: ['items (g, a)', 'select count(*) from items where g = 7'],
  u_hash: ['items using hash (kind)', 'select count(*) from items where kind = 7'],
  u_logs: ['logs (kind)', 'select count(*) from logs where kind = 7'],
  u_made: ['items (made)', ''],
  u_brin: ['items using brin (id)', ''],
  u_partial: ['items (f) where b = 3', ''],
  u_lower: ['items (upper(note))', ''],
  u_wide: ['items (h) include (a, b)', ''],
  u_trigger: ['owners (name)', ''],
}
/** Nobody scans these either, and they stay: a constraint, a foreign key, a unique one, what the queries use. */
const bound = {
  b_foreign: 'items (owner)',
  b_used: 'items (b, at)',
}

export async function adviseRemovals({ quick }) {
  const rows = quick ? 30_000 : 300_000
  const { restartable, standbyOf } = await source('test/support/server.ts')
  const { startEmbedded } = await source('src/server/embedded/embedded.ts')
  const cwd = mkdtempSync(join(tmpdir(), 'perfdb-bench-'))
  const server = await restartable(await startEmbedded())
  let standby
  try {
    await onServer(server.url, async (sql) => {
      for (const text of setUp(rows)) await sql.unsafe(text)
    })
    standby = await standbyOf(server)
    await onServer(server.url, async (sql) => {
      await sql.unsafe('set enable_seqscan = off')
      for (const text of scansOfWider) await sql.unsafe(text)
      await sql.unsafe('select pg_stat_force_next_flush()')
    })
    await onServer(standby.url, async (sql) => {
      await sql.unsafe('set enable_seqscan = off')
      for (const [, query] of Object.values(unused)) if (query !== '') await sql.unsafe(query)
      await sql.unsafe('select pg_stat_force_next_flush()')
    })
    writeFileSync(join(cwd, 'q.sql'), `${queries.join(';\n')};\n`)
    const alone = await advisedBy(server.url, cwd, ['q.sql'])
    const both = await advisedBy(server.url, cwd, ['q.sql', '--replicas', standby.url])
    const told = (name, { result, ms }) => [name, ...judged(result), `${(ms / 1000).toFixed(1)} s`]
    return {
      title: `Removals: ten redundant indexes, ten that nobody scans on the server, ${Object.values(unused).filter(([, query]) => query !== '').length} of these scanned on a standby`,
      note: 'goals: all ten; none of the unused while the standby is not asked; with it those that it does not scan; nothing else ever',
      columns: ['', 'redundant named', 'unused named', 'scanned on the standby, named', 'others named', 'time'],
      rows: [told('the server alone', alone), told('with --replicas', both)],
    }
  } finally {
    await standby?.[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
    rmSync(cwd, { recursive: true })
  }
}

function judged({ removals }) {
  for (const { index, code, why } of removals) process.stderr.write(`${index.name}: ${code}: ${why}\n`)
  const names = removals.map(({ index }) => index.name)
  const of = (list) => `${names.filter((name) => list.includes(name)).length} of ${list.length}`
  const [scanned, idle] = [true, false].map((is) =>
    Object.keys(unused).filter((name) => (unused[name][1] !== '') === is),
  )
  // Of two that are the same either may go.
  const same = [
    ['r_same', 'k_same'],
    ['r_gin_same', 'k_gin'],
  ]
  const either = names.map((name) => same.find((pair) => pair.includes(name))?.[0] ?? name)
  const known = [...Object.keys(redundant), ...Object.keys(unused)]
  const redundantNamed = new Set(either.filter((name) => name in redundant)).size
  return [
    `${redundantNamed} of ${Object.keys(redundant).length}`,
    of(idle),
    of(scanned),
    String(either.filter((name) => !known.includes(name)).length),
  ]
}

async function onServer(url, work) {
  const sql = postgres(url, { max: 1, onnotice: () => undefined })
  try {
    await work(sql)
  } finally {
    await sql.end({ timeout: 2 })
  }
}

const queries = [
  'select * from items where a = 5 and b = 4 and c = 3',
  "select * from items where b = 4 and at > now() - interval '1 day'",
  'select * from logs where level = 5',
  'select * from owners where id = 5',
]

const scansOfWider = [
  'select count(*) from items where a = 1 and b = 1 and c = 1',
  'select id from items order by d desc, a limit 1',
  `select count(*) from items where lower(note) = 'x' and a = 1`,
  'select count(*) from items where c = 1 and a = 1 and b > 5',
  `select count(*) from items where note collate "C" = 'x' and a = 1`,
  'select count(*) from items where e = 1',
  'select count(*) from logs where level = 1 and at > now()',
  `select count(*) from items where tags @> array['t7']`,
  'select count(*) from items where b = 1 and at > now()',
]

function setUp(rows) {
  const index = (all) => Object.entries(all).map(([name, text]) => `create index ${name} on ${[text].flat()[0]}`)
  return [
    'create table owners (id int primary key, name text)',
    `create table items (id int primary key, a int, b int, c int, d int, e int, f int, g int, h int, kind int, made date, at timestamptz, note text, tags text[],
      owner int references owners)`,
    'create table logs (id bigint, at timestamptz not null, level int, kind int) partition by range (at)',
    `create table logs_1 partition of logs for values from ('2025-01-01') to ('2027-01-01')`,
    `insert into owners select n, 'owner ' || n from generate_series(1, 1000) n`,
    `insert into items select n, n % 700, n % 11, n % 90, n, n, n % 300, n % 3000, n % 500, n % 700, date '2025-01-01' + n % 300,
      timestamptz '2025-01-01' + n * interval '1 min', md5(n::text),
      array['t' || n % 90], 1 + n % 1000 from generate_series(1, ${rows}) n`,
    `insert into logs select n, timestamptz '2025-01-01' + n * interval '1 min', n % 500, n % 90 from generate_series(1, ${rows}) n`,
    ...index(redundant),
    ...index(wider),
    ...index(unused),
    ...index(bound),
    'vacuum analyze',
  ]
}
