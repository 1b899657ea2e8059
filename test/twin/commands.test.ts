import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runPlanCommand } from '../../src/commands/apply/plan.js'
import { twinOfServer } from '../../src/commands/shared/twins.js'
import type { HazardCode } from '../../src/codes/hazard-codes.js'
import { limitsOf } from '../../src/measure/sample/limits.js'
import { explainOnce } from '../../src/measure/sample/sample.js'
import { planResult, explainResult } from '../../src/result/documents/result.js'
import { statisticsResult } from '../../src/result/documents/statistics-result.js'
import { parseStatistics } from '../../src/twin/statistics.js'
import { readStatistics } from '../../src/twin/read/read-statistics.js'
import { openSession } from '../measure/open-session.js'
import { perfdbHere } from '../cli/perfdb.js'
import { connectTo } from '../support/connect.js'
import { testDatabase, type TestDatabase } from '../support/database.js'
import { profileOf } from '../support/profile.js'

const limits = limitsOf({ allowWrites: true })
const schema = `
  create table people (id bigint primary key, email text not null, born date not null, state text not null, doc jsonb not null);
  create index people_email on people (lower(email));
  create index people_born on people (born);`
let source: TestDatabase
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'perfdb-test-'))
  source = await testDatabase(`${schema}
    insert into people select n, 'secret' || n % 9000 || '@example.com', date '1950-01-01' + n % 20000, case n % 40 when 0 then 'rare' else 'usual' end,
      jsonb_build_object('k', n % 500) from generate_series(1, 40000) n;
    analyze;`)
  await writeFile(join(folder, 'schema.sql'), schema)
  await writeFile(
    join(folder, 'q.yaml'),
    `version: 1
profile: people
queries:
  - { name: by-state, sql: "select * from people where state = $1", params: [rare], expect: { forbid: [SEQ_SCAN], cost: 100, time: 5ms } }
  - { name: by-key, sql: "select * from people where id = $1", expect: { uses: [people_pkey], cost: 20 } }
`,
  )
})

