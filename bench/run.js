import { execFileSync } from 'node:child_process'
import { availableParallelism, loadavg } from 'node:os'
import { fileURLToPath } from 'node:url'
import { advise } from './advise.js'
import { adviseMany } from './advise-many.js'
import { advisePeers } from './advise-peers.js'
import { adviseRemovals } from './advise-removals.js'
import { adviseAnalytical, adviseShop } from './advise-sets.js'
import { analytical } from './analytical.js'
import { build } from './build.js'
import { catalog } from './catalog.js'
import { demo } from './demo.js'
import { distance } from './distance.js'
import { explain } from './explain.js'
import { fleet } from './fleet.js'
import { fleetShows } from './fleet-shows.js'
import { load } from './load.js'
import { many } from './many.js'
import { noise } from './noise.js'
import { noiseInTurns } from './noise-turns.js'
import { peers } from './peers.js'
import { plan } from './plan.js'
import { psqlVersion, withServer } from './server.js'
import { runtime } from './runtime.js'
import { startup } from './startup.js'
import { tls } from './tls.js'
import { twin } from './twin.js'
import { twinAlone } from './twin-alone.js'
import { twinWhatIf } from './twin-what-if.js'

/*
 * `npm run bench [-- section...] [-- --quick]`: prints a table for each section, and to the terminal how long each took; bench/results.md
 * holds what was printed. Under a quarter of an hour, --quick under three minutes. Only where it is named: load (needs pgbench), peers and tls (these install other tools by npm, outside of this package), noise with all of its pairs
 * (an hour; --pairs=N and --effects=N for fewer), analytical, fleet and fleet-shows (--databases=N), and those of advise and the twin. catalog takes --tables=N, of ten indexes each.
 */
const sections = { startup, plan, distance, catalog, many, build, explain, demo, runtime, noise: claims }
const alone = {
  advise,
  'advise-many': adviseMany,
  'advise-peers': advisePeers,
  'advise-removals': adviseRemovals,
  'advise-shop': adviseShop,
  'advise-analytical': adviseAnalytical,
  analytical,
  fleet,
  'fleet-shows': fleetShows,
  load,
  peers,
  tls,
  twin,
  'twin-alone': twinAlone,
  'twin-what-if': twinWhatIf,
}

const words = process.argv.slice(2)
const quick = words.includes('--quick')
const named = words.filter((word) => !word.startsWith('--'))
const all = { ...sections, ...alone }
const options = ['quick', 'pairs', 'effects', 'databases', 'tables', 'runs', 'rows', 'major']
const unknown = words.filter(
  (word) => !(word in all) && !options.includes(/^--([a-z]+)(?:=\d+)?$/.exec(word)?.[1] ?? ''),
)
if (unknown.length > 0) {
  process.stderr.write(
    `not known: ${unknown.join(', ')}; sections: ${Object.keys(all).join(', ')}; options: ${options.map((name) => `--${name}`).join(', ')}\n`,
  )
  process.exitCode = 2
} else {
  // 1 claim of 100 pairs is told by no few seconds.
  await bench(named.length > 0 ? named : Object.keys(sections).filter((name) => !quick || name !== 'noise'))
}

/** The number of `--name=N`. */
function numberOf(name, otherwise) {
  const given = words.find((word) => word.startsWith(`--${name}=`))
  return given === undefined ? otherwise : Number(given.slice(name.length + 3))
}

async function bench(names) {
  execFileSync(process.execPath, [fileURLToPath(new URL('../bin/build.mjs', import.meta.url))], { stdio: 'inherit' })
  process.stdout.write(`# Measurements\n\n${await circumstances()}\n\n`)
  for (const name of names) {
    const started = performance.now()
    process.stdout.write(`${markdown(await all[name]({ quick, numberOf }))}\n`)
    process.stderr.write(`${name}: ${((performance.now() - started) / 1000).toFixed(0)} s\n`)
  }
}

/** What perfdb claims by time alone where nothing changed, and where something did; as the machine is, and beside a neighbour. */
async function claims({ quick: short }) {
  const [pairs, effects] = short ? [16, 8] : named.length === 0 ? [48, 16] : [200, 60]
  const counts = {
    pairs: numberOf('pairs', pairs),
    effects: numberOf('effects', effects),
    ...(short ? { timeBudgetMs: 500 } : {}),
  }
  const rows = []
  for (const neighbour of short ? [false] : [false, true])
    for (const { how, measure } of [
      { how: 'before and after', measure: noise },
      { how: 'in turns', measure: noiseInTurns },
    ]) {
      const print = (line) => process.stderr.write(`${line}\n`)
      const { same, effects: found } = await measure({ ...counts, neighbour, print })
      const where = `${how}${neighbour ? ', beside a neighbour' : ''}`
      rows.push([`nothing changed, ${where}`, String(same.pairs), String(same.claims), String(same.covered)])
      for (const { factor, pairs: all, faster, covered } of found)
        rows.push([`${factor}x faster, ${where}`, String(all), String(faster), String(covered)])
    }
  return {
    title: 'Noise: what time alone claims, by blocks before and after and in turns',
    note: 'at most 1 claim of 100 pairs where nothing changed; 2x and 10x found; the true ratio inside the interval in 90 %',
    columns: ['', 'pairs', 'claimed', 'true ratio inside'],
    rows,
  }
}

async function circumstances() {
  const version = await withServer(0, async ({ sql }) => {
    const [row] = await sql`select current_setting('server_version') as version`
    return row.version
  })
  const load = loadavg()[0].toFixed(1)
  return [
    `${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}, PostgreSQL ${version} (embedded), ${psqlVersion()},`,
    `${process.platform}-${process.arch}, ${availableParallelism()} cores, load ${load} before.`,
    `Medians of interleaved rounds; quote the ratios. Printed by \`npm run bench${words.length > 0 ? ` -- ${words.join(' ')}` : ''}\`.`,
  ].join('\n')
}

function markdown({ title, note, columns, rows }) {
  const table = [columns, columns.map((_, at) => (at === 0 ? '---' : '---:')), ...rows]
  return `## ${title}\n\n${table.map((row) => `| ${row.join(' | ')} |`).join('\n')}\n\n${note}\n`
}
