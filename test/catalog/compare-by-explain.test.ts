import { expect, test } from 'vitest'
import { runVerify } from '../../src/commands/apply/plan.js'
import type { VerifyResult } from '../../src/result/documents/result.js'
import { connectTo } from '../support/connect.js'
import { testDatabase, type TestDatabase } from '../support/database.js'
import { profileOf } from '../support/profile.js'

const table =
  "create table t (a int, b text, c varchar(5)); insert into t select n, 'b' || n, 'c' from generate_series(1, 100) n;"
const declared = [
  '{ name: i_expression, table: t, keys: [{ expression: lower( b ), order: desc }], include: [c] }',
  `{ name: i_partial, table: t, keys: [a], where: "c='x' AND a IN (1,2)" }`,
  '{ name: i_opclass, table: t, keys: [{ column: b, opclass: text_pattern_ops }, { column: c, collation: C }] }',
  '{ name: i_storage, table: t, keys: [a], unique: true, with: { fillfactor: 80 } }',
]

/** verify by a role that may make no temporary table: what a read-only auditor or a standby can do. */
async function verifyWithoutTemp(db: TestDatabase, indexes: readonly string[]): Promise<VerifyResult> {
  const role = `auditor_${db.name}`
  await db.sql.unsafe(`revoke temporary on database ${db.name} from public; create role ${role} login password 'x'`)
  await db.sql.unsafe(`grant select on t to ${role}`)
  const url = new URL(db.url)
  url.username = role
  url.password = 'x'
  try {
    await using session = await connectTo(url.href, 'look')
    return await runVerify(session, await profileOf(indexes), {
      allow: new Set(),
      prune: false,
      maxWaitMs: 1000,
      maxSizeBytes: 1e12,
    })
  } finally {
    await db.sql.unsafe(`drop owned by ${role}; drop role ${role}`)
  }
}

test('without temporary tables equal definitions are still seen as equal', async () => {
  await using db = await testDatabase(
    `${table} create index i_expression on t (lower(b) desc) include (c);
     create index i_partial on t (a) where (c)::text = 'x'::text and a = any (array[1, 2]);
     create index i_opclass on t (b text_pattern_ops, c collate "C");
     create unique index i_storage on t (a) with (fillfactor = '80');`,
  )
  const result = await verifyWithoutTemp(db, declared)
  expect(result.findings).toEqual([])
  expect(result.exit_code).toBe(0)
})

test('without temporary tables each difference is still seen', async () => {
  await using db = await testDatabase(
    `${table} create index i_expression on t (upper(b) desc) include (c);
     create index i_partial on t (a) where (c)::text = 'x'::text and a = any (array[1, 3]);
     create index i_opclass on t (b, c collate "C");
     create index i_storage on t (a) with (fillfactor = '80');`,
  )
  const result = await verifyWithoutTemp(db, declared)
  expect(
    result.findings.filter((finding) => finding.severity === 'error').map((finding) => [finding.code, finding.index]),
  ).toEqual([
    ['DIFFERS', 'i_expression'],
    ['DIFFERS', 'i_opclass'],
    ['DIFFERS', 'i_partial'],
    ['DIFFERS', 'i_storage'],
  ])
})
