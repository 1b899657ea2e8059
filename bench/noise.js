import { median } from './rounds.js'
import { source } from './server.js'

/*
 * `npm run bench -- noise`: does perfdb claim what is not there, does it see what is, and does its interval hold the truth? By time alone: query
 * plans are made to look different and buffers alike, so that neither decides. A pair is what apply does: two blocks of a side, two of the
 * other, in runs of eight queries that share their noise.
 *
 * - nothing changed: at most 1 of 100 pairs may be called faster or slower;
 * - true effects of 1.3x, 2x and 10x (the second side reads fewer pages): 2x and 10x found, and the true ratio inside the interval in 90 %. The truth
 *   is that of both, run in turns before and after.
 *
 * With a neighbour: parallel, memory-bound queries in bursts of 20 to 60 s with pauses as long.
 */
export const setup = [
  'create table jobs (id int primary key, customer_id int not null, status text not null, total int8 not null, pad text not null)',
  `insert into jobs select n, 1 + n % 2000, case when n % 100 = 0 then 'rare' else 'done' end, n, repeat('x', 60)
    from generate_series(1, 120000) n`,
  // What reads and what is read change nothing of how many times as fast it is: as little as fits in the caches of a core.
  'create table few as select id, customer_id, status, total, pad, id % 10007 as once from jobs where id <= 12000',
  'alter table jobs set (autovacuum_enabled = off)',
  'alter table few set (autovacuum_enabled = off)',
  'vacuum analyze jobs',
  'vacuum analyze few',
]

/** What the neighbour reads. */
export const wide = [
  'create table public.wide as select n, repeat(md5(n::text), 20) as pad from generate_series(1, 60000) n',
  'vacuum analyze public.wide',
]

const pages = [200, 300, 400, 600, 800, 1000, 1200, 1400]

const shapes = [
  (rows) => `select count(*), sum(total) from ${rows}`,
  (rows) => `select status, count(*) from ${rows} group by status`,
  (rows) => `select max(md5(pad)) from ${rows} and id % 3 = 0`,
  (rows) => `select customer_id, sum(total) from ${rows} group by 1 order by 2 desc limit 5`,
]

/** Eight queries over what `rowsOf` makes of a number of pages. */
function queriesOver(rowsOf) {
  return pages.map((most, at) => shapes[at % shapes.length](rowsOf(most)))
}

/** They read a part of a large table; what they take depends on caches and on who else reads. */
const reading = queriesOver((most) => `jobs where ctid < '(${most},0)'`)

/** They compute over a tenth as many pages, of which `share` makes fewer: only so is it known how many times as fast they are, on each core and at any time. */
function computing(share) {
  return queriesOver((most) => `few where ctid < '(${Math.round((most / 10) * share)},0)' and md5(md5(pad)) <> 'x'`)
}

function named(texts) {
  return texts.map((sql, at) => ({
    name: `q${at}`,
    sql,
    parameters: [],
    variants: [],
    expect: {},
    place: { file: 'noise', line: at + 1, column: 1 },
  }))
}

