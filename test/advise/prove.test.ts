import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { adviseResult, type AdviseResult } from '../../src/result/documents/advise-result.js'
import { perfdb } from '../support/command-line.js'
import { testDatabase, type TestDatabase } from '../support/database.js'
import { documentOf, jsonOf } from '../support/document.js'
import { until } from '../support/slow.js'

let source: TestDatabase
let folder: string

/** The planner is told that pages by random access are free: of half the rows it then takes an index, which gains nothing. */
const queries = `version: 1
profile: q
queries:
  - { name: few, sql: select * from parcels where sender = 77 }
  - { name: half, sql: "select sum(weight), max(note) from parcels where weight < 500" }
`

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'perfdb-test-'))
  source = await testDatabase(`
    create table parcels (id bigint primary key, sender int not null, weight int not null, note text not null);
    insert into parcels select n, n % 5000, hashint4(n) & 1023, repeat('x', 900) from generate_series(1, 20000) n;
    do $$ begin execute format('alter database %I set random_page_cost = 0.0001', current_database()); end $$;
    do $$ begin execute format('alter database %I set max_parallel_workers_per_gather = 0', current_database()); end $$;
    analyze;`)
  await writeFile(join(folder, 'q.yaml'), queries)
})

afterAll(async () => {
  await source[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

function proving(parameters: readonly string[]): readonly string[] {
  return ['advise', ...parameters, '--prove', '--samples', '15', '--time-budget', '400ms']
}

/** For what a process alone has: a signal. */
function start(...parameters: readonly string[]) {
  return perfdb(source.url, folder, ...proving(parameters), '--format', 'json')
}

/** Polls until the condition holds in the run, which takes as long as it takes: twin, builds and measurements. */
async function untilIn(running: ReturnType<typeof start>, condition: () => Promise<boolean> | boolean): Promise<void> {
  let over = false
  void running.ended.then(() => (over = true))
  while (!(await condition()) && !over) await new Promise((resolve) => setTimeout(resolve, 20))
}

async function prove(...parameters: readonly string[]): Promise<AdviseResult> {
  return documentOf(adviseResult, source.url, folder, ...proving(parameters))
}

async function indexes(): Promise<readonly string[]> {
  const rows = await source.sql<{ name: string }[]>`
    select indexrelid::regclass::text as name from pg_index where indrelid = 'parcels'::regclass and not indisprimary order by 1`
  return rows.map(({ name }) => name)
}

test('--prove leaves what was measured to pay, and drops the rest before it ends', async () => {
  const { exit_code: code, advice, proof, file } = await prove('q.yaml', '--out', 'advised.yaml')
  expect(Object.fromEntries(advice.map(({ index, tried }) => [index.name, tried]))).toEqual({
    idx_parcels_sender: 'build',
    idx_parcels_weight: 'build',
  })
  const prices = new Map((proof?.prices ?? []).map((price) => [price.index, price]))
  expect(prices.get('idx_parcels_sender')).toMatchObject({ verdict: 'pays', queries: ['few'] })
  expect(prices.get('idx_parcels_sender')?.dropped).toBeUndefined()
  expect(prices.get('idx_parcels_weight')).toMatchObject({ dropped: true })
  expect(prices.get('idx_parcels_weight')?.verdict).not.toBe('pays')
  expect(code).toBe(0)
  expect(await indexes()).toEqual(['idx_parcels_sender'])

  // The profile is what is there, and belongs to it in the ledger.
  expect(file).toBe('advised.yaml')
  expect(await readFile(join(folder, 'advised.yaml'), 'utf8')).not.toContain('idx_parcels_weight')
  const planned = await jsonOf(source.url, folder, 'plan', 'advised.yaml')
  expect(planned.document).toMatchObject({ ok: true, steps: [{ step: 'keep' }] })
  const undone = await jsonOf(source.url, folder, 'rollback', String(proof?.run))
  expect(undone.document).toMatchObject({ ok: true })
  expect(await indexes()).toEqual([])
})

test('a hazard builds nothing without --allow', async () => {
  const other = await source.sql.reserve()
  await other.unsafe('begin isolation level repeatable read; select 1')
  const { exit_code: code, proof, advice } = await prove('q.yaml', '--max-wait', '100ms', '--out', 'refused.yaml')
  await other.unsafe('rollback')
  other.release()
  expect([code, advice.map(({ tried }) => tried)]).toEqual([1, ['twin', 'twin']])
  expect(proof).toMatchObject({ error: { code: 'HAZARD' }, exit_code: 1 })
  expect(await indexes()).toEqual([])
  await expect(readFile(join(folder, 'refused.yaml'), 'utf8')).rejects.toThrow('ENOENT')
})

test('what a killed run left is dropped by the next one', async () => {
  // The first build waits for this transaction, with its index in the catalog already.
  const writer = await source.sql.reserve()
  await writer.unsafe('begin; update parcels set weight = weight where id = 1')
  const running = start('q.yaml')
  await untilIn(running, async () => (await indexes()).length > 0)
  running.child.kill('SIGKILL')
  await running.ended
  await writer.unsafe('rollback')
  writer.release()
  await until('the end of its sessions', async () => {
    const left = await source.sql`
      select from pg_stat_activity where application_name like 'perfdb %' and datname = current_database()`
    return left.length === 0
  })
  expect(await indexes()).toHaveLength(1)
  const { findings, exit_code: code } = await prove('--query', 'select * from parcels')
  expect(code).toBe(0)
  expect(findings.map((finding) => finding.code)).toContain('TAKEN_BACK')
  expect(await indexes()).toEqual([])
})

test('after SIGINT while it measures the built indexes are dropped again', async () => {
  const running = start('q.yaml')
  let told = ''
  running.child.stderr?.on('data', (chunk: string) => (told += chunk))
  await untilIn(running, () => told.includes('measuring the queries after'))
  expect(told).toContain('measuring the queries after')
  running.child.kill('SIGINT')
  expect((await running.ended).code).toBe(130)
  expect(await indexes()).toEqual([])
})
