import { describe, expect, test } from 'vitest'
import { createIndexSql } from '../../src/sql/ddl/index-ddl.js'
import { readSqlProfile } from '../../src/profile/sql/sql.js'
import { testDatabase } from '../support/database.js'
import { serverMajor } from '../support/major.js'

/** The statements of a field report as they stand there. */
const fieldReport = `-- PAM conversation history lookups (most frequent)
CREATE INDEX CONCURRENTLY idx_pam_conversations_user_created
ON pam_conversations(user_id, created_at DESC);

-- Expense date range queries
CREATE INDEX CONCURRENTLY idx_expenses_user_date
ON expenses(user_id, date);

-- User settings lookups (every request)
CREATE INDEX CONCURRENTLY idx_user_settings_user
ON user_settings(user_id);

-- PAM messages by conversation
CREATE INDEX CONCURRENTLY idx_pam_messages_conversation
ON pam_messages(conversation_id, created_at);

-- Update statistics
ANALYZE pam_conversations;
ANALYZE expenses;
ANALYZE user_settings;
ANALYZE pam_messages;
`

test('the SQL of a field report', async () => {
  const { profile, problems } = await readSqlProfile(fieldReport, 'sql/pam.sql')
  expect(problems).toEqual([])
  expect(profile.name).toBe('pam')
  expect(
    profile.indexes.map(({ definition, why, place }) => [
      createIndexSql(definition, { concurrently: true }),
      why,
      place.line,
    ]),
  ).toEqual([
    [
      'create index concurrently "idx_pam_conversations_user_created" on "public"."pam_conversations" using "btree" ("user_id", "created_at" desc)',
      'PAM conversation history lookups (most frequent)',
      2,
    ],
    [
      'create index concurrently "idx_expenses_user_date" on "public"."expenses" using "btree" ("user_id", "date")',
      'Expense date range queries',
      6,
    ],
    [
      'create index concurrently "idx_user_settings_user" on "public"."user_settings" using "btree" ("user_id")',
      'User settings lookups (every request)',
      10,
    ],
    [
      'create index concurrently "idx_pam_messages_conversation" on "public"."pam_messages" using "btree" ("conversation_id", "created_at")',
      'PAM messages by conversation',
      14,
    ],
  ])
  expect(profile.analyze.map(({ table, place }) => [table.name, place.line])).toEqual([
    ['pam_conversations', 18],
    ['expenses', 19],
    ['user_settings', 20],
    ['pam_messages', 21],
  ])
})

async function keysAndPredicate(sql: string) {
  const { profile, problems } = await readSqlProfile(sql, 'p.sql')
  expect(problems).toEqual([])
  const { keys, predicate } = profile.indexes[0]?.definition ?? {}
  return predicate === undefined ? { keys } : { keys, predicate }
}

describe('keys and predicate are cut out of the source', () => {
  test.each([
    ['create index i on t (lower(a))', { keys: [{ expression: 'lower(a)' }] }],
    ['create index i on t ((a || \')\' || "b("))', { keys: [{ expression: 'a || \')\' || "b("' }] }],
    ['create index i on t (((a + b)), ((a) + (b)))', { keys: [{ expression: 'a + b' }, { expression: '(a) + (b)' }] }],
    [
      'create index i on t (pg_catalog.coalesce(a, \'ü,)\') collate pg_catalog."C" s.text_pattern_ops desc nulls last, b asc nulls first)',
      {
        keys: [
          {
            expression: "pg_catalog.coalesce(a, 'ü,)')",
            collation: 'pg_catalog.C',
            opclass: 's.text_pattern_ops',
            order: 'desc',
            nulls: 'last',
          },
          { column: 'b', order: 'asc', nulls: 'first' },
        ],
      },
    ],
    [
      'create index i on t using gist (a gist_trgm_ops(siglen = 32, x = off) desc)',
      {
        keys: [{ column: 'a', opclass: 'gist_trgm_ops', opclassParameters: { siglen: '32', x: 'off' }, order: 'desc' }],
      },
    ],
    [
      "create index i on t ((a[1]), (b -> 'where')) -- no where",
      { keys: [{ expression: 'a[1]' }, { expression: "b -> 'where'" }] },
    ],
    [
      'create index i on t (a) include (b) with (fillfactor = 90) where ( a > 0 /* x */ and (b) ) ;',
      { keys: [{ column: 'a' }], predicate: 'a > 0 /* x */ and (b)' },
    ],
    ['create index i on t (a) where (a) or (b)', { keys: [{ column: 'a' }], predicate: '(a) or (b)' }],
    ['create index i on t ("where") where "where"', { keys: [{ column: 'where' }], predicate: '"where"' }],
    ['create index "i(" on "t(" using btree ("a,""b" desc)', { keys: [{ column: 'a,"b', order: 'desc' }] }],
  ])('%s', async (sql, expected) => {
    expect(await keysAndPredicate(sql)).toEqual(expected)
  })
})

