import type { Chosen } from '../../advise/choose/choose.js'
import type { TableWrites } from '../../advise/choose/write-price.js'
import type { Removal } from '../../advise/removals.js'
import type { Definition } from '../../definition/definition.js'
import { shortDefinition } from '../../definition/short.js'
import { round } from '../../measure/query/result-queries.js'
import type { Limits } from '../../measure/sample/limits.js'
import { rolledBack } from '../../measure/sample/sample.js'
import { catalogOnly } from '../../measure/sample/tables.js'
import type { DeclaredIndex, Profile, Query } from '../../profile/profile.js'
import { writeProfile } from '../../profile/write.js'
import type { Advice } from '../../result/documents/advise-result.js'
import type { Session } from '../../server/session/session.js'
import { createIndexSql } from '../../sql/ddl/index-ddl.js'
import { namesInSchemaSql } from '../../sql/statements/advise.js'

/** The set of values, where it is not the only one. */
export function paramsOf(params: string | null) {
  return params === null || params === 'default' ? {} : { params }
}

/** A chosen index under the name that it is advised with. */
export interface Named {
  readonly chosen: Chosen
  readonly definition: Definition
}

/** Names that say table and keys, and that nothing else has. */
export async function withNames(
  session: Session,
  limits: Limits,
  chosen: readonly Chosen[],
): Promise<readonly Named[]> {
  const taken = new Set<string>()
  const named: Named[] = []
  for (const one of chosen) {
    const { definition } = one.option
    const { schema, name: table } = definition.table
    const rows = await rolledBack(session, limits, catalogOnly, async () =>
      session.query<{ name: string }>(namesInSchemaSql, [schema]),
    )
    for (const { name } of rows) taken.add(`${schema}.${name}`)
    const keys = definition.keys.map(({ column, expression }) => column ?? (expression ?? '').replaceAll(/\W+/g, '_'))
    const base = ['idx', table, ...keys].join('_').replaceAll(/_+/g, '_').slice(0, 55).replace(/_$/, '')
    let name = base
    for (let number = 2; taken.has(`${schema}.${name}`); number += 1) name = `${base}_${number}`
    taken.add(`${schema}.${name}`)
    named.push({ chosen: one, definition: { ...definition, name } })
  }
  return named
}

/** `before`: the weighted cost of all queries now. */
export function adviceDocument(
  { chosen, definition }: Named,
  before: number,
  writes: TableWrites | undefined,
  { built, known }: { readonly built: boolean; readonly known: ReadonlySet<Query> | undefined },
): Advice {
  const { option, worth, writePrice, serves, rejected } = chosen
  const share = (saved: number) => round(before === 0 ? 0 : saved / before)
  return {
    index: {
      name: definition.name,
      schema: definition.table.schema,
      table: definition.table.name,
      definition: shortDefinition(definition),
      sql: createIndexSql(definition, { concurrently: true }),
      yaml: yamlOf(declared({ chosen, definition })),
    },
    serves: serves.map(({ present, before: from, after: to, worst }) => ({
      query: present.name,
      ...paramsOf(present.params),
      cost_before: round(from),
      cost_after: round(to),
      ...(worst > from ? { cost_at_worst: round(worst) } : {}),
      ...(known?.has(present.query) === true ? { known: true as const } : {}),
      // A foreign key is written nowhere.
      ...(present.query.place.file === nowhere.file ? {} : { place: { ...present.query.place } }),
    })),
    size_bytes: option.tried.sizeBytes,
    ...(option.tried.guess ? { size_guessed: true as const } : {}),
    share: share(worth),
    ...(writePrice === 0 ? {} : { writes_share: share(writePrice) }),
    tried: built ? 'build' : 'twin',
    why: option.why,
    ...(option.needs === undefined ? {} : { needs: { ...option.needs } }),
    ...(writes === undefined ? {} : { writes }),
    rejected: rejected.slice(0, mostRejected).map(({ option: other, saves }) => ({
      definition: shortDefinition(other.definition),
      share: share(saves),
      size_bytes: other.tried.sizeBytes,
    })),
  }
}

const mostRejected = 5

const nowhere = { file: 'advise', line: 1, column: 1 }

function declared({ chosen, definition }: Named): DeclaredIndex {
  const names = [...new Set(chosen.serves.map(({ present }) => present.name))]
  return { definition, for: names, why: chosen.option.why, place: nowhere }
}

/** The entry of one index as a profile has it. */
function yamlOf(index: DeclaredIndex): string {
  const text = writeProfile(profileOf('advise', [index], []))
  return text.slice(text.indexOf('\n', text.indexOf('indexes:')) + 1)
}

function profileOf(name: string, indexes: readonly DeclaredIndex[], queries: readonly Query[]): Profile {
  return { name, file: name, schema: 'public', indexes, absent: [], extensions: [], analyze: [], queries }
}

/** A profile of the advice: the indexes, and those of the queries that are `wanted`. */
export function adviceProfile(name: string, file: string, named: readonly Named[], queries: readonly Query[]): Profile {
  const extensions = [...new Set(named.flatMap(({ chosen }) => chosen.option.needs?.extension ?? []))]
  return {
    ...profileOf(name, named.map(declared), queries),
    file,
    extensions: extensions.map((one) => ({ name: one, place: nowhere })),
  }
}

/** Ready for plan: the indexes, the queries that they serve, and what may go. */
export function profileText(
  name: string,
  {
    named,
    removals,
    queries,
    proven,
  }: {
    readonly named: readonly Named[]
    readonly removals: readonly Removal[]
    readonly queries: readonly Query[]
    readonly proven: boolean
  },
): string {
  const served = new Set(named.flatMap(({ chosen }) => chosen.serves.map(({ present }) => present.name)))
  const serving = queries.filter((query) => served.has(query.name))
  const absent = removals.map(({ index }) => ({ schema: index.schema, name: index.name, place: nowhere }))
  const profile = { ...adviceProfile(name, name, named, serving), absent }
  return writeProfile(profile, {
    comment: proven
      ? ' Of perfdb advise --prove: each was built, and measured to pay.'
      : ' Of perfdb advise: each was tried on a twin of the server, and none was built.',
  })
}
