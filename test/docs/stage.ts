import postgres from 'postgres'

/** What stands in the folder in which a page's commands are typed. */
export interface Stage {
  /** Files that its commands name and the page does not show. */
  readonly files?: (url: string) => Readonly<Record<string, string>>
  /** The blocks of the page that are files, in their order: the name of each, and what belongs before it where the page shows a part. */
  readonly saved?: readonly { readonly name: string; readonly before?: string }[]
  /** Commands that are typed first, and last, besides those of the page: so its files are read too. */
  readonly first?: readonly string[]
  readonly last?: readonly string[]
  /** Instead of a DATABASE_URL. */
  readonly environment?: Readonly<Record<string, string>>
  /** Exit codes that are not 0, by command. */
  readonly codes?: Readonly<Record<string, number>>
}

const profile = `version: 1
profile: my
indexes:
  - { name: idx_jobs_status_created_at, table: jobs, keys: [status, { column: created_at, order: desc }], for: [by-status] }
queries:
  - { name: by-status, sql: select * from jobs where status = $1 order by created_at desc limit 50, params: [on_hold] }
`
const unindexed = 'select * from jobs where status = $1 order by created_at desc limit 50'
const pools = `version: 1
kind: pools
servers: { main: { url: '\${DATABASE_URL}' } }
services: { web: { server: main, instances: 2, pool: { max: 5 }, deploy: { strategy: recreate } } }
`
const project = {
  'perfdb.yaml': 'version: 1\nprofiles: [my.yaml]\npools: [my.pools.yaml]\n',
  'my.yaml': profile,
  'my.pools.yaml': pools,
}

const named = ['jobs-by-status', 'job-progress', 'operator-tasks']

export const stages: Readonly<Record<string, Stage>> = {
  'README.md': {
    // In turns: what it expects of the speedup is met beside other work as well.
    files: () => ({ 'my.pools.yaml': pools, 'perfdb.yaml': 'version: 1\ncounterfactual: on\n' }),
    saved: [{ name: 'my.yaml' }],
  },
  'docs/advise.md': {
    files: () => ({
      'my.yaml': profile.replace(/^indexes:\n.*\n/m, ''),
      'data.sql': schema + rows,
      'slow.sql': `${unindexed.replace('$1', "'on_hold'")};\n`,
      'schema.sql': schema,
      // The server runs the other one already, which would not count.
      'queries/new.sql': 'select id from jobs where status = $1 order by created_at desc limit 20;\n',
    }),
    codes: {
      'perfdb advise queries/ --url embedded --load schema.sql --baseline main.json --format github --exit-code': 1,
    },
  },
  'docs/ci.md': { files: () => project, first: ['perfdb apply'] },
  'docs/configuration.md': {
    environment: { PRODUCTION_URL: 'postgres://db.example.com/shop' },
    saved: [{ name: 'perfdb.yaml' }, { name: 'password.yaml', before: 'version: 1\n' }],
    last: ['perfdb config --config password.yaml'],
  },
  'docs/fleet.md': {
    files: (url) => ({
      'my.yaml': profile,
      'tenants.csv': `id,url,region\nyacht-001,${url},eu\n`,
      'perfdb.yaml':
        'version: 1\nprofiles: [my.yaml]\ntenants: [{ ids_from: tenants.csv, url_column: url, label_columns: [region] }]\n',
    }),
    saved: [{ name: 'listed.yaml', before: 'version: 1\n' }],
    last: ['perfdb config --config listed.yaml'],
  },
  'docs/load.md': {
    saved: [
      {
        name: 'load.yaml',
        before: `version: 1\nprofile: load\nqueries:\n${named.map((name) => `  - { name: ${name}, sql: select 1 }\n`).join('')}`,
      },
    ],
    last: ['perfdb plan load.yaml'],
  },
  'docs/pools.md': {
    saved: [{ name: 'first.pools.yaml' }],
    last: ['perfdb check-pool first.pools.yaml --offline'],
    codes: { 'perfdb check-pool first.pools.yaml --offline': 1 },
  },
  'docs/profiles.md': {
    saved: [{ name: 'my.yaml' }],
    last: ['perfdb plan my.yaml'],
  },
  'docs/twin.md': { files: () => ({ 'my.yaml': profile, 'schema.sql': schema }) },
}

/** The tables that the pages speak of. */
const schema = `create table customers (id int primary key, name text, email text);
create table jobs (id int primary key, status text, created_at timestamptz);
create table events (at date, kind text) partition by range (at);
create table events_2024 partition of events for values from ('2024-01-01') to ('2025-01-01');
`

const rows = `insert into customers select n, 'name ' || n, 'c' || n || '@example.com' from generate_series(1, 20000) n;
insert into jobs select n, case when n % 1000 = 0 then 'on_hold' else 'active' end, now() - n * interval '1 minute'
  from generate_series(1, 50000) n;
`

/** An empty database of its own for each page, with rows in its tables, and a query among the statements that the server counted. */
export async function fill(server: string, name: string): Promise<string> {
  const admin = postgres(server, { max: 1, onnotice: () => undefined })
  await admin.unsafe(`create database ${name}`)
  await admin.end()
  const url = new URL(server)
  url.pathname = `/${name}`
  const sql = postgres(url.href, { max: 1, onnotice: () => undefined })
  await sql.unsafe(`create extension pg_stat_statements; create extension pg_trgm; ${schema}${rows}`)
  // By itself: in the transaction of the rows it would not count them as analyzed, and autovacuum would do it again at any moment.
  await sql.unsafe('analyze')
  for (let run = 0; run < 5; run += 1) await sql.unsafe(unindexed, ['on_hold'])
  await sql.end()
  return url.href
}
