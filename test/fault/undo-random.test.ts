import { afterAll, beforeAll, expect, test } from 'vitest'
import postgres from 'postgres'
import { inject } from 'vitest'
import { randomBytes } from 'node:crypto'
import { PerfdbError } from '../../src/errors.js'
import type { ApplyResult } from '../../src/result/documents/result.js'
import type { Role } from '../../src/server/session/pin.js'
import type { Session } from '../../src/server/session/session.js'
import { apply, rollback } from '../support/apply.js'
import { testDatabase, type TestDatabase } from '../support/database.js'
import { intercepted } from '../support/intercept.js'
import { profileOf } from '../support/profile.js'

/*
 * Random histories: apply, perhaps killed; somebody changes something, perhaps; rollback, perhaps killed; rollback once more. Afterwards each
 * index that the run touched is byte for byte what it was before, with all that belongs to it, or the result names it and the exit code is not
 * 0. PERFDB_UNDO_RUNS says how many (200 for a release), PERFDB_UNDO_SEED where they begin.
 */

const runs = Number(process.env['PERFDB_UNDO_RUNS'] ?? 3)
const firstSeed = Number(process.env['PERFDB_UNDO_SEED'] ?? 910_000)
const space = `undo_${randomBytes(4).toString('hex')}`
const tally = { equal: 0, named: 0, killedApply: 0, killedRollback: 0, changed: 0, rollbacks: 0 }

async function asAdmin(...statements: readonly string[]): Promise<void> {
  const sql = postgres(process.env['PERFDB_TEST_URL'] ?? inject('serverUrl'), { max: 1, onnotice: () => undefined })
  try {
    for (const statement of statements) await sql.unsafe(statement)
  } finally {
    await sql.end({ timeout: 2 })
  }
}

beforeAll(async () => asAdmin('set allow_in_place_tablespaces = on', `create tablespace ${space} location ''`))
afterAll(async () => {
  await asAdmin(`drop tablespace ${space}`)
  if (process.env['PERFDB_UNDO_RUNS'] !== undefined) process.stderr.write(`${runs} runs: ${JSON.stringify(tally)}\n`)
})

test(
  `${runs} random histories of apply, change, kill and rollback end as they began, or say in what not`,
  { timeout: 60_000 + runs * 60_000 },
  async () => {
    const seeds = Array.from({ length: runs }, (_, at) => firstSeed + at)
    const worker = async () => {
      for (let seed = seeds.shift(); seed !== undefined; seed = seeds.shift()) {
        const random = randomFrom(seed)
        await using db = await testDatabase(setup)
        await history(db, random).catch((error: unknown) => {
          throw new Error(`PERFDB_UNDO_SEED=${seed} PERFDB_UNDO_RUNS=1`, { cause: error })
        })
      }
    }
    await Promise.all([worker(), worker()])
  },
)

const setup = `create table t (a int not null, b text, c int); insert into t select n, 'b' || n, n % 7 from generate_series(1, 300) n;
  create extension pg_trgm; create unique index i1 on t (a); create index i2 on t (lower(b)); create index i3 on t (c, a) where a > 5;
  create index i4 on t (b desc nulls last) with (fillfactor = 71); create index i5 on t using gin (b gin_trgm_ops);`

interface Random {
  readonly chance: (share: number) => boolean
  readonly pick: <T>(list: readonly [T, ...T[]]) => T
  readonly below: (number: number) => number
}

async function history(db: TestDatabase, random: Random): Promise<void> {
  await db.sql.unsafe(properties(random).join(';'))
  const before = await whole(db)
  const replaced = ['i2', 'i3', 'i4'].filter(() => random.chance(0.4))
  const absent = ['i1', 'i2', 'i3', 'i4', 'i5'].filter((name) => !replaced.includes(name) && random.chance(0.4))
  const renamed = ['i1', 'i4'].filter(
    (name) => !replaced.includes(name) && !absent.includes(name) && random.chance(0.5),
  )
  const profiles = await profileOf(
    [
      ...replaced.map(
        (name) =>
          `{ name: ${name}, table: t, keys: ${name === 'i2' ? '[{ expression: lower(b) }, c]' : '[c, b]'}, where: a > ${random.below(9)} }`,
      ),
      ...renamed.map((name) =>
        name === 'i1'
          ? '{ name: n1, table: t, keys: [a], unique: true }'
          : '{ name: n4, table: t, keys: [{ column: b, order: desc, nulls: last }], with: { fillfactor: 71 } }',
      ),
      '{ name: new1, table: t, keys: [c, { expression: a + 1 }] }',
      ...(random.chance(0.5) ? ['{ name: new2, table: t, keys: [b, a, c] }'] : []),
    ],
    `absent: [${absent.join(', ')}]\n`,
  )
  const allow = ['REPLACE', 'RENAME', 'DROP', 'REDUNDANT', 'UNIQUE_BUILD', 'HOT_LOSS'] as const
  const killed = random.chance(0.5)
  await ended(
    apply(db.url, profiles, {
      ledger: true,
      allow,
      lockWaitMs: 30_000,
      retries: 0,
      ...(killed ? { connect: dying(db, random, 60) } : {}),
    }),
  )
  if (killed) tally.killedApply += 1
  // What the run did not come to is not its own to undo.
  const touched = await touchedBy(db)
  const change = random.chance(0.5) ? random.pick(changes) : undefined
  if (change !== undefined) {
    tally.changed += 1
    await db.sql.unsafe(change).catch(() => undefined)
  }
  if (random.chance(0.5)) {
    tally.killedRollback += 1
    await ended(rollback(db.url, 1, { lockWaitMs: 30_000, retries: 0, connect: dying(db, random, 60) }))
  }
  tally.rollbacks += 1
  const last = await ended(rollback(db.url, 1, { lockWaitMs: 30_000 }))
  const now = await whole(db)
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])].filter((name) => touched.has(name))
  // Of an index that was only renamed, what somebody did to it besides is not the run's.
  const part = (one: Entry | undefined, name: string) =>
    JSON.stringify(change !== undefined && renamed.includes(name) ? one?.ddl : one)
  const different = names.filter((name) => part(before[name], name) !== part(now[name], name))
  if (different.length === 0) {
    tally.equal += 1
    return
  }
  tally.named += 1
  const said = last?.findings.map(({ message }) => message).join('\n') ?? ''
  const unsaid = different.filter((name) => !new RegExp(`\\b${name}\\b`).test(said))
  const context = JSON.stringify(
    {
      killed,
      change,
      different,
      said,
      steps: last?.steps.map(({ index, outcome, error }) => [index, outcome, error?.message]),
      before,
      now,
    },
    null,
    1,
  )
  expect(change, context).toBeDefined()
  expect(unsaid, context).toEqual([])
  expect(last?.exit_code, context).not.toBe(0)
}

