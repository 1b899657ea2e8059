import { setTimeout as sleep } from 'node:timers/promises'
import { buildSearchPath } from '../../catalog/probe/probe.js'
import { errorHints, PerfdbError } from '../../errors.js'
import type { Statement, Step } from '../../plan/plan.js'
import { duplicatesText } from '../../plan/hazards/unique.js'
import { retryable } from '../../server/session/failure.js'
import { dropIndexSql } from '../../sql/ddl/index-ddl.js'
import { anyBuildSql, otherBuildsSql } from '../../sql/catalog/progress.js'
import { lookBefore, type BeforeBuild } from '../check/before.js'
import { cleanUp } from './clean-up.js'
import type { BuildContext, Built } from '../context.js'
import { lookForDuplicates } from '../check/duplicates.js'
import { recoverBuild } from './recover.js'
import { runWatched } from '../statement.js'
import { verifyBuilt } from '../check/verify.js'

/**
 * One CREATE INDEX CONCURRENTLY: waits until no other build runs on the table, builds, verifies. When it fails its own
 * leftover is dropped at once (an invalid index costs writes, stops HOT updates, and a unique one rejects rows: faults 8, 9),
 * and an error that passes by itself is tried again. `looked` is what was seen a moment ago. Throws BUILD_FAILED, DUPLICATE_KEYS, BLOCKED, CHANGED, NOT_AS_DECLARED,
 * INTERRUPTED or CONNECTION_LOST; the error's hint says what is left to do by hand.
 */
export async function runBuild(
  context: BuildContext,
  step: Step,
  statement: Statement,
  looked?: BeforeBuild,
  attempt = 0,
): Promise<Built> {
  const { ddl, watchdog } = context
  const { schema, table } = step
  const name = statement.index
  let before = looked ?? (await lookBefore(context, schema, name))
  if (before.building) {
    await otherBuildsGone(context, step)
    before = await lookBefore(context, schema, name)
  }
  if (before.there) throw new PerfdbError('CHANGED', `${schema}.${name} appeared since the plan was made`)
  const searched = await assertNoDuplicates(context, step)
  const ran = await runWatched(context, name, statement.sql.join(';\n'), {
    searchPath: buildSearchPath(ddl, statement.namesFrom ?? schema),
    lockPid: searched ? undefined : before.lockPid,
  })
  if (ran.error === null) {
    return { index: await verifyBuilt(watchdog, schema, name, table.name, step.canonical), waitedMs: ran.waitedMs }
  }
  if (!ran.sent) throw ran.error
  if (ran.error.code === 'CONNECTION_LOST') return recoverBuild(context, step, name, ran)
  if (nameTaken(ran.error)) {
    const { message, sqlstate } = ran.error
    throw new PerfdbError('CHANGED', `${schema}.${name} appeared since the plan was made`, {
      detail: message,
      sqlstate,
    })
  }
  const left = await cleanUp(context, schema, name, ran)
  if (left === 'valid')
    return { index: await verifyBuilt(watchdog, schema, name, table.name, step.canonical), waitedMs: ran.waitedMs }
  if (
    left === 'missing' &&
    retryable(ran.error.sqlstate) &&
    ran.error.code !== 'BLOCKED' &&
    attempt < context.retries &&
    !context.signal.aborted
  ) {
    context.listener({
      type: 'warning',
      message: `${name}: ${ran.error.message}; trying again (${attempt + 1} of ${context.retries})`,
    })
    await sleep(500 * 2 ** attempt * (1 + Math.random()))
    return runBuild(context, step, statement, undefined, attempt + 1)
  }
  throw await describe(context, step, statement, ran.error, left)
}

/** Somebody was quicker. Two that take one name at the same moment meet in the catalog's own unique indexes (fault 40). */
function nameTaken({ sqlstate, message }: PerfdbError): boolean {
  return sqlstate === '42P07' || (sqlstate === '23505' && /"pg_(class|type)_\w+_nsp_index"/.test(message))
}

/** A unique build over duplicates fails at its very end: a bounded look first saves the hour (fault 1). False where there was nothing to look at. */
async function assertNoDuplicates({ ddl }: BuildContext, { declared, duplicates }: Step): Promise<boolean> {
  if (declared === null || !declared.unique) return false
  // Looked for when the plan was made, or in vain for as long as is bearable, which was then allowed.
  if (duplicates === 'none' || duplicates === 'unknown') return false
  const look = await lookForDuplicates(ddl, declared)
  if (look?.found !== 'some') return true
  throw new PerfdbError('DUPLICATE_KEYS', `could not create unique index "${declared.name}"`, {
    detail: duplicatesText(look.keys),
    sqlstate: '23505',
  })
}

/** A second build on a table deadlocks with the first, which may be nearly done (fault 20): wait before joining. */
export async function otherBuildsGone(context: BuildContext, { table, index }: Step): Promise<void> {
  const started = performance.now()
  let told = ''
  while (!context.signal.aborted) {
    const [any] = await context.watchdog.query<{ there: boolean }>(anyBuildSql, [context.ddl.pid])
    if (any?.there === false) return
    const builds = await context.watchdog.query<{
      pid: number
      applicationName: string
      user: string
      phase: string
      index: string
    }>(otherBuildsSql, [table.schema, table.name, context.ddl.pid])
    const [other] = builds
    if (other === undefined) return
    const text = `pid ${other.pid} (${other.applicationName}, user ${other.user}) builds ${other.index} on the same table`
    if (text !== told)
      context.listener({
        type: 'step-progress',
        index,
        phase: 'waiting for another build',
        percent: null,
        etaMs: null,
        elapsedMs: performance.now() - started,
        blocker: text,
      })
    told = text
    if (performance.now() - started > context.maxWaitMs)
      throw new PerfdbError('BLOCKED', `${index} was not started`, { detail: text })
    await sleep(500)
  }
}

/** What PostgreSQL's own HINT says, in one line; '' where it gave none. */
function ownHint({ hint }: PerfdbError): string {
  return hint === errorHints.QUERY_FAILED ? '' : hint.replaceAll(/\s+/g, ' ')
}

async function describe(
  context: BuildContext,
  step: Step,
  statement: Statement,
  error: PerfdbError,
  left: 'missing' | 'invalid',
): Promise<PerfdbError> {
  const hint =
    left === 'invalid' ? `an invalid index is left: ${dropIndexSql(step.schema, statement.index)}` : error.hint
  if (error.sqlstate === '23505' && step.declared !== null) {
    const look = await lookForDuplicates(context.ddl, step.declared)
    const detail = look?.found === 'some' ? duplicatesText(look.keys) : error.detail
    return new PerfdbError('DUPLICATE_KEYS', error.message, {
      detail,
      sqlstate: error.sqlstate,
      ...(left === 'invalid' ? { hint } : {}),
      cause: error,
    })
  }
  const code = error.code === 'QUERY_FAILED' ? 'BUILD_FAILED' : error.code
  return new PerfdbError(code, error.message, {
    detail: error.detail,
    hint:
      code === error.code
        ? hint
        : [left === 'invalid' ? hint : '', ownHint(error)].filter((text) => text !== '').join('; ') || undefined,
    sqlstate: error.sqlstate,
    cause: error,
  })
}
