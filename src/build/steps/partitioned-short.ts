import { setTimeout as sleep } from 'node:timers/promises'
import { buildSearchPath } from '../../catalog/probe/probe.js'
import { PerfdbError } from '../../errors.js'
import type { TableName } from '../../definition/definition.js'
import type { Statement } from '../../plan/plan.js'
import type { BuildContext } from '../context.js'
import { blockerTexts, holdersOf, lookAt, phaseName } from '../look.js'
import { interrupted, perfdbError, runLockLost } from '../statement.js'

/**
 * Short statements in one transaction, the first of which sets lock_timeout. CREATE INDEX ON ONLY and ATTACH PARTITION wait in
 * the queue of a lock that the application's own statements then wait behind (fault 36): so never for long, but again and
 * again, with pauses that let the queue through and grow, for as long as --max-wait. `schema`: of the names in the definition. Returns how long it waited, in ms. Throws BLOCKED, which
 * names who is in the way, INTERRUPTED, CONNECTION_LOST, or what the server says.
 */
export async function runShortly(
  context: BuildContext,
  statement: Statement,
  schema: string,
  table: TableName,
): Promise<number> {
  const started = performance.now()
  let blocker: string | null = null
  for (let attempt = 0; ; attempt += 1) {
    if (context.signal.aborted) throw interrupted()
    const lost = await runLockLost(context)
    if (lost !== null) throw lost
    const sinceMs = performance.now() - started
    const tried = await tryOnce(context, statement, schema, sinceMs)
    const elapsedMs = performance.now() - started
    if (tried.failure === null) return attempt === 0 ? 0 : elapsedMs
    if (!passing(tried.failure, statement)) throw tried.failure
    blocker = tried.blocker ?? (await heldAfter(context, statement, table, sinceMs)) ?? blocker
    if (elapsedMs > context.maxWaitMs) throw blocked(tried.failure, statement, blocker, elapsedMs)
    await sleep(pauseMs(attempt), undefined, { signal: context.signal }).catch(() => undefined)
  }
}

/** At least 50 times the longest try (50 ms), up to half a minute: nobody waits behind perfdb for more than 2 % of the time. */
function pauseMs(attempt: number): number {
  return Math.min(30_000, 2500 * 1.5 ** attempt) * (1 + Math.random() / 5)
}

/** 57014: of many locks not all were had in time. */
function passing({ sqlstate }: PerfdbError, { verb }: Statement): boolean {
  return sqlstate === '55P03' || sqlstate === '40P01' || (verb === 'drop' && sqlstate === '57014')
}

/** A busy server answers the look after the try is over: who holds such a lock then is told as that, and no more. null when nobody does. */
async function heldAfter(
  { ddl, eyes, listener }: BuildContext,
  statement: Statement,
  table: TableName,
  elapsedMs: number,
): Promise<string | null> {
  const holders = await holdersOf(eyes, ddl.pid, table, statement).catch(() => [])
  if (holders.length === 0) return null
  const held = `held when a try had failed: ${holders.join('; ')}`
  const phase = `waiting for table lock, ${held}`
  // Whether it waited for them nobody saw: they are no blocker.
  listener({
    type: 'step-progress',
    index: statement.index,
    phase,
    percent: null,
    etaMs: null,
    elapsedMs,
    blocker: null,
  })
  return held
}

interface Tried {
  readonly failure: PerfdbError | null
  readonly blocker: string | null
}

async function tryOnce(
  context: BuildContext,
  { sql, index }: Statement,
  schema: string,
  elapsedMs: number,
): Promise<Tried> {
  const { ddl, eyes, listener } = context
  const ended = new AbortController()
  const look = async () => {
    await sleep(lookAfterMs, undefined, { signal: ended.signal })
    const seen = await lookAt(eyes, ddl.pid)
    if (seen === undefined) return null
    const blocker = blockerTexts(seen).join('; ')
    if (blocker === '') return null
    listener({ type: 'step-progress', index, phase: phaseName(seen), percent: null, etaMs: null, elapsedMs, blocker })
    return `it waited for ${blocker}`
  }
  const looking = look().catch(() => null)
  const failure = await ddl
    .transaction(async () => {
      await ddl.query(`set local search_path = ${buildSearchPath(ddl, schema)}`)
      for (const text of sql) await ddl.query(text)
    })
    .then(() => null, perfdbError)
  ended.abort()
  return { failure, blocker: await looking }
}

/** Most get their lock at once; who does not has a while left to be looked at. */
const lookAfterMs = 10

function blocked(failure: PerfdbError, { index }: Statement, blocker: string | null, elapsedMs: number): PerfdbError {
  return new PerfdbError(
    'BLOCKED',
    `${index} did not get its lock in ${Math.round(elapsedMs / 1000)} s of short tries`,
    {
      detail: blocker ?? failure.message,
      sqlstate: failure.sqlstate,
    },
  )
}
