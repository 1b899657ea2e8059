import { joinGroup, sortedGroups, type Groups } from '../../src/commands/fleet/groups.js'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { expect, test } from 'vitest'
import type { FleetResult, TenantResult, TenantStep } from '../../src/result/documents/fleet-result.js'
import { searchScript, searchSource } from '../../src/report/page/html-search.js'
import { render } from '../../src/report/render.js'
import { hasChromium, show, startBrowser } from '../support/browser.js'
import { needing } from '../support/needs.js'

const layout = { width: 80, color: false, unicode: true, verbose: false }

/** So many tenants with 20 indexes; every fortieth misses two of them, one is not reached. */
export function fleetOf(count: number): FleetResult {
  const steps = Array.from({ length: 20 }, (_, at): TenantStep => ({
    step: 'keep',
    schema: 'public',
    index: `idx_jobs_${at}`,
    table: 'jobs',
  }))
  const missing = steps.map((step, at): TenantStep => (at % 10 === 3 ? { ...step, step: 'create' } : step))
  const wrong = (at: number) => at % 40 === 7
  const ids = (wanted: boolean) =>
    Array.from({ length: count }, (_, at) => at)
      .filter((at) => wrong(at) === wanted)
      .map((at) => `yacht-${at}`)
  return {
    perfdb: '0',
    command: 'verify',
    ok: false,
    exit_code: 1,
    started_at: '2026-01-31T12:00:00.000Z',
    duration_ms: 61_000,
    tenants: Array.from({ length: count }, (_, at) => ({
      id: `yacht-${at}`,
      labels: { region: ['eu', 'us', 'asia'][at % 3] ?? '', size: at % 2 === 0 ? 'small' : 'large' },
      server: `db-${at % 100}.example:5432`,
      outcome: wrong(at) ? ('no' as const) : ('in_order' as const),
      exit_code: wrong(at) ? 1 : 0,
      group: wrong(at) ? 0 : 1,
      wave: 1,
      duration_ms: 20,
      ...(wrong(at) && { steps: missing.filter(({ step }) => step === 'create') }),
    })),
    groups: [
      {
        tenants: ids(true).length,
        first: 'yacht-7',
        ids: ids(true).slice(0, 20),
        outcome: 'no',
        exit_code: 1,
        code: 'MISSING',
        reason: 'missing: idx_jobs_3, idx_jobs_13',
        steps: missing,
      },
      {
        tenants: ids(false).length,
        first: 'yacht-0',
        ids: ids(false).slice(0, 20),
        outcome: 'in_order',
        exit_code: 0,
        reason: 'nothing to do',
        steps,
      },
    ],
    waves: [{ number: 1, tenants: count, begun: count, not_in_order: ids(true).length }],
    counts: { total: count, no: ids(true).length, in_order: ids(false).length },
    findings: [],
  }
}

test('text: equals are one line, and each index that is not in order says in how many tenants', async () => {
  expect(await render(fleetOf(5000), 'text', layout)).toMatchInlineSnapshot(`
    "5,000 tenants: 4,875 in order, 125 not in order

    on 100 servers, in 1 min 1 s

    tenants  outcome       what                         which
    ───────  ────────────  ───────────────────────────  ────────────────────────────
        125  not in order  missing: idx_jobs_3,         yacht-7, yacht-47, yacht-87…
                           idx_jobs_13
      4,875  in order      20 indexes as declared       yacht-0, yacht-1, yacht-2 .…

    By index
       index        table  tenants  state    as declared in  which
    ─  ───────────  ─────  ───────  ───────  ──────────────  ───────────────────────
    +  idx_jobs_3   jobs       125  missing           4,875  yacht-7, yacht-47, yac…
    +  idx_jobs_13  jobs       125  missing           4,875  yacht-7, yacht-47, yac…

    what apply would do about it, with its hazards: perfdb plan, for the same
    tenants
    "
  `)
})

test('a page of 10,000 tenants holds every one and stays below 5 MB; JUnit has a suite for each that is not in order', async () => {
  const result = fleetOf(10_000)
  const html = await render(result, 'html', layout)
  expect(Buffer.byteLength(html)).toBeLessThan(5_000_000)
  expect(html.match(/<tr class=/g)).toHaveLength(10_000)
  expect(html).toContain('region')
  const junit = await render(result, 'junit', layout)
  expect(junit.match(/<testsuite /g)).toHaveLength(251)
  expect(junit).toMatch(/<testsuites name="perfdb" tests="\d+" failures="500"/)
})

