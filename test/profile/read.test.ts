import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { PerfdbError } from '../../src/errors.js'
import { parseProfile, readProfiles } from '../../src/profile/read/read.js'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'perfdb-profile-'))
})
afterEach(async () => rm(folder, { recursive: true, force: true }))

async function write(files: Record<string, string | Uint8Array>) {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), content)
  }
}

const read = (paths: string[], environment = {}) => readProfiles(paths, { cwd: folder, environment })
const names = async (paths: string[]) => (await read(paths)).map(({ file }) => file)

/** `file:line:column CODE message` of every problem, as they are printed. */
async function problemsOf(reading: () => unknown) {
  const error = await Promise.resolve()
    .then(reading)
    .catch((caught: unknown) => caught)
  if (!(error instanceof PerfdbError)) return []
  const problems = error.problems.length > 0 ? error.problems : [error]
  return problems.map(({ place, code, message }) => {
    const at = place === undefined ? '' : `${place.file}:${place.line}:${place.column} `
    return `${at}${code} ${message}`
  })
}

const contract = `# yaml-language-server: $schema=./profile.schema.json
version: 1
profile: job-shop
schema: shop
indexes:
  - name: idx_jobs_status_created_at
    table: jobs                    # or other_schema.jobs, or { schema: Odd Schema, name: T.x } where a name has a dot
    method: btree
    keys: [status, { column: created_at, order: desc, nulls: last }]
    for: [jobs-by-status]
    why: dashboard list by status, newest first
  - name: idx_jobs_job_number_pattern
    table: other_schema.jobs
    keys: [{ column: job_number, opclass: text_pattern_ops, collation: C }]
  - name: idx_customers_email_lower
    table: { schema: Odd Schema, name: T.x }
    keys: [{ expression: lower(email) }]
    include: [name]
    where: email is not null
    unique: true
    nulls_distinct: false
    with: { fillfactor: 90, deduplicate_items: off, x: false }
    tablespace: fast
  - name: trgm
    table: { name: a.b }
    method: gist
    keys: [{ column: t, opclass: { name: gist_trgm_ops, parameters: { siglen: 32 } } }]
absent: [idx_jobs_old, s.idx, { name: i.j }]
extensions: [pg_trgm]
analyze: [customers, s.t]
queries:
  - name: jobs-by-status
    sql: select * from jobs where status = $1 order by created_at desc limit 50
    params:
      rare: [on_hold]
      "2": [active, 1, 1.50, true, null, 2024-01-01, [a, "b c", null, "NULL", [1, 2]], 9007199254740993]
    expect:
      uses: [idx_jobs_status_created_at, elsewhere]
      speedup: 3
      time: 1.5s
      buffers: 200
      forbid: [SEQ_SCAN, SPILL]
  - name: plain
    sql: select $1
    params: [x]
  - name: dashboard-stats
    variants:
      four-queries: [select 1, select 2]
      one-cte: with a as (select 1) select * from a
`

