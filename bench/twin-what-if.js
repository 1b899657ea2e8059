import postgres from 'postgres'
import { perfdbJson } from './advise.js'
import { installedServer } from './installed.js'
import { jobShop, perfdb, source } from './server.js'
import { timed } from './rounds.js'

/*
 * `npm run bench -- twin-what-if`: which of the 31 indexes of the job shop the planner would choose, and how large they would be: by the twin, by HypoPG, and in
 * truth, when they are built. On an installed PostgreSQL that has HypoPG.
 */
export async function twinWhatIf({ quick }) {
  const scale = quick ? 0.1 : 1
  const server = await installedServer({ needs: 'hypopg' })
  const sql = postgres(server.url, { max: 1, onnotice: () => undefined })
  try {
    const { demoSchemaStatements, demoStatements } = await source('src/commands/start/demo-data.ts')
    for (const text of [...(await demoSchemaStatements()), ...demoStatements(scale)]) await sql.unsafe(text.sql)
    await sql.unsafe('create extension hypopg')
    const by = {}
    for (const engine of ['twin', 'hypopg'])
      by[engine] = await perfdbJson(process.cwd(), [
        'plan',
        jobShop,
        '--url',
        server.url,
        '--what-if',
        '--what-if-engine',
        engine,
      ])
    await timed(
      process.execPath,
      [perfdb, 'apply', jobShop, '--url', server.url, '--no-measure', '--quiet', '--allow', 'REDUNDANT'],
      { codes: [0, 1] },
    )
    // With every index there nothing is supposed: what the queries use now is what they would use.
    const truth = await truthOf(sql, jobShop)
    return told(scale, by, truth)
  } finally {
    await sql.end({ timeout: 2 })
    await server.stop()
  }
}

async function truthOf(sql, file) {
  const { readProfiles } = await source('src/profile/read/read.ts')
  const [{ queries, indexes }] = await readProfiles([file], { cwd: process.cwd(), environment: {} })
  const used = new Set()
  for (const { sql: text, variants, parameters } of queries)
    for (const statement of [
      ...(text === undefined ? [] : [text]),
      ...variants.flatMap(({ statements }) => statements),
    ]) {
      const count = Math.max(0, ...[...statement.matchAll(/\$(\d+)/g)].map(([, number]) => Number(number)))
      for (const set of parameters.length === 0 ? [{ values: [] }] : parameters) {
        const values = set.values.slice(0, count)
        const plan = JSON.stringify(await sql.unsafe(`explain (format json) ${statement}`, values))
        for (const [, name] of plan.matchAll(/"Index Name":\s*"([^"]+)"/g)) used.add(name)
      }
    }
  const sizes =
    await sql`select relname as name, pg_relation_size(oid)::float8 as bytes from pg_class where relkind = 'i'`
  const bytes = new Map(sizes.map((row) => [row.name, row.bytes]))
  return new Map(indexes.map(({ definition: { name } }) => [name, { chosen: used.has(name), bytes: bytes.get(name) }]))
}

function told(scale, by, truth) {
  const rows = Object.entries(by).map(([engine, { what_if: found }]) => {
    const named = new Map(found.indexes.map((one) => [one.name, one]))
    const right = [...truth].filter(([name, { chosen }]) => {
      const one = named.get(name)
      const agrees = one !== undefined && (one.status === 'would_be_used') === chosen
      if (!agrees)
        process.stderr.write(`${engine}: ${name}: ${one?.status}, in truth ${chosen ? 'used' : 'not used'}\n`)
      return agrees
    })
    const off = [...truth].flatMap(([name, { bytes }]) => {
      const size = named.get(name)?.size_bytes
      return typeof size === 'number' && bytes > 100 * 8192 ? [Math.abs(size / bytes - 1)] : []
    })
    const { twin } = found
    return [
      engine,
      `${right.length} of ${truth.size}`,
      `${off.filter((one) => one <= 0.15).length} of ${off.length}`,
      off.length === 0 ? '' : `${(100 * Math.max(...off)).toFixed(0)} %`,
      twin === undefined ? '' : `${twin.equal} of ${twin.of}`,
    ]
  })
  return {
    title: `What if: the ${truth.size} indexes of the job shop, scale ${scale}, ${[...truth.values()].filter(({ chosen }) => chosen).length} of them used in truth`,
    note: 'right: chosen by some query there and in truth, or by none in both; sizes of indexes of more than 100 pages, within 15 %',
    columns: ['', 'right', 'sizes within 15 %', 'worst size', 'present query plans equal'],
    rows,
  }
}
