#!/usr/bin/env node
/*
 * The pictures in README.md and docs/: tops of pages that `npm run shots` left in coverage/shots; it ends with this. Needs Debian's chromium, or PERFDB_TEST_CHROMIUM.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { chromium } from 'playwright-core'

const root = join(import.meta.dirname, '..')
const executablePath = process.env.PERFDB_TEST_CHROMIUM ?? '/usr/bin/chromium'

/** Picture, page, and the part of it by its first heading; the top where none is said. */
const pictures = [
  { file: 'report.png', page: 'demo', height: 900 },
  { file: 'advise.png', page: 'advise', height: 680 },
  { file: 'fleet.png', page: 'fleet', height: 720 },
  { file: 'load.png', page: 'load', from: 'Load, before', height: 750 },
  { file: 'twin.png', page: 'what-if', from: 'What if the declared', height: 660 },
]

const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
for (const { file, page: name, from, height } of pictures) {
  const source = join(root, `coverage/shots/${name}.html`)
  if (!existsSync(source)) continue
  const page = await browser.newPage({ viewport: { width: 1000, height }, colorScheme: 'light' })
  await page.goto(pathToFileURL(source).href)
  const top = from === undefined ? 0 : ((await page.getByRole('heading', { name: from }).boundingBox())?.y ?? 0)
  await page.screenshot({
    path: join(root, 'docs', file),
    fullPage: true,
    clip: { x: 0, y: Math.max(0, top - 10), width: 1000, height },
  })
  await page.close()
}
await browser.close()
