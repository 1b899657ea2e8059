import { readForeignCode, foreignText } from '../../catalog/trust.js'
import { PerfdbError } from '../../errors.js'
import type { Query } from '../../profile/profile.js'
import { exitCode, type SignalName } from '../../result/exit-code.js'
import { stepFailed, type LoadResult, type LoadStep } from '../../result/load-result.js'
import { perfdbVersion } from '../../result/version.js'
import type { LoadConnection } from '../../server/load-connection.js'
import type { Session } from '../../server/session/session.js'
import { loadLookSql } from '../../sql/catalog/load.js'
import { several } from '../../text/amounts.js'
import { makeMix } from './mix.js'
import { openLoop, type Measured } from './open-loop.js'

export interface LoadOptions {
  /** Arrivals a second, one step each. */
  readonly rates: readonly number[]
  readonly durationMs: number
  readonly connections: number
  readonly timeoutMs: number
  readonly mix: readonly string[]
  /** Others are busy on that server, and may be slowed down. */
  readonly allowLoad: boolean
  readonly signal: AbortSignal
  readonly signalName: () => SignalName | undefined
  /** Called when a step is over. */
  readonly onStep: (step: LoadStep, number: number) => void
}

/** A tenth of a step, and not for ever: caches fill, statements are prepared. */
const warmUp = { share: 0.1, mostMs: 5000 }

/**
 * Sends the queries at each rate and measures what whoever waits for them feels. Only what reads is sent, on sessions that are read-only. Throws BAD_OPTION
 * for more connections than fit, HAZARD for a server on which others are busy, and what makeMix and connecting throw; nothing is sent then.
 */
export async function runLoad(
  look: Session,
  queries: readonly Query[],
  connect: () => Promise<LoadConnection>,
  options: LoadOptions,
): Promise<LoadResult> {
  const random = generator()
  const mix = await makeMix(queries, options.mix, random)
  await refuseDisturbance(look, options)
  await refuseForeignCode(look, mix.texts)
  const connections = await connectAll(connect, options.connections)
  const cancel = () => {
    for (const connection of connections) void connection.cancel().catch(() => undefined)
  }
  options.signal.addEventListener('abort', cancel, { once: true })
  const steps: LoadStep[] = []
  try {
    for (const rate of options.rates) {
      if (options.signal.aborted || connections.every((connection) => connection.lost())) break
      const warmUpMs = Math.min(warmUp.mostMs, options.durationMs * warmUp.share)
      const { durationMs, timeoutMs } = options
      const asked = { rate, durationMs, warmUpMs, timeoutMs }
      const measured = await openLoop(asked, connections, mix.next, random, options.signal)
      const lost = connections.every((connection) => connection.lost())
      const step = stepOf(rate, measured, options.signal.aborted || lost)
      steps.push(step)
      options.onStep(step, steps.length)
    }
  } finally {
    options.signal.removeEventListener('abort', cancel)
    await Promise.all(connections.map(async (connection) => connection.close()))
  }
  const good = steps.filter((step) => !step.cut_short && !step.saturated && !stepFailed(step)).length
  const code = exitCode({ signal: options.signalName(), refusals: options.rates.length - good })
  return {
    perfdb: perfdbVersion(),
    ok: code === 0,
    exit_code: code,
    command: 'load',
    server: { host: `${look.host}:${look.port}`, database: look.database, version: look.version },
    mix: [...mix.shares],
    connections: options.connections,
    duration_ms: options.durationMs,
    timeout_ms: options.timeoutMs,
    load: { after: { steps } },
  }
}

function stepOf(rate: number, measured: Measured, cutShort: boolean): LoadStep {
  const { latency, wait, due, answered, late, skipped, errors, seconds, busy, saturated } = measured
  const at = (of: typeof latency, share: number) => rounded(of.percentile(share))
  return {
    offered: rate,
    achieved: seconds === 0 ? 0 : (rounded(answered / seconds) ?? 0),
    seconds: rounded(seconds) ?? 0,
    latency_ms: {
      p50: at(latency, 0.5),
      p95: at(latency, 0.95),
      p99: at(latency, 0.99),
      max: latency.count === 0 ? null : rounded(latency.max),
    },
    wait_ms: { p50: at(wait, 0.5), p95: at(wait, 0.95) },
    due,
    success: due === 0 ? 0 : Math.max(0, answered - late) / due,
    errors: Object.fromEntries(errors),
    late,
    skipped,
    connections_busy: rounded(busy) ?? 0,
    saturated,
    cut_short: cutShort,
  }
}

function rounded(value: number | null): number | null {
  return value === null ? null : Number(value.toPrecision(4))
}

async function connectAll(connect: () => Promise<LoadConnection>, count: number): Promise<readonly LoadConnection[]> {
  const opened = await Promise.allSettled(Array.from({ length: count }, async () => connect()))
  const connections = opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  const failed = opened.find((one) => one.status === 'rejected')
  if (failed === undefined) return connections
  await Promise.all(connections.map(async (connection) => connection.close()))
  throw failed.reason
}

interface Look {
  readonly busy: number
  readonly hidden: number
  readonly slots: number
  readonly taken: number
  readonly role_limit: number
  readonly role_taken: number
  readonly database_limit: number
  readonly database_taken: number
}

async function refuseDisturbance(look: Session, { connections, allowLoad }: LoadOptions): Promise<void> {
  const [seen] = await look.query<Look>(loadLookSql)
  if (seen === undefined) return
  const left = (limit: number, taken: number) => (limit < 0 ? Infinity : limit - taken)
  const fits = Math.max(
    0,
    Math.min(
      seen.slots - seen.taken,
      left(seen.role_limit, seen.role_taken),
      left(seen.database_limit, seen.database_taken),
    ),
  )
  if (connections > fits)
    throw new PerfdbError(
      'BAD_OPTION',
      `${several(connections, 'connection')} do not fit: the server has room for ${fits} more`,
      {
        hint:
          fits === 0 ? 'perfdb check-pool shows who holds them' : `--connections ${fits}, which leaves none to others`,
      },
    )
  if (allowLoad || seen.busy + seen.hidden === 0) return
  const who =
    seen.busy > 0
      ? `${several(seen.busy, 'other session')} ${seen.busy === 1 ? 'is' : 'are'} busy on this server`
      : `what ${several(seen.hidden, 'other session')} on this server do is hidden from ${look.user}`
  throw new PerfdbError('HAZARD', `LOAD: ${who}, and a load would slow them down`, {
    hint: '--allow LOAD, where that may be; else a server of its own',
  })
}

/** Queries run as psql would run them, and thousands of times: those that would run others' code are left to whoever wrote it. */
async function refuseForeignCode(look: Session, texts: readonly string[]): Promise<void> {
  const foreign = (await readForeignCode(look, texts)).flat()
  if (foreign.length === 0) return
  throw new PerfdbError('FOREIGN_CODE', `as ${look.user} the queries would run ${foreignText(foreign)}`)
}

/** The same arrivals in every run. Mulberry32. */
function generator(): () => number {
  let state = 20_251_130
  return () => {
    state = (state + 0x6d_2b_79_f5) | 0
    let value = Math.imul(state ^ (state >>> 15), 1 | state)
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value
    return ((value ^ (value >>> 14)) >>> 0) / 4_294_967_296
  }
}
