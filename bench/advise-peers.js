import postgres from 'postgres'
import { advised } from './advise.js'
import { installedServer } from './installed.js'
import { jobShop, source } from './server.js'

/*
 * `npm run bench -- advise-peers`: the job shop without its indexes. What perfdb advises; which of the same candidates the planner takes where HypoPG supposes all of them at
 * once; and a search over single and paired columns as dexter's: those that a query plan takes, where its cost is at most half. Each set is then built in truth. On an installed
 * PostgreSQL that has HypoPG.
 */
export async function advisePeers({ quick }) {
  const scale = quick ? 0.1 : 1
  const { demoSchemaStatements, demoStatements } = await source('src/commands/start/demo-data.ts')
  const { readProfiles } = await source('src/profile/read/read.ts')
  const [profile] = await readProfiles([jobShop], { cwd: process.cwd(), environment: {} })
  const queries = profile.queries.flatMap(({ name, sql: text, parameters: [set] }) =>
    text === undefined ? [] : [{ name, sql: text, params: set?.values ?? [] }],
  )
  const server = await installedServer({ needs: 'hypopg' })
  const sql = postgres(server.url, { max: 1, onnotice: () => undefined })
  try {
    for (const text of [...(await demoSchemaStatements()), ...demoStatements(scale)]) await sql.unsafe(text.sql)
    await sql.unsafe('create extension hypopg')
    await sql.unsafe('vacuum analyze')
    const { result, ms } = await advised(server.url, queries, ['--max-indexes', '31'])
    const own = result.advice.map(({ index }) => textOf(index, index.definition))
    const all = new Set(own)
    for (const { index, rejected } of result.advice)
      for (const { definition } of rejected) all.add(textOf(index, definition))
    const supposed = await timedSet(async () => byHypopg(sql, queries, [...all]))
    const searched = await timedSet(async () => bySearch(sql, queries))
    const rows = [
      ['none', '', ...(await truthOf(sql, queries, []))],
      ['perfdb advise', seconds(ms), ...(await truthOf(sql, queries, own))],
      [
        `HypoPG, all ${all.size} of perfdb's best candidates at once`,
        seconds(supposed.ms),
        ...(await truthOf(sql, queries, supposed.set)),
      ],
      ['single and paired columns, by HypoPG', seconds(searched.ms), ...(await truthOf(sql, queries, searched.set))],
    ]
    return {
      title: `Advice beside other searches: ${queries.length} queries of the job shop, scale ${scale}`,
      note: "cost: the planner's of all queries with equal weights, with the indexes in truth; HypoPG knows btree, hash and brin alone; time of perfdb with its start and the twin",
      columns: ['', 'time', 'indexes', 'size', 'cost'],
      rows,
    }
  } finally {
    await sql.end({ timeout: 2 })
    await server.stop()
  }
}

function seconds(ms) {
  return `${(ms / 1000).toFixed(1)} s`
}

function textOf({ schema, table }, definition) {
  return `create index on "${schema}"."${table}" using ${definition}`
}

async function timedSet(work) {
  const start = performance.now()
  const set = await work()
  return { set, ms: performance.now() - start }
}

async function explained(sql, { sql: text, params }) {
  const [row] = await sql.unsafe(`explain (format json) ${text}`, params)
  const [{ Plan: plan }] = row['QUERY PLAN']
  return { cost: plan['Total Cost'], text: JSON.stringify(plan) }
}

/** Of these, what the query plans take where all are supposed. */
async function byHypopg(sql, queries, texts) {
  const names = new Map()
  for (const text of texts) {
    const [made] = await sql`select indexname as name from hypopg_create_index(${text})`.catch(() => [])
    if (made !== undefined) names.set(made.name, text)
  }
  const used = new Set()
  for (const query of queries) {
    const { text } = await explained(sql, query)
    for (const [name, index] of names) if (text.includes(name)) used.add(index)
  }
  await sql`select hypopg_reset()`
  return [...used]
}

/** Query by query, as dexter does by default. */
async function bySearch(sql, queries) {
  const found = new Set()
  for (const query of queries) {
    const before = await explained(sql, query)
    const tables = [...before.text.matchAll(/"Relation Name":"([^"]+)"/g)].map(([, name]) => name)
    const columns = await sql`
      select n.nspname as schema, c.relname as table, a.attname as column from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
      where c.relname in ${sql(['', ...tables])} and n.nspname = 'public' and a.attnum > 0 and not a.attisdropped`
    const asked = columns.filter(({ column }) => new RegExp(`\\b${column}\\b`).test(query.sql))
    const texts = asked.flatMap((one) => [
      textOf(one, `btree (${one.column})`),
      ...asked
        .filter((other) => other.table === one.table && other.column !== one.column)
        .map((other) => textOf(one, `btree (${one.column}, ${other.column})`)),
    ])
    const names = new Map()
    for (const text of texts) {
      const [made] = await sql`select indexname as name from hypopg_create_index(${text})`.catch(() => [])
      if (made !== undefined) names.set(made.name, text)
    }
    const after = await explained(sql, query)
    if (after.cost <= 0.5 * before.cost)
      for (const [name, text] of names) if (after.text.includes(name)) found.add(text)
    await sql`select hypopg_reset()`
  }
  return [...found]
}

/** So many indexes, their size, and what all queries cost with them, when they are built. */
async function truthOf(sql, queries, texts) {
  await sql.unsafe('begin')
  try {
    let bytes = 0
    for (const [at, text] of texts.entries()) {
      await sql.unsafe(text.replace('create index on', `create index peer_${at} on`))
      const [{ size }] = await sql`select pg_relation_size(${`peer_${at}`})::float8 as size`
      bytes += size
    }
    let cost = 0
    for (const query of queries) cost += (await explained(sql, query)).cost
    return [String(texts.length), `${(bytes / 1e6).toFixed(0)} MB`, Math.round(cost).toLocaleString('en')]
  } finally {
    await sql.unsafe('rollback')
  }
}
