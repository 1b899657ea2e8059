import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inRounds, median, timed, timedWithMemory } from './rounds.js'
import { perfdb, psql, source, withServer } from './server.js'

const bare = fileURLToPath(new URL('fleet-bare.js', import.meta.url))
const atOnce = 8

const tables = ['orders', 'customers']
const indexes = [
  ['orders_customer', 'orders', 'customer'],
  ['orders_status', 'orders', 'status'],
  ['orders_placed', 'orders', 'placed'],
  ['customers_email', 'customers', 'email'],
]
const profile = `version: 1
profile: shop
indexes:
${indexes.map(([name, table, key]) => `  - { name: ${name}, table: ${table}, keys: [${key}] }`).join('\n')}
`
const script = `create table orders (id int primary key, customer int, status text, placed timestamptz);
create table customers (id int primary key, email text);
insert into orders select n, n % 100, 's' || n % 5, now() from generate_series(1, 1000) n;
insert into customers select n, n || '@example' from generate_series(1, 100) n;
analyze`
/** What each database of a fleet has, and is to have. */
export const shop = { script, profile }
const builds = indexes.map(([name, table, key]) => `create index concurrently ${name} on ${table} (${key});`).join('\n')

/** Databases that are alike on one server: those of perfdb, and as many for psql. */
export async function fleet({ quick, numberOf }) {
  const count = numberOf('databases', quick ? 40 : 200)
  return withServer(0, async ({ url, sql }) => {
    const folder = mkdtempSync(join(tmpdir(), 'perfdb-bench-'))
    try {
      return await measured({ url, sql, folder, count, rounds: quick ? 1 : 3 })
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
}

async function measured({ url, sql, folder, count, rounds }) {
  const place = (name) => url.replace(/\/[^/]*$/, `/${name}`)
  await sql.unsafe('create database fleet_template')
  const { default: postgres } = await import('postgres')
  const template = postgres(place('fleet_template'), { max: 1, onnotice: () => undefined })
  await template.unsafe(script)
  await template.end()
  for (let at = 0; at < count; at += 1)
    for (const side of ['a', 'p']) await sql.unsafe(`create database ${side}${at} template fleet_template`)
  const write = (name, text) => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  const urls = (side, number = count) => Array.from({ length: number }, (_, at) => place(`${side}${at}`))
  const list = (number) =>
    write(`t${number}.csv`, ['id,url', ...urls('a', number).map((one, at) => `t${at},${one}`)].join('\n'))
  const file = write('shop.yaml', profile)
  const steps = write('builds.sql', builds)
  const names = write('urls', urls('p').join('\n'))
  const run = (command, number, ...args) => [perfdb, command, file, '--tenants-file', list(number), '--quiet', ...args]
  const limits = (sessions) => ['--per-server', String(sessions), '--total', String(sessions)]
  const program = psql()
  const xargs = (...args) =>
    timed('sh', ['-c', `xargs -P${atOnce} -I{} "${program}" -XAtq {} ${args.join(' ')} < "${names}"`])

  const rows = []
  const add = (what, times, against) =>
    rows.push([
      what,
      (median(times) / 1000).toFixed(1),
      against === undefined ? '' : (median(times) / median(against)).toFixed(2),
    ])
  const built = { psql: program === undefined ? [] : [await xargs('-f', `"${steps}"`)] }
  built.perfdb = [await timed(process.execPath, run('apply', count, ...limits(2 * atOnce)))]
  if (program !== undefined) add(`xargs -P${atOnce} psql: ${count} databases x ${indexes.length} indexes`, built.psql)
  add('perfdb apply --tenants-file, the same', built.perfdb, program === undefined ? undefined : built.psql)

  const { snapshotSql } = await source('src/sql/catalog/catalog.ts')
  const [{ number }] = await sql`select current_setting('server_version_num')::int as number`
  const wanted = {
    tables: tables.map((name) => ({ schema: 'public', name })),
    indexes: indexes.map(([name]) => ({ schema: 'public', name })),
    extensions: [],
    texts: false,
  }
  const asked = write('bare.json', JSON.stringify({ urls: urls('a'), sql: snapshotSql(number, wanted) }))
  const query = write(
    'query.sql',
    `select pg_get_indexdef(indexrelid), indisvalid from pg_index where indrelid in ('orders'::regclass, 'customers'::regclass)`,
  )
  const taken = await inRounds(rounds, {
    bare: () => timed(process.execPath, [bare, asked, String(atOnce)]),
    perfdb: () => timed(process.execPath, run('plan', count, ...limits(atOnce))),
    ...(program === undefined ? {} : { psql: () => xargs('-f', `"${query}"`) }),
  })
  add(`bare postgres.js, ${count} databases, the same catalog query`, taken.bare)
  add('perfdb plan --tenants-file, nothing to do', taken.perfdb, taken.bare)
  if (program !== undefined) add(`xargs -P${atOnce} psql, a small catalog query`, taken.psql, taken.bare)

  const report = join(folder, 'plan.json')
  const sizes = []
  for (const part of [Math.ceil(count / 5), count]) {
    const { peakBytes } = await timedWithMemory(
      process.execPath,
      run('plan', part, ...limits(atOnce), '--report', `json=${report}`),
    )
    sizes.push(`${part} tenants ${peakBytes === null ? '?' : Math.round(peakBytes / 2 ** 20)} MB`)
  }
  const each = JSON.parse(readFileSync(report, 'utf8')).tenants.map((tenant) => tenant.duration_ms)
  const fifth = Math.ceil(count / 5)
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length
  rows.push(['memory of perfdb', sizes.join(', '), ''])
  rows.push([
    'a tenant, first and last fifth',
    `${mean(each.slice(0, fifth)).toFixed(0)} ms, ${mean(each.slice(-fifth)).toFixed(0)} ms`,
    '',
  ])
  return {
    title: `Fleet: ${count} databases on one server, ${atOnce} at once`,
    note: 'plan at most 1.5 of the bare script and ahead of xargs; apply under 1 of xargs; memory flat, under 200 MB; the last fifth as the first',
    columns: ['', 's', 'x'],
    rows,
  }
}
