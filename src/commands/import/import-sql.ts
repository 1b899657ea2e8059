import { problemsError, type Problem } from '../../errors.js'
import { profileName } from '../../profile/complete/complete.js'
import type { DeclaredIndex, Profile } from '../../profile/profile.js'
import { readSqlProfile } from '../../profile/sql/sql.js'
import { unqualifiedProfile } from '../../profile/read/unqualify.js'
import { readScript, type Script } from '../../sql/import/import-script.js'
import type { ImportOptions } from './import.js'
import type { ScriptFile } from './import-migrations.js'
import { filterOf, isFiltered, picks } from './import-names.js'
import { importedProfile } from './import-profile.js'
import { replayed } from './import-replay.js'
import type { ImportNote, ImportResult } from '../../result/documents/import-result.js'
import { headOf, timesOf } from '../../result/head.js'

/**
 * The indexes that a SQL file leaves behind (a schema dump, migrations one after the other) as a profile, in their own words:
 * no server is asked. Later statements count: what is dropped, with its table, column or schema too, or attached to a partitioned
 * index, or made a constraint's is left out, what is renamed has its new name, a comment and statistics targets are kept. Throws
 * BAD_SQL, all problems at once.
 */
export async function runSqlImport(text: string, file: string, options: ImportOptions): Promise<ImportResult> {
  return runScriptImport([{ file, text }], file, options)
}

/** The same of several files as one script, in their order. */
export async function runScriptImport(
  files: readonly ScriptFile[],
  source: string,
  options: ImportOptions,
): Promise<ImportResult> {
  const startedAt = new Date()
  const read = await Promise.all(files.map(readFileOf))
  const problems = read.flatMap((each) => each.problems)
  const cut = problems.filter(({ code }) => code === 'NAME_TOO_LONG')
  const [first, ...rest] = problems.filter(({ code }) => code !== 'NAME_TOO_LONG')
  if (first !== undefined) throw problemsError([first, ...rest])
  const replay = await replayed(read)
  const filter = filterOf(options)
  const own = ({ definition: { table } }: DeclaredIndex) =>
    table.schema !== 'perfdb' || options.schemas.includes('perfdb')
  const indexes = replay.indexes.filter(own)
  const attached = replay.attached.filter((name) => !name.startsWith('perfdb.'))
  const imported = indexes.filter(({ definition: { name, table } }) => picks(filter, table.schema, table.name, name))
  const unnamed = read.flatMap(({ file, changes }) =>
    changes.flatMap((change) =>
      change.kind === 'unnamed' ? [files.length === 1 ? `${change.line}` : `${file}:${change.line}`] : [],
    ),
  )
  const notes = notesOf(
    { others: othersOf(read), attached, constraints: replay.constraints, unnamed, cut },
    imported.length,
  )
  const code = imported.length === 0 && isFiltered(options) ? 1 : 0
  const analyze = distinct(read.flatMap((each) => each.analyze))
  return {
    ...headOf(code),
    ...timesOf(startedAt),
    command: 'import',
    source,
    file: null,
    profile: importedProfile(options.name ?? profileName(source), source, imported, notes, {
      analyze,
      schemaFile: options.schemaFile,
    }),
    notes: [...notes],
    counts: {
      tables: new Set(imported.map(({ definition }) => JSON.stringify(definition.table))).size,
      indexes: imported.length + attached.length + unnamed.length + replay.constraints.length,
      imported: imported.length,
      constraint: replay.constraints.length,
      attached: attached.length,
      extension: 0,
      invalid: 0,
      not_declarable: unnamed.length,
    },
  }
}

interface ReadFile {
  readonly file: string
  readonly changes: Script['changes']
  readonly others: Script['others']
  readonly declared: readonly DeclaredIndex[]
  readonly analyze: Profile['analyze']
  readonly problems: readonly Problem[]
}

async function readFileOf({ file, text }: ScriptFile): Promise<ReadFile> {
  const script = await readScript(text, file)
  const { profile: written, problems } = await readSqlProfile(script.profile, file)
  const profile = await unqualifiedProfile(written)
  const created = script.changes.some((change) => change.kind === 'create')
  return {
    file,
    changes: script.changes,
    others: script.others,
    declared: profile.indexes,
    analyze: profile.analyze,
    // A file without a CREATE INDEX holds nothing of a profile, and may still drop or rename.
    problems: created || profile.analyze.length > 0 ? problems : [],
  }
}

function othersOf(read: readonly ReadFile[]): ReadonlyMap<string, number> {
  const others = new Map<string, number>()
  for (const [description, count] of read.flatMap((each) => [...each.others]))
    others.set(description, (others.get(description) ?? 0) + count)
  return others
}

function distinct(analyze: Profile['analyze']): Profile['analyze'] {
  return [...new Map(analyze.map((entry) => [JSON.stringify(entry.table), entry])).values()]
}

interface Told {
  readonly others: ReadonlyMap<string, number>
  readonly attached: readonly string[]
  readonly constraints: readonly string[]
  readonly unnamed: readonly string[]
  readonly cut: readonly Problem[]
}

/** As PostgreSQL does it, with a NOTICE. */
function cutText({ message, place }: Problem): string {
  const name = message.split(': ').slice(1).join(': ')
  return `a name of over 63 bytes is cut as PostgreSQL cuts it (${place?.file ?? ''}:${place?.line ?? 0}): ${name}`
}

function notesOf({ others, attached, constraints, unnamed, cut }: Told, imported: number): ImportNote[] {
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
    constraints.length === 0
      ? null
      : {
          code: 'CONSTRAINT',
          message: `${indexes(constraints.length)} left out, made a constraint's by ADD CONSTRAINT USING INDEX`,
          indexes: [...constraints],
        },
    ...cut.map((problem): ImportNote => ({ code: 'NAME_CUT', message: cutText(problem), indexes: [] })),
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