test('the profile of the contract, complete', () => {
  const profile = parseProfile(contract, 'p.yaml')
  expect(profile.indexes.map(({ definition }) => definition)).toMatchInlineSnapshot(`
    [
      {
        "include": [],
        "keys": [
          {
            "column": "status",
          },
          {
            "column": "created_at",
            "nulls": "last",
            "order": "desc",
          },
        ],
        "method": "btree",
        "name": "idx_jobs_status_created_at",
        "nullsDistinct": true,
        "storage": {},
        "table": {
          "name": "jobs",
          "schema": "shop",
        },
        "unique": false,
      },
      {
        "include": [],
        "keys": [
          {
            "collation": "C",
            "column": "job_number",
            "opclass": "text_pattern_ops",
          },
        ],
        "method": "btree",
        "name": "idx_jobs_job_number_pattern",
        "nullsDistinct": true,
        "storage": {},
        "table": {
          "name": "jobs",
          "schema": "other_schema",
        },
        "unique": false,
      },
      {
        "include": [
          "name",
        ],
        "keys": [
          {
            "expression": "lower(email)",
          },
        ],
        "method": "btree",
        "name": "idx_customers_email_lower",
        "nullsDistinct": false,
        "predicate": "email is not null",
        "storage": {
          "deduplicate_items": "off",
          "fillfactor": "90",
          "x": "false",
        },
        "table": {
          "name": "T.x",
          "schema": "Odd Schema",
        },
        "tablespace": "fast",
        "unique": true,
      },
      {
        "include": [],
        "keys": [
          {
            "column": "t",
            "opclass": "gist_trgm_ops",
            "opclassParameters": {
              "siglen": "32",
            },
          },
        ],
        "method": "gist",
        "name": "trgm",
        "nullsDistinct": true,
        "storage": {},
        "table": {
          "name": "a.b",
          "schema": "shop",
        },
        "unique": false,
      },
    ]
  `)
  const reasons = profile.indexes.map((index) => ({ for: index.for, why: index.why, line: index.place.line }))
  expect({ ...profile, indexes: reasons }).toMatchInlineSnapshot(`
    {
      "absent": [
        {
          "name": "idx_jobs_old",
          "place": {
            "column": 10,
            "file": "p.yaml",
            "line": 28,
          },
          "schema": "shop",
        },
        {
          "name": "idx",
          "place": {
            "column": 24,
            "file": "p.yaml",
            "line": 28,
          },
          "schema": "s",
        },
        {
          "name": "i.j",
          "place": {
            "column": 31,
            "file": "p.yaml",
            "line": 28,
          },
          "schema": "shop",
        },
      ],
      "analyze": [
        {
          "place": {
            "column": 11,
            "file": "p.yaml",
            "line": 30,
          },
          "table": {
            "name": "customers",
            "schema": "shop",
          },
        },
        {
          "place": {
            "column": 22,
            "file": "p.yaml",
            "line": 30,
          },
          "table": {
            "name": "t",
            "schema": "s",
          },
        },
      ],
      "extensions": [
        {
          "name": "pg_trgm",
          "place": {
            "column": 14,
            "file": "p.yaml",
            "line": 29,
          },
        },
      ],
      "file": "p.yaml",
      "indexes": [
        {
          "for": [
            "jobs-by-status",
          ],
          "line": 6,
          "why": "dashboard list by status, newest first",
        },
        {
          "for": [],
          "line": 12,
          "why": undefined,
        },
        {
          "for": [],
          "line": 15,
          "why": undefined,
        },
        {
          "for": [],
          "line": 24,
          "why": undefined,
        },
      ],
      "name": "job-shop",
      "queries": [
        {
          "expect": {
            "buffers": 200,
            "forbid": [
              "SEQ_SCAN",
              "SPILL",
            ],
            "speedup": 3,
            "timeMs": 1500,
            "uses": [
              "idx_jobs_status_created_at",
              "elsewhere",
            ],
          },
          "name": "jobs-by-status",
          "parameters": [
            {
              "name": "rare",
              "values": [
                "on_hold",
              ],
            },
            {
              "name": "2",
              "values": [
                "active",
                "1",
                "1.5",
                "true",
                null,
                "2024-01-01",
                "{a,"b c",NULL,"NULL",{1,2}}",
                "9007199254740993",
              ],
            },
          ],
          "place": {
            "column": 5,
            "file": "p.yaml",
            "line": 32,
          },
          "sql": "select * from jobs where status = $1 order by created_at desc limit 50",
          "variants": [],
        },
        {
          "expect": {},
          "name": "plain",
          "parameters": [
            {
              "name": "default",
              "values": [
                "x",
              ],
            },
          ],
          "place": {
            "column": 5,
            "file": "p.yaml",
            "line": 43,
          },
          "sql": "select $1",
          "variants": [],
        },
        {
          "expect": {},
          "name": "dashboard-stats",
          "parameters": [],
          "place": {
            "column": 5,
            "file": "p.yaml",
            "line": 46,
          },
          "variants": [
            {
              "name": "four-queries",
              "statements": [
                "select 1",
                "select 2",
              ],
            },
            {
              "name": "one-cte",
              "statements": [
                "with a as (select 1) select * from a",
              ],
            },
          ],
        },
      ],
      "schema": "shop",
    }
  `)
})

test('defaults: version alone is a profile, named after its file', () => {
  expect(parseProfile('version: 1', 'profiles/oms.yaml')).toEqual({
    name: 'oms',
    file: 'profiles/oms.yaml',
    schema: 'public',
    indexes: [],
    absent: [],
    extensions: [],
    analyze: [],
    queries: [],
  })
})

