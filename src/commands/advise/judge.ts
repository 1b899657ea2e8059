import { chooseIndexes, type Choice, type Chosen } from '../../advise/choose/choose.js'
import { optionsOf } from '../../advise/choose/each.js'
import { removalsFor, type Removal, type Removals } from '../../advise/removals.js'
import { readWrites, writePrices, type TableWrites } from '../../advise/choose/write-price.js'
import { foreignKeyQueries } from '../../advise/foreign-keys.js'
import type { Weighed } from '../../advise/asks.js'
import { readTrigrams } from '../../advise/trigrams.js'
import { mostTried, proposalsFor } from '../../advise/candidates.js'
import type { Limits } from '../../measure/sample/limits.js'
import type { Finding } from '../../plan/plan.js'
import type { Query } from '../../profile/profile.js'
import type { AdviseResult } from '../../result/documents/advise-result.js'
import type { Session } from '../../server/session/session.js'
import { skipsFrom } from '../../twin/suppose/skips.js'
import { presentsOf, type Present, type Presents } from '../../twin/suppose/suppose.js'
import { withThousands } from '../../text/amounts.js'
import { strangerFinding, twinDocument, type MadeTwin } from '../shared/twins.js'
import { withNames, type Named } from './advice-document.js'
import { unaskedFinding } from './removal-document.js'

/** What is advised: a server, or the twin of a statistics file alone. */
export interface Advised {
  /** A session on it; the twin ends those that it gave before when it builds. */
  readonly session: () => Promise<Session>
  readonly versionNum: number
  /** Opens sessions on the replicas, whose scans of an index count too; absent without a server: what may go is not told then. */
  readonly openReplicas?: () => Promise<{ readonly sessions: readonly Session[] } & AsyncDisposable>
}

export interface JudgeOptions {
  readonly limits: Limits
  readonly mostIndexes: number
  readonly mostBytes: number
  /** What one run of a query counts for; its own weight, else 1, where it is not in it. */
  readonly weights: ReadonlyMap<string, number>
  /** Why the twin has no pg_trgm, which the source lacks, where it has none. */
  readonly withoutTrigrams: string
}

export interface Judgement extends Presents {
  readonly choice: Choice
  readonly named: readonly Named[]
  readonly removals: readonly Removal[]
  /** By `schema.table`. */
  readonly writes: ReadonlyMap<string, TableWrites>
  /** What PostgreSQL asks for foreign keys, as queries. */
  readonly keys: readonly Query[]
  /** Queries with values that the twin plans as the server does. */
  readonly judged: number
  /** Indexes that were built on the twin. */
  readonly tried: number
  /** Queries that read or write a table of the choice. */
  readonly concerned: readonly Query[]
  readonly twin: AdviseResult['twin']
  readonly findings: readonly Finding[]
}

/** What the planner says on the twin. Throws the server's errors, EMBEDDED_FAILED, CONNECTION_LOST and INTERRUPTED. */
export async function judge(
  { session: open, versionNum, openReplicas }: Advised,
  { twin, findings }: MadeTwin,
  queries: readonly Query[],
  options: JudgeOptions,
): Promise<Judgement> {
  const { limits } = options
  const before = await open()
  const keys = await foreignKeyQueries(before, limits)
  const all = [...queries, ...keys.map(({ query }) => query)]
  const presents = await presentsOf(before, twin, all, limits, openReplicas !== undefined)
  const judged = presents.planned.filter(({ likeness }) => likeness !== 'differs')
  // Calls are counted as deletes are; where queries have weights of their own a foreign key counts once.
  const counted = options.weights.size === 0 ? [] : keys.map(({ query, deleted }) => [query.name, deleted] as const)
  const weighed = weigh(judged, new Map([...options.weights, ...counted]))
  const trigrams = await readTrigrams(before, limits)
  const { proposals, left, untried, unsaid } = await proposalsFor(before, twin, weighed, limits, trigrams)
  const built = await optionsOf(twin, proposals)
  const session = await open()
  const writes = openReplicas === undefined ? new Map<string, TableWrites>() : await readWrites(session, limits, built)
  const look = { twin, skips: versionNum >= skipsFrom }
  const choice = await chooseIndexes(look, built, weighed, {
    ...options,
    priceOf: writePrices(twin, weighed, writes),
  })
  const named = await withNames(session, limits, choice.chosen)
  await using replicas = await openReplicas?.()
  const { removals, untold, unasked }: Removals =
    replicas === undefined
      ? { removals: [], untold: [], unasked: 0 }
      : await removalsFor({
          session,
          look,
          limits,
          presents,
          chosen: named.map(({ chosen: { option }, definition }) => ({ option, name: definition.name })),
          after: choice.outcomes,
          replicas: replicas.sessions,
        })
  const tables = new Set(choice.chosen.map(({ option }) => option.table))
  const reading = presents.planned.filter(({ there }) => [...tables].some((table) => twin.reads(there, table)))
  return {
    ...presents,
    choice,
    named,
    removals,
    writes,
    keys: keys.map(({ query }) => query),
    judged: judged.filter(({ query }) => queries.includes(query)).length,
    tried: built.length,
    concerned: [...new Set(reading.map(({ query }) => query))],
    twin: twinDocument(twin, openReplicas === undefined ? null : presents.planned),
    findings: [
      ...findings,
      ...presents.planned.flatMap(({ query, subject }) => strangerFinding(query, twin.strangers(subject))),
      ...unaskedFinding(untold, unasked),
      ...leftFinding(left),
      ...untriedFinding(untried, options.withoutTrigrams),
      ...unsaidFinding(unsaid),
      ...limitFinding(choice.chosen),
    ],
  }
}

