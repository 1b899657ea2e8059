import postgres from 'postgres'
import { advised, advisedBy, built, perfdbJson, psqlRuns, shapeOf } from './advise.js'
import { indexes, queries, tables } from './analytical-data.js'
import { timed } from './rounds.js'
import { jobShop, perfdb, source } from './server.js'

/*
 * What perfdb advises beside what people made: `npm run bench -- advise-shop` (the job shop without its indexes, after a load, against the 31 of its profile) and
 * `advise-analytical` (22 analytical queries against ten published indexes). Both sets are built; every query then runs in turns without any, with the one, with the other.
 */

export async function adviseShop({ quick }) {
  const scale = quick ? 0.1 : 1
  const { demoSchemaStatements, demoStatements } = await source('src/commands/start/demo-data.ts')
  const { readProfiles } = await source('src/profile/read/read.ts')
  const [profile] = await readProfiles([jobShop], { cwd: process.cwd(), environment: {} })
  return withData(
    [...(await demoSchemaStatements()), ...demoStatements(scale)].map(({ sql }) => sql),
    async ({ sql, url }) => {
      await sql.unsafe('create extension pg_stat_statements')
      const all = profile.queries.flatMap(({ name, sql: text, parameters: [set] }) =>
        text === undefined ? [] : [{ name, sql: text, params: set?.values ?? [] }],
      )
      // By chance a short load never asks some of them, which nobody can then advise for.
      for (const { sql: text, params } of all) await sql.unsafe(text, params)
      const mix = all.flatMap(({ name }) => ['--mix', `${name}=1`])
      const rate = ['--rate', '20', '--duration', quick ? '5s' : '20s', '--connections', '4']
      const load = [perfdb, 'load', jobShop, '--url', url, '--allow', 'LOAD', ...rate, ...mix, '--quiet']
      await timed(process.execPath, load, { codes: [0, 1] })
      const { result, ms } = await advisedBy(url, process.cwd(), ['--top', '50', '--max-indexes', '31'])
      await timed(process.execPath, [
        perfdb,
        'apply',
        jobShop,
        '--url',
        url,
        '--no-measure',
        '--quiet',
        '--allow',
        'REDUNDANT',
      ])
      const names = profile.indexes.map(({ definition }) => definition.name)
      const found = await compared({
        title: `The job shop without its indexes, scale ${scale}: advise --top 50 after a load`,
        sql,
        url,
        result,
        ms,
        all,
        names,
        what: 'the profile',
        rounds: quick ? 3 : 7,
      })
      const proofs = await proven(sql, url, all)
      return { ...found, rows: [...found.rows, ...proofs] }
    },
  )
}

/** The same two sets as perfdb proves them: each built and measured, in turns with each index hidden; those that are not shown to pay go. */
async function proven(sql, url, queries) {
  const bare = async () => {
    const rows = await sql`
      select format('%I.%I', schemaname, indexname) as name from pg_indexes
      where schemaname = 'public' and not exists (select from pg_constraint where conindid = format('%I.%I', schemaname, indexname)::regclass)`
    for (const { name } of rows) await sql.unsafe(`drop index ${name}`)
    await sql.unsafe('drop schema if exists perfdb cascade')
  }
  await bare()
  const allow = ['--allow', 'REDUNDANT,HOT_LOSS,WRITE_QUERY', '--counterfactual', 'on']
  const advice = await advised(url, queries, ['--max-indexes', '31', '--prove', ...allow])
  const own = told('advised from the profile, --prove', advice.result.proof, advice.ms)
  await bare()
  const start = performance.now()
  const applied = await perfdbJson(process.cwd(), ['apply', jobShop, '--url', url, ...allow])
  return [own, told('the profile, apply', applied, performance.now() - start)]
}

/** Of a document with prices: how many pay, how many of all were built, and what the queries take after by the medians of perfdb. */
function told(name, { prices = [], queries = [], steps }, ms) {
  const paying = prices.filter(({ verdict }) => verdict === 'pays')
  const size = paying.reduce((sum, { size_bytes: bytes = 0 }) => sum + (bytes ?? 0), 0)
  const sum = (side) => queries.reduce((total, one) => total + (one[side]?.execution_ms.median ?? 0), 0)
  for (const { index, verdict, reason } of prices)
    process.stderr.write(`${name}: ${index} ${verdict} (${reason ?? ''})\n`)
  const built = steps.filter(({ outcome }) => outcome === 'built').length
  return [
    `${name} (${(ms / 1000).toFixed(0)} s)`,
    `${paying.length} pay of ${built}, ${(size / 1e6).toFixed(0)} MB`,
    '',
    `${sum('before').toFixed(0)} ms before, ${sum('after').toFixed(0)} after`,
  ]
}

