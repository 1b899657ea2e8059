import { rewrites } from '../../sql/rewrite/rewrite.js'
import type { Rewrite } from '../../sql/rewrite/rewrite-places.js'
import { milliseconds } from '../rules/rule.js'
import type { Session } from '../../server/session/session.js'
import { rowsDigestSql } from '../../sql/measure/variants-rows.js'
import type { Limits } from '../sample/limits.js'
import { explainOnce, rolledBack } from '../sample/sample.js'
import type { Subject } from '../sample/subject.js'
import { runBothWays, type BothWays } from '../sample/both-ways.js'
import type { WithoutSeqScan } from './without-seq-scan.js'
import type { ColumnFacts } from './serves-index.js'

/** A rewrite with what it did here. */
export interface Proven {
  readonly rewrite: Rewrite
  /** Its rows have the same count and digest as those of the query; null where that could not be asked. */
  readonly same: boolean | null
  /** In ms, of runs in turns, where it is at least twice as fast; null elsewhere, and where one of them did not end in time. */
  readonly times: BothWays | null
}

/** Each rewrite of the statement, run and compared by a digest of its rows; one with other rows is left out. Throws the server's errors. */
export async function provenRewrites(
  counterpart: WithoutSeqScan,
  columns: ReadonlyMap<string, ColumnFacts>,
): Promise<readonly Proven[]> {
  const { session, subject, limits, plan, foreign } = counterpart
  // What did not end in time would not end in time again.
  if (subject.writes || foreign || plan.executionMs === null) return []
  const types = new Map([...columns].map(([name, { type }]) => [name, type]))
  const proven: Proven[] = []
  for (const rewrite of await rewrites(subject.text, types)) {
    const other = { ...subject, text: rewrite.sql }
    const same = await sameRows(session, subject, other, limits)
    if (same === false) continue
    proven.push({ rewrite, same, times: await timesOf(counterpart, other) })
  }
  // What neither is quicker here nor can become so by an index is no remedy.
  return proven.filter(({ rewrite, times }) => times !== null || rewrite.kind !== 'not materialized')
}

async function timesOf({ session, subject, limits, plan }: WithoutSeqScan, other: Subject): Promise<BothWays | null> {
  const run = async (one: Subject) => explainOnce(session, one, 'sample', limits)
  const warm = await run(other).catch(() => null)
  if (warm?.executionMs == null || !isTwice(plan.executionMs ?? 0, warm.executionMs)) return null
  const times = await runBothWays(
    async () => run(subject),
    async () => run(other),
    limits.timeBudgetMs,
    ({ low, high }) => low > 1 || high < 2,
  )
  return times !== null && times.low > 1 && isTwice(times.asIs, times.other) ? times : null
}

function isTwice(beforeMs: number, afterMs: number): boolean {
  return afterMs * 2 < beforeMs
}

/** Whether both give the same rows, in one snapshot; null where that cannot be asked, such as within the time. */
async function sameRows(session: Session, a: Subject, b: Subject, limits: Limits): Promise<boolean | null> {
  try {
    return await rolledBack(session, limits, { readOnly: true, isolation: 'repeatable read' }, async () => {
      const [one] = await session.query<Digest>(rowsDigestSql(a.text), a.values)
      const [two] = await session.query<Digest>(rowsDigestSql(b.text), b.values)
      return (
        one !== undefined &&
        two !== undefined &&
        `${one.rows} ${one.one} ${one.two}` === `${two.rows} ${two.one} ${two.two}`
      )
    })
  } catch (error) {
    if (session.lost || limits.signal?.aborted) throw error
    return null
  }
}

interface Digest {
  readonly rows: number
  readonly one: string
  readonly two: string
}

/** `index` is one that has to be made besides. */
export function rewriteText({ rewrite, same, times }: Proven, index: string | null): string {
  const what =
    rewrite.kind === 'not materialized'
      ? `write with ${rewrite.about[0] ?? ''} as not materialized (...), so that the condition goes into it`
      : `write ${rewrite.words} instead`
  const proof = same === true ? 'the same rows by digest' : 'not proven equal'
  const time =
    times === null
      ? ''
      : `, ${milliseconds(times.other)} instead of ${milliseconds(times.asIs)} in ${times.runs} runs each, in turns`
  const besides = index === null ? '' : `, with ${index}`
  return `${what}${besides} (${proof}${time}): ${rewrite.sql.replaceAll(/\s+/g, ' ')}`
}
