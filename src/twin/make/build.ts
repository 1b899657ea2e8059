import { quoteQualified } from '../../definition/quote.js'
import { PerfdbError } from '../../errors.js'
import { explainOnce, refuseAborted } from '../../measure/sample/sample.js'
import type { Session } from '../../server/session/session.js'
import { createIndexSql } from '../../sql/ddl/index-ddl.js'
import { twinTreeSql } from '../../sql/twin/twin-restore.js'
import { restoreExpressions } from './expressions.js'
import { shortenFiles } from '../files/files.js'
import { pageBytes } from '../files/pages.js'
import { files, type State } from './relations.js'
import { restoreRelations } from './restore.js'
import { newIndexPages } from '../files/sizes.js'
import type { TriedIndex, TwinIndex } from '../twin.js'

/** The part of the rows that a partial index holds, as the planner sees it. */
export async function shareOf(
  session: Session,
  { definition, searchPath }: TwinIndex,
  { limits }: State,
): Promise<number> {
  if (definition.predicate === undefined) return 1
  const table = quoteQualified(definition.table.schema, definition.table.name)
  const rows = async (where: string) => {
    const subject = { text: `select from ${table}${where}`, values: [], writes: false }
    const plan = await explainOnce(session, subject, 'plain', limits, { search_path: searchPath })
    return plan.nodes[0]?.estimatedRows ?? 0
  }
  try {
    return Math.min(1, (await rows(` where ${definition.predicate}`)) / Math.max(1, await rows('')))
  } catch (error) {
    // A predicate that PostgreSQL refuses: building says so.
    if (!(error instanceof PerfdbError) || session.lost || error.code === 'INTERRUPTED') throw error
    return 1
  }
}

/** What a tried index is called on the twin; its parts in partitions get names of PostgreSQL's. */
export const triedPrefix = 'perfdb_tried_'

/** A tried index and the oids of its parts. */
export interface Built {
  readonly index: TriedIndex
  readonly oids: readonly number[]
}

/** On short tables, since a build reads the whole file; the caller gives them their size again. Throws the server's errors but those of a definition. */
export async function buildAll(
  state: State,
  indexes: readonly TwinIndex[],
  shares: readonly number[],
): Promise<readonly Built[]> {
  const { server, open, statistics, short, limits } = state
  refuseAborted(limits.signal)
  const heaps = (await files(open)).filter(({ kind }) => kind === 'r')
  await server.restarted(async (data) =>
    shortenFiles(
      data,
      heaps.map(({ path, bytes }) => ({ path, pages: short.get(path) ?? 0, now: bytes / pageBytes })),
    ),
  )
  await using owner = await open('owner', 'ddl')
  const done: Built[] = []
  for (const [at, index] of indexes.entries()) done.push(await buildOne(owner, state, index, shares[at] ?? 1))
  // A build counts the rows of its table anew.
  await restoreRelations(owner, statistics.relations)
  return done
}

async function buildOne(
  owner: Session,
  { known, built }: State,
  { definition, searchPath }: TwinIndex,
  share: number,
): Promise<Built> {
  const name = `${triedPrefix}${built.size + 1}`
  const { schema } = definition.table
  try {
    await owner.query(`set search_path = ${searchPath}`)
    await owner.query(createIndexSql({ ...definition, name }, { concurrently: false, placed: false }))
  } catch (error) {
    if (!(error instanceof PerfdbError) || owner.lost) throw error
    return { index: { refused: error.message, names: [], sizeBytes: 0, guess: false }, oids: [] }
  } finally {
    if (!owner.lost) await owner.query('set search_path = pg_catalog')
  }
  const tree = await owner.query<TreeRow>(twinTreeSql, [schema, name])
  const parts = tree
    .filter(({ kind }) => kind === 'i')
    .map((part) => {
      const table = known.relation(part.schema, part.table)
      const rows = Math.max(0, (table?.tuples ?? 0) * share)
      const { pages, guess } = newIndexPages(
        { ...definition, table: { schema: part.schema, name: part.table } },
        rows,
        table,
      )
      built.set(`${part.schema}\0${part.name}`, pages)
      return { schema: part.schema, name: part.name, pages, tuples: rows, all_visible: 0, guess }
    })
  await restoreRelations(owner, parts)
  if (definition.keys.some(({ expression }) => expression !== undefined))
    for (const part of tree.filter(({ kind }) => kind === 'i'))
      await restoreExpressions(owner, { ...part, table: known.relation(part.schema, part.table) })
  return {
    index: {
      refused: null,
      names: tree.map((part) => part.name),
      sizeBytes: parts.reduce((sum, { pages }) => sum + pages, 0) * pageBytes,
      guess: parts.some(({ guess }) => guess),
    },
    oids: tree.map(({ oid }) => oid),
  }
}

interface TreeRow {
  readonly oid: number
  readonly schema: string
  readonly name: string
  readonly kind: string
  readonly table: string
}
