import { expect, test } from 'vitest'
import { demoSchemaStatements } from '../../src/commands/start/demo-data.js'
import { demoShops, type DemoName } from '../../src/commands/start/demo-shops.js'
import { readProfiles } from '../../src/profile/read/read.js'
import { testDatabase } from '../support/database.js'

const scale = 0.01
const others: readonly DemoName[] = ['pam', 'oms']

test.each(others)('%s: as many rows as promised, and every query finds some', async (name) => {
  await using database = await testDatabase()
  const sql = await database.sql.reserve()
  for (const statement of [...(await demoSchemaStatements(name)), ...demoShops[name].statements(scale)])
    await sql.unsafe(statement.sql)
  sql.release()
  const rows = demoShops[name].rows(scale)
  for (const [table, promised] of Object.entries(rows)) {
    const [counted] = await database.sql<{ rows: number }[]>`select count(*)::int as rows from ${database.sql(table)}`
    expect([table, counted?.rows]).toEqual([table, promised])
  }
  const [profile] = await readProfiles([`profiles/${name}.yaml`], { cwd: process.cwd(), environment: {} })
  for (const { name: query, sql: text, parameters } of profile?.queries ?? [])
    for (const { name: set, values } of parameters.filter((one) => one.name !== 'small')) {
      const found = await database.sql.unsafe(text ?? '', [...values])
      expect([query, set, found.length > 0]).toEqual([query, set, true])
    }
})

test('few have most of it: the first tenant has twenty times what the last has', async () => {
  const shop = demoShops.oms
  await using database = await testDatabase()
  const sql = await database.sql.reserve()
  for (const statement of [...(await demoSchemaStatements('oms')), ...shop.statements(scale)]) await sql.unsafe(statement.sql)
  sql.release()
  const counts = await database.sql<{ rows: number }[]>`
    select count(*)::int as rows from invoices group by tenant_id order by 1 desc`
  expect(counts[0]?.rows).toBeGreaterThan(20 * (counts.at(-1)?.rows ?? 0))
})

test('every claim names queries of its profile', async () => {
  for (const [name, { claims }] of Object.entries(demoShops)) {
    const [profile] = await readProfiles([`profiles/${name}.yaml`], { cwd: process.cwd(), environment: {} })
    const known = profile?.queries.map((query) => query.name) ?? []
    expect(claims.flatMap(({ queries }) => queries).filter((query) => !known.includes(query))).toEqual([])
  }
})
