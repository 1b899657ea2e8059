import { expect, test } from 'vitest'
import type { ApplyResult } from '../../src/result/documents/result.js'
import { shop } from '../measure/shop.js'
import { testDatabase } from '../support/database.js'
import { ownServer, standbyOf } from '../support/server.js'
import { folder, perfdbHere } from './perfdb.js'

const profile = `version: 1
profile: shop
indexes:
  - { name: i_customer, table: jobs, keys: [customer_id], for: [mine] }
queries:
  - { name: mine, sql: select * from jobs where customer_id = 7, expect: { speedup: 1.5 } }
`
const more = profile.replace('queries:', '  - { name: i_total, table: jobs, keys: [total] }\nqueries:')

test('a speedup is checked by the run that built its index; later runs name that run', async () => {
  await using db = await testDatabase(shop)
  await using files = await folder({ 'shop.yaml': profile, 'more.yaml': more })
  const run = async (file: string): Promise<ApplyResult> => {
    const args = ['apply', file, '--url', db.url, '--samples', '21', '--format', 'json']
    const { code, stdout, stderr } = await perfdbHere(args, { cwd: files.path })
    expect([code, stderr.includes('error')]).toEqual([0, false])
    return JSON.parse(stdout) as ApplyResult
  }
  const first = await run('shop.yaml')
  expect(first.queries[0]?.expectations[0]).toMatchObject({ met: true, actual: expect.stringContaining('faster') })
  expect((await run('shop.yaml')).queries).toEqual([])
  const later = await run('more.yaml')
  expect(later.queries[0]?.expectations).toEqual([
    {
      expect: 'speedup of at least 1.5',
      met: true,
      not_checked: true,
      actual: expect.stringMatching(
        new RegExp(`^not checked: i_customer already existed before this run; run ${first.run} measured [\\d.]+x \\(`),
      ),
    },
  ])
  expect(later.prices?.find(({ index }) => index === 'i_total')).toMatchObject({ verdict: 'does_not_pay' })
})

test('queries are measured as another role, whose password is told nowhere; another database is refused', async () => {
  const secret = 'zq-hidden-word'
  await using db = await testDatabase(`${shop}
    create role as_whom login password '${secret}'; grant select on jobs to as_whom;
    alter table jobs enable row level security; create policy own on jobs for select to as_whom using (customer_id < 100);`)
  await using other = await testDatabase('select 1')
  const as = (url: string) => {
    const parsed = new URL(url)
    parsed.username = 'as_whom'
    parsed.password = secret
    return parsed.href
  }
  await using files = await folder({
    'q.sql': 'select count(*) from jobs where customer_id > 0;',
    'perfdb.yaml': `version: 1\nmeasure_url: ${as(db.url)}\nreplicas: ['${as(db.url)}']\n`,
  })
  try {
    const told: string[] = []
    const run = async (...args: readonly string[]) => {
      const ended = await perfdbHere([...args, '--format', 'json'], { cwd: files.path })
      told.push(ended.stdout, ended.stderr)
      return ended
    }
    const own = await run('explain', 'q.sql', '--url', db.url, '--samples', '3')
    expect(own.code).toBe(0)
    const document = JSON.parse(own.stdout) as {
      queries: { after: { query_plan: { node: string; conditions?: string[] }[] } }[]
      measured_as: string
    }
    expect(JSON.stringify(document.queries[0]?.after.query_plan)).toContain('customer_id < 100')
    expect(document.measured_as).toBe('as_whom')
    const refused = await run('explain', 'q.sql', '--url', db.url, '--measure-url', as(other.url))
    expect([refused.code, JSON.parse(refused.stdout)]).toMatchObject([2, { error: { code: 'BAD_OPTION' } }])
    const shown = await run('config', '--url', db.url)
    expect(shown.stdout).toContain('as_whom')
    expect(told.join('')).not.toContain(secret)
  } finally {
    await db.sql.unsafe('drop owned by as_whom; drop role as_whom')
  }
})

test('a standby that nobody asked may use an index; one that was asked has its scans counted', async () => {
  await using primary = await ownServer()
  await using standby = await standbyOf(primary)
  await using files = await folder({
    'two.yaml': more,
    'perfdb.yaml': `version: 1\nenvironments:\n  asked:\n    replicas: ['\${STANDBY}']\n`,
  })
  const { default: postgres } = await import('postgres')
  const sql = postgres(primary.url, { max: 1, onnotice: () => undefined })
  const other = postgres(standby.url, { max: 1, onnotice: () => undefined })
  try {
    await sql.unsafe(`${shop} create index i_total on jobs (total); analyze jobs`)
    const apply = async (...args: readonly string[]) => {
      const environment = { STANDBY: standby.url }
      const given = ['apply', ...args, '--url', primary.url, '--samples', '6', '--format', 'json']
      const { stdout } = await perfdbHere(given, { cwd: files.path, environment })
      return (JSON.parse(stdout) as ApplyResult).prices?.find(({ index }) => index === 'i_total')?.reason
    }
    // What the primary has written must have arrived before the standby can scan it.
    for (;;) {
      const [row] = await other`select to_regclass('i_total') is not null as there`
      if (row?.['there'] === true) break
    }
    // A session that ends hands its counters over on every major.
    const reader = postgres(standby.url, { max: 1, onnotice: () => undefined })
    await reader.unsafe('begin; set local enable_seqscan = off; select count(*) from jobs where total = 77; commit')
    await reader.end()
    for (;;) {
      const [row] = await other`select idx_scan::int as scans from pg_stat_user_indexes where indexrelname = 'i_total'`
      if (row?.['scans'] === 1) break
    }
    expect(await apply('two.yaml')).toMatch(/^no declared query; no scans since \d{4}-\d\d-\d\d; 1 standby not asked/)
    await sql`drop index i_customer`
    expect(await apply('two.yaml', '--env', 'asked')).toMatch(/^no declared query; 1 scan since \d{4}-\d\d-\d\d$/)
  } finally {
    await sql.end({ timeout: 2 })
    await other.end({ timeout: 2 })
  }
})
