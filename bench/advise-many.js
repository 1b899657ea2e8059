import postgres from 'postgres'
import { advised } from './advise.js'
import { timedWithMemory } from './rounds.js'
import { perfdb, source } from './server.js'
import { diskOf, servers } from './twin.js'

/*
 * `npm run bench -- advise-many`: how long advise takes for 50 queries over 100 tables, and for 500 statements of pg_stat_statements; how long the twin of 1,000 tables
 * and 10,000 indexes takes.
 */
export async function adviseMany({ quick }) {
  const [tables, statements, large] = quick ? [20, 60, 100] : [100, 500, 1000]
  const { startEmbedded } = await source('src/server/embedded/embedded.ts')
  const server = await startEmbedded({ settings: { shared_preload_libraries: 'pg_stat_statements' } })
  const sql = postgres(server.url, { max: 1, onnotice: () => undefined })
  try {
    await sql.unsafe('create extension pg_stat_statements')
    for (let at = 0; at < tables; at += 1) {
      await sql.unsafe(
        `create table t${at} (id int primary key, owner int not null, state int not null, made timestamptz not null, amount numeric not null, note text not null)`,
      )
      await sql.unsafe(
        `insert into t${at} select n, n % 997, n % 7, timestamptz '2025-01-01' + n * interval '1 min', n % 500, repeat('x', 40) from generate_series(1, 10000) n`,
      )
    }
    await sql.unsafe('vacuum analyze')
    await sql.unsafe('select pg_stat_statements_reset()')
    for (let at = 0; at < statements; at += 1) await sql.unsafe(statement(at, tables))
    const fifty = Array.from({ length: 50 }, (_, at) => ({ name: `q${at}`, sql: statement(at * 7, tables) }))
    const few = await advised(server.url, fifty)
    const args = [perfdb, 'advise', '--top', String(statements), '--quiet', '--format', 'json', '--url', server.url]
    const top = await timedWithMemory(process.execPath, args)
    const rows = [
      [
        `advise, 50 queries over ${tables} tables (${few.result.tried} indexes tried)`,
        '20 s',
        `${(few.ms / 1000).toFixed(1)} s`,
        '',
      ],
      [
        `advise --top ${statements}`,
        '180 s, 250 MB',
        `${(top.ms / 1000).toFixed(1)} s`,
        `${(top.peakBytes / 1e6).toFixed(0)} MB`,
      ],
      ...(await largeTwin(sql, server.url, large)),
    ]
    return {
      title: 'Advice for many queries, and the twin of many tables',
      note: 'memory is that of perfdb, without the servers',
      columns: ['', 'goal', 'time', 'memory or disk'],
      rows,
    }
  } finally {
    await sql.end({ timeout: 2 })
    await server[Symbol.asyncDispose]()
  }
}

/** Statements that pg_stat_statements tells apart: over one or two tables, by one or two columns, in an order or not. */
function statement(at, tables) {
  const [t, u] = [`t${at % tables}`, `t${(at * 3 + 1) % tables}`]
  const list = [`${t}.id`, `${t}.amount`, `${t}.note`].slice(0, 1 + (at % 3)).join(', ')
  const where = [
    `${t}.owner = ${at % 900}`,
    `${t}.state = ${at % 7} and ${t}.amount > 490`,
    `${t}.made > '2025-01-07'`,
  ][Math.floor(at / tables) % 3]
  const join = at % 2 === 0 || t === u ? t : `${t} join ${u} on ${u}.owner = ${t}.id`
  return `select ${list} from ${join} where ${where}${at % 5 === 0 ? ` order by ${t}.made desc limit 10` : ''}`
}

async function largeTwin(sql, url, tables) {
  await sql.unsafe('create schema large')
  await sql.unsafe('set search_path = large')
  for (let at = 0; at < tables; at += 1) {
    const indexes = ['b', 'c', 'd', 'e', 'b, c', 'c, d', 'd, e', 'lower(f)', 'b) where (c > 5'].map(
      (keys) => `create index on r${at} (${keys})`,
    )
    await sql.unsafe(
      [
        `create table r${at} (a bigint primary key, b int, c int, d int, e timestamptz, f text)`,
        `insert into r${at} select n, n % 7, n % 90, n, now(), md5(n::text) from generate_series(1, 200) n`,
        ...indexes,
        `analyze r${at}`,
      ].join(';'),
    )
  }
  await sql.unsafe('reset search_path')
  const parts = await source('bench/twin-parts.js')
  const look = await parts.connect(await parts.resolveTarget({ url, environment: {}, home: '/' }), 'look')
  const before = new Set(servers())
  try {
    const start = performance.now()
    const { statistics } = await parts.readStatistics(look, { noValues: false, hide: [] })
    const schema = await parts.readSchema(look)
    const read = performance.now()
    const twin = await parts.makeTwin({ statistics, schema, scale: 1 }, parts.limitsOf({ allowWrites: true }))
    const up = performance.now()
    const disk = diskOf(before)
    await twin[Symbol.asyncDispose]()
    const query = ['--query', 'select * from large.r7 where c = 7 order by d']
    const whole = await timedWithMemory(process.execPath, [perfdb, 'advise', ...query, '--quiet', '--url', url])
    const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`
    const name = `${tables.toLocaleString('en')} tables and ${(tables * 10).toLocaleString('en')} indexes`
    return [
      [`${name}: statistics and schema read`, '20 s', seconds(read - start), ''],
      ['the same: twin up', '30 s, 300 MB of disk', seconds(up - read), `${disk} MB`],
      [
        'the same: advise for one query, all in all',
        '250 MB',
        seconds(whole.ms),
        `${(whole.peakBytes / 1e6).toFixed(0)} MB`,
      ],
    ]
  } finally {
    await look[Symbol.asyncDispose]()
  }
}
