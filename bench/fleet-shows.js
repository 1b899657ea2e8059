import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import postgres from 'postgres'
import { shop } from './fleet.js'
import { timedWithMemory } from './rounds.js'
import { perfdb, source, withServer } from './server.js'

/*
 * What a fleet must live through, on a real server: each row says what was done and what was found. `--databases=1000` for the memory of a thousand.
 */
export async function fleetShows({ quick, numberOf }) {
  const count = numberOf('databases', quick ? 40 : 200)
  return withServer(0, async ({ url, sql }) => {
    const folder = mkdtempSync(join(tmpdir(), 'perfdb-bench-'))
    const fleet = fleetOn({ url, sql, folder })
    try {
      await fleet.make('a', count)
      const rows = [
        ...(await killedInTheMiddle(fleet, count)),
        ...(await driftFound(fleet, Math.min(count, 132))),
        ...(await schemas(fleet, quick ? 60 : 300)),
        ...(await workers(fleet)),
      ]
      return { title: `Fleet: what it lives through, ${count} databases`, note: '', columns: ['', 'found'], rows }
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
}

/** Databases that are alike, lists of them, and perfdb with a profile of four indexes. */
function fleetOn({ url, sql, folder }) {
  const place = (name) => url.replace(/\/[^/]*$/, `/${name}`)
  const write = (name, text) => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  const inside = async (name, work) => {
    const client = postgres(place(name), { max: 1, onnotice: () => undefined })
    try {
      return await work(client)
    } finally {
      await client.end({ timeout: 2 })
    }
  }
  write('shop.yaml', shop.profile)
  return {
    folder,
    sql,
    place,
    write,
    inside,
    async make(side, count) {
      await sql.unsafe(`create database ${side}_template`)
      await inside(`${side}_template`, async (client) => client.unsafe(shop.script))
      for (let at = 0; at < count; at += 1) await sql.unsafe(`create database ${side}${at} template ${side}_template`)
    },
    list: (side, count) =>
      write(
        `${side}${count}.csv`,
        ['id,url', ...Array.from({ length: count }, (_, at) => `${side}${at},${place(`${side}${at}`)}`)].join('\n'),
      ),
    /** perfdb in the folder: the process, and how it ends. */
    start(...args) {
      const child = spawn(process.execPath, [perfdb, ...args], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
      let stdout = ''
      child.stdout.on('data', (chunk) => (stdout += chunk))
      child.stderr.resume()
      const ended = new Promise((resolve) => child.once('close', (code, signal) => resolve({ code, signal, stdout })))
      return { child, ended }
    },
    async document(...args) {
      const { code, stdout } = await this.start(...args, '--format', 'json').ended
      return { code, ...JSON.parse(stdout) }
    },
    /** Indexes of the profile in a database, by name. */
    indexes: async (name) =>
      inside(name, async (client) => {
        const rows =
          await client`select c.relname as name, c.oid::int8::text as oid, i.indisvalid as valid from pg_index i
          join pg_class c on c.oid = i.indexrelid where c.relname ~ '^(orders|customers)_' and not i.indisprimary`
        return new Map(rows.map((row) => [row.name, row]))
      }),
  }
}

async function until(condition) {
  while (!(await condition())) await sleep(50)
}

async function killedInTheMiddle(fleet, count) {
  const { sql } = fleet
  const list = fleet.list('a', count)
  const apply = [
    'apply',
    'shop.yaml',
    '--tenants-file',
    list,
    '--per-server',
    '16',
    '--total',
    '16',
    '--lock-wait',
    '60s',
  ]
  const names = Array.from({ length: count }, (_, at) => `a${at}`)
  const { child, ended } = fleet.start(...apply, '--quiet')
  await until(async () => (await sql`select from pg_stat_activity where datname = ${names[count >> 1]}`).length > 0)
  child.kill('SIGKILL')
  await ended
  const before = new Map()
  for (const name of names) before.set(name, await fleet.indexes(name))
  const again = await fleet.document(...apply)
  let [twice, invalid, missing] = [0, 0, 0]
  for (const name of names) {
    const after = await fleet.indexes(name)
    missing += 4 - after.size
    for (const [index, { oid, valid }] of after) {
      const known = before.get(name).get(index)
      if (known?.valid === true && known.oid !== oid) twice += 1
      if (!valid) invalid += 1
    }
  }
  const begun = [...before.values()].filter((indexes) => indexes.size > 0).length
  const report = join(fleet.folder, 'plan.json')
  const planned = ['plan', ...apply.slice(1, 8), '--quiet', '--report', `json=${report}`]
  const { ms, peakBytes } = await timedWithMemory(process.execPath, [
    perfdb,
    planned[0],
    join(fleet.folder, 'shop.yaml'),
    ...planned.slice(2),
  ])
  const { counts } = JSON.parse(readFileSync(report, 'utf8'))
  return [
    ['killed with -9 when it had begun', `${begun} of ${count}`],
    ['the same again', `exit ${again.code}, ${twice} built twice, ${invalid} invalid, ${missing} missing`],
    [
      'plan then',
      `${counts.in_order ?? 0} of ${count} all keep, ${(ms / 1000).toFixed(1)} s, ${Math.round((peakBytes ?? 0) / 2 ** 20)} MB`,
    ],
  ]
}

/** Two of them lose an index; the page of 5,000 such tenants is opened in Chromium. */
async function driftFound(fleet, count) {
  const lost = [`a${count >> 2}`, `a${count - 1}`]
  for (const name of lost) await fleet.inside(name, async (client) => client`drop index orders_status`)
  const found = await fleet.document('verify', 'shop.yaml', '--tenants-file', fleet.list('a', count))
  const drifted = found.groups.filter(({ exit_code: code }) => code !== 0)
  return [
    [
      `verify of ${count}, two without an index`,
      `exit ${found.code}: ${drifted.map(({ ids, reason }) => `${ids.join(', ')} (${reason})`).join('; ')}${drifted[0]?.ids.join() === lost.join() ? '' : ' - WRONG'}`,
    ],
    ...(await pageOf(fleet, found, 5000)),
  ]
}

async function pageOf(fleet, document, count) {
  const { render } = await source('src/report/render.ts')
  const { code: _, ...result } = document
  const tenants = Array.from({ length: count }, (_, at) => ({
    ...result.tenants[at % result.tenants.length],
    id: `yacht-${at}`,
  }))
  const html = await render({ ...result, tenants }, 'html', { width: 120, color: false, unicode: true, verbose: false })
  const page = fleet.write('fleet.html', html)
  const size = `${(Buffer.byteLength(html) / 1e6).toFixed(2)} MB`
  const { chromium } = await import('playwright-core')
  const executablePath = process.env['PERFDB_TEST_CHROMIUM'] ?? '/usr/bin/chromium'
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] }).catch(() => null)
  if (browser === null) return [[`page of ${count} tenants`, `${size}; no Chromium to open it`]]
  try {
    const tab = await browser.newPage()
    const started = performance.now()
    await tab.goto(`file://${page}`)
    await tab.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve))))
    const opened = performance.now()
    await tab.getByLabel('Find tenants').fill('yacht-4321')
    const said = await tab.locator('#found').textContent()
    const found = performance.now()
    return [
      [
        `page of ${count} tenants`,
        `${size}, opened in ${((opened - started) / 1000).toFixed(2)} s; found in ${((found - opened) / 1000).toFixed(2)} s: ${said}`,
      ],
    ]
  } finally {
    await browser.close()
  }
}