describe('problems', () => {
  test('of every kind, all at once, also in a file that has others', async () => {
    const text = `profile: x
indexs: []
indexes:
  - { name: a, table: t, keys: [{ column: c, expression: d }, { order: up }, { colum: e }], for: [jobs-by-statsu, nothing-like-it] }
  - { name: ${'ü'.repeat(32)}, table: ${'t'.repeat(64)}, keys: [] }
  - { name: a, table: public.u, keys: [c], unique: 1 }
  - { name: a, table: other.u, keys: [c], with: { fillfactor: [1] } }
  - { table: .t, keys: c }
absent: [a, s., { nme: x }]
queries:
  - { name: jobs-by-status, sql: select 1, params: {}, expect: { forbid: [SEQ_SCANS, NOPE], time: 5 parsecs, speedup: 0 } }
  - { name: jobs-by-status }
  - { name: both, sql: select 1, variants: { a: [] } }
`
    expect(await problemsOf(() => parseProfile(text, 'p.yaml'))).toMatchInlineSnapshot(`
      [
        "p.yaml:1:1 BAD_VALUE the key "version" is missing",
        "p.yaml:2:1 UNKNOWN_KEY unknown key "indexs": did you mean "indexes"?",
        "p.yaml:4:33 BAD_VALUE indexes[0].keys[0]: a key is either a column or an expression",
        "p.yaml:4:63 BAD_VALUE indexes[0].keys[1]: a key is either a column or an expression",
        "p.yaml:4:72 BAD_VALUE indexes[0].keys[1].order: expected asc or desc, found "up"",
        "p.yaml:4:80 UNKNOWN_KEY unknown key "colum": did you mean "column"?",
        "p.yaml:4:99 UNKNOWN_REFERENCE unknown query "jobs-by-statsu": did you mean "jobs-by-status"?",
        "p.yaml:4:115 UNKNOWN_REFERENCE unknown query "nothing-like-it"",
        "p.yaml:5:13 NAME_TOO_LONG indexes[1].name: longer than 63 bytes, PostgreSQL would cut it",
        "p.yaml:5:54 NAME_TOO_LONG indexes[1].table: longer than 63 bytes, PostgreSQL would cut it",
        "p.yaml:5:126 BAD_VALUE indexes[1].keys: must not be empty",
        "p.yaml:6:52 BAD_VALUE indexes[2].unique: expected true or false, found 1",
        "p.yaml:7:63 BAD_VALUE indexes[3].with.fillfactor: expected text, a number or true or false, found a list",
        "p.yaml:8:5 BAD_VALUE indexes[4]: the key "name" is missing",
        "p.yaml:8:14 BAD_VALUE indexes[4].table: expected name or schema.name",
        "p.yaml:8:24 BAD_VALUE indexes[4].keys: expected a list, found "c"",
        "p.yaml:9:13 BAD_VALUE absent[1]: expected name or schema.name",
        "p.yaml:9:19 UNKNOWN_KEY unknown key "nme": did you mean "name"?",
        "p.yaml:11:52 BAD_VALUE queries[0].params: must not be empty",
        "p.yaml:11:75 BAD_VALUE queries[0].expect.forbid[0]: not known: "SEQ_SCANS": did you mean "SEQ_SCAN"?",
        "p.yaml:11:86 BAD_VALUE queries[0].expect.forbid[1]: not known: "NOPE"",
        "p.yaml:11:99 BAD_VALUE queries[0].expect.time: expected a duration such as 500ms, 30s, 10min or 1h",
        "p.yaml:11:119 BAD_VALUE queries[0].expect.speedup: must be more than 0, found 0",
        "p.yaml:12:5 BAD_VALUE queries[1]: a query has either sql or variants",
        "p.yaml:12:5 DUPLICATE_NAME query "jobs-by-status" is declared twice, first at p.yaml:11:5",
        "p.yaml:13:5 BAD_VALUE queries[2]: a query has either sql or variants",
        "p.yaml:13:49 BAD_VALUE queries[2].variants.a: must not be empty",
        "p.yaml:6:5 DUPLICATE_NAME index "a" of schema "public" is declared twice, first at p.yaml:4:5",
        "p.yaml:9:10 DUPLICATE_NAME index "a" of schema "public" is both declared and absent, first at p.yaml:4:5",
      ]
    `)
  })

  test('over all files: a name twice in one schema, declared and absent, and whatever else is wrong', async () => {
    await write({
      'a.yaml': 'version: 1\nindexes:\n  - { name: i, table: t, keys: [a] }\n  - { name: j, table: t, keys: [a] }\n',
      'b.yaml':
        'version: 1\nschema: other\nindexes:\n  - { name: i, table: t, keys: [a] }\n  - { name: k, table: public.t, keys: [a] }\nabsent: [public.j]\n',
      'c.sql': 'create index i on t (a);\ncreate index k on public.t (a);\ndrop table t;',
      'd.yaml': 'version: 1\nprofile: ${NAME}\n',
    })
    expect(await problemsOf(() => read(['.', 'none.yaml', 'x/*.yaml']))).toEqual([
      'FILE_NOT_FOUND no such file: none.yaml',
      'FILE_NOT_FOUND no file matches x/*.yaml',
      'c.sql:3:1 BAD_SQL DROP TABLE is no part of a profile',
      'd.yaml:2:10 MISSING_ENVIRONMENT the environment variable NAME is not set',
      'b.yaml:6:10 DUPLICATE_NAME index "public.j" of schema "public" is both declared and absent, first at a.yaml:4:5',
      'c.sql:1:1 DUPLICATE_NAME index "i" of schema "public" is declared twice, first at a.yaml:3:5',
      'c.sql:2:1 DUPLICATE_NAME index "k" of schema "public" is declared twice, first at b.yaml:5:5',
    ])
  })

  test('values of the environment stay out of them', async () => {
    const environment = { SECRET: 'hunter2', LONG: `hunter2${'x'.repeat(60)}` }
    const text = `version: 1
indexes:
  - { name: "\${SECRET}", table: "\${LONG}", keys: ["\${SECRET}"], for: ["\${SECRET}"], method: "\${LONG}" }
  - { name: "\${SECRET}", table: t, keys: ["\${SECRET}"] }
queries: [{ name: q, sql: x, expect: { time: "\${SECRET}", forbid: ["\${SECRET}"] } }]
`
    const problems = await problemsOf(() => parseProfile(text, 'p.yaml', environment))
    expect(problems).toHaveLength(6)
    expect(problems.join('\n')).not.toContain('hunter2')
  })
})

