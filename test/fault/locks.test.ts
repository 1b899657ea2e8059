import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { apply, plan, rollback, status, verify } from '../support/apply.js'
import { testDatabase, type TestDatabase } from '../support/database.js'
import { notReady, openTransaction } from '../support/leftover.js'
import { profileOf } from '../support/profile.js'

/** Writes down which locks on the user's relations a statement of perfdb holds at its end: an event trigger sees each of them, a poll would not. */
const sampler = `create schema seen; create table seen.locks (statement text, mode text, relkind "char", relation text);
  create function seen.note() returns event_trigger language plpgsql security definer as $$ begin
    if current_setting('application_name') !~ '^perfdb' then return; end if;
    insert into seen.locks select regexp_replace(current_query(), '\\s+', ' ', 'g'), l.mode, c.relkind, c.relname
      from pg_locks l join pg_class c on c.oid = l.relation
      where l.locktype = 'relation' and l.granted and c.relnamespace = 'public'::regnamespace
        and l.database = (select oid from pg_database where datname = current_database())
        and (l.pid = pg_backend_pid()); end $$;
  create event trigger note on ddl_command_end execute function seen.note();
  create event trigger note_drop on sql_drop execute function seen.note();`

const schema = `create extension pg_trgm;
  create table t (id int primary key, a int not null, b text, c int); insert into t select n, n, 'b' || n, n % 10 from generate_series(1, 500) n;
  create unique index ident on t (a); alter table t replica identity using index ident;
  create index old on t (b, lower(b)); comment on index old is 'c'; alter index old alter column 2 set statistics 100;
  alter table t cluster on old; alter index old depends on extension pg_trgm;
  create index renamed on t (c, a); create index dropped on t (c, b); create index broken on t (c, id);
  create table p (k int, v int) partition by range (k); create table p1 partition of p for values from (0) to (9);
  create table p2 partition of p for values from (9) to (99); insert into p select n, n from generate_series(0, 8) n;
  create index p_other on p (k); create index p_gone on p (v, k);`

const profile = [
  '{ name: ident, table: t, keys: [a], include: [c], unique: true }',
  '{ name: old, table: t, keys: [b, { expression: lower(b) }], with: { fillfactor: 80 } }',
  '{ name: new_name, table: t, keys: [c, a] }',
  '{ name: made, table: t, keys: [{ expression: abs(c) }], comment: x, statistics: { 1: 10 } }',
  '{ name: broken, table: t, keys: [c, id] }',
  '{ name: p_v, table: p, keys: [v] }',
  '{ name: p_other, table: p, keys: [k, v], comment: x }',
]
const allow = ['REPLACE', 'RENAME', 'DROP', 'REPLICA_IDENTITY', 'REDUNDANT', 'HOT_LOSS'] as const

test('the table of locks in the README is what an event trigger sees over plan, apply, verify, status and rollback', async () => {
  await using db = await testDatabase(schema)
  await db.sql`drop index broken`
  await notReady(db.sql, 'create index concurrently broken on t (c, id)', "insert into t values (0, 0, '', 0)")
  await db.sql.unsafe(sampler)
  const profiles = await profileOf(profile, 'absent: [dropped, p_gone]\n')
  await plan(db.url, profiles)
  await verify(db.url, profiles)
  expect(await seen(db)).toEqual([])
  expect((await apply(db.url, profiles, { allow, ledger: true })).result).toMatchObject({ exit_code: 0 })
  expect((await verify(db.url, profiles)).steps.every(({ step }) => step === 'keep')).toBe(true)
  await status(db.url)
  await rollback(db.url, null, { allow: new Set(['DROP']) }).catch(() => undefined)
  const readme = await readFile(join(import.meta.dirname, '../../README.md'), 'utf8')
  const table = /\| it runs \|[\s\S]*?\n\n/.exec(readme)?.[0] ?? ''
  const rows = table.split('\n').slice(2)
  const missing = (await seen(db)).filter((line) => {
    const [statement = '', lock = ''] = line.split(': ')
    return !rows.some((row) => row.includes(`\`${statement}\``) && row.includes(lock))
  })
  expect(missing).toEqual([])
}, 120_000)

