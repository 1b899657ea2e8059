import { execFileSync } from 'node:child_process'
import { inRounds, median, timed } from './rounds.js'
import { jobShop, perfdb, psql, withServer } from './server.js'

/** The 31 indexes of the demo, built while somebody writes to the largest tables. */
export async function build({ quick }) {
  const scale = quick ? 0.05 : 1
  return withServer(scale, async (server) => buildOn(server, scale, quick))
}

async function buildOn(server, scale, quick) {
  const statements = planned(server.url)
  const tables = [...new Set(statements.map(({ table }) => table))]
  const stalls = {}
  const contender = (name, work) => async () => {
    await dropAll(server.sql, statements)
    const writer = startWriter(server.sql)
    try {
      return await work()
    } finally {
      stalls[name] = Math.max(stalls[name] ?? 0, await writer.stop())
    }
  }
  // The writer's updates make HOT_LOSS of the indexes on what it writes.
  const options = ['--no-measure', '--no-ledger', '--quiet', '--allow', 'HOT_LOSS']
  const apply = (...more) =>
    timed(process.execPath, [perfdb, 'apply', jobShop, ...options, ...more], {
      environment: { PERFDB_URL: server.url },
    })
  const one = [...statements.map(({ sql }) => sql), ...tables.map((table) => `analyze ${table}`)]
  const program = psql()
  const base =
    program === undefined
      ? ['31 statements, one connection', () => inSequence(server.sql, one)]
      : ['psql, 31 statements', () => timed(program, ['-XAtq', ...one.flatMap((sql) => ['-c', sql]), server.url])]
  const contenders = Object.fromEntries(
    [
      base,
      ['perfdb apply --no-measure', () => apply()],
      ['perfdb apply --no-measure --jobs 2', () => apply('--jobs', '2')],
      [
        'CREATE INDEX, blocking',
        () =>
          inSequence(
            server.sql,
            one.map((sql) => sql.replace(' concurrently', '')),
          ),
      ],
    ].map(([name, work]) => [name, contender(name, work)]),
  )
  const taken = await inRounds(quick ? 2 : 3, contenders)
  const [first] = Object.values(taken)
  const [{ rows }] = await server.sql`select count(*)::int as rows from public.job_steps`
  return {
    title: `Building 31 indexes on 9 tables, job_steps ${rows.toLocaleString('en')} rows (scale ${scale})`,
    note: 'each with ANALYZE once a table; at most 1.05 on one connection and 0.85 on two, the stall under 100 ms',
    columns: ['', 's', 'x', "a writer's longest stall"],
    rows: Object.entries(taken).map(([name, times]) => [
      name,
      (median(times) / 1000).toFixed(1),
      (median(times) / median(first)).toFixed(2),
      `${stalls[name].toFixed(0)} ms`,
    ]),
  }
}

function planned(url) {
  const args = [perfdb, 'plan', jobShop, '--format', 'json', '--url', url]
  const { steps } = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8', maxBuffer: 100_000_000 }))
  return steps.map(({ index, table, sql: [sql] }) => ({ index, table: `public.${table}`, sql }))
}

async function dropAll(sql, statements) {
  for (const { index } of statements) await sql.unsafe(`drop index if exists public."${index}"`)
  await sql.unsafe('checkpoint')
}

async function inSequence(sql, texts) {
  const start = performance.now()
  const one = await sql.reserve()
  for (const text of texts) await one.unsafe(text)
  one.release()
  return performance.now() - start
}

/** Updates single rows all the time, as an application does, and remembers how long the slowest took. */
function startWriter(sql) {
  let going = true
  let longest = 0
  const writing = (async () => {
    for (let n = 1; going; n += 1) {
      const start = performance.now()
      if (n % 2 === 0) await sql`update public.jobs set status = status where id = ${1 + (n % 1000)}`
      else await sql`update public.job_steps set status = status where id = ${1 + (n % 1000)}`
      longest = Math.max(longest, performance.now() - start)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  })()
  return {
    async stop() {
      going = false
      await writing
      return longest
    },
  }
}
