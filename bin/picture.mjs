#!/usr/bin/env node
/*
 * The picture in README.md: the top of the report of a demo, as docs/report.png. `npm run shots` ends with it. Needs Debian's chromium, or PERFDB_TEST_CHROMIUM.
 * node bin/picture.mjs [demo.html]: of a report that is there already.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { chromium } from 'playwright-core'

const root = join(import.meta.dirname, '..')
const folder = await mkdtemp(join(tmpdir(), 'perfdb-picture-'))
try {
  const report = resolve(process.argv[2] ?? join(folder, 'demo.html'))
  if (process.argv[2] === undefined)
    await promisify(execFile)(process.execPath, [
      join(root, 'bin/perfdb.js'),
      'demo',
      '--scale',
      '0.1',
      '--out',
      report,
    ])
  const executablePath = process.env.PERFDB_TEST_CHROMIUM ?? '/usr/bin/chromium'
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
  const page = await browser.newPage({ viewport: { width: 1000, height: 900 }, colorScheme: 'light' })
  await page.goto(pathToFileURL(report).href)
  await page.screenshot({ path: join(root, 'docs/report.png') })
  await browser.close()
} finally {
  await rm(folder, { recursive: true })
}