const kinds: readonly (readonly [RegExp, string])[] = [
  [/^(\/\*.*?\*\/ )?create (unique )?index concurrently/i, 'CREATE INDEX CONCURRENTLY'],
  [/^(\/\*.*?\*\/ )?create (unique )?index .* on only/i, 'CREATE INDEX ... ON ONLY'],
  [/^(\/\*.*?\*\/ )?create (unique )?index/i, 'CREATE INDEX'],
  [/drop index concurrently/i, 'DROP INDEX CONCURRENTLY'],
  [/^(\/\*.*?\*\/ )?drop index/i, 'DROP INDEX'],
  [/attach partition/i, 'ALTER INDEX ... ATTACH PARTITION'],
  [/rename to/i, 'ALTER INDEX ... RENAME'],
  [/set statistics/i, 'ALTER INDEX ... SET STATISTICS'],
  [/depends on extension/i, 'ALTER INDEX ... DEPENDS ON EXTENSION'],
  [/comment on index/i, 'COMMENT ON INDEX'],
  [/replica identity/i, 'ALTER TABLE ... REPLICA IDENTITY'],
  [/cluster on/i, 'ALTER TABLE ... CLUSTER ON'],
]

/** `statement: MODE on the table` of everything above ACCESS SHARE, taken by itself: locks of earlier statements of a transaction are its own lines. */
async function seen(db: TestDatabase): Promise<readonly string[]> {
  const rows = await db.sql<{ statement: string; mode: string; relkind: string }[]>`
    select distinct statement, mode, relkind::text from seen.locks
    where mode not in ('AccessShareLock') and statement !~* 'perfdb"?\\.'`
  const lines = rows.map(({ statement, mode, relkind }) => {
    const kind = kinds.find(([pattern]) => pattern.test(statement))?.[1] ?? statement
    const words = mode
      .replace(/Lock$/, '')
      .replaceAll(/(?!^)([A-Z])/g, ' $1')
      .toUpperCase()
    return `${kind}: ${words} on the ${/[iI]/.test(relkind) ? 'index' : 'table'}`
  })
  return [...new Set(lines)].sort()
}

test('beside a transaction that only read the table, a replica identity waits and no writer runs into a lock_timeout of 400 ms', async () => {
  await using db = await testDatabase(schema)
  await using reader = await openTransaction(db.sql, 'begin', 'select count(*) from t')
  const profiles = await profileOf(['{ name: ident, table: t, keys: [a], unique: true, with: { fillfactor: 70 } }'])
  const hazard = await plan(db.url, profiles)
  expect(hazard.steps[0]?.hazards.map(({ code }) => code)).toContain('REPLICA_IDENTITY')
  const stop = new AbortController()
  const stalls = writes(db, stop.signal)
  const { result } = await apply(db.url, profiles, { allow: ['REPLACE', 'REPLICA_IDENTITY'], maxWaitMs: 4000 })
  expect(result).toMatchObject({ exit_code: 3, steps: [{ error: { code: 'BLOCKED' } }] })
  stop.abort()
  const { failed, longest } = await stalls
  expect(failed, `longest ${longest} ms`).toBe(0)
  await reader.end()
  expect((await apply(db.url, profiles, { allow: ['REPLACE', 'REPLICA_IDENTITY'] })).result.exit_code).toBe(0)
  expect(await db.sql`select from pg_index where indexrelid = 'ident'::regclass and indisreplident`).toHaveLength(1)
}, 120_000)

/** A writer with lock_timeout 400 ms, again and again until it is stopped: how often it failed, and its longest time in a lock queue in ms. */
async function writes(db: TestDatabase, signal: AbortSignal): Promise<{ failed: number; longest: number }> {
  const connection = await db.sql.reserve()
  let failed = 0
  let longest = 0
  try {
    await connection`set lock_timeout = '400ms'`
    while (!signal.aborted) {
      const started = performance.now()
      await connection`update t set c = c + 1 where id = 1`.catch(() => (failed += 1))
      longest = Math.max(longest, performance.now() - started)
    }
  } finally {
    connection.release()
  }
  return { failed, longest }
}