/** A query with several sets of values counts once in all. */
function weigh(judged: readonly Present[], weights: ReadonlyMap<string, number>): readonly Weighed[] {
  const sets = new Map<string, number>()
  for (const { name } of judged) sets.set(name, (sets.get(name) ?? 0) + 1)
  return judged.map((present) => ({
    present,
    weight: (weights.get(present.name) ?? present.query.weight ?? 1) / (sets.get(present.name) ?? 1),
  }))
}

function untriedFinding([first, ...more]: readonly string[], reason: string): readonly Finding[] {
  if (first === undefined) return []
  return [
    {
      code: 'TRIGRAMS_UNTRIED',
      severity: 'info',
      message: `an index of pg_trgm might serve a pattern (${first}${more.length === 0 ? '' : `, and ${more.length} more`}), and was not tried: ${reason}`,
      hint: 'create extension pg_trgm, then advise again',
    },
  ]
}

/** Where the values come from makes no difference: those of the statistics are none that the application sends, and what it sends as $1 may be another one next time. */
function unsaidFinding(unsaid: ReadonlyMap<Query, readonly string[]>): readonly Finding[] {
  const [first] = unsaid
  if (first === undefined) return []
  const [{ name }, columns] = first
  const more = unsaid.size - 1
  return [
    {
      code: 'CONSTANTS_UNKNOWN',
      severity: 'info',
      message: `${name}${more === 0 ? '' : ` and ${more} more`} ${more === 0 ? 'leaves' : 'leave'} rows out for values that the text does not say (${columns.join(', ')}): an index on the other rows alone needs them as constants, and was not tried`,
      hint: 'where the application always says the same ones, name the query with them beside --top: perfdb advise queries.sql --top 50',
    },
  ]
}

/** What the planner cannot know of a LIMIT, where it may cost more than is gained. */
function limitFinding(chosen: readonly Chosen[]): readonly Finding[] {
  const served = chosen.flatMap(({ serves }) => serves.filter(({ worst, before }) => worst > before))
  const [first] = served
  if (first === undefined) return []
  const names = new Set(served.map(({ present }) => present.name))
  const [after, worst, before] = [first.after, first.worst, first.before].map((cost) => withThousands(Math.round(cost)))
  return [
    {
      code: 'LIMIT_GUESS',
      severity: 'info',
      message: `${first.present.name}${names.size === 1 ? '' : ` and ${names.size - 1} more`}: the gain rests on LIMIT finding its rows early, and no statistics say where in the index those lie that pass its filter. ${names.size === 1 ? 'It' : 'The first'} costs ${after} if they are evenly spread, up to ${worst} if they come last, ${before} now`,
      hint: 'perfdb advise --prove builds it, measures, and drops what does not pay',
    },
  ]
}

function leftFinding(left: number): readonly Finding[] {
  if (left === 0) return []
  return [
    {
      code: 'CANDIDATES_LEFT',
      severity: 'info',
      message: `${left} ${left === 1 ? 'index' : 'indexes'} that could serve these queries ${left === 1 ? 'was' : 'were'} not tried: at most ${mostTried} are, those for the queries that cost most first`,
      hint: 'advise again with fewer queries, or after the advice is built',
    },
  ]
}
