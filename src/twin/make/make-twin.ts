import { readIndex } from '../../catalog/read/read.js'
import { tableOf } from '../../measure/plan/plan-node.js'
import { unqualified } from '../../measure/rules/rule.js'
import type { Limits } from '../../measure/sample/limits.js'
import { refuseAborted } from '../../measure/sample/sample.js'
import { startEmbedded } from '../../server/embedded/embedded.js'
import { showSql, treesSql, twinAncestorsSql } from '../../sql/twin/twin-restore.js'
import { buildAll, shareOf, triedPrefix } from './build.js'
import { insertEnds } from './ends.js'
import { createExtensions, createTrigrams, runSchema, type Schema } from '../load.js'
import { pageBytes } from '../files/pages.js'
import { plannerOf } from './planner.js'
import { files, resize, type State } from './relations.js'
import { restore } from './restore.js'
import { knownBy, scaled } from '../files/sizes.js'
import type { Statistics } from '../statistics.js'
import { opener, role, type Open } from './twin-server.js'
import { refuseWindows, type LoneTwin, type TriedIndex } from '../twin.js'

export interface TwinSources {
  readonly statistics: Statistics
  readonly schema: Schema
  /** So many times the rows. */
  readonly scale: number
  /** Where the embedded server is looked for, as startEmbedded takes it. */
  readonly from?: readonly string[]
  /** Make pg_trgm, which the source lacks. */
  readonly trigrams?: boolean | undefined
}

/**
 * Makes the twin: an embedded PostgreSQL 18 with the schema, the statistics and the file sizes of another database. Its superuser makes role, database and
 * extensions; everything of the schema belongs to an ordinary role and runs as that. Throws NO_EMBEDDED, EMBEDDED_FAILED, and INTERRUPTED.
 */
export async function makeTwin(sources: TwinSources, limits: Limits): Promise<LoneTwin> {
  refuseWindows()
  const statistics = scaled(sources.statistics, sources.scale)
  const known = knownBy(statistics)
  const server = await startEmbedded({
    checksums: false,
    settings: {
      autovacuum: 'off',
      shared_buffers: '16MB',
      max_connections: '10',
      wal_level: 'minimal',
      max_wal_senders: '0',
      max_wal_size: '32MB',
      min_wal_size: '5MB',
    },
    ...(sources.from === undefined ? {} : { from: sources.from }),
  })
  try {
    const open = await opener(server, statistics)
    const { gaps, trigrams } = await load(open, sources, statistics)
    const short = new Map((await files(open)).map(({ path, bytes }) => [path, bytes / pageBytes]))
    const state = { server, open, known, statistics, limits, short, built: new Map<string, number>() }
    refuseAborted(limits.signal)
    await resize(state)
    return await standing(state, gaps, trigrams)
  } catch (error) {
    await server[Symbol.asyncDispose]()
    throw error
  }
}

/** In a session of its own, whose settings the script may change, with the search_path of the source. */
async function made(open: Open, { statements }: Schema): Promise<readonly string[]> {
  await using owner = await open('owner', 'measure')
  return await runSchema(owner, statements)
}

/** Gives what could not be made or restored, and the schema of pg_trgm that the source lacks. */
async function load(
  open: Open,
  { schema, trigrams: wanted = false }: TwinSources,
  statistics: Statistics,
): Promise<Pick<LoneTwin, 'gaps' | 'trigrams'>> {
  await using superuser = await open('superuser', 'ddl')
  const missing = await createExtensions(superuser, role, schema)
  const trigrams = wanted ? await createTrigrams(superuser, role, schema) : null
  const unmade = await made(open, schema)
  await using owner = await open('owner', 'ddl')
  const endless = await insertEnds(superuser, owner, statistics.relations)
  await owner.query('set session_replication_role = origin')
  const unrestored = await restore(owner, statistics)
  const gaps = [
    // One that nothing here leans on, such as those that count statements, is missed by nobody.
    ...(unmade.length === 0 ? [] : missing),
    ...unmade,
    ...endless.map((table) => `ends of the btrees of ${table}: the rows did not fit`),
    ...unrestored,
  ]
  return { gaps, trigrams }
}