async function touchedBy({ sql }: TestDatabase): Promise<ReadonlySet<string>> {
  const steps = await sql<
    { names: string[] }[]
  >`select array[index_name, coalesce(index_before, index_name)] as names from perfdb.steps`.catch(() => [])
  return new Set(
    steps.flatMap(({ names }) => [...names, ...names.flatMap((name) => [`${name}_perfdb_new`, `${name}_perfdb_old`])]),
  )
}

/** What may belong to an index. */
function properties(random: Random): readonly string[] {
  const all = [
    "comment on index i1 is 'one'",
    "comment on index i3 is E'it''s\\n\"three\"'",
    'alter index i2 alter column 1 set statistics 77',
    'alter index i5 depends on extension pg_trgm',
    'alter index i2 depends on extension pg_trgm',
    `alter index i4 set tablespace ${space}`,
    `alter index i2 set tablespace ${space}`,
    'alter index i3 set (fillfactor = 55)',
    'alter table t replica identity using index i1',
  ]
  return [
    ...all.filter(() => random.chance(0.5)),
    random.pick(['alter table t cluster on i1', 'alter table t cluster on i4', 'select 1']),
  ]
}

/** What somebody does between the run and its rollback; what is not there cannot be changed. */
const changes = [
  'alter index new1 rename to mine',
  'alter index i2 rename to mine',
  'alter index n1 rename to mine',
  'drop index new1',
  'drop index i2',
  'drop index i4',
  "comment on index i3 is 'mine'",
  'alter index i2 set (fillfactor = 40)',
  'alter index new1 set (fillfactor = 40)',
  'create index i1 on t (c)',
  'create table i3 (x int)',
  'create index i4 on t (b desc nulls last) with (fillfactor = 71)',
  'alter table t replica identity full',
  'alter table t set without cluster',
  'alter table t add constraint mine unique using index n1',
  'reindex index new1',
  'alter table t rename to u',
] as const

/** Connections that are all gone at one moment, as by SIGKILL: nothing is cleaned up, and nothing is written any more. */
function dying(db: TestDatabase, random: Random, most: number): (role: Role) => Promise<Session> {
  const at = 8 + random.below(most)
  const sessions: Session[] = []
  let sent = 0
  const connect = intercepted(db.url, async () => {
    sent += 1
    if (sent < at) return
    for (const session of sessions) await session[Symbol.asyncDispose]()
    throw new PerfdbError('CONNECTION_LOST', 'killed')
  })
  return async (role) => {
    if (sent >= at) throw new PerfdbError('CONNECTION_LOST', 'killed')
    const session = await connect(role)
    sessions.push(session)
    return session
  }
}

async function ended(work: Promise<ApplyResult | { readonly result: ApplyResult }>): Promise<ApplyResult | undefined> {
  try {
    const outcome = await work
    return 'result' in outcome ? outcome.result : outcome
  } catch (error) {
    expect(error).toBeInstanceOf(PerfdbError)
    expect(error).not.toMatchObject({ code: 'INTERNAL' })
    return undefined
  }
}

interface Entry {
  readonly name: string
  readonly ddl: string
}

/** All that is to be said of each index of public, by its name, whatever its table is called by now. */
async function whole({ sql }: TestDatabase): Promise<Readonly<Record<string, Entry>>> {
  const rows = await sql<
    Entry[]
  >`select c.relname as name, replace(pg_get_indexdef(i.indexrelid), ' ON public.u ', ' ON public.t ') as ddl, obj_description(i.indexrelid, 'pg_class') as comment,
      i.indisclustered as clustered, i.indisreplident as identity, i.indisvalid and i.indisready and i.indislive as usable, c.reltablespace::int8::int as space,
      array(select coalesce(attstattarget, -1)::int from pg_attribute where attrelid = i.indexrelid order by attnum) as targets,
      array(select e.extname::text from pg_depend d join pg_extension e on e.oid = d.refobjid where d.objid = i.indexrelid and d.deptype = 'x' order by 1) as extensions
    from pg_index i join pg_class c on c.oid = i.indexrelid where c.relnamespace = 'public'::regnamespace`
  return Object.fromEntries(rows.map((row) => [row.name, row]))
}

/** mulberry32 */
function randomFrom(seed: number): Random {
  let state = seed | 0
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  const below = (number: number) => Math.floor(next() * number)
  return { chance: (share) => next() < share, below, pick: (list) => list[below(list.length)] ?? list[0] }
}