describe('files', () => {
  const profile = 'version: 1\n'
  test('a folder: its YAML and SQL, no deeper, without pool configs, schemas and the config of perfdb', async () => {
    await write({
      'p/b.yaml': profile,
      'p/a.yml': profile,
      'p/c.sql': 'analyze t',
      'p/x.pools.yaml': 'version: 1\nbroken: [',
      'p/y.yaml': 'version: 1\nkind: pools\nbroken: [',
      'p/perfdb.yaml': 'x: 1',
      'p/profile.schema.json': '{}',
      'p/notes.txt': '',
      'p/deep/d.yaml': profile,
    })
    expect(await names(['p'])).toEqual(['p/a.yml', 'p/b.yaml', 'p/c.sql'])
    expect(await names(['p/b.yaml', 'p', './p/../p/b.yaml'])).toEqual(['p/b.yaml', 'p/a.yml', 'p/c.sql'])
    expect(await problemsOf(() => read(['p/y.yaml']))).toEqual([
      'p/y.yaml:1:1 BAD_VALUE this is a pool config, not a profile',
    ])
  })

  test('globs', async () => {
    await write({
      'p/a.yaml': profile,
      'p/ab.yaml': profile,
      'p/q/r/a.yaml': profile,
      'p/node_modules/a.yaml': profile,
      'p.yaml': profile,
    })
    expect(await names(['p/*.yaml'])).toEqual(['p/a.yaml', 'p/ab.yaml'])
    expect(await names(['p/?.yaml'])).toEqual(['p/a.yaml'])
    expect(await names(['**/a.yaml'])).toEqual(['p/a.yaml', 'p/q/r/a.yaml'])
    expect(await names(['./p/**'])).toEqual(['p/a.yaml', 'p/ab.yaml', 'p/q/r/a.yaml'])
    expect(await names([`${folder}/*/q/*/a.yaml`])).toEqual([`${folder}/p/q/r/a.yaml`])
  })

  test('a file whose name holds a star is that file', async () => {
    await write({ '*.yaml': profile, 'a.yaml': profile })
    expect(await names(['*.yaml'])).toEqual(['*.yaml'])
  })

  test('nothing named, nothing there, no text', async () => {
    await write({
      'empty/notes.txt': '',
      'pools/x.yaml': 'kind: pools',
      'latin1.yaml': Buffer.from('profile: \xfc', 'latin1'),
    })
    expect(await problemsOf(() => read([]))).toEqual(['NO_PROFILE no profile is named'])
    expect(await problemsOf(() => read(['empty']))).toEqual([
      'FILE_NOT_FOUND no .yaml, .yml, .sql file in the folder empty',
    ])
    expect(await problemsOf(() => read(['pools']))).toEqual(['FILE_NOT_FOUND no profile in pools, only pool configs'])
    expect(await problemsOf(() => read(['latin1.yaml']))).toEqual([
      'latin1.yaml:1:1 BAD_YAML the file is not UTF-8 text',
    ])
  })
})
