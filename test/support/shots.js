#!/usr/bin/env node
/*
 * npm run shots: screenshots of the HTML reports of real runs into coverage/shots (git ignores it), at 400 and 1600 pixels, light and dark, and as
 * PDF. Each run has an embedded server of its own. Needs Debian's chromium, or PERFDB_TEST_CHROMIUM.
 */
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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
const profile = `version: 1
profile: shop
indexes:
  - name: idx_customers_email
    table: customers
    keys: [email]
    unique: true
  - { name: idx_customers_name, table: customers, keys: [name] }
  - { name: idx_jobs_status, table: jobs, keys: [status, created_at] }
  - { name: idx_jobs_note, table: jobs, keys: [note] }
queries:
  - { name: customer-by-name, sql: select * from customers where name = $1, params: [name7], expect: { uses: [idx_customers_name], speedup: 3 } }
  - { name: customer-by-email, sql: select * from customers where email = $1, params: [mail7], expect: { forbid: [SEQ_SCAN] } }
  - { name: jobs-newest, sql: select * from jobs where status = $1 order by created_at desc limit 50, params: { hot: [active], rare: [late] } }
  - { name: jobs-by-month, sql: "select date_trunc('month', created_at), count(*) from jobs group by 1 order by 2 desc" }
`
const embedded = ['--url', 'embedded', '--load', 'schema.sql']
const allow = ['--allow', 'REPLACE,UNIQUE_BUILD', '--time-budget', '300ms']
const runs = {
  demo: ['demo', '--scale', '0.05', '--out', 'demo.html'],
  plan: ['plan', 'shop.yaml', ...embedded, '--report', 'html=plan.html'],
  apply: ['apply', 'shop.yaml', ...embedded, ...allow, '--report', 'html=apply.html'],
  explain: ['explain', 'shop.yaml', ...embedded, '--time-budget', '300ms', '--report', 'html=explain.html'],
  'check-pool': [
    'check-pool',
    join(root, 'profiles/fleet.pools.yaml'),
    '--offline',
    '--report',
    'html=check-pool.html',
  ],
  error: ['plan', 'nowhere.yaml', '--report', 'html=error.html'],
}

const folder = await mkdtemp(join(tmpdir(), 'perfdb-shots-'))
try {
  await mkdir(out, { recursive: true })
  await writeFile(join(folder, 'schema.sql'), schema)
  await writeFile(join(folder, 'shop.yaml'), profile)
  const browser = await chromium.launch({
    executablePath: process.env['PERFDB_TEST_CHROMIUM'] ?? '/usr/bin/chromium',
    args: ['--no-sandbox'],
  })
  for (const [name, args] of Object.entries(runs)) {
    const code = await perfdb(args)
    await shoot(browser, name, await readFile(join(folder, `${name}.html`), 'utf8'))
    process.stdout.write(`${name}: exit code ${code}\n`)
  }
  await browser.close()
  process.stdout.write(`${out}\n`)
} finally {
  await rm(folder, { recursive: true, force: true })
}

function perfdb(args) {
  return new Promise((resolve) => {
    execFile(process.execPath, [join(root, 'bin/perfdb.js'), ...args, '--quiet'], { cwd: folder }, (error) =>
      resolve(error?.code ?? 0),
    )
  })
}

async function shoot(browser, name, source) {
  for (const width of [400, 1600]) {
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
