import { chooseIndexes, type Chosen, type Option } from '../../advise/choose.js'
import { proposalsFor } from '../../advise/candidates.js'
import type { Definition } from '../../definition/definition.js'
import { shortDefinition } from '../../definition/short.js'
import type { Limits } from '../../measure/sample/limits.js'
import { rolledBack } from '../../measure/sample/sample.js'
import { catalogOnly } from '../../measure/sample/tables.js'
import { round } from '../../measure/query/result-queries.js'
import type { Finding } from '../../plan/plan.js'
import type { DeclaredIndex, Profile, Query } from '../../profile/profile.js'
import { writeProfile } from '../../profile/write.js'
import type { Advice, AdviseResult } from '../../result/advise-result.js'
import { exitCode } from '../../result/exit-code.js'
import type { Session } from '../../server/session/session.js'
import { createIndexSql } from '../../sql/ddl/index-ddl.js'
import { namesInSchemaSql, tableWritesSql } from '../../sql/statements/advise.js'
import { skipsFrom } from '../../twin/skips.js'
import { presentsOf } from '../../twin/suppose.js'
import { about, findingDocument } from '../documents.js'
import { twinDocument, type MadeTwin } from '../twin/twins.js'

export interface AdviseOptions {
  readonly limits: Limits
  readonly mostIndexes: number
  readonly mostBytes: number
  /** Exit 1 when the advice is worth more than `minGain`, 0 to 1, of the weighted cost. */
  readonly exitCode: boolean
  readonly minGain: number
  /** What one run of a query counts for; its own weight, else 1, where it is not in it. */
  readonly weights: ReadonlyMap<string, number>
  /** Makes the twin. */
  readonly twin: () => Promise<MadeTwin>
  /** What is known of the queries before. */
  readonly findings: readonly Finding[]
  /** Queries that could not be read, with the reason. */
  readonly unread: readonly { readonly query: string; readonly reason: string }[]
  /** Writes the profile of the advice. */
  readonly out?:
    | { readonly name: string; readonly file: string; readonly write: (text: string) => Promise<void> }
    | undefined
}

/**
 * Which indexes would help these queries: each was built on a twin of the database, and the planner took it there. Nothing is changed on the server, and
 * no query runs. For a session of the role `measure`. Throws NO_EMBEDDED, EMBEDDED_FAILED, CONNECTION_LOST, INTERRUPTED and the server's errors.
 */
export async function runAdvise(
  session: Session,
  queries: readonly Query[],
  options: AdviseOptions,
): Promise<AdviseResult> {
  const startedAt = new Date()
  const { limits } = options
  const { twin, findings } = await options.twin()
  await using _ = twin
  const { planned, notPlanned } = await presentsOf(session, twin, queries, limits)
  const judged = planned.filter(({ likeness }) => likeness !== 'differs')
  const proposals = await proposalsFor(session, twin, judged, limits)
  const tried = proposals.length === 0 ? [] : await twin.build(proposals)
  const built = proposals.flatMap((proposal, at): readonly Option[] => {
    const index = tried[at]
    return index === undefined || index.refused !== null ? [] : [{ ...proposal, tried: index }]
  })
  const sets = new Map<string, number>()
  for (const { name } of judged) sets.set(name, (sets.get(name) ?? 0) + 1)
  const weighed = judged.map((present) => ({
    present,
    weight: (options.weights.get(present.name) ?? present.query.weight ?? 1) / (sets.get(present.name) ?? 1),
  }))
  const { chosen, before, after } = await chooseIndexes(twin, built, weighed, {
    ...options,
    skips: session.versionNum >= skipsFrom,
  })
  const named = await withNames(session, limits, chosen)
  const writes = await writesOf(session, limits, chosen)
  const gain = before === 0 ? 0 : (before - after) / before
  const nothing = judged.length === 0 && queries.length + options.unread.length > 0
  const code = exitCode({
    ...(nothing ? { error: { code: 'QUERY_FAILED' as const } } : {}),
    refusals: options.exitCode && chosen.length > 0 && gain >= options.minGain ? 1 : 0,
  })
  const out = chosen.length === 0 ? undefined : options.out
  await out?.write(profileText(out.name, named, queries))
  return {
    ...about(code, session, startedAt),
    command: 'advise',
    advice: named.map((one) => adviceDocument(one, before, writes.get(one.chosen.option.table))),
    queries: queries.length + options.unread.length,
    judged: judged.length,
    cost: { before: round(before), after: round(after) },
    tried: built.length,
    not_judged: [
      ...options.unread.map((one) => ({ ...one })),
      ...notPlanned.map(({ name, params, reason }) => ({ query: name, ...paramsOf(params), reason })),
      ...planned
        .filter(({ likeness }) => likeness === 'differs')
        .map(({ name, params, difference }) => ({
          query: name,
          ...paramsOf(params),
          reason: `the twin does not plan it as the server does: ${difference}`,
        })),
    ],
    twin: twinDocument(twin, planned),
    ...(out === undefined ? {} : { file: out.file }),
    findings: [...options.findings, ...findings].map(findingDocument),
  }
}

