import { burden, holds, setup, spread, truthOf, wide } from './noise.js'
import { median } from './rounds.js'
import { source } from './server.js'

/*
 * The questions of noise.js to what `--counterfactual on` does: both sides in turns, the new index hidden and not. A part of each query is what no
 * index changes; another is a look-up, either by a key that has another index of another shape (nothing changed), or by one that has none, beside
 * as much other work as makes 1.3x, 2x or 10x of it. A claim is one that time alone makes.
 */
const keys = [
  'alter table jobs add column twice int',
  'update jobs set twice = id % 10007',
  'vacuum full jobs',
  'vacuum analyze jobs',
  'create index jobs_other on jobs (twice, id)',
]
const computed = 'md5(md5(once::text))'
const built = [
  { schema: 'public', name: 'jobs_twice', sql: 'create index jobs_twice on jobs (twice)' },
  { schema: 'public', name: 'few_once', sql: `create index few_once on few ((${computed}))` },
]
const alone = 'set max_parallel_workers_per_gather = 0'
const noIndex = ['set enable_indexscan = off', 'set enable_bitmapscan = off', 'set enable_indexonlyscan = off']

/** Eight queries that look up and do other work; `factor` times as fast where the look-up need not compute for all rows of the table of that many pages. */
function queriesOf(factor, pages) {
  const look = (value) =>
    factor === 1
      ? `(select count(*) from jobs where twice = ${value})`
      : `(select count(*) from few where ${computed} = md5(md5('${value}')))`
  const reads = factor === 1 ? 1 : 1 / (factor - 1)
  const most = Array.from({ length: Math.ceil(reads) }, (_, at) => Math.round(pages * Math.min(1, reads - at)))
  const work = (many) =>
    factor === 1
      ? `(select count(*) from jobs where id % 3 = 0)`
      : `(select count(*) from few where ctid < '(${many},0)' and ${computed} <> 'x')`
  return Array.from({ length: 8 }, (_, at) => ({
    name: `q${at}`,
    sql: `select ${[look(100 + at), ...most.map(work)].join(', ')}`,
    parameters: [],
    variants: [],
    expect: {},
    place: { file: 'noise', line: at + 1, column: 1 },
  }))
}

/**
 * Runs the section on an embedded server and prints what it finds by `print`. Returns { same, effects } as noise does. A query and side has 2 s, a quarter of
 * what eight queries have by default.
 */
export async function noiseInTurns({ pairs, effects, timeBudgetMs = 2000, neighbour = false, print }) {
  const perfdb = {
    ...(await source('src/server/connect.ts')),
    ...(await source('src/server/target/target.ts')),
    ...(await source('src/server/embedded/embedded.ts')),
    ...(await source('src/measure/query/rounds.ts')),
    ...(await source('src/measure/query/counterfactual.ts')),
    ...(await source('src/measure/sample/compare.ts')),
  }
  const server = await perfdb.startEmbedded()
  const target = await perfdb.resolveTarget({ url: server.url, environment: {}, home: '/' })
  const session = await perfdb.connect(target, 'measure')
  const busy = { over: !neighbour }
  try {
    for (const statement of [...setup, ...keys, ...wide, alone]) await session.query(statement)
    const [{ pages }] = await session.query("select relpages as pages from pg_class where relname = 'few'")
    const options = { timeBudgetMs, samples: 101, blocks: 2, allowWrites: false }
    // Of these only query plans, rows and buffers count.
    const once = { ...options, samples: 3, blocks: 1, timeBudgetMs: 100 }
    const sets = []
    for (const factor of effects > 0 ? [1, 1.3, 2, 10] : [1]) {
      const queries = queriesOf(factor, pages)
      sets.push({ factor, queries, before: await perfdb.measureQueries(session, queries, once) })
    }
    for (const { sql } of built) await session.query(sql)
    for (const each of sets) each.after = await perfdb.measureQueries(session, each.queries, once)
    const bursts = neighbour ? burden(await perfdb.connect(target, 'look'), busy) : undefined
    // What ends the run is told, not that the neighbour lost its server by it.
    bursts?.catch(() => undefined)
    const found = []
    for (const one of sets) {
      const measured = []
      while (measured.length < (one.factor === 1 ? pairs : effects))
        measured.push(...(await pairsOf(perfdb, session, one, options)))
      const count = (verdict) => measured.filter((each) => each.verdict === verdict && each.reason === null).length
      const [faster, wrong, covered] = [count('faster'), count('slower'), measured.filter(holds).length]
      print(
        `in turns, ${one.factor}x, ${measured.length} pairs: ${faster} faster, ${wrong} slower; the true ratio inside ${covered}; floors ${spread(measured)}`,
      )
      found.push({ factor: one.factor, pairs: measured.length, claims: faster + wrong, faster, covered })
    }
    busy.over = true
    await bursts
    return { same: found[0], effects: found.slice(1) }
  } finally {
    busy.over = true
    await session[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
  }
}

async function pairsOf({ interleave, compare }, session, { factor, queries, before, after }, options) {
  const ways = queries.map(({ sql }) => [
    { settings: noIndex, sql },
    { settings: ['reset all', alone], sql },
  ])
  const truth = factor === 1 ? [] : await truthOf(session, ways)
  const {
    before: sides,
    after: others,
    noise,
    interleaved,
    stopped,
  } = await interleave(session, built, before, after, options)
  const more = factor === 1 ? [] : await truthOf(session, ways)
  if (interleaved.size !== queries.length)
    throw new Error(`not in turns: ${stopped ?? queries.length - interleaved.size}`)
  return others.map((one, at) => {
    const { verdict, speedup, reason } = compare(sides[at], one, noise.floor)
    const ratio = factor === 1 ? 1 : median([...truth[at], ...more[at]])
    return { verdict, speedup, reason, floor: noise.floor, ratio }
  })
}
