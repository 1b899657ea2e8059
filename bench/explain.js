import { readFile } from 'node:fs/promises'
import postgres from 'postgres'
import { median, timedWithMemory } from './rounds.js'
import { jobShop, perfdb, source, withServer } from './server.js'

/*
 * The query audit: reading a query plan of 2 MB, what measuring costs beside the samples themselves, and 500 statements of
 * pg_stat_statements in one run.
 */
export async function explain({ quick }) {
  const reading = await readingPlans()
  const overhead = await withServer(quick ? 0.05 : 0.3, async (server) => overheadOn(server, quick))
  const turns = await overheadInTurns()
  const many = await manyStatements(quick ? 100 : 500)
  return {
    title: 'The query audit',
    note: 'a query plan of 2 MB is read in under 100 ms of processor time (warm); all else than the samples of queries over 1 ms takes under 10 % of the time that the client waits for these (more with few samples of quick queries, as with --quick); 500 statements need under 200 MB',
    columns: ['', 'goal', 'measured'],
    rows: [
      [
        `a query plan of ${reading.megabytes.toFixed(1)} MB, ${reading.nodes} nodes`,
        '100 ms',
        `${reading.ms.toFixed(0)} ms (cold ${reading.coldMs.toFixed(0)})`,
      ],
      [
        `${overhead.queries} queries of the job shop: all but ${(overhead.samplesMs / 1000).toFixed(1)} s of samples (${(overhead.serverMs / 1000).toFixed(1)} s on the server)`,
        '10 %',
        `${(100 * overhead.share).toFixed(1)} %`,
      ],
      [
        `a query with ${turns.indexes} indexes to leave out, in turns: all but ${(turns.samplesMs / 1000).toFixed(1)} s of samples of ${turns.arms} sides`,
        '10 %',
        `${(100 * turns.share).toFixed(1)} %`,
      ],
      [
        `explain --top ${many.statements}, ${(many.ms / 1000).toFixed(0)} s`,
        '200 MB',
        many.peakBytes === null ? 'unknown' : `${(many.peakBytes / 1e6).toFixed(0)} MB`,
      ],
    ],
  }
}

/** Plans of the gallery below one Append, until the text is long enough: text to findings, processor time, the first run (cold) and the median of 15. */
async function readingPlans() {
  const { readQueryPlan } = await source('src/measure/plan/query-plan.ts')
  const { planFindings } = await source('src/measure/rules/findings.ts')
  const gallery = JSON.parse(await readFile(new URL('../test/plans/gallery-18.json', import.meta.url), 'utf8'))
  const plans = gallery.plans.map(({ plan }) => plan.Plan)
  const below = []
  let length = 0
  for (let at = 0; length < 2_000_000; at += 1) {
    const plan = { ...plans[at % plans.length], 'Parent Relationship': 'Member' }
    below.push(plan)
    length += JSON.stringify(plan).length
  }
  const [{ plan: first }] = gallery.plans
  const root = { ...first.Plan, 'Node Type': 'Append', Plans: below }
  const text = JSON.stringify([{ ...first, Plan: root }])
  const times = []
  let nodes = 0
  for (let run = 0; run < 15; run += 1) {
    const start = process.cpuUsage()
    const plan = readQueryPlan(text)
    planFindings(
      { plan, versionNum: 180_000, medianPlanningMs: 1, medianExecutionMs: 1 },
      { name: 'q', place: { file: 'bench', line: 1, column: 1 } },
    )
    const { user, system } = process.cpuUsage(start)
    times.push((user + system) / 1000)
    nodes = plan.nodes.length
  }
  return { megabytes: text.length / 1e6, nodes, ms: median(times), coldMs: times[0] }
}

/** The profile's queries of 1 ms and more: the time of the whole audit against that of the samples, planning included. */
async function overheadOn({ url }, quick) {
  const { connect } = await source('src/server/connect.ts')
  const { resolveTarget } = await source('src/server/target/target.ts')
  const { measureQueries } = await source('src/measure/query/rounds.ts')
  const { readProfiles } = await source('src/profile/read/read.ts')
  const [profile] = await readProfiles([jobShop], { cwd: process.cwd(), environment: {} })
  const target = await resolveTarget({ url, environment: {}, home: '/' })
  const session = await connect(target, 'measure')
  try {
    const options = { samples: quick ? 21 : 101, allowWrites: false, timeBudgetMs: 5000 }
    const all = profile.queries.filter(({ variants }) => variants.length === 0)
    const first = await measureQueries(session, all, { ...options, samples: 3 })
    const slow = first.filter(({ measurements }) => measurements.every((one) => median(one.executionMs) >= 1))
    const queries = slow.map(({ query }) => query)
    const waits = { samplesMs: 0 }
    const start = performance.now()
    const measured = await measureQueries(waitingFor(session, waits), queries, { ...options, control: null })
    const elapsed = performance.now() - start
    const serverMs = measured
      .flatMap(({ measurements }) => measurements)
      .reduce(
        (sum, one) => sum + one.executionMs.reduce((a, b) => a + b, 0) + one.executionMs.length * one.planningMs,
        0,
      )
    const { samplesMs } = waits
    return { queries: queries.length, samplesMs, serverMs, share: elapsed / samplesMs - 1 }
  } finally {
    await session[Symbol.asyncDispose]()
  }
}

