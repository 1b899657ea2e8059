import { problemsError } from '../../errors.js'
import { profileName } from '../../profile/complete.js'
import type { DeclaredIndex } from '../../profile/profile.js'
import { readSqlProfile } from '../../profile/sql.js'
import { unqualifiedProfile } from '../../profile/unqualify.js'
import { readScript, type Script } from '../../sql/import-script.js'
import type { ImportOptions } from './import.js'
import { filterOf, picks } from './import-names.js'
import { importedProfile } from './import-profile.js'
import type { ImportNote, ImportResult } from '../../result/import-result.js'
import { perfdbVersion } from '../../result/version.js'

/**
 * The indexes that a SQL file leaves behind (a schema dump, migrations one after the other) as a profile, in their own words:
 * no server is asked. Later statements count: what is dropped or attached to a partitioned index is left out, what is renamed
 * has its new name, a comment is its `why`. Throws BAD_SQL and NAME_TOO_LONG, all problems at once.
 */
export async function runSqlImport(text: string, file: string, options: ImportOptions): Promise<ImportResult> {
  const startedAt = new Date()
  const script = await readScript(text, file)
  const { profile: written, problems } = await readSqlProfile(script.profile, file)
  const profile = await unqualifiedProfile(written)
  const created = script.changes.some((change) => change.kind === 'create')
  const [first, ...rest] = created || profile.analyze.length > 0 ? problems : []
  if (first !== undefined) throw problemsError([first, ...rest])
  const { indexes, attached } = replayed(script, profile.indexes)
  const filter = filterOf(options)
  const imported = indexes.filter(({ definition: { name, table } }) => picks(filter, table.schema, table.name, name))
  const unnamed = script.changes.flatMap((change) => (change.kind === 'unnamed' ? [change.line] : []))
  const notes = notesOf(script, attached, unnamed, imported.length)
  return {
    perfdb: perfdbVersion(),
    ok: true,
    exit_code: 0,
    started_at: startedAt.toISOString(),
    duration_ms: Date.now() - startedAt.getTime(),
    command: 'import',
    source: file,
    file: null,
    profile: importedProfile(options.name ?? profileName(file), file, imported, notes, {
      analyze: profile.analyze,
      schemaFile: options.schemaFile,
    }),
    notes: [...notes],
    counts: {
      tables: new Set(imported.map(({ definition }) => JSON.stringify(definition.table))).size,
      indexes: imported.length + attached.length + unnamed.length,
      imported: imported.length,
      constraint: 0,
      attached: attached.length,
      extension: 0,
      invalid: 0,
      not_declarable: unnamed.length,
    },
  }
}

interface Replayed {
  readonly indexes: readonly DeclaredIndex[]
  /** As `schema.index`. */
  readonly attached: readonly string[]
}

/** The indexes as they stand at the end of the script. */
function replayed({ changes }: Script, declared: readonly DeclaredIndex[]): Replayed {
  const byPlace = new Map(declared.map((index) => [`${index.place.line}:${index.place.column}`, index]))
  const indexes = new Map<string, DeclaredIndex>()
  const attached = new Set<string>()
  for (const change of changes) {
    if (change.kind === 'create') {
      const index = byPlace.get(`${change.line}:${change.column}`)
      if (index === undefined) continue
      const schema = change.schema ?? index.definition.table.schema
      const { definition } = index
      const own = { ...definition, table: { schema, name: definition.table.name } }
      indexes.set(nameOf(schema, definition.name), { ...withoutDumpComment(index), definition: own })
    } else if (change.kind !== 'unnamed') {
      const name = nameOf(change.schema, change.name)
      const index = indexes.get(name)
      if (change.kind === 'attach') attached.add(name)
      if (index === undefined) continue
      if (change.kind === 'comment')
        indexes.set(name, { ...index, ...(change.text === '' ? {} : { why: change.text }) })
      else indexes.delete(name)
      if (change.kind === 'rename') {
        const definition = { ...index.definition, name: change.text }
        indexes.set(nameOf(change.schema, change.text), { ...index, definition })
      }
    }
  }
  return { indexes: [...indexes.values()], attached: [...attached] }
}

function nameOf(schema: string | null, name: string): string {
  return `${schema ?? 'public'}.${name}`
}

/** pg_dump writes `-- Name: i; Type: INDEX; Schema: public; Owner: ...` above each statement. */
function withoutDumpComment(index: DeclaredIndex): DeclaredIndex {
  if (!/^(Name|TOC entry).*; Type: INDEX; Schema: /.test(index.why ?? '')) return index
  const { definition, for: queries, place } = index
  return { definition, for: queries, place }
}

function notesOf(
  { others }: Script,
  attached: readonly string[],
  unnamed: readonly number[],
  imported: number,
): ImportNote[] {
  const total = [...others.values()].reduce((sum, count) => sum + count, 0)
  const kinds = [...others]
    .sort((a, b) => b[1] - a[1])
    .map(([description, count]) => `${count} ${description}`)
    .join(', ')
  const indexes = (count: number) => (count === 1 ? '1 index' : `${count} indexes`)
  const notes: readonly (ImportNote | null)[] = [
    attached.length === 0
      ? null
      : {
          code: 'ATTACHED',
          message: `${indexes(attached.length)} left out, attached to the index of a partitioned table`,
          indexes: [...attached],
        },
    unnamed.length === 0
      ? null
      : {
          code: 'UNNAMED',
          message: `${indexes(unnamed.length)} left out, without a name (line ${unnamed.join(', ')})`,
          indexes: [],
        },
    total === 0
      ? null
      : {
          code: 'OTHER_STATEMENT',
          message: `${total} other ${total === 1 ? 'statement' : 'statements'} passed over (${kinds})`,
          indexes: [],
        },
    imported === 0 ? { code: 'NOTHING_FOUND', message: 'there is no such index', indexes: [] } : null,
  ]
  return notes.flatMap((note) => note ?? [])
}
