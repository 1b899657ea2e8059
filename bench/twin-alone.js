import { execFile, spawn } from 'node:child_process'
import { chmodSync, chownSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import postgres from 'postgres'
import { installedServer, nobody } from './installed.js'
import { perfdb } from './server.js'

const run = promisify(execFile)

/*
 * `npm run bench -- twin-alone`: a gate without any database. pg_dump -s and a statistics file of an installed PostgreSQL, which is stopped then; a query over a table
 * of 80 GB fails its `forbid: [SEQ_SCAN]`. An index of that schema calls a function that writes a file wherever a superuser runs it. As root, and as an ordinary user.
 */
export async function twinAlone() {
  const rows = 400_000
  const folder = mkdtempSync(join(tmpdir(), 'perfdb-bench-'))
  chmodSync(folder, 0o777)
  const marker = join(folder, 'written')
  try {
    await taken(folder, marker, rows)
    rmSync(marker)
    const user = await nobody()
    const lines = []
    for (const [name, owner] of [['this user', {}], ...(user.uid === undefined ? [] : [['nobody', user]])]) {
      const own = mkdtempSync(join(folder, 'run-'))
      // The server of a run as root is nobody's.
      chmodSync(own, 0o777)
      if (owner.uid !== undefined) chownSync(own, owner.uid, owner.gid)
      lines.push([name, ...(await explained(folder, own, owner, marker))])
    }
    return {
      title: 'The twin alone: pg_dump -s and a statistics file, no server',
      note: 'goal: exit code 1 for a query that reads all of a table of 80 GB, 0 for one that does not; nothing on the disk but an empty server; the index function that writes a file where a superuser runs it wrote none',
      columns: [
        'as',
        'exit code',
        'of the other query',
        'said of the first',
        'time',
        'memory of perfdb',
        'file written',
      ],
      rows: lines,
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Schema and statistics of a server that is gone afterwards. */
async function taken(folder, marker, rows) {
  const server = await installedServer()
  const sql = postgres(server.url, { max: 1, onnotice: () => undefined })
  try {
    for (const text of [
      `create function spring() returns void language plpgsql as $$ begin
        if (select rolsuper from pg_catalog.pg_roles where rolname = current_user) then execute format('copy (select 1) to program %L', 'cat > ${marker}'); end if; end $$`,
      'create function evil(t text) returns text immutable language plpgsql as $$ begin perform public.spring(); return t; end $$',
      'create table orders (id bigint primary key, customer bigint not null, state text not null, note text not null)',
      `insert into orders select n, n % 90000, 's' || n % 500, repeat('x', 150) from generate_series(1, ${rows}) n`,
      'create index orders_customer on orders (customer)',
      `create index orders_evil on orders ((state || evil('x')))`,
      'vacuum analyze orders',
    ])
      await sql.unsafe(text)
    if (!existsSync(marker)) throw new Error('the trap does not work')
    const [{ bytes }] = await sql`select pg_relation_size('orders')::float8 as bytes`
    writeFileSync(join(folder, 'scale'), String(Math.ceil((80 * 1024 ** 3) / bytes)))
    const { stdout } = await run(join(server.binaries, 'pg_dump'), ['-s', server.url])
    writeFileSync(join(folder, 'schema.sql'), stdout)
    await run(process.execPath, [
      perfdb,
      'statistics',
      '--url',
      server.url,
      '--out',
      join(folder, 'orders.json'),
      '--quiet',
    ])
    chmodSync(join(folder, 'orders.json'), 0o644)
  } finally {
    await sql.end({ timeout: 2 })
    await server.stop()
  }
}

async function explained(folder, own, owner, marker) {
  const forbid = (name, sql) => JSON.stringify({ name, sql, expect: { forbid: ['SEQ_SCAN'] } })
  const profile = (query) => `{version: 1, profile: gate, queries: [${query}]}`
  writeFileSync(join(own, 'gate.yaml'), profile(forbid('by-state', `select * from orders where state = 's3'`)))
  writeFileSync(
    join(own, 'fine.yaml'),
    profile(forbid('by-customer', `select * from orders where customer = 77 or state || evil('x') = 's9x'`)),
  )
  const scale = readFileSync(join(folder, 'scale'), 'utf8')
  const files = ['--load', join(folder, 'schema.sql'), '--statistics', join(folder, 'orders.json')]
  const explain = async (file) => {
    const args = [perfdb, 'explain', file, '--url', 'embedded', ...files, '--scale', scale, '--format', 'json']
    const start = performance.now()
    const command = [
      ...(existsSync('/usr/bin/time') ? ['/usr/bin/time', '-f', 'peak %M'] : []),
      process.execPath,
      ...args,
    ]
    const child = spawn(command[0], command.slice(1), {
      cwd: own,
      ...owner,
      env: { ...process.env, HOME: own, TMPDIR: own },
    })
    let [stdout, stderr] = ['', '']
    child.stdout.on('data', (text) => (stdout += text))
    child.stderr.on('data', (text) => (stderr += text))
    const code = await new Promise((resolve) => child.once('close', resolve))
    return {
      code,
      result: JSON.parse(stdout),
      ms: performance.now() - start,
      peak: Number(/peak (\d+)/.exec(stderr)?.[1] ?? 0),
    }
  }
  const first = await explain('gate.yaml')
  const other = await explain('fine.yaml')
  if (first.result.queries === undefined) throw new Error(JSON.stringify(first.result.error))
  const said = first.result.queries[0].expectations.find(({ met }) => !met)?.actual ?? ''
  return [
    String(first.code),
    String(other.code),
    said,
    `${(first.ms / 1000).toFixed(1)} s`,
    first.peak === 0 ? 'not measured' : `${(first.peak / 1024).toFixed(0)} MB`,
    existsSync(marker) ? 'yes' : 'no',
  ]
}