/** The twin from now on; `gaps` could not be made. */
async function standing(state: State, gaps: readonly string[], trigrams: string | null): Promise<LoneTwin> {
  const { server, open, known } = state
  let session = await open('owner', 'measure')
  let superuser = await open('superuser', 'ddl')
  let above = await ancestors(open)
  const hidden: number[] = []
  let away: readonly number[] = []
  const oidsOf = new Map<TriedIndex, readonly number[]>()
  return {
    version: session.version,
    gaps,
    trigrams,
    table(schema, name) {
      const found = known.relation(schema, name)
      return found === undefined ? undefined : { rows: Math.max(0, found.tuples), bytes: found.bytes }
    },
    correlation: (schema, name, column) =>
      known.relation(schema, name)?.columns.find((one) => one.name === column && !one.inherited)?.correlation ?? null,
    indexesOf: ({ indexes }) => [...new Set(indexes.flatMap((name) => [name, ...(above.indexes.get(name) ?? [])]))],
    reads: ({ nodes }, table) =>
      nodes.some((node) => {
        const name = tableOf(node)
        return node.schema !== '' && (name === table || above.tables.get(name)?.includes(table) === true)
      }),
    ...plannerOf(() => session, state),
    async build(indexes) {
      const shares: number[] = []
      for (const index of indexes) shares.push(await shareOf(session, index, state))
      await Promise.all([session[Symbol.asyncDispose](), superuser[Symbol.asyncDispose]()])
      const tried = await buildAll(state, indexes, shares)
      await resize(state)
      above = await ancestors(open)
      session = await open('owner', 'measure')
      superuser = await open('superuser', 'ddl')
      for (const { index, oids } of tried) {
        oidsOf.set(index, oids)
        hidden.push(...oids)
      }
      await superuser.query(showSql, [hidden, []])
      return tried.map(({ index }) => index)
    },
    async show(indexes) {
      await superuser.query(showSql, [hidden, indexes.flatMap((index) => oidsOf.get(index) ?? [])])
    },
    async hide(indexes) {
      const rows = await superuser.query<{ oid: number }>(treesSql, [
        indexes.map(({ schema }) => schema),
        indexes.map(({ name }) => name),
      ])
      const oids = rows.map(({ oid }) => oid)
      await superuser.query(showSql, [[...new Set([...away, ...oids])], away.filter((oid) => !oids.includes(oid))])
      away = oids
    },
    canonical: async (index, schema) =>
      (await readIndex(superuser, schema, index.names.find((name) => name.startsWith(triedPrefix)) ?? ''))?.canonical ??
      null,
    look: async () => open('owner', 'measure'),
    async [Symbol.asyncDispose]() {
      await Promise.all([session[Symbol.asyncDispose](), superuser[Symbol.asyncDispose]()])
      await server[Symbol.asyncDispose]()
    },
  }
}

interface Ancestors {
  /** By their names, as query plans have them. */
  readonly indexes: ReadonlyMap<string, readonly string[]>
  /** By `schema.name`. */
  readonly tables: ReadonlyMap<string, readonly string[]>
}

async function ancestors(open: Open): Promise<Ancestors> {
  await using session = await open('owner', 'look')
  const rows = await session.query<{ schema: string; name: string; is_index: boolean; above: readonly string[] }>(
    twinAncestorsSql,
  )
  const indexes = rows.filter(({ is_index: index }) => index)
  const tables = rows.filter(({ is_index: index }) => !index)
  return {
    indexes: new Map(indexes.map(({ name, above }) => [name, above.map(unqualified)])),
    tables: new Map(tables.map(({ schema, name, above }) => [`${schema}.${name}`, above])),
  }
}
