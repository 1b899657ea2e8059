import { chooseIndexes, type Choice } from '../../advise/choose.js'
import type { Option } from '../../advise/outcomes.js'
import { removalsFor, type Removal } from '../../advise/removals.js'
import { readWrites, writePrices, type TableWrites } from '../../advise/write-price.js'
import { foreignKeyQueries } from '../../advise/foreign-keys.js'
import { proposalsFor } from '../../advise/candidates.js'
import type { Limits } from '../../measure/sample/limits.js'
import { round } from '../../measure/query/result-queries.js'
import type { Finding } from '../../plan/plan.js'
import type { Query } from '../../profile/profile.js'
import type { AdviseResult } from '../../result/advise-result.js'
import { exitCode } from '../../result/exit-code.js'
import type { Session } from '../../server/session/session.js'
import { skipsFrom } from '../../twin/skips.js'
import { presentsOf, type Presents } from '../../twin/suppose.js'
import { about, findingDocument } from '../documents.js'
import { twinDocument, type MadeTwin } from '../twin/twins.js'
import { adviceDocument, paramsOf, profileText, withNames, type Named } from './advice-document.js'
import { removalDocument, unaskedFinding } from './removal-document.js'
import { isPaying, proveAdvice, undoKilled, wasBuilt, type Proving } from './prove.js'

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
  /** Opens sessions on the replicas, whose scans of an index count too. */
  readonly openReplicas: () => Promise<{ readonly sessions: readonly Session[] } & AsyncDisposable>
  /** Builds and measures the advice, and keeps what pays; absent where nothing is to be changed on the server. */
  readonly prove?: Proving | undefined
  /** Writes the profile of the advice. */
  readonly out?:
    | { readonly name: string; readonly file: string; readonly write: (text: string) => Promise<void> }
    | undefined
}

/**
 * Which indexes would help these queries: each was built on a twin of the database, and the planner took it there. Without `prove` nothing is changed
 * on the server, and no query runs. For a session of the role `measure`. Throws NO_EMBEDDED, EMBEDDED_FAILED, CONNECTION_LOST, INTERRUPTED, the
 * server's errors, and what keeps apply from starting.
 */
export async function runAdvise(
  session: Session,
  queries: readonly Query[],
  options: AdviseOptions,
): Promise<AdviseResult> {
  const startedAt = new Date()
  const { prove } = options
  const killed = prove === undefined ? [] : await undoKilled(prove)
  const judgement = await judge(session, queries, options)
  const { planned, notPlanned, judged } = judgement
  const { before, after } = judgement.choice
  const { named, removals } = judgement
  const gain = before === 0 ? 0 : (before - after) / before
  const proof =
    prove === undefined || named.length === 0
      ? undefined
      : await proveAdvice(prove, options.out?.name ?? 'advise', named, judgement.concerned)
  const nothing = judged === 0 && queries.length + options.unread.length > 0
  const code = exitCode({
    ...(nothing ? { error: { code: 'QUERY_FAILED' as const } } : {}),
    refusals: (options.exitCode && named.length > 0 && gain >= options.minGain) || proof?.ok === false ? 1 : 0,
  })
  const kept = proof === undefined ? named : named.filter((one) => isPaying(proof, one.definition))
  const out = kept.length + removals.length === 0 ? undefined : options.out
  await out?.write(
    profileText(out.name, {
      named: kept,
      removals,
      queries: [...queries, ...judgement.keys],
      proven: proof !== undefined,
    }),
  )
  return {
    ...about(Math.max(code, proof?.exit_code ?? 0), session, startedAt),
    command: 'advise',
    advice: named.map((one) =>
      adviceDocument(one, before, judgement.writes.get(one.chosen.option.table), wasBuilt(proof, one.definition)),
    ),
    removals: removals.map(removalDocument),
    queries: queries.length + options.unread.length,
    ...(judgement.keys.length === 0 ? {} : { foreign_keys: judgement.keys.length }),
    judged,
    cost: { before: round(before), after: round(after) },
    tried: judgement.tried,
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
    twin: judgement.twin,
    ...(proof === undefined ? {} : { proof }),
    ...(out === undefined ? {} : { file: out.file }),
    findings: [...killed, ...options.findings, ...judgement.findings].map(findingDocument),
  }
}

interface Judgement extends Presents {
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

/** What the planner says on the twin, which is gone afterwards. */
async function judge(session: Session, queries: readonly Query[], options: AdviseOptions): Promise<Judgement> {
  const { limits } = options
  const { twin, findings } = await options.twin()
  await using _ = twin
  const keys = await foreignKeyQueries(session, limits)
  const all = [...queries, ...keys.map(({ query }) => query)]
  const presents = await presentsOf(session, twin, all, limits)
  const judged = presents.planned.filter(({ likeness }) => likeness !== 'differs')
  const proposals = await proposalsFor(session, twin, judged, limits)
  const tried = proposals.length === 0 ? [] : await twin.build(proposals)
  const built = proposals.flatMap((proposal, at): readonly Option[] => {
    const index = tried[at]
    return index === undefined || index.refused !== null ? [] : [{ ...proposal, tried: index }]
  })
  // Calls are counted as deletes are; where queries have weights of their own a foreign key counts once.
  const counted = options.weights.size === 0 ? [] : keys.map(({ query, deleted }) => [query.name, deleted] as const)
  const weights = new Map([...options.weights, ...counted])
  const writes = await readWrites(session, limits, built)
  const sets = new Map<string, number>()
  for (const { name } of judged) sets.set(name, (sets.get(name) ?? 0) + 1)
  const weighed = judged.map((present) => ({
    present,
    weight: (weights.get(present.name) ?? present.query.weight ?? 1) / (sets.get(present.name) ?? 1),
  }))
  const look = { twin, skips: session.versionNum >= skipsFrom }
  const choice = await chooseIndexes(look, built, weighed, {
    ...options,
    priceOf: writePrices(twin, weighed, writes),
  })
  const named = await withNames(session, limits, choice.chosen)
  await using replicas = await options.openReplicas()
  const { removals, untold, unasked } = await removalsFor({
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
    twin: twinDocument(twin, presents.planned),
    findings: [...findings, ...unaskedFinding(untold, unasked)],
  }
}