export async function adviseAnalytical({ quick }) {
  const scale = quick ? 0.02 : 0.1
  return withData(tables(scale), async ({ sql, url }) => {
    const { result, ms } = await advised(url, queries, ['--max-indexes', '10'])
    for (const [name, [table, keys]] of Object.entries(indexes))
      await sql.unsafe(`create index ${name} on ${table} (${keys})`)
    return compared({
      title: `22 analytical queries, scale ${scale}`,
      sql,
      url,
      result,
      ms,
      all: queries,
      names: Object.keys(indexes),
      what: 'ten published indexes',
      rounds: quick ? 3 : 5,
    })
  })
}

async function withData(statements, work) {
  const { startEmbedded } = await source('src/server/embedded/embedded.ts')
  const server = await startEmbedded({
    settings: { shared_buffers: '512MB', shared_preload_libraries: 'pg_stat_statements' },
  })
  const sql = postgres(server.url, { max: 1, onnotice: () => undefined })
  try {
    for (const text of statements) await sql.unsafe(text)
    return await work({ sql, url: server.url })
  } finally {
    await sql.end({ timeout: 2 })
    await server[Symbol.asyncDispose]()
  }
}

/** What sets give one query plan is as quick by each of them: the mean of their times, as the rest is the machine. */
function withSharedTimes(truth, all, sets) {
  const shared = new Map(truth)
  for (const { name } of all)
    for (const set of sets) {
      const own = truth.get(`${name} ${set}`)
      const same = sets
        .map((one) => truth.get(`${name} ${one}`))
        .filter((one) => shapeOf(one.plan) === shapeOf(own.plan))
      shared.set(`${name} ${set}`, { ...own, ms: same.reduce((sum, { ms }) => sum + ms, 0) / same.length })
    }
  return shared
}

async function compared({ title, sql, url, result, ms, all, names, what, rounds }) {
  const { refused, existing, names: own } = await built(sql, result.advice)
  for (const { index, serves } of result.advice)
    process.stderr.write(`${index.table} ${index.definition}: ${serves.map(({ query }) => query).join(', ')}\n`)
  for (const text of refused) process.stderr.write(`refused: ${text}\n`)
  await sql.unsafe('vacuum analyze')
  const sets = { none: [...own, ...names], advised: names, [what]: own }
  const arms = all.flatMap((query) =>
    Object.entries(sets).map(([set, without]) => ({ key: `${query.name} ${set}`, query, without })),
  )
  const truth = withSharedTimes(await psqlRuns(url, arms, rounds), all, Object.keys(sets))
  for (const { name } of all)
    process.stderr.write(
      `${name}: ${Object.keys(sets)
        .map((set) => `${set} ${truth.get(`${name} ${set}`).ms.toFixed(1)} ms`)
        .join(', ')}\n`,
    )
  const sizes = async (list) => {
    const [row] =
      await sql`select coalesce(sum(pg_relation_size(i::regclass)), 0)::float8 as bytes from unnest(${list}::text[]) i`
    return `${list.length}, ${(row.bytes / 1e6).toFixed(0)} MB`
  }
  const total = (set, of) => all.reduce((sum, { name }) => sum + truth.get(`${name} ${set}`)[of], 0)
  const row = async (set, list) => [
    set,
    await sizes(list),
    Math.round(total(set, 'cost')).toLocaleString('en'),
    `${total(set, 'ms').toFixed(0)} ms`,
  ]
  return {
    title,
    note: `cost: the planner's, of ${all.length} queries with equal weights; time: the sum of their medians in psql, in turns (of sets that give one query plan the mean of theirs); advise took ${(ms / 1000).toFixed(1)} s, judged ${result.queries} queries with ${result.judged} sets of values; ${refused.length} refused by PostgreSQL, ${existing.length} the same as one of ${what}`,
    columns: ['', 'indexes', 'cost', 'time'],
    rows: [await row('none', []), await row('advised', own), await row(what, names)],
  }
}