/** Schemas of one database, one of them with duplicates for a unique index. */
async function schemas(fleet, count) {
  await fleet.sql.unsafe('create database schemas')
  await fleet.inside('schemas', async (client) => {
    for (let at = 0; at < count; at += 1)
      await client.unsafe(`create schema tenant_${at}; create table tenant_${at}.t (id int primary key, code int);
        insert into tenant_${at}.t select n, ${at === 7 ? 'n / 2' : 'n'} from generate_series(1, 50) n`)
  })
  fleet.write(
    'unique.yaml',
    'version: 1\nprofile: unique\nindexes:\n  - { name: t_code, table: t, keys: [code], unique: true }\n',
  )
  fleet.write('schemas.yaml', `tenants:\n  - schemas: { url: "${fleet.place('schemas')}", like: 'tenant_%' }\n`)
  const started = performance.now()
  const { code, counts, groups } = await fleet.document('apply', 'unique.yaml', '--tenants-file', 'schemas.yaml')
  const seconds = ((performance.now() - started) / 1000).toFixed(0)
  const [left] = await fleet.inside(
    'schemas',
    async (client) => client`select
    count(*) filter (where i.indisvalid)::int as valid, count(*) filter (where not i.indisvalid)::int as invalid
    from pg_index i join pg_class c on c.oid = i.indexrelid where c.relname = 't_code'`,
  )
  const failed = groups
    .filter((group) => group.outcome === 'failed')
    .map((group) => `${group.ids.join()}: ${group.code}`)
  return [
    [
      `${count} schemas, one with duplicates`,
      `exit ${code}, ${counts.done} done, ${failed.join('; ')}; ${left.valid} valid, ${left.invalid} invalid; ${seconds} s`,
    ],
  ]
}

