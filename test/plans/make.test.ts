import { readFile, writeFile } from 'node:fs/promises'
import type postgres from 'postgres'
import { test } from 'vitest'
import { z } from '../../src/yaml/schema.js'
import { testDatabase } from '../support/database.js'

/*
 * Makes the gallery anew, a test only to have a server:
 *   for major in 14 16 18; do PERFDB_MAKE_GALLERY=$major PERFDB_TEST_MAJOR=$major npx vitest run test/plans/make.test.ts; done
 *   PERFDB_MAKE_GALLERY=15-llvm PERFDB_TEST_URL=postgres://... npx vitest run test/plans/make.test.ts
 * writes gallery-<major>.json: the query plan of each case as the server printed it, of the third, warm run. The embedded
 * servers are built without LLVM: what only JIT shows comes from a server of a distribution (15-llvm was Debian's 15).
 */
const made = process.env['PERFDB_MAKE_GALLERY']

const base: Readonly<Record<string, string>> = { jit: 'off', max_parallel_workers_per_gather: '0' }
const parallel: Readonly<Record<string, string>> = {
  max_parallel_workers_per_gather: '2',
  parallel_setup_cost: '0',
  parallel_tuple_cost: '0',
  min_parallel_table_scan_size: '0',
}

const casesSchema = z.array(
  z.object({
    name: z.string(),
    sql: z.string(),
    settings: z.record(z.string(), z.string()).optional(),
    mustWithLlvm: z.array(z.string()).optional(),
  }),
)

test.skipIf(made === undefined)('make the gallery', { timeout: 300_000 }, async () => {
  await using database = await testDatabase()
  const { sql } = database
  const script = await readFile(new URL('setup.sql', import.meta.url), 'utf8')
  for (const statement of script.split(';')) if (statement.trim() !== '') await sql.unsafe(statement)
  const [{ num } = { num: 0 }] = await sql<{ num: number }[]>`select current_setting('server_version_num')::int as num`
  const parsed: unknown = JSON.parse(await readFile(new URL('cases.json', import.meta.url), 'utf8'))
  const plans: string[] = []
  for (const { name, sql: text, settings = {}, mustWithLlvm } of casesSchema.parse(parsed)) {
    if (made?.endsWith('-llvm') === true && mustWithLlvm === undefined) continue
    const plan = await explained(sql, text, { ...base, ...('parallel' in settings ? parallel : {}), ...settings }, num)
    plans.push(`  ${JSON.stringify({ name, plan })}`)
  }
  const content = `{ "version_num": ${num}, "plans": [\n${plans.join(',\n')}\n] }\n`
  await writeFile(new URL(`gallery-${made}.json`, import.meta.url), content)
})

/** Always rolled back. */
async function explained(
  sql: postgres.Sql,
  text: string,
  settings: Readonly<Record<string, string>>,
  num: number,
): Promise<unknown> {
  const extras = `${num >= 170_000 ? ', serialize text' : ''}${/^(delete|update)/.test(text) ? ', wal' : ''}`
  const explain = `explain (analyze, timing on, buffers, settings, verbose, format json${extras}) ${text}`
  const printed: unknown[] = []
  const done = new Error('rolled back')
  for (let run = 0; run < 3; run += 1) {
    const running = sql.begin(async (tx) => {
      for (const [name, value] of Object.entries(settings))
        if (name !== 'parallel') await tx`select set_config(${name}, ${value}, true)`
      const [row] = await tx.unsafe(explain)
      printed.push(row?.['QUERY PLAN'])
      throw done
    })
    await running.catch((error: unknown) => {
      if (error !== done) throw new Error(`${text}: ${String(error)}`, { cause: error })
    })
  }
  const last: unknown = printed.at(-1)
  return Array.isArray(last) ? last[0] : last
}