afterAll(async () => {
  await source[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

async function run(...parameters: readonly string[]) {
  const { code, stdout, stderr } = await perfdbHere([...parameters, '--format', 'json'], {
    cwd: folder,
    environment: { PERFDB_URL: source.url },
  })
  const document: unknown = JSON.parse(stdout)
  return { code, document, stderr }
}

test('a statistics file and a schema say in CI, without a server, that a query would read all of a table', async () => {
  const taken = await run('statistics', '--out', 'people.json')
  expect(taken.code).toBe(0)
  expect(statisticsResult.parse(taken.document)).toMatchObject({ values: 'kept', counts: { tables: 1, indexes: 3 } })
  expect((await stat(join(folder, 'people.json'))).mode & 0o077).toBe(0)
  expect((await run('statistics', '--out', 'people.json')).document).toMatchObject({ error: { code: 'FILE_EXISTS' } })

  const told = await run(
    'explain',
    'q.yaml',
    '--url',
    'embedded',
    '--load',
    'schema.sql',
    '--statistics',
    'people.json',
  )
  expect(told.code).toBe(1)
  const { queries, twin } = explainResult.parse(told.document)
  expect(twin).toMatchObject({ equal: null })
  expect(queries).toMatchObject([
    {
      name: 'by-state',
      status: 'planned',
      planned: { indexes: [] },
      expectations: [
        { expect: expect.stringContaining('time'), met: true, not_checked: true },
        { expect: expect.stringContaining('cost'), met: false },
        { expect: 'no SEQ_SCAN', met: false },
      ],
    },
    { name: 'by-key', status: 'planned', expectations: [{ met: true }, { met: true }] },
  ])

  const newer = (await readFile(join(folder, 'people.json'), 'utf8')).replace(
    '"perfdb_statistics": 1',
    '"perfdb_statistics": 2',
  )
  await writeFile(join(folder, 'newer.json'), newer)
  const refused = await run(
    'explain',
    'q.yaml',
    '--url',
    'embedded',
    '--load',
    'schema.sql',
    '--statistics',
    'newer.json',
  )
  expect(refused).toMatchObject({ code: 2, document: { error: { code: 'BAD_VALUE' } } })
})

test('advise --baseline: the queries of a folder against a statistics file, without a server, at their lines', async () => {
  await run('statistics', '--out', 'main.json')
  await mkdir(join(folder, 'queries'))
  await writeFile(
    join(folder, 'queries', 'new.sql'),
    'select * from people where id = 7;\n\n-- name: by_mail\nselect *\nfrom people where email = $1;\nselec 1;\n',
  )
  const alone = ['advise', 'queries', '--load', 'schema.sql', '--baseline', 'main.json', '--url']
  const { code, stdout } = await perfdbHere([...alone, 'embedded', '--format', 'github', '--exit-code'], {
    cwd: folder,
  })
  expect(code).toBe(1)
  expect(stdout).toMatch(
    /^::warning file=queries\/new\.sql,line=4,col=1,title=perfdb MISSING_INDEX::an index on public\.people would help by_mail: btree \(email\)/,
  )
  expect(stdout).not.toContain('line=1,')
  const refused = await perfdbHere([...alone, source.url, '--format', 'json'], { cwd: folder })
  expect(JSON.parse(refused.stdout)).toMatchObject({ exit_code: 2, error: { code: 'BAD_OPTION' } })
})

test('what is hidden is nowhere in the file', async () => {
  await using session = await connectTo(source.url, 'look')
  const text = async (hide: readonly string[], noValues = false) =>
    JSON.stringify((await readStatistics(session, { hide, noValues })).statistics)
  expect(await text([])).toMatch(/secret\d.*usual/)
  const hidden = await text(['people.email'])
  expect(hidden).not.toContain('secret')
  expect(hidden).toContain('usual')
  const none = await text([], true)
  expect(none).not.toMatch(/secret|usual|19\d\d-/)
  // Every value of every column that no schema says, but for small numbers, which are also counts.
  const rows = await source.sql<{ value: string }[]>`
    select distinct v as value from people, unnest(array[id::text, email, lower(email), born::text, state, doc::text]) v where length(v) > 3`
  const written = new Set(none.match(/[\w.@-]+/g))
  const ids = parseStatistics(none, 'x').relations.flatMap(({ columns }) => columns.filter(({ name }) => name === 'id'))
  expect(rows.length).toBeGreaterThan(60_000)
  expect(rows.filter(({ value }) => written.has(value) && !/^\d+$/.test(value))).toEqual([])
  // Of the keys, 400 apart in the table, the bounds are by rank.
  const bounds = JSON.stringify(ids.map(({ histogram_bounds: found }) => found))
  const stats = await source.sql<
    { bounds: string }[]
  >`select histogram_bounds::text as bounds from pg_stats where tablename = 'people' and attname = 'id'`
  expect(bounds).not.toContain(stats[0]?.bounds.split(',')[50])
  expect(parseStatistics(none, 'x').relations.flatMap(({ columns }) => columns)).toHaveLength(6)
  await expect(text(['people.mail'])).rejects.toMatchObject({ code: 'BAD_OPTION' })
})

test('what a role is not shown is counted, with the grant', async () => {
  const role = `r_${source.name}`
  await source.sql.unsafe(`create role ${role} login password 'p'; grant select (id) on people to ${role}`)
  const url = new URL(source.url)
  url.username = role
  url.password = 'p'
  {
    await using session = await connectTo(url.href, 'look')
    const { statistics } = await readStatistics(session, { hide: [], noValues: false })
    expect(statistics.unseen).toMatchObject({ tables: [], indexes: ['public.people_email'] })
  }
  await source.sql.unsafe(`revoke select (id) on people from ${role}`)
  {
    await using session = await connectTo(url.href, 'look')
    const { statistics } = await readStatistics(session, { hide: [], noValues: false })
    expect(statistics.unseen).toMatchObject({ tables: ['public.people'] })
  }
  await source.sql.unsafe(`drop role ${role}`)
})

test('what if, by the twin: gin too, and a query whose query plan it reproduces', async () => {
  const profiles = await profileOf(
    [
      '{ name: people_doc, table: people, method: gin, keys: [{ column: doc, opclass: jsonb_path_ops }] }',
      `{ name: people_old, table: people, keys: [email], where: "born < '1960-01-01'" }`,
      '{ name: people_state, table: people, keys: [state], include: [born] }',
    ],
    `queries:
  - { name: by-doc, sql: "select * from people where doc @> $1", params: ['{"k": 7}'] }
  - { name: by-state, sql: "select born from people where state = $1", params: [rare] }
`,
  )
  await using session = await connectTo(source.url, 'ddl')
  const result = await runPlanCommand(session, profiles, {
    allow: new Set<HazardCode>(),
    prune: false,
    maxWaitMs: 600_000,
    maxSizeBytes: 50 * 1024 ** 3,
    exitCode: false,
    whatIf: {
      connect: async () => openSession(source.url),
      twin: async () => {
        await using look = await connectTo(source.url, 'look')
        return await twinOfServer(look, limits, { from: [], scale: 1 })
      },
    },
  })
  expect(planResult.parse(JSON.parse(JSON.stringify(result)))).toEqual(result)
  const { what_if: found } = result
  expect(found).toMatchObject({ available: true, engine: 'twin', twin: { equal: 2, of: 2 }, not_planned: [] })
  expect(found?.indexes.toSorted((one, other) => one.name.localeCompare(other.name))).toMatchObject([
    { name: 'people_doc', status: 'would_be_used', queries: ['by-doc'] },
    { name: 'people_old', status: 'would_not_be_used' },
    { name: 'people_state', status: 'would_be_used', queries: ['by-state'] },
  ])
  // Built in truth, each of these takes about as much, and the planner takes the same.
  await source.sql.unsafe(
    `create index people_old on people (email) where born < '1960-01-01'; create index people_state on people (state) include (born)`,
  )
  for (const name of ['people_old', 'people_state']) {
    const [row] = await source.sql<{ bytes: string }[]>`select pg_relation_size(${name}) as bytes`
    const guessed = found?.indexes.find((one) => one.name === name)?.size_bytes ?? 0
    expect(Math.abs(guessed / Number(row?.bytes) - 1)).toBeLessThan(0.15)
  }
  const plan = await source.sql`explain select born from people where state = 'rare'`
  expect(JSON.stringify(plan)).toContain('people_state')
  await source.sql.unsafe('drop index people_old, people_state')
})

test("an index function of the source runs on the twin, and never with a superuser's rights", async () => {
  await chmod(folder, 0o777)
  await using evil = await testDatabase(`
    create function spring() returns void language plpgsql as $$ begin
      if (select rolsuper from pg_catalog.pg_roles where rolname = current_user) then
        execute format('copy (select 1) to program %L', 'cat > ${folder}/' || current_database());
      end if;
    end $$;
    create function evil(t text) returns text immutable language plpgsql as $$ begin perform public.spring(); return t; end $$;
    create table t (id int primary key, v text);
    create index t_evil on t ((v || evil('x')));
    insert into t select n, 'v' || n from generate_series(1, 5000) n; analyze t;`)
  // The trap works: the superuser of the source built an index over it.
  expect(existsSync(join(folder, evil.name))).toBe(true)
  await using session = await connectTo(evil.url, 'look')
  const made = await twinOfServer(session, limits, { from: [], scale: 1 })
  await using twin = made.twin
  expect(twin.gaps).toEqual([])
  const plan = await twin.plan({ text: `select * from t where v || evil('x') = 'v7x'`, values: [], writes: false })
  expect(plan.indexes).toEqual(['t_evil'])
  expect(existsSync(join(folder, 'twin'))).toBe(false)
})

test('without values the order is kept: a named constant means what it meant, and another one is planned as any value', async () => {
  await writeFile(
    join(folder, 'known.sql'),
    `-- name: rare\nselect * from people where state = 'rare';\n-- name: young\nselect * from people where born > date '2004-06-01' + 20;\n-- name: usual\nselect * from people where state = 'usual' and id < 1000;\n`,
  )
  await writeFile(
    join(folder, 'new.sql'),
    `-- name: strange\nselect * from people where state = 'other';\n-- name: cast\nselect * from people where born = date '1990-02-03';\n`,
  )
  const taken = await run('statistics', 'known.sql', '--no-values', '--out', 'none.json')
  expect(statisticsResult.parse(taken.document)).toMatchObject({
    values: 'left out',
    findings: [{ code: 'NO_STATEMENTS' }],
  })
  const told = await run(
    'explain',
    'known.sql',
    'new.sql',
    '--url',
    'embedded',
    '--load',
    'schema.sql',
    '--statistics',
    'none.json',
  )
  const { queries } = explainResult.parse(told.document)
  await using session = await openSession(source.url)
  for (const [at, text] of [
    `select * from people where state = 'rare'`,
    `select * from people where born > date '2004-06-01' + 20`,
    `select * from people where state = 'usual' and id < 1000`,
  ].entries()) {
    const there = await explainOnce(session, { text, values: [], writes: false }, 'plain', limits)
    expect(queries[at]?.planned?.plan_signature).toBe(there.signature)
    // Where in a hundredth of the rows, nobody knows.
    const rows = there.nodes[0]?.estimatedRows ?? 0
    expect(Math.abs((queries[at]?.planned?.rows ?? 0) - rows)).toBeLessThan(Math.max(400, rows / 50))
    expect(queries[at]?.findings.filter(({ code }) => code === 'TWIN_PARTIAL')).toEqual([])
  }
  const partial = queries.slice(3).map(({ findings }) => findings.filter(({ code }) => code === 'TWIN_PARTIAL'))
  expect(partial).toMatchObject([
    [{ message: expect.stringContaining(`does not know 'other': planned as any value`) }],
    [{ message: expect.stringContaining(`does not know '1990-02-03': compared with what stands for`) }],
  ])
  // One of two states, for all that is known.
  expect(queries[3]?.planned?.rows).toBe(20_000)
  expect((await run('statistics', 'known.sql', '--out', 'x.json')).document).toMatchObject({
    error: { code: 'BAD_OPTION' },
  })
})
