import { readDeclared, type LeftOut, type LeftOutIndex, type OwnPart } from '../../catalog/read/declared.js'
import { serverFacts } from '../../catalog/read/read.js'
import type { PartitionPart } from '../../definition/definition.js'
import { PerfdbError } from '../../errors.js'
import { ownedIndexesReader } from '../../ledger/read/owned.js'
import type { OwnedIndex } from '../../ledger/ownership.js'
import type { Session } from '../../server/session/session.js'
import { about } from '../shared/documents.js'
import { filterOf, isFiltered, type ImportGlobs } from './import-names.js'
import { hasOwn, leftOutNotes } from './import-notes.js'
import { importedProfile, type Imported } from './import-profile.js'
import { proveDrafts, readKnown, type Proved } from './import-proof.js'
import type { ImportNote, ImportResult } from '../../result/documents/import-result.js'

export interface ImportOptions extends ImportGlobs {
  /** Name of the profile; the database's when left out. */
  readonly name?: string
  /** What the profile's first line names for editors. */
  readonly schemaFile?: string
}

/**
 * The indexes of a database as a profile, for which plan is all keep. Left out, with a note: what a constraint, a partitioned
 * parent or an extension makes, what is not valid, and what PostgreSQL reads back as something else. Never writes.
 */
export async function runImport(session: Session, options: ImportOptions): Promise<ImportResult> {
  const startedAt = new Date()
  const reading = readDeclared(session, filterOf(options))
  if (session.pooled) await reading
  const [{ drafts, leftOut }, readOwned] = await Promise.all([reading, ownedReader(session)])
  const owning = readOwned()
  if (session.pooled) await owning
  const [owned, catalog] = await Promise.all([owning, readKnown(session, drafts)])
  const proved = await proveDrafts(session, drafts, catalog)
  const parts = leftOut.filter(hasOwn)
  const imported = proved.flatMap((one) => ('definition' in one ? [importedOf(one, parts)] : []))
  const known = new Set(proved.flatMap((one) => ('definition' in one ? [one.draft.oid] : [])))
  const notes = [
    ...leftOutNotes(leftOut, new Set(parts.filter(({ own }) => own !== null && known.has(own.root)))),
    ...proved.flatMap((one) => ('refusal' in one ? [refusalNote(one)] : [])),
    ...ownedNotes(owned, imported),
    ...(drafts.length + leftOut.length === 0 ? [nothingFound] : []),
  ]
  const extensions = [...new Set(drafts.flatMap((draft) => draft.extensions))].sort()
  const place = { file: '', line: 1, column: 1 }
  const profile = importedProfile(
    options.name ?? session.database,
    `the database ${session.database}`,
    imported,
    notes,
    { extensions: extensions.map((name) => ({ name, place })), schemaFile: options.schemaFile },
  )
  const nothing = drafts.length + leftOut.length === 0 && isFiltered(options)
  const count = (...kinds: readonly LeftOut[]) => leftOut.filter((index) => kinds.includes(index.leftOut)).length
  return {
    ...about(nothing ? 1 : 0, serverFacts(session), startedAt),
    command: 'import',
    source: null,
    file: null,
    profile,
    notes,
    counts: {
      tables: new Set(imported.map(({ definition }) => JSON.stringify(definition.table))).size,
      indexes: drafts.length + leftOut.length,
      imported: imported.length,
      constraint: count('p', 'u', 'x'),
      attached: count('attached'),
      extension: count('extension'),
      invalid: count('invalid'),
      not_declarable: proved.length - imported.length,
    },
  }
}

/** A ledger that may not be read, or is not to be trusted, keeps nobody from importing. */
async function ownedReader(session: Session): Promise<() => Promise<readonly OwnedIndex[]>> {
  const unread = (error: unknown) => {
    if (!(error instanceof PerfdbError) || error.code === 'CONNECTION_LOST') throw error
    return []
  }
  const read = await ownedIndexesReader(session).catch((error: unknown) => () => Promise.resolve(unread(error)))
  return async () => read().catch(unread)
}

/** Declared in two profiles, an index would be dropped by the one that lets go of it with --prune. */
function ownedNotes(owned: readonly OwnedIndex[], imported: readonly Imported[]): readonly ImportNote[] {
  const names = new Set(imported.map(({ definition: { table, name } }) => `${table.schema}.${name}`))
  const byProfile = new Map<string, string[]>()
  for (const { schema, name, profile, files } of owned) {
    const key = profile ?? files.join(', ')
    if (names.has(`${schema}.${name}`)) byProfile.set(key, [...(byProfile.get(key) ?? []), `${schema}.${name}`])
  }
  return [...byProfile].map(([profile, indexes]) => ({
    code: 'OWNED' as const,
    message: `${indexes.length === 1 ? '1 index was' : `${indexes.length} indexes were`} built by perfdb for the profile ${profile}: declare ${indexes.length === 1 ? 'it' : 'them'} in one profile only`,
    indexes,
  }))
}

function importedOf(
  { draft, definition }: Extract<Proved, { definition: unknown }>,
  parts: readonly LeftOutIndex[],
): Imported {
  const { comment, statistics } = draft
  const partitions = parts.flatMap((index) => (index.own?.root === draft.oid ? [partOf(index, index.own)] : []))
  return {
    definition: {
      ...definition,
      ...(comment === null ? {} : { comment }),
      ...(Object.keys(statistics).length === 0 ? {} : { statistics }),
      ...(partitions.length === 0 ? {} : { partitions }),
    },
  }
}

function partOf({ schema, table, name }: LeftOutIndex, { storage, comment, statistics }: OwnPart): PartitionPart {
  return {
    table: { schema, name: table },
    name,
    ...(storage === null ? {} : { storage: Object.fromEntries(storage.map((one) => one.split(/=(.*)/s, 2))) }),
    ...(comment === null ? {} : { comment }),
    ...(statistics === null ? {} : { statistics }),
  }
}

function refusalNote({ draft, refusal }: Extract<Proved, { refusal: unknown }>): ImportNote {
  const message = `1 index left out, PostgreSQL does not confirm its definition (${refusal})`
  return { code: 'NOT_DECLARABLE', message, indexes: [`${draft.schema}.${draft.name}`] }
}

const nothingFound: ImportNote = { code: 'NOTHING_FOUND', message: 'there is no such index', indexes: [] }
