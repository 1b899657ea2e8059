import { expect, test } from 'vitest'
import { measureQueries } from '../../src/measure/query/rounds.js'
import type { Session } from '../../src/server/session/session.js'
import { testDatabase } from '../support/database.js'
import { aQuery } from './a-query.js'
import { openSession } from './open-session.js'

const few = { samples: 3, allowWrites: false }

const script = `
  create table w (id bigint primary key, vc varchar(40), name text collate "und-x-icu", n int, rare int, at timestamptz, doc jsonb, arr int[],
    gone boolean, pad text);
  insert into w select i, 'V' || i, 'name ' || i, i % 100, i % 5000, '2024-01-01'::timestamptz + i * interval '1 minute',
    jsonb_build_object('k', i), array[i], i % 50 = 0, repeat('x', 200) || i from generate_series(1, 20000) i;
  create index w_vc on w (vc); create index w_name on w (name); create index w_n on w (n); create index w_at on w (at);
  create index w_doc on w using gin (doc); create index w_arr on w using gin (arr);
  create index w_gone on w (rare) where gone; create index w_two on w (pad, rare);
  set max_parallel_workers_per_gather = 0;
  analyze w;
`

async function hints(sqls: readonly string[], more = ''): Promise<readonly (string | undefined)[]> {
  await using database = await testDatabase(script + more)
  await database.sql.unsafe(`alter database ${database.name} set max_parallel_workers_per_gather = 0`)
  await using session = await openSession(database.url)
  const measured = await measureQueries(
    session,
    sqls.map((sql) => aQuery(sql)),
    few,
  )
  return measured.map(({ measurements }) => measurements[0]?.findings.find(({ code }) => code === 'SEQ_SCAN')?.hint)
}

test('an index stands there and is kept from serving', async () => {
  const cases: readonly (readonly [string, string])[] = [
    [
      `lower(vc) = 'v5'`,
      'w_vc is on vc, and the query asks for lower(vc): compare vc itself where that can be; create index on public.w (lower(vc)) (tried',
    ],
    [
      `id::text = '5'`,
      'w_pkey is on id, and the query compares it cast to text: give the value the type of the column, bigint',
    ],
    [
      'id = 5.0',
      'w_pkey is on id, and the query compares it cast to numeric: give the value the type of the column, bigint',
    ],
    [
      `at::date = '2024-01-02'`,
      `write at >= ('2024-01-02')::date and at < ('2024-01-02')::date + 1 instead (the same rows by digest`,
    ],
    [
      'id + 0 = 5',
      'w_pkey is on id, and the query computes id + ...: compare id itself, with the computation on the other side',
    ],
    [`coalesce(name, '') = 'name 5'`, `w_name is on name, and the query asks for coalesce(name, '')`],
    [
      `name like '%ame 5'`,
      'the pattern on name begins with a wildcard, which no btree index serves: trigrams alone do',
    ],
    [
      `name like 'name 77%'`,
      'w_name orders name by a collation that is not C, which does not serve LIKE; create index on public.w (name text_pattern_ops) (tried',
    ],
    [`name ilike 'name 77'`, 'ILIKE on name is served by no btree index'],
    [
      `name collate "C" = 'name 5'`,
      'w_name orders by the collation of name, and the query compares by another one: declare that one for the index',
    ],
    [
      `doc ->> 'k' = '5'`,
      "w_doc does not serve ->> on doc: ask with @>, or index that expression; create index on public.w ((doc ->> 'k')) (tried",
    ],
    ['5 = any (arr)', '= ANY (arr) is served by no index: write arr @> array[value]'],
    [
      `name like 'name 77%' or pad = 'y' or doc is null`,
      'the condition has an OR, and w_name orders name by a collation that is not C, which does not serve LIKE; w_doc is a gin index (jsonb_ops), which does not serve IS NULL: each arm needs one',
    ],
    [`vc = 'V5' or pad = 'y' or gone is null`, 'the condition has an OR, and no index of public.w begins with gone'],
  ]
  const found = await hints(
    cases.map(([where]) => `select * from w where ${where}`),
    'set enable_indexonlyscan = off;',
  )
  for (const [at, [where, hint]] of cases.entries()) expect.soft(found[at] ?? '', where).toContain(hint)
})

test('a partial index whose predicate the query does not imply, and one that is not valid', async () => {
  const [partial] = await hints(['select * from w where rare = 7'], 'drop index w_two;')
  expect(partial).toContain(
    'w_gone holds only rows with gone, which the query does not ask for in these words: where it means those rows alone, say so in it;',
  )
  const [invalid] = await hints(
    [`select * from w where vc = 'V5'`],
    `update pg_index set indisvalid = false where indexrelid = 'w_vc'::regclass;`,
  )
  expect(invalid).toBe('w_vc is not valid, and no query plan uses it: perfdb apply builds it again')
})

test('an index whose first key is not compared', async () => {
  expect(await hints(['select * from w where rare = 7'], 'drop index w_gone;')).toEqual([
    'w_two has rare behind pad, which the query does not compare; create index on public.w (rare) (tried on an empty copy: the planner takes it)',
  ])
})

test('a cast that changes nothing keeps no index from serving', async () => {
  expect(await hints([`select * from w where vc = 'V5'`, `select * from w where vc = 'V5' and n > 3`])).toEqual([
    undefined,
    undefined,
  ])
})

test('no index at all', async () => {
  const [hint] = await hints([`select * from w where rare = 7 and gone is null`], 'drop index w_two, w_gone;')
  expect(hint).toBe(
    'no index of public.w begins with rare; create index on public.w (rare, gone) (tried on an empty copy: the planner takes it)',
  )
})

test('the planner could use an index, and costs or statistics speak against it', async () => {
  const [costs] = await hints(
    ['select * from w where n between 1 and 8'],
    "do $$ begin execute format('alter database %I set random_page_cost = 1000', current_database()); end $$;",
  )
  expect(costs).toMatch(/^the planner could use w_n/)
  expect(costs).toMatch(/[\d.]+ ms with it, [\d.]+ ms without/)
  const [stale] = await hints(
    ['select * from w where n = 1000'],
    `alter table w set (autovacuum_enabled = off); update w set n = 1000; analyze w; update w set n = id % 1000 + 1 where id > 5;`,
  )
  expect(stale).toMatch(/it expected [\d,]+ rows and got \d+; analyze public\.w/)
})

test('the catalog is asked once for a table, however many queries of a block read it; the next block asks again', async () => {
  await using database = await testDatabase(script)
  await using session = await openSession(database.url)
  const asked: string[] = []
  const watched: Session = new Proxy(session, {
    get: (target, name) =>
      name === 'query'
        ? async (...[text, values]: Parameters<Session['query']>) => {
            if (/pg_opclass|reltuples/.test(text)) asked.push(text)
            return target.query(text, values)
          }
        : Reflect.get(target, name),
  })
  const measured = await measureQueries(
    watched,
    [3, 4, 5].map((value) => aQuery(`select * from w where rare = ${value}`)),
    few,
  )
  expect(measured.map(({ measurements }) => measurements[0]?.findings.length)).toEqual([1, 1, 1])
  // Sizes, indexes, opclasses of the operators.
  expect(asked.length).toBe(new Set(asked).size)
  expect(asked.length).toBe(4)
  await measureQueries(watched, [aQuery('select * from w where rare = 6')], few)
  expect(asked.length).toBe(8)
})
