import { round } from '../../measure/query/result-queries.js'
import type { Finding } from '../../plan/plan.js'
import type { Query } from '../../profile/profile.js'
import type { AdviseResult } from '../../result/documents/advise-result.js'
import { exitCode } from '../../result/exit-code.js'
import { headOf, timesOf } from '../../result/head.js'
import type { ApplyResult } from '../../result/documents/result.js'
import type { Session } from '../../server/session/session.js'
import type { Present } from '../../twin/suppose/suppose.js'
import type { LoneTwin } from '../../twin/twin.js'
import { about, findingDocument } from '../shared/documents.js'
import type { MadeTwin } from '../shared/twins.js'
import { adviceDocument, paramsOf, profileText } from './advice-document.js'
import { judge, type Advised, type JudgeOptions, type Judgement } from './judge.js'
import { removalDocument } from './removal-document.js'
import { isPaying, proveAdvice, undoKilled, wasBuilt, type Proving } from './prove.js'

export interface AdviseOptions extends JudgeOptions {
  /** Exit 1 when the advice is worth more than `minGain`, 0 to 1, of the weighted cost. */
  readonly exitCode: boolean
  readonly minGain: number
  /** Queries that a server runs already: they are told, and do not count for the exit code. Absent where nobody knows. */
  readonly known?: ReadonlySet<Query> | undefined
  /** What is known of the queries before. */
  readonly findings: readonly Finding[]
  /** Queries that could not be read, with the reason. */
  readonly unread: readonly { readonly query: string; readonly reason: string }[]
  /** Writes the profile of the advice. */
  readonly out?:
    | { readonly name: string; readonly file: string; readonly write: (text: string) => Promise<void> }
    | undefined
}

export interface ServerOptions extends AdviseOptions {
  /** Makes the twin. */
  readonly twin: () => Promise<MadeTwin>
  readonly openReplicas: NonNullable<Advised['openReplicas']>
  /** Builds and measures the advice, and keeps what pays; absent where nothing is to be changed on the server. */
  readonly prove?: Proving | undefined
}

/**
 * Which indexes would help these queries: each was built on a twin of the database, and the planner took it there. Without `prove` nothing is changed
 * on the server, and no query runs. For a session of the role `measure`. Throws NO_EMBEDDED, EMBEDDED_FAILED, CONNECTION_LOST, INTERRUPTED, the
 * server's errors, and what keeps apply from starting.
 */
export async function runAdvise(
  session: Session,
  queries: readonly Query[],
  options: ServerOptions,
): Promise<AdviseResult> {
  const startedAt = new Date()
  const { prove, openReplicas } = options
  const { versionNum } = session
  const killed = prove === undefined ? [] : await undoKilled(prove)
  const judgement = await judgedOn(await options.twin(), queries, options, {
    session: async () => session,
    versionNum,
    openReplicas,
  })
  const { named, concerned } = judgement
  const proof =
    prove === undefined || named.length === 0
      ? undefined
      : await proveAdvice(prove, options.out?.name ?? 'advise', named, concerned)
  return {
    ...about(0, session, startedAt),
    ...(await adviseDocument(queries, options, { judgement, proof, killed })),
  }
}

/**
 * The same where no server is asked: of the twin of a statistics file, which stands for the server. What may go is not told, as nobody knows what is scanned.
 * Throws CONNECTION_LOST, INTERRUPTED and the server's errors.
 */
export async function runAdviseOnTwin(
  made: MadeTwin<LoneTwin>,
  versionNum: number,
  queries: readonly Query[],
  options: AdviseOptions,
): Promise<AdviseResult> {
  const startedAt = new Date()
  const opened: Session[] = []
  const session = async () => {
    const one = await made.twin.look()
    opened.push(one)
    return one
  }
  try {
    const judgement = await judge({ session, versionNum }, made, queries, options)
    return {
      ...headOf(0),
      ...timesOf(startedAt),
      ...(await adviseDocument(queries, options, { judgement, proof: undefined, killed: [] })),
    }
  } finally {
    await Promise.all(opened.map(async (one) => one[Symbol.asyncDispose]()))
  }
}

/** The twin is gone afterwards: what is proven has the machine for itself. */
async function judgedOn(
  made: MadeTwin,
  queries: readonly Query[],
  options: AdviseOptions,
  advised: Advised,
): Promise<Judgement> {
  await using _ = made.twin
  return await judge(advised, made, queries, options)
}

/** The advice saves enough of the weighted cost of the queries that are new. */
function isWorth({ named, choice }: Judgement, { known, minGain }: AdviseOptions): boolean {
  const isNew = ({ query }: Present) => known?.has(query) !== true
  const counting = [...choice.outcomes].filter(([{ present }]) => isNew(present))
  const before = counting.reduce((sum, [{ weight, present }]) => sum + weight * present.here.cost, 0)
  const after = counting.reduce((sum, [{ weight }, { cost }]) => sum + weight * cost, 0)
  const serving = named.some(({ chosen }) => chosen.serves.some(({ present }) => isNew(present)))
  return serving && before > 0 && (before - after) / before >= minGain
}

interface Judged {
  readonly judgement: Judgement
  readonly proof: ApplyResult | undefined
  readonly killed: readonly Finding[]
}

/** Writes the profile of --out as well. */
async function adviseDocument(
  queries: readonly Query[],
  options: AdviseOptions,
  { judgement, proof, killed }: Judged,
): Promise<Omit<AdviseResult, 'perfdb'>> {
  const { planned, notPlanned, judged, named, removals } = judgement
  const { before, after } = judgement.choice
  const nothing = judged === 0 && queries.length + options.unread.length > 0
  const code = exitCode({
    ...(nothing ? { error: { code: 'QUERY_FAILED' as const } } : {}),
    refusals: (options.exitCode && isWorth(judgement, options)) || proof?.ok === false ? 1 : 0,
  })
  const worst = Math.max(code, proof?.exit_code ?? 0)
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
    ok: worst === 0,
    exit_code: worst,
    command: 'advise',
    advice: named.map((one) =>
      adviceDocument(one, before, judgement.writes.get(one.chosen.option.table), {
        built: wasBuilt(proof, one.definition),
        known: options.known,
      }),
    ),
    removals: removals.map(removalDocument),
    queries: queries.length + options.unread.length,
    ...(options.known === undefined ? {} : { known: options.known.size }),
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
    findings: [...killed, ...options.findings, ...judgement.findings]
      // What was measured is no guess.
      .filter(({ code: one }) => proof === undefined || one !== 'LIMIT_GUESS')
      .map(findingDocument),
  }
}
