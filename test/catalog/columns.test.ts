import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { connectTo } from '../support/connect.js'
import { testDatabase, type TestDatabase } from '../support/database.js'
import { serverMajor } from '../support/major.js'
import { failureOf } from '../support/failure.js'
import { assertReadable, endedNote, laterMajor, looksAgain } from '../../src/server/session/version.js'
import { catalogColumns } from '../../src/sql/catalog/columns.js'

const sources = join(import.meta.dirname, '../../src')

test.skipIf(serverMajor !== 18)('the table of catalog columns names all that the sources read', async () => {
  await using db = await testDatabase()
  const read = Object.entries(await columnsInSources(db)).flatMap(([relation, names]) =>
    names.map((name) => `${relation}.${name}`),
  )
  const known = new Set(
    Object.entries(catalogColumns).flatMap(([relation, names]) => names.map((name) => `${relation}.${name}`)),
  )
  expect(
    read.filter((name) => !known.has(name)),
    'to be added to src/sql/catalog/columns.ts',
  ).toEqual([])
})

/** Of each relation of pg_catalog that a file names, the columns whose names stand in that file. */
async function columnsInSources(db: TestDatabase): Promise<Readonly<Record<string, readonly string[]>>> {
  const known = await db.sql<{ relation: string; columns: string[] }[]>`
    select relname as relation, array_agg(attname::text order by attname) as columns from pg_attribute a join pg_class c on c.oid = a.attrelid
    where relnamespace = 'pg_catalog'::regnamespace and relkind in ('r', 'v') and (attnum > 0 or attname = 'oid') group by 1`
  const files = (await readdir(sources, { recursive: true })).filter(
    (file) => file.endsWith('.ts') && !file.endsWith('columns.ts'),
  )
  const found = new Map<string, Set<string>>()
  for (const file of files) {
    const text = await readFile(join(sources, file), 'utf8')
    const words = new Set(text.match(/\w+/g))
    for (const { relation, columns } of known) {
      if (!text.includes(`pg_catalog.${relation} `)) continue
      const used = found.get(relation) ?? new Set()
      for (const column of columns) if (words.has(column)) used.add(column)
      found.set(relation, used)
    }
  }
  return Object.fromEntries(
    [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([relation, used]) => [relation, [...used].sort()]),
  )
}

test.skipIf(serverMajor !== 18)('a column that is gone is said in a sentence', async () => {
  await using db = await testDatabase()
  await using session = await connectTo(db.url, 'look')
  const query = session.query.bind(session)
  await assertReadable(query, 'here')
  const failure = await failureOf(
    assertReadable(query, 'here', { pg_index: ['indisvalid', 'indisgone'], pg_none: ['oid'] }),
  )
  expect(failure).toMatchObject({ code: 'SERVER_TOO_NEW', hint: 'update perfdb' })
  expect(failure.message).toMatch(
    /here is a later major .* \(14 to 18\), and lacks what it reads: pg_index\.indisgone, pg_none\.oid$/,
  )
})

test('what is known of majors is said by the day and by the minor', () => {
  expect(endedNote(140_020, new Date('2026-11-12T12:00:00Z'))).toEqual([])
  expect(endedNote(140_020, new Date('2026-11-13T00:00:00Z'))).toEqual([
    expect.stringContaining('PostgreSQL 14 reached its end of life on 2026-11-12'),
  ])
  expect(endedNote(190_001, new Date('2040-01-01'))).toEqual([])
  expect([180_099, 190_000].map(laterMajor)).toEqual([
    null,
    expect.stringContaining('PostgreSQL 19 is later than this perfdb, which is tested on 14 to 18'),
  ])
  expect([140_022, 140_023, 180_003, 180_004, 190_000].map(looksAgain)).toEqual([false, true, false, true, true])
})
