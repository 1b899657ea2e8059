import { expect, test } from 'vitest'
import { runImport } from '../../src/commands/import.js'
import type { ImportGlobs } from '../../src/commands/import-names.js'
import { hazardCodes } from '../../src/plan/plan.js'
import { parseProfile } from '../../src/profile/read.js'
import { apply, plan } from '../support/apply.js'
import { connectTo } from '../support/connect.js'
import { testDatabase, type TestDatabase } from '../support/database.js'
import { seeded, variedIndex, variedSchema } from './import-varied.js'

async function importFrom(db: TestDatabase, globs: Partial<ImportGlobs> = {}) {
  await using session = await connectTo(db.url, 'look')
  return await runImport(session, { schemas: [], tables: [], indexes: [], ...globs })
}

async function definitions(db: TestDatabase): Promise<readonly string[]> {
  const rows = await db.sql<{ def: string }[]>`
    select coalesce(obj_description(i.indexrelid, 'pg_class'), '') || pg_get_indexdef(i.indexrelid) as def
    from pg_index i join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace
    where n.nspname !~ '^pg_' and n.nspname <> 'information_schema' order by 1`
  return rows.map((row) => row.def)
}

test('500 varied indexes: import then plan is all keep; 50 that are dropped come back byte for byte', async () => {
  await using db = await testDatabase(variedSchema)
  const [version] = await db.sql<{ num: number }[]>`select current_setting('server_version_num')::int as num`
  const random = seeded(20240229)
  const refused: string[] = []
  let made = 0
  for (let number = 0; made < 500 && number < 700; number++) {
    const statement = variedIndex(random, number, version?.num ?? 0)
    await db.sql.unsafe(statement).then(
      () => made++,
      (error: unknown) => refused.push(`${String(error)}: ${statement}`),
    )
  }
  expect(made, refused.join('\n')).toBe(500)
  const result = await importFrom(db)
  expect(result.notes).toEqual([])
  expect(result.counts).toMatchObject({ indexes: 500, imported: 500, tables: 4 })
  const profiles = [parseProfile(result.profile, 'imported.yaml')]
  const planned = await plan(db.url, profiles)
  expect(planned.steps.filter(({ step }) => step !== 'keep')).toEqual([])
  expect(planned.steps).toHaveLength(500)
  const before = await definitions(db)
  const dropped = await db.sql<{ name: string }[]>`
    select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'i' and n.nspname in ('public', 'other', 'Odd Schema') order by md5(c.relname) limit 50`
  for (const { name } of dropped) await db.sql.unsafe(`drop index ${name}`)
  const { result: applied } = await apply(db.url, profiles, { allow: hazardCodes })
  expect(applied.steps.filter(({ outcome }) => outcome !== 'kept' && outcome !== 'built')).toEqual([])
  expect(applied.steps.filter(({ outcome }) => outcome === 'built')).toHaveLength(50)
  expect(await definitions(db)).toEqual(before)
}, 180_000)