/** Three workers: one is killed, one stopped while they build; from the end of the builds that they left to the end of the run. */
async function workers(fleet) {
  const count = 6
  await fleet.make('w', count)
  await fleet.sql.unsafe('create database queue')
  const queue = ['--queue', fleet.place('queue')]
  const list = ['--tenants-file', fleet.list('w', count)]
  const worker = () => fleet.start('worker', 'shop.yaml', ...list, ...queue)
  const held = await Promise.all(
    ['w0', 'w1'].map(async (name) => {
      const client = postgres(fleet.place(name), { max: 1, onnotice: () => undefined })
      const one = await client.reserve()
      await one.unsafe(`begin; insert into orders values (100000, 1, 'x', now())`)
      return { name, end: async () => (await one.unsafe('rollback'), one.release(), client.end({ timeout: 2 })) }
    }),
  )
  const building = async () =>
    (await fleet.sql`select distinct datname from pg_stat_progress_create_index`).map(({ datname }) => datname)
  const run = fleet.document(
    'apply',
    'shop.yaml',
    ...list,
    ...queue,
    '--heartbeat',
    '10s',
    '--per-server',
    '20',
    '--total',
    '20',
  )
  const killed = worker()
  let first
  await until(async () => ([first] = await building())[0] !== undefined)
  const stopped = worker()
  await until(async () => (await building()).length > 1)
  killed.child.kill('SIGKILL')
  stopped.child.kill('SIGSTOP')
  const third = worker()
  for (const { end } of held) await end()
  await until(async () => !(await building()).some((name) => held.some((one) => one.name === name)))
  const orphansEnded = performance.now()
  const { code, counts, tenants } = await run
  const seconds = (performance.now() - orphansEnded) / 1000
  stopped.child.kill('SIGCONT')
  await sleep(3000)
  for (const { child } of [stopped, third]) child.kill('SIGTERM')
  const ends = await Promise.all([stopped.ended, third.ended])
  let [valid, invalid] = [0, 0]
  for (let at = 0; at < count; at += 1)
    for (const index of (await fleet.indexes(`w${at}`)).values()) {
      if (index.valid) valid += 1
      else invalid += 1
    }
  return [
    [
      `three workers, that of ${first} killed, another one stopped`,
      `exit ${code}, ${counts.total} told (${tenants.map(({ outcome }) => outcome).join(', ')}), ${seconds.toFixed(0)} s after the orphaned builds; ${valid} valid, ${invalid} invalid; workers ended with ${ends.map((end) => end.code).join(', ')}`,
    ],
  ]
}