/** Runs the section on an embedded server and prints what it finds by `print`. Returns { same, effects, ok, elapsedMs }. */
export async function noise({
  pairs = 200,
  effects = 60,
  timeBudgetMs = 500,
  neighbour = false,
  print = (line) => process.stdout.write(`${line}\n`),
} = {}) {
  const started = performance.now()
  const perfdb = {
    ...(await source('src/server/connect.ts')),
    ...(await source('src/server/target/target.ts')),
    ...(await source('src/server/embedded/embedded.ts')),
    ...(await source('src/measure/query/rounds.ts')),
    ...(await source('src/measure/query/again.ts')),
    ...(await source('src/measure/sample/compare.ts')),
    ...(await source('src/measure/sample/noise.ts')),
  }
  const server = await perfdb.startEmbedded()
  const target = await perfdb.resolveTarget({ url: server.url, environment: {}, home: '/' })
  const session = await perfdb.connect(target, 'measure')
  const busy = { over: !neighbour }
  try {
    for (const statement of [...setup, ...wide]) await session.query(statement)
    const bursts = neighbour ? burden(await perfdb.connect(target, 'look'), busy) : undefined
    // What ends the run is told, not that the neighbour lost its server by it.
    bursts?.catch(() => undefined)
    const same = []
    while (same.length < pairs) same.push(...(await pairsOf(perfdb, session, 1, timeBudgetMs)))
    const claims = same.filter(({ verdict }) => verdict === 'faster' || verdict === 'slower').length
    print(
      `nothing changed, ${same.length} pairs by time alone: ${claims} claims; floors ${spread(same)}; 1.0 inside ${inside(same)}`,
    )
    const found = []
    for (const factor of effects > 0 ? [1.3, 2, 10] : []) {
      const measured = []
      while (measured.length < effects) measured.push(...(await pairsOf(perfdb, session, factor, timeBudgetMs)))
      const faster = measured.filter(({ verdict }) => verdict === 'faster').length
      const wrong = measured.filter(({ verdict }) => verdict === 'slower').length
      const covered = measured.filter(holds).length
      print(
        `${factor}x, ${measured.length} pairs: ${faster} faster, ${wrong} slower; the true ratio inside ${covered}; floors ${spread(measured)}`,
      )
      found.push({ factor, pairs: measured.length, faster, wrong, covered })
    }
    busy.over = true
    await bursts
    const ok =
      claims <= same.length / 100 &&
      found.every(
        ({ factor, pairs: all, faster, covered, wrong }) =>
          wrong === 0 && covered >= 0.9 * all && (factor < 2 || faster >= 0.95 * all),
      )
    return {
      same: { pairs: same.length, claims, covered: inside(same) },
      effects: found,
      ok,
      elapsedMs: Math.round(performance.now() - started),
    }
  } finally {
    busy.over = true
    await session[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
  }
}

/** One run of eight queries; after it the second side reads `factor` times fewer pages. */
async function pairsOf({ measureQueries, measureAgain, compare, noiseOf }, session, factor, timeBudgetMs) {
  const options = { timeBudgetMs, samples: 101, blocks: 2, allowWrites: false }
  const [large, small] = (factor === 1 ? [reading, reading] : [computing(1), computing(1 / factor)]).map(named)
  const sides = large.map(({ sql }, at) => [
    { settings: [], sql },
    { settings: [], sql: small[at].sql },
  ])
  const truth = factor === 1 ? [] : await truthOf(session, sides)
  const first = await measureAgain(session, await measureQueries(session, large, options), options)
  const before = first.map(alike)
  const second = await measureQueries(session, small, { ...options, before: first })
  const after = (await measureAgain(session, second, options)).map(disguised)
  const more = factor === 1 ? [] : await truthOf(session, sides)
  const { floor } = noiseOf(before, after)
  return after.map((one, at) => {
    const { verdict, speedup } = compare(before[at], one, floor)
    return { verdict, speedup, floor, ratio: factor === 1 ? 1 : median([...truth[at], ...more[at]]) }
  })
}

/**
 * Of each pair of sides, of settings and a text, how many times as fast the second is in each of some rounds: of their median a burst that meets both sides changes
 * nothing. As what is claimed is claimed of runs that follow each other, one warms up and five are taken: right after a run of the slow side the quick one takes a
 * tenth longer.
 */
export async function truthOf(session, pairs) {
  const ratios = []
  for (const sides of pairs) {
    const rounds = []
    for (let round = 0; round < 7; round += 1) {
      const times = []
      for (const { settings, sql } of sides) {
        for (const setting of settings) await session.query(setting)
        const turn = []
        for (let run = 0; run < 6; run += 1) {
          const [row] = await session.query(`explain (analyze, timing off, format json) ${sql}`)
          turn.push(row['QUERY PLAN'][0]['Execution Time'])
        }
        times.push(median(turn.slice(1)))
      }
      rounds.push(times[0] / times[1])
    }
    ratios.push(rounds)
  }
  return ratios
}

export function holds({ speedup, ratio }) {
  return speedup !== null && speedup.low <= ratio && ratio <= speedup.high
}

function inside(all) {
  return all.filter(holds).length
}

export function spread(all) {
  const floors = all.map(({ floor }) => floor).toSorted((a, b) => a - b)
  return `${floors[0].toFixed(2)} to ${floors.at(-1).toFixed(2)}, median ${median(floors).toFixed(2)}`
}

/** The same rows and buffers on both sides: time alone decides. */
function alike(one) {
  const same = { rows: 1, buffers: { hit: 1000, read: 0, temp: 0 } }
  return { ...one, measurements: one.measurements.map((each) => ({ ...each, ...same })) }
}

/** As if the query plan were another one, so that it is no `same` (and no pair of the noise). */
function disguised(one) {
  const other = ({ plan, ...each }) => ({
    ...each,
    plan: { ...plan, nodes: [{ ...plan.nodes[0], type: 'Another Scan' }, ...plan.nodes.slice(1)] },
  })
  return alike({ ...one, measurements: one.measurements.map(other) })
}

/** Parallel, memory-bound queries in bursts of 20 to 60 s with pauses as long, until `busy.over`. */
export async function burden(session, busy) {
  const seconds = () => 20 + 40 * Math.random()
  try {
    while (!busy.over) {
      const end = Date.now() + 1000 * seconds()
      while (!busy.over && Date.now() < end)
        await session.query('select count(*) from public.wide a join public.wide b using (pad)')
      const rest = Date.now() + 1000 * seconds()
      while (!busy.over && Date.now() < rest) await new Promise((resolve) => setTimeout(resolve, 200))
    }
  } finally {
    await session[Symbol.asyncDispose]()
  }
}