/** One query with all indexes, with none, and without each of the two that it uses: what passes beside the samples, warm-ups and hiding in it. */
async function overheadInTurns() {
  const { startEmbedded } = await source('src/server/embedded/embedded.ts')
  const { connect } = await source('src/server/connect.ts')
  const { resolveTarget } = await source('src/server/target/target.ts')
  const { measureQueries } = await source('src/measure/query/rounds.ts')
  const { interleave } = await source('src/measure/query/counterfactual.ts')
  const server = await startEmbedded()
  const session = await connect(await resolveTarget({ url: server.url, environment: {}, home: '/' }), 'measure')
  try {
    await session.query(
      'create table t as select n as id, n % 300 as a, n * 7 % 200 as b, md5(n::text) as pad from generate_series(1, 400000) n',
    )
    for (const text of ['create index i_a on t (a)', 'create index i_b on t (b)', 'vacuum analyze t'])
      await session.query(text)
    const place = { file: 'bench', line: 1, column: 1 }
    const sql = 'select count(*), max(pad) from (select * from t where a < 3 union all select * from t where b < 2) x'
    const query = { name: 'q', sql, parameters: [], variants: [], expect: {}, place }
    const options = { allowWrites: false, timeBudgetMs: 20_000 }
    const after = await measureQueries(session, [query], { ...options, samples: 7 })
    const waits = { samplesMs: 0 }
    const built = ['i_a', 'i_b'].map((name) => ({ schema: 'public', name }))
    const start = performance.now()
    const { without } = await interleave(waitingFor(session, waits), built, after, after, options)
    const elapsed = performance.now() - start
    const arms = 2 + without.length
    return { indexes: without.length, arms, samplesMs: waits.samplesMs, share: elapsed / waits.samplesMs - 1 }
  } finally {
    await session[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
  }
}

/** The session, adding up how long its client waits for the samples: on a crowded machine much longer than the server works. */
function waitingFor(session, waits) {
  const query = async (text, parameters) => {
    const start = performance.now()
    const rows = await session.query(text, parameters)
    if (text.startsWith('explain (analyze, timing off')) waits.samplesMs += performance.now() - start
    return rows
  }
  return new Proxy(session, { get: (target, name) => (name === 'query' ? query : target[name]) })
}

/** `perfdb explain --top 500` on a server that has seen that many statements. */
async function manyStatements(statements) {
  const { startEmbedded } = await source('src/server/embedded/embedded.ts')
  const server = await startEmbedded({ settings: { shared_preload_libraries: 'pg_stat_statements' } })
  try {
    const sql = postgres(server.url, { max: 1, onnotice: () => undefined })
    await sql.unsafe('create extension pg_stat_statements')
    const columns = Array.from({ length: 40 }, (_, at) => `c${at} int`).join(', ')
    await sql.unsafe(`create table wide (id int primary key, ${columns})`)
    await sql.unsafe(`insert into wide (id, c1, c2) select n, n % 10, n % 100 from generate_series(1, 3000) n`)
    await sql.unsafe('analyze wide')
    // Each with a select list of its own: pg_stat_statements tells them apart.
    for (let at = 0; at < statements; at += 1) {
      const list = [`c${at % 40}`, `c${(at * 7) % 40}`, `c${Math.floor(at / 40)}`].join(', ')
      await sql.unsafe(`select ${list} from wide where c1 = ${at % 10} and c2 > 5 order by ${list}`)
    }
    await sql.end({ timeout: 2 })
    const args = [perfdb, 'explain', '--top', String(statements), '--samples', '7', '--quiet', '--format', 'json']
    const { ms, peakBytes } = await timedWithMemory(process.execPath, args, { environment: { PERFDB_URL: server.url } })
    return { statements, ms, peakBytes }
  } finally {
    await server[Symbol.asyncDispose]()
  }
}
