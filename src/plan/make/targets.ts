import type { Snapshot } from '../../catalog/snapshot.js'
import type { Definition, TableName } from '../../definition/definition.js'
import type { Place, Problem } from '../../errors.js'
import type { DeclaredIndex, Profile } from '../../profile/profile.js'
import { indexNamed, partitionTree, relationNamed, tableNamed } from '../match/lookup.js'
import { nearest } from '../../text/nearest.js'
import type { PlanOptions } from '../inputs.js'
import { foreignPartitionProblem } from '../partitioned/partitioned.js'

/** Everything in the profiles that this database cannot hold; empty when all is well. `known` are the tables that a wrong name may mean. */
export function targetProblems(
  profiles: readonly Profile[],
  snapshot: Snapshot,
  options: Pick<PlanOptions, 'allow'>,
  known: readonly TableName[] = [],
): readonly Problem[] {
  const tables = profiles.flatMap((profile) => [
    ...profile.indexes.map((index) => ({ table: index.definition.table, place: index.place })),
    ...profile.analyze,
  ])
  return [
    ...tables.flatMap(({ table, place }) => tableProblems(table, place, snapshot, known)),
    ...profiles.flatMap((profile) => profile.indexes.flatMap((index) => nameProblems(index, snapshot))),
    ...profiles.flatMap((profile) => profile.indexes.flatMap((index) => foreignProblems(index, snapshot))),
    ...profiles.flatMap((profile) =>
      profile.extensions.flatMap(({ name, place }) => extensionProblems(name, place, snapshot, options)),
    ),
    ...profiles.flatMap((profile) =>
      profile.indexes.flatMap((index) => versionProblems(index.definition, index.place, snapshot)),
    ),
    ...profiles.flatMap((profile) => profile.indexes.flatMap((index) => tablespaceProblems(index, snapshot))),
  ]
}

/** What the role lacks to change these tables: told before the first statement instead of at the nineteenth (fault 64). */
export function privilegeProblems(tables: readonly TableName[], snapshot: Snapshot): readonly Problem[] {
  const touched = tables.flatMap((name) => [
    tableNamed(snapshot, name),
    ...(partitionTree(snapshot, name)?.partitions ?? []).slice(1),
  ])
  return touched.flatMap((table): readonly Problem[] => {
    if (table === undefined) return []
    if (!table.owned) {
      return [
        {
          code: 'PRIVILEGE',
          message: `role ${snapshot.server.user} does not own ${table.schema}.${table.name}`,
          hint: 'only the owner may create or drop its indexes: connect as the owner or as a member of the owning role',
        },
      ]
    }
    if (!table.creatable) {
      return [
        {
          code: 'PRIVILEGE',
          message: `role ${snapshot.server.user} may not create in the schema ${table.schema}`,
          hint: `grant create on schema ${table.schema} to ${snapshot.server.user}`,
        },
      ]
    }
    return []
  })
}

/** Whether every table that the profiles name is there. */
export function hasAllTables(profiles: readonly Profile[], snapshot: Snapshot): boolean {
  const named = profiles.flatMap(({ indexes, analyze }) => [
    ...indexes.map(({ definition }) => definition.table),
    ...analyze.map(({ table }) => table),
  ])
  return named.every((table) => tableNamed(snapshot, table) !== undefined)
}

function tableProblems(
  name: TableName,
  place: Place,
  snapshot: Snapshot,
  known: readonly TableName[],
): readonly Problem[] {
  const table = tableNamed(snapshot, name)
  if (table === undefined) {
    if (!snapshot.schemas.includes(name.schema))
      return [
        {
          code: 'NO_SCHEMA',
          message: `there is no schema ${name.schema} in the database ${snapshot.server.database}`,
          hint: meantTable(name, known),
          place,
        },
      ]
    return [
      {
        code: 'NO_TABLE',
        message: `there is no table ${name.schema}.${name.name} in the database ${snapshot.server.database}`,
        hint: meantTable(name, known),
        place,
      },
    ]
  }
  if (table.relkind !== 'r' && table.relkind !== 'm' && table.relkind !== 'p')
    return [{ code: 'NOT_INDEXABLE', message: `${name.schema}.${name.name} is ${kindText(table.relkind)}`, place }]
  if (table.temporary)
    return [{ code: 'NOT_INDEXABLE', message: `${name.schema}.${name.name} is a temporary table`, place }]
  return []
}

