import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { spawn } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import { indexes, queries, tables } from './analytical-data.js'
import { burden, wide } from './noise.js'
import { median } from './rounds.js'
import { perfdb, source } from './server.js'

/*
 * `npm run bench -- analytical`: 22 analytical queries and ten indexes, four runs of apply beside a neighbour, two by blocks before and after and two
 * in turns. What is true is measured afterwards, without the neighbour: 15 runs a side in random order, with the indexes hidden and not, and without each one that a
 * query uses. False is a claim where the truth is within 5 % of nothing, or on the other side.
 */
export async function analytical({ quick, numberOf }) {
  const scale = quick ? 0.02 : 0.1
  const runs = numberOf('runs', quick ? 2 : 4)
  const { startEmbedded } = await source('src/server/embedded/embedded.ts')
  const server = await startEmbedded()
  const sql = postgres(server.url, { max: 1, onnotice: () => undefined })
  const cwd = mkdtempSync(join(tmpdir(), 'perfdb-bench-'))
  const busy = { over: false }
  try {
    for (const text of [...tables(scale), ...wide]) await sql.unsafe(text)
    writeFileSync(join(cwd, 'p.yaml'), JSON.stringify(profile()))
    const other = postgres(server.url, { max: 1, onnotice: () => undefined })
    const neighbour = burden({ query: (text) => other.unsafe(text), [Symbol.asyncDispose]: () => other.end() }, busy)
    const said = []
    for (let run = 0; run < runs; run += 1) {
      for (const name of Object.keys(indexes)) await sql.unsafe(`drop index if exists ${name}`)
      said.push(await applied(cwd, server.url, run % 2 === 0 ? 'off' : 'on'))
    }
    busy.over = true
    await neighbour
    const truth = await truthOf(sql, quick ? 7 : 15)
    return {
      title: `22 analytical queries, ten indexes, scale ${scale}, beside a neighbour`,
      note: 'a claim is false where the truth (runs in turns, afterwards, without the neighbour) is within 5 % of nothing or on the other side; an index pays where its queries lose without it',
      columns: ['', 'faster', 'slower', 'same', 'inconclusive', 'false', 'pays, right of those said'],
      rows: said.map(({ how, result }, at) => [`run ${at + 1}, ${how}`, ...judged(result, truth)]),
    }
  } finally {
    busy.over = true
    await sql.end({ timeout: 2 })
    await server[Symbol.asyncDispose]()
    rmSync(cwd, { recursive: true })
  }
}

function profile() {
  const names = Object.keys(indexes)
  return {
    version: 1,
    profile: 'analytical',
    indexes: names.map((name) => {
      const [table, keys] = indexes[name]
      return { name, table, keys: keys.split(', ') }
    }),
    queries,
  }
}

async function applied(cwd, url, counterfactual) {
  const args = [
    perfdb,
    'apply',
    'p.yaml',
    '--url',
    url,
    '--allow',
    'REDUNDANT',
    '--format',
    'json',
    '--quiet',
    '--counterfactual',
    counterfactual,
  ]
  const child = spawn(process.execPath, args, { cwd, stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.on('data', (chunk) => (text += chunk))
  await new Promise((resolve) => child.once('close', resolve))
  return { how: counterfactual === 'on' ? 'in turns' : 'before and after', result: JSON.parse(text) }
}

/** Of each query the ratio of medians without all of the indexes to with all, and the milliseconds that it loses without each that it uses. */
async function truthOf(sql, rounds) {
  const names = Object.keys(indexes)
  const oids = new Map(
    (await sql`select relname, oid::int8 as oid from pg_class where relname in ${sql(names)}`).map((row) => [
      row.relname,
      Number(row.oid),
    ]),
  )
  const run = async (text, hidden) => {
    await sql.unsafe('begin')
    try {
      if (hidden.length > 0)
        await sql.unsafe(
          `update pg_index set indisvalid = false where indexrelid in (${hidden.map((name) => oids.get(name)).join(', ')})`,
        )
      const [row] = await sql.unsafe(`explain (analyze, timing off, format json) ${text}`)
      return row['QUERY PLAN'][0]
    } finally {
      await sql.unsafe('rollback')
    }
  }
  const truth = new Map()
  for (const { name, sql: text } of queries) {
    const plan = JSON.stringify(await run(text, []))
    const used = names.filter((index) => plan.includes(`"${index}"`))
    const arms = [[], names, ...(used.length > 1 ? used.map((index) => [index]) : [])]
    const times = arms.map(() => [])
    for (let round = 0; round < rounds; round += 1)
      for (const at of arms.keys()) {
        const turn = (at + round) % arms.length
        times[turn].push((await run(text, arms[turn]))['Execution Time'])
      }
    const [all, none, ...without] = times.map(median)
    const lost = new Map(used.map((index, at) => [index, (used.length > 1 ? without[at] : none) - all]))
    truth.set(name, { ratio: none / all, lost })
  }
  return truth
}

function judged({ queries: said, prices }, truth) {
  const count = (verdict) => String(said.filter((one) => one.verdict === verdict).length)
  const wrong = said.filter(({ name, verdict }) => {
    const { ratio } = truth.get(name)
    return (verdict === 'faster' && ratio < 1.05) || (verdict === 'slower' && ratio > 1 / 1.05)
  })
  for (const { name, speedup } of wrong)
    process.stderr.write(`${name}: said ${speedup?.median.toFixed(2)}x, is ${truth.get(name).ratio.toFixed(2)}x\n`)
  const told = prices.filter(({ verdict }) => verdict !== 'cannot_say')
  const right = told.filter(({ index, verdict, reason }) => {
    const lost = [...truth.values()].reduce((sum, one) => sum + (one.lost.get(index) ?? 0), 0)
    const agrees = (verdict === 'pays') === lost > 0
    if (!agrees)
      process.stderr.write(`${index}: said ${verdict} (${reason}), its queries lose ${lost.toFixed(1)} ms without it\n`)
    return agrees
  })
  return [
    ...['faster', 'slower', 'same', 'inconclusive'].map(count),
    String(wrong.length),
    `${right.length} of ${told.length}`,
  ]
}