test('a column in which every row would have the same is none, and the server that all have is told above', async () => {
  const columns = (page: string) => [...page.matchAll(/<th scope="col">(\w+)<\/th>/g)].map(([, name]) => name)
  const fleet = fleetOf(40)
  expect(columns(await render(fleet, 'html', layout)).slice(-5)).toEqual([
    'tenant',
    'labels',
    'server',
    'outcome',
    'indexes',
  ])
  const tenants = fleet.tenants.map((tenant) => ({ ...tenant, labels: {}, server: 'db-<1>:5432' }))
  const page = await render({ ...fleet, tenants }, 'html', layout)
  expect(columns(page).slice(-3)).toEqual(['tenant', 'outcome', 'indexes'])
  expect(page).toContain('<p>All on db-&lt;1&gt;:5432.</p>')
  expect(page.match(/<tr class="[^"]*">(<td[^>]*>.*?<\/td>){3}<\/tr>/g)).toHaveLength(40)
})

needing('chromium', hasChromium)(
  'tenants are found by words: the page runs this script and no other one, and without it, as on paper, every tenant is there',
  async () => {
    const html = await render(fleetOf(60), 'html', layout)
    expect(html.replace(searchScript, '')).not.toMatch(/<script/i)
    expect(await render(fleetOf(19), 'html', layout)).not.toMatch(/<script|script-src/i)
    const browser = await startBrowser()
    try {
      const evil = html.replace('</main>', '<script>document.title = "ran"</script></main>')
      await using shown = await show(browser, evil, { width: 400 })
      const { page } = shown
      const rows = async () => page.locator('.matrix tbody tr:visible').count()
      expect(await page.title()).not.toBe('ran')
      expect(await rows()).toBe(60)
      await page.getByLabel('Find tenants').fill('YACHT-1  region=eu')
      expect([await rows(), await page.locator('#found').textContent()]).toEqual([3, '3 of 60 tenants'])
      await page.getByLabel('Find tenants').fill('db-7')
      await page.getByRole('radio', { name: /^not in order/ }).check()
      expect([await rows(), await page.locator('#found').textContent()]).toEqual([1, '1 of 60 tenants'])
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(400)
      await page.evaluate(await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'))
      const violations = await page.evaluate(async () => {
        const axe = (globalThis as unknown as { axe: { run: () => Promise<{ violations: { id: string }[] }> } }).axe
        return (await axe.run()).violations.map(({ id }) => id)
      })
      expect(violations).toEqual([])
      await page.getByRole('radio', { name: 'all' }).first().check()
      await page.emulateMedia({ media: 'print' })
      expect([await rows(), await page.getByLabel('Find tenants').isVisible()]).toEqual([60, false])
      await using still = await show(browser, html.replace(searchSource, "'none'"))
      expect([await rows(), await still.page.getByLabel('Find tenants').isVisible()]).toEqual([60, false])
    } finally {
      await browser.close()
    }
  },
)

needing('chromium', hasChromium)(
  'of a thousand tenants those in which nothing is left to do are folded: a search opens them, and on paper every one is there',
  async () => {
    const html = await render(fleetOf(1000), 'html', layout)
    expect(await render(fleetOf(999), 'html', layout)).not.toContain('<details id="folded"')
    const browser = await startBrowser()
    try {
      await using shown = await show(browser, html)
      const { page } = shown
      const rows = async () =>
        page.evaluate(
          () => [...document.querySelectorAll('.matrix tbody tr')].filter((row) => row.checkVisibility()).length,
        )
      expect([await rows(), await page.locator('#folded summary').textContent()]).toEqual([25, '975 tenants in order'])
      const field = page.getByLabel('Find tenants')
      await field.fill('yacht-11')
      expect([await rows(), await page.locator('#found').textContent()]).toEqual([11, '11 of 1,000 tenants'])
      await field.fill('')
      expect([await rows(), await page.locator('#found').textContent()]).toEqual([25, ''])
      await page.locator('#folded summary').click()
      expect(await rows()).toBe(1000)
      await page.locator('#folded summary').click()
      await page.emulateMedia({ media: 'print' })
      expect(await rows()).toBe(1000)
    } finally {
      await browser.close()
    }
  },
)

test('equal groups stand in the order of the list, whichever of their tenants was done first', () => {
  const groups: Groups = new Map()
  const done = (id: string, reason: string): TenantResult => {
    const one = { outcome: 'not_looked' as const, exit_code: 2, steps: [], findings: [], reason }
    const { number, steps, findings } = joinGroup(groups, reason, one)
    return {
      id,
      labels: {},
      server: 's',
      outcome: one.outcome,
      exit_code: 2,
      duration_ms: 1,
      group: number,
      wave: 1,
      steps,
      findings,
    }
  }
  const late = done('b', 'no table')
  const first = done('a', 'no database')
  const { groups: sorted, tenants } = sortedGroups(groups, [first, late])
  expect(sorted.map(({ reason, ids }) => [reason, ids])).toEqual([
    ['no database', ['a']],
    ['no table', ['b']],
  ])
  expect(tenants.map(({ group }) => group)).toEqual([0, 1])
})