/** The table that was meant: of that name in another schema, or of nearly that name; undefined when none is near. */
function meantTable({ schema, name }: TableName, known: readonly TableName[]): string | undefined {
  if (known.length === 0) return undefined
  const shown = (table: TableName) => `${table.schema}.${table.name}`
  const elsewhere = known.filter((table) => table.name === name)
  if (elsewhere.length > 0) return `it is in another schema: table: ${elsewhere.map(shown).join(' or ')}`
  const own = known.filter((table) => table.schema === schema).map((table) => table.name)
  const near = nearest(name, own) ?? nearest(`${schema}.${name}`, known.map(shown))
  return near === undefined ? undefined : `did you mean "${near}"?`
}

function foreignProblems(index: DeclaredIndex, snapshot: Snapshot): readonly Problem[] {
  const { name, table } = index.definition
  const tree = partitionTree(snapshot, table)
  if (tree === undefined) return []
  const existing = indexNamed(snapshot, table.schema, name)
  return [foreignPartitionProblem(index, existing, tree)].filter((problem) => problem !== null)
}

function nameProblems({ definition, place }: DeclaredIndex, snapshot: Snapshot): readonly Problem[] {
  const { schema } = definition.table
  const relation = relationNamed(snapshot, schema, definition.name)
  if (relation !== undefined) {
    return [
      {
        code: 'NAME_TAKEN',
        message: `${schema}.${definition.name} is ${kindText(relation.relkind)}, so no index can have that name`,
        place,
      },
    ]
  }
  const index = indexNamed(snapshot, schema, definition.name)
  if (index === undefined || index.table.name === definition.table.name) return []
  return [
    {
      code: 'NAME_TAKEN',
      message: `${schema}.${definition.name} is an index of another table, ${index.table.schema}.${index.table.name}`,
      place,
    },
  ]
}

function extensionProblems(
  name: string,
  place: Place,
  snapshot: Snapshot,
  { allow }: Pick<PlanOptions, 'allow'>,
): readonly Problem[] {
  const extension = snapshot.extensions.find((one) => one.name === name)
  if (extension?.installed === true) return []
  if (extension?.available !== true) {
    return [
      {
        code: 'NO_EXTENSION',
        message: `the extension ${name} is not available on this server`,
        hint: 'install its package on the server first',
        place,
      },
    ]
  }
  return allow.has('CREATE_EXTENSION')
    ? []
    : [
        {
          code: 'NO_EXTENSION',
          message: `the extension ${name} is not installed in the database ${snapshot.server.database}`,
          place,
        },
      ]
}

function versionProblems({ nullsDistinct, name }: Definition, place: Place, snapshot: Snapshot): readonly Problem[] {
  if (nullsDistinct || snapshot.server.versionNum >= 150000) return []
  return [
    {
      code: 'BAD_DEFINITION',
      message: `${name}: NULLS NOT DISTINCT needs PostgreSQL 15, the server is ${snapshot.server.version}`,
      place,
    },
  ]
}

function tablespaceProblems({ definition: { name, tablespace }, place }: DeclaredIndex, snapshot: Snapshot) {
  if (tablespace === undefined || snapshot.tablespaces.includes(tablespace)) return []
  const message = `${name}: there is no tablespace ${tablespace} on this server`
  return [{ code: 'BAD_DEFINITION', message, hint: 'list them: \\db in psql', place } as const]
}

function kindText(relkind: string): string {
  const kinds: Readonly<Record<string, string>> = {
    r: 'a table',
    p: 'a partitioned table',
    m: 'a materialized view',
    v: 'a view',
    f: 'a foreign table',
    S: 'a sequence',
    c: 'a composite type',
    i: 'an index',
    I: 'an index',
  }
  return kinds[relkind] ?? `a relation of kind ${relkind}`
}
