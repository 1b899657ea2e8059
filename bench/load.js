import { execFile, execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { median } from './rounds.js'
import { perfdb, psql, withServer } from './server.js'

const run = promisify(execFile)
const query = 'select id, total, created_at from orders where user_id = $1 order by created_at desc limit 10'
const users = [17, 230, 1234, 4000, 4711]
const tables = `create table orders (id int primary key, user_id int not null, total int, created_at timestamptz not null);
insert into orders select n, n::bigint * 7919 % 5000, n % 1000, timestamptz '2024-01-01' + n * interval '1 min' from generate_series(1, 500000) n;
create index on orders (user_id, created_at desc);
vacuum analyze orders`
const connections = 10

/** perfdb load beside pgbench: the same query, rate and number of connections, in turns; ratios are those of single rounds. */
export async function load({ quick }) {
  const program = psql()
  const pgbench = program === undefined ? '' : join(dirname(program), 'pgbench')
  if (!existsSync(pgbench)) throw new Error('no pgbench on this machine')
  return withServer(0, async ({ url, sql }) => {
    const folder = mkdtempSync(join(tmpdir(), 'perfdb-bench-'))
    try {
      for (const text of tables.split(';\n')) await sql.unsafe(text)
      writeFileSync(join(folder, 'q.sql'), `\\set u random(0, 4999)\n${query.replace('$1', ':u')};\n`)
      const values = users.map((user) => `u${user}: [${user}]`).join(', ')
      writeFileSync(
        join(folder, 'q.yaml'),
        `version: 1\nqueries:\n  - { name: last, sql: '${query}', params: { ${values} } }\n`,
      )
      return await compare({ url, folder, pgbench, seconds: quick ? 3 : 8, rounds: quick ? 3 : 7 })
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
}

async function compare({ url, folder, pgbench, seconds, rounds }) {
  const common = ['-n', '-M', 'prepared', '-f', 'q.sql', '-c', String(connections)]
  const bench = (...args) =>
    execFileSync(pgbench, [...common, ...args, url], {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
  const highest = () => Number(/^tps = ([\d.]+)/m.exec(bench('-j', '2', '-T', String(seconds)))[1])
  const ofPgbench = (rate, threads) => {
    bench('-R', String(rate), '-j', String(threads), '-T', String(seconds), '-l', '--log-prefix=pl')
    const logs = readdirSync(folder).filter((name) => name.startsWith('pl.'))
    const times = logs.flatMap((name) => readFileSync(join(folder, name), 'utf8').trim().split('\n'))
    for (const name of logs) rmSync(join(folder, name))
    return median(times.map((line) => Number(line.split(' ')[2]) / 1000))
  }
  const step = async (...args) => {
    const all = ['load', 'q.yaml', '--url', url, '--duration', `${seconds}s`, '--connections', String(connections)]
    const words = [perfdb, ...all, '--allow', 'LOAD', '--format', 'json', ...args]
    // A saturated step is exit code 1, and a number all the same.
    const { stdout } = await run(process.execPath, words, { cwd: folder }).catch((failed) => failed)
    const { threads, load } = JSON.parse(stdout)
    return { threads, ...load.after.steps[0] }
  }
  const all = ['--users', String(connections), '--think', '0s']
  const highestOf = { 1: { goal: 0.3, rates: [] }, 2: { goal: 0.4, rates: [] } }
  const most = []
  for (let round = 0; round < rounds; round += 1) {
    most.push(highest())
    for (const [threads, { rates }] of Object.entries(highestOf))
      rates.push((await step(...all, '--threads', threads)).achieved)
  }
  const rows = Object.entries(highestOf).map(([threads, { goal, rates }]) => [
    `highest rate, perfdb with ${threads} thread${threads === '1' ? '' : 's'}`,
    `${median(most).toFixed(0)}/s`,
    `${median(rates).toFixed(0)}/s`,
    median(rates.map((rate, round) => rate / most[round])).toFixed(2),
    `at least ${goal}`,
  ])
  for (const share of [0.05, 0.25, 0.5]) {
    const rate = Math.round(median(most) * share)
    const p50 = { pgbench: [], perfdb: [] }
    let threads = 1
    for (let round = 0; round < rounds; round += 1) {
      const ours = await step('--rate', String(rate))
      threads = ours.threads
      p50.perfdb.push(ours.latency_ms.p50)
      p50.pgbench.push(ofPgbench(rate, threads))
    }
    rows.push([
      `p50 at ${rate}/s, both with ${threads} thread${threads === 1 ? '' : 's'}`,
      `${median(p50.pgbench).toFixed(3)} ms`,
      `${median(p50.perfdb).toFixed(3)} ms`,
      median(p50.perfdb.map((one, round) => one / p50.pgbench[round])).toFixed(2),
      'at most 1.2',
    ])
  }
  return {
    title: 'Load',
    note: `one query by an index, ${connections} connections, prepared; pgbench with two threads for the highest rate`,
    columns: ['', 'pgbench', 'perfdb', 'x pgbench', 'goal'],
    rows,
  }
}
