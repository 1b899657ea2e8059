import { PerfdbError } from '../../errors.js'
import type { Limits } from '../../measure/sample/limits.js'
import type { EmbeddedServer } from '../../server/embedded/embedded.js'
import { twinFilesSql } from '../../sql/twin/twin-restore.js'
import { extendFiles } from '../files/files.js'
import { pageBytes } from '../files/pages.js'
import { levelsOf, type Known } from '../files/sizes.js'
import type { Statistics } from '../statistics.js'
import type { Open } from './twin-server.js'

/** What a twin knows of itself. */
export interface State {
  readonly server: EmbeddedServer
  readonly open: Open
  readonly known: Known
  readonly statistics: Statistics
  readonly limits: Limits
  /** Pages of each file before it was extended. */
  readonly short: ReadonlyMap<string, number>
  /** Pages of the indexes that were built here, by `schema\0name`. */
  readonly built: Map<string, number>
}

interface FileRow {
  readonly oid: number
  readonly schema: string
  readonly name: string
  readonly kind: string
  readonly path: string
  readonly bytes: number
  readonly method: string
  readonly table: string | null
  readonly keys: readonly (string | null)[] | null
  readonly primary_key: boolean
}

/** Gives every relation its size, and looks that PostgreSQL sees it. Throws EMBEDDED_FAILED. */
export async function resize(state: State): Promise<void> {
  const { server, open } = state
  const all = (await files(open)).map((row) => ({ row, wish: wishOf(state, row) }))
  // What has its size already was made taller before.
  const wishes = all.filter(({ row, wish }) => row.bytes !== wish.pages * pageBytes || wish.heapPages !== undefined)
  await server.restarted(async (data, owner) =>
    extendFiles(
      data,
      owner,
      wishes.map(({ wish }) => wish),
    ),
  )
  const after = new Map((await files(open)).map(({ oid, bytes }) => [oid, bytes]))
  const wrong = wishes.find(({ row, wish }) => after.get(row.oid) !== wish.pages * pageBytes)
  if (wrong !== undefined)
    throw new PerfdbError(
      'EMBEDDED_FAILED',
      `${wrong.row.schema}.${wrong.row.name} has ${after.get(wrong.row.oid) ?? 0} bytes on the twin, not ${wrong.wish.pages * pageBytes}`,
    )
}

/** Tables and indexes with their files. */
export async function files(open: Open): Promise<readonly FileRow[]> {
  await using session = await open('owner', 'look')
  return await session.query<FileRow>(twinFilesSql)
}

function wishOf({ known, built }: State, row: FileRow) {
  const { schema, name, path, bytes, method, keys, primary_key: grown } = row
  const own = known.relation(schema, name)
  const table = row.table === null ? undefined : known.relation(schema, row.table)
  const wanted = built.get(`${schema}\0${name}`) ?? Math.ceil((own?.bytes ?? 0) / pageBytes)
  const pages = Math.max(wanted, bytes / pageBytes)
  const heapPages = table === undefined ? undefined : Math.ceil(table.bytes / pageBytes)
  return {
    path,
    pages,
    ...(method === 'btree' && keys !== null ? { levels: levelsOf({ pages, grown }, keys, table, own) } : {}),
    ...(method === 'brin' && heapPages !== undefined ? { heapPages } : {}),
  }
}