function paramsOf(params: string | null) {
  return params === null || params === 'default' ? {} : { params }
}

interface Named {
  readonly chosen: Chosen
  readonly definition: Definition
}

interface Writes {
  readonly inserted: number
  readonly updated: number
  readonly hot_updated: number
  readonly deleted: number
}

/** Names that say table and keys, and that nothing else has. */
async function withNames(session: Session, limits: Limits, chosen: readonly Chosen[]): Promise<readonly Named[]> {
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

async function writesOf(
  session: Session,
  limits: Limits,
  chosen: readonly Chosen[],
): Promise<ReadonlyMap<string, Writes>> {
  const tables = [...new Map(chosen.map(({ option }) => [option.table, option.definition.table])).values()]
  if (tables.length === 0) return new Map()
  const names = [tables.map(({ schema }) => schema), tables.map(({ name }) => name)]
  const rows = await rolledBack(session, limits, catalogOnly, async () =>
    session.query<Writes & { table: string }>(tableWritesSql, names),
  )
  return new Map(rows.map(({ table, ...counts }) => [table, counts]))
}

function adviceDocument({ chosen, definition }: Named, before: number, writes: Writes | undefined): Advice {
  const { option, worth, serves, rejected } = chosen
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
    serves: serves.map(({ present, before: from, after: to }) => ({
      query: present.name,
      ...paramsOf(present.params),
      cost_before: round(from),
      cost_after: round(to),
    })),
    size_bytes: option.tried.sizeBytes,
    ...(option.tried.guess ? { size_guessed: true as const } : {}),
    share: share(worth),
    tried: 'twin',
    why: option.why,
    ...(writes === undefined ? {} : { writes }),
    rejected: rejected.slice(0, mostRejected).map(({ option: other, saves }) => ({
      definition: shortDefinition(other.definition),
      share: share(saves),
      size_bytes: other.tried.sizeBytes,
    })),
  }
}

const mostRejected = 5

function declared({ chosen, definition }: Named): DeclaredIndex {
  const names = [...new Set(chosen.serves.map(({ present }) => present.name))]
  return { definition, for: names, why: chosen.option.why, place: { file: 'advise', line: 1, column: 1 } }
}

/** The entry of one index as a profile has it. */
function yamlOf(index: DeclaredIndex): string {
  const text = writeProfile(profileOf('advise', [index], []))
  return text.slice(text.indexOf('\n', text.indexOf('indexes:')) + 1)
}

function profileOf(name: string, indexes: readonly DeclaredIndex[], queries: readonly Query[]): Profile {
  return { name, file: name, schema: 'public', indexes, absent: [], extensions: [], analyze: [], queries }
}

/** A profile ready for plan: the indexes, and the queries that they serve. */
function profileText(name: string, named: readonly Named[], queries: readonly Query[]): string {
  const served = new Set(named.flatMap(({ chosen }) => chosen.serves.map(({ present }) => present.name)))
  const profile = profileOf(
    name,
    named.map(declared),
    queries.filter((query) => served.has(query.name)),
  )
  return writeProfile(profile, {
    comment: ' Of perfdb advise: each was tried on a twin of the server, and none was built.',
  })
}
