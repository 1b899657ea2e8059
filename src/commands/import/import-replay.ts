import type { Definition } from '../../definition/definition.js'
import type { DeclaredIndex } from '../../profile/profile.js'
import { renamedColumnSql, usesColumn } from '../../sql/parser/column-references.js'
import type { ScriptChange } from '../../sql/import/import-changes.js'

export interface Replayed {
  readonly indexes: readonly DeclaredIndex[]
  /** As `schema.index`. */
  readonly attached: readonly string[]
  /** Those that became a constraint's, as `schema.index`. */
  readonly constraints: readonly string[]
}

/** A file of a script: what it does, and the definitions of the indexes that it creates. */
export interface PlayedFile {
  readonly changes: readonly ScriptChange[]
  readonly declared: readonly DeclaredIndex[]
}

/** The indexes as they are at the end of the files, one after the other: what is dropped, renamed or moved meanwhile is so. */
export async function replayed(files: readonly PlayedFile[]): Promise<Replayed> {
  const state: State = { indexes: new Map(), attached: new Set(), constraints: new Set() }
  for (const { changes, declared } of files) {
    const byPlace = new Map(declared.map((index) => [`${index.place.line}:${index.place.column}`, index]))
    for (const change of changes) await play(state, change, byPlace)
  }
  return {
    indexes: [...state.indexes.values()],
    attached: [...state.attached],
    constraints: [...state.constraints],
  }
}

interface State {
  /** By schema and name. */
  indexes: Map<string, DeclaredIndex>
  readonly attached: Set<string>
  readonly constraints: Set<string>
}

async function play(state: State, change: ScriptChange, byPlace: ReadonlyMap<string, DeclaredIndex>): Promise<void> {
  const { indexes } = state
  if (change.kind === 'unnamed') return
  if (change.kind === 'create') {
    const index = byPlace.get(`${change.line}:${change.column}`)
    if (index === undefined) return
    const schema = change.schema ?? index.definition.table.schema
    const name = nameOf(schema, index.definition.name)
    if (change.unlessThere && indexes.has(name)) return
    const { definition } = index
    const own = { ...definition, table: { schema, name: definition.table.name } }
    indexes.set(name, { ...withoutDumpComment(index), definition: own })
    return
  }
  const name = nameOf(change.schema, change.name)
  const index = indexes.get(name)
  const onTable = ({ table }: Definition) => nameOf(table.schema, table.name) === name
  switch (change.kind) {
    case 'attach':
      state.attached.add(name)
      indexes.delete(name)
      return
    case 'using-index':
      if (indexes.delete(name)) state.constraints.add(name)
      return
    case 'drop':
      indexes.delete(name)
      return
    case 'comment':
      if (index !== undefined) indexes.set(name, { ...index, definition: commented(index.definition, change.text) })
      return
    case 'statistics':
      if (index !== undefined) indexes.set(name, { ...index, definition: withTarget(index.definition, change) })
      return
    case 'rename':
      if (index === undefined) return
      indexes.delete(name)
      indexes.set(nameOf(change.schema, change.text), {
        ...index,
        definition: { ...index.definition, name: change.text },
      })
      return
    case 'drop-table':
      state.indexes = kept(indexes, (definition) => !onTable(definition))
      return
    case 'drop-schema':
      state.indexes = kept(indexes, ({ table }) => table.schema !== change.name)
      return
    case 'rename-table':
      state.indexes = moved(indexes, onTable, ({ table }) => ({ ...table, name: change.text }))
      return
    case 'move-table':
      state.indexes = moved(indexes, onTable, ({ table }) => ({ ...table, schema: change.text }))
      return
    case 'rename-schema':
      state.indexes = moved(
        indexes,
        ({ table }) => table.schema === change.name,
        ({ table }) => ({ ...table, schema: change.text }),
      )
      return
    case 'drop-column':
      for (const [key, { definition }] of indexes)
        if (onTable(definition) && (await uses(definition, change.column))) indexes.delete(key)
      return
    case 'rename-column':
      for (const [key, each] of indexes)
        if (onTable(each.definition))
          indexes.set(key, { ...each, definition: await renamedIn(each.definition, change.column, change.text) })
  }
}

/** A null schema is public: a script that sets no search_path runs with the one that every role has. */
function nameOf(schema: string | null, name: string): string {
  return `${schema ?? 'public'}.${name}`
}

function kept(indexes: State['indexes'], keeps: (definition: Definition) => boolean): State['indexes'] {
  return new Map([...indexes].filter(([, { definition }]) => keeps(definition)))
}

/** An index lives in the schema of its table. */
function moved(
  indexes: State['indexes'],
  moves: (definition: Definition) => boolean,
  to: (definition: Definition) => Definition['table'],
): State['indexes'] {
  return new Map(
    [...indexes].map(([key, index]) => {
      if (!moves(index.definition)) return [key, index]
      const table = to(index.definition)
      return [nameOf(table.schema, index.definition.name), { ...index, definition: { ...index.definition, table } }]
    }),
  )
}

/** An empty comment takes it away. */
function commented(definition: Definition, text: string): Definition {
  const { comment: before, ...others } = definition
  if (text === before) return definition
  return text === '' ? others : { ...others, comment: text }
}

function withTarget({ statistics, ...definition }: Definition, change: { key: number; target: number }): Definition {
  const others = Object.entries(statistics ?? {}).filter(([key]) => key !== String(change.key))
  const targets = Object.fromEntries([
    ...others,
    ...(change.target < 0 ? [] : [[String(change.key), change.target] as const]),
  ])
  return Object.keys(targets).length === 0 ? definition : { ...definition, statistics: targets }
}

/** DROP COLUMN drops each index that has the column, in its expressions and predicate too (manual, ALTER TABLE). */
async function uses({ keys, include, predicate }: Definition, column: string): Promise<boolean> {
  if (include.includes(column) || keys.some((key) => key.column === column)) return true
  const texts = [...keys.flatMap(({ expression }) => expression ?? []), ...(predicate === undefined ? [] : [predicate])]
  return (await Promise.all(texts.map((text) => usesColumn(text, column)))).includes(true)
}

async function renamedIn(definition: Definition, from: string, to: string): Promise<Definition> {
  const { keys, include, predicate } = definition
  return {
    ...definition,
    keys: await Promise.all(
      keys.map(async (key) => ({
        ...key,
        ...(key.column === from ? { column: to } : {}),
        ...(key.expression === undefined ? {} : { expression: await renamedColumnSql(key.expression, from, to) }),
      })),
    ),
    include: include.map((column) => (column === from ? to : column)),
    ...(predicate === undefined ? {} : { predicate: await renamedColumnSql(predicate, from, to) }),
  }
}

/** pg_dump writes `-- Name: i; Type: INDEX; Schema: public; Owner: ...` above each statement. */
function withoutDumpComment(index: DeclaredIndex): DeclaredIndex {
  if (!/^(Name|TOC entry).*; Type: INDEX; Schema: /.test(index.why ?? '')) return index
  const { definition, for: queries, place } = index
  return { definition, for: queries, place }
}