test('the rest of a definition', async () => {
  const { profile, problems } = await readSqlProfile(
    '\uFEFFcreate unique index concurrently if not exists "Odd I" on "S.x".t using gin (a) include (b, "C")\r\n nulls not distinct with (fillfactor = 0, fastupdate, buffering = auto, y = -1.5, z = \'q\') tablespace fast',
    'p.sql',
  )
  expect(problems).toEqual([])
  expect(profile.indexes).toMatchObject([
    {
      definition: {
        name: 'Odd I',
        table: { schema: 'S.x', name: 't' },
        method: 'gin',
        include: ['b', 'C'],
        unique: true,
        nullsDistinct: false,
        storage: { fillfactor: '0', fastupdate: 'true', buffering: 'auto', y: '-1.5', z: 'q' },
        tablespace: 'fast',
      },
      place: { file: 'p.sql', line: 1, column: 1 },
    },
  ])
})

test('what is read makes the same index as the source itself, on a server', async () => {
  const source = `create unique index one on t (lower(a) desc, (b || ')') collate "C" text_pattern_ops, c nulls first)
    include (d) ${serverMajor < 15 ? '' : 'nulls not distinct'} with (fillfactor = 70) where a <> '(' and (c > 0 or (d is null))`
  await using db = await testDatabase('create table t (a text, b text, c int, d int)')
  await db.sql.unsafe(source)
  const { profile } = await readSqlProfile(source.replace('one', 'two'), 'p.sql')
  for (const { definition } of profile.indexes) await db.sql.unsafe(createIndexSql(definition, { concurrently: false }))
  const made = await db.sql<
    { ddl: string }[]
  >`select replace(pg_get_indexdef(indexrelid), ' two ', ' one ') as ddl from pg_index where indrelid = 't'::regclass`
  expect(made).toHaveLength(2)
  expect(made[1]?.ddl).toBe(made[0]?.ddl)
})

describe('refused', () => {
  test.each([
    ['create table t (a int)', '1:1 BAD_SQL CREATE TABLE is no part of a profile'],
    ['analyze t;\n  vacuum analyze t', '2:3 BAD_SQL VACUUM is no part of a profile'],
    ['select 1', '1:1 BAD_SQL SELECT is no part of a profile'],
    ['reindex index i', '1:1 BAD_SQL REINDEX is no part of a profile'],
    ['create index on t (a)', '1:1 BAD_SQL the index has no name'],
    ['create index i on only t (a)', '1:1 BAD_SQL ON ONLY is no part of a profile'],
    ['create index i on d.s.t (a)', '1:1 BAD_SQL a table is named by schema and name'],
    [
      'create index i on t (a) include (lower(b))',
      '1:1 BAD_SQL INCLUDE takes columns, without expressions, opclass or order',
    ],
    ['create index i on t (a', '1:23 BAD_SQL syntax error at end of input'],
    ['-- nothing', '1:1 BAD_SQL the file holds no statement'],
    [`create index ${'ü'.repeat(32)} on t ("${'b'.repeat(64)}")`, '1:14 NAME_TOO_LONG'],
  ])('%s', async (sql, problem) => {
    const { problems } = await readSqlProfile(sql, 'p.sql')
    const [shown] = problems.map(({ place, code, message }) => `${place?.line}:${place?.column} ${code} ${message}`)
    expect(shown).toContain(problem)
  })

  test('all of a file at once', async () => {
    const { problems } = await readSqlProfile(
      `create index on t (a); drop table t; create index ${'b'.repeat(64)} on t ("${'c'.repeat(64)}")`,
      'p.sql',
    )
    expect(problems.map(({ code }) => code)).toEqual(['BAD_SQL', 'BAD_SQL', 'NAME_TOO_LONG', 'NAME_TOO_LONG'])
  })
})

test('only a comment right above is the reason', async () => {
  const { profile } = await readSqlProfile(
    `-- file header\n\n-- ------\n-- one\n-- two\ncreate index a on t (a); -- not mine\ncreate index b on t (b);\n/*\n * block\n * of text\n */\r\ncreate index c on t (c);\n-- far\n\ncreate index d on t (d);`,
    'p.sql',
  )
  expect(profile.indexes.map(({ why }) => why)).toEqual(['one two', undefined, 'block of text', undefined])
})
