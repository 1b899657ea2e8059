import { availableParallelism } from 'node:os'
import type { Offer } from '../../commands/load/run-step.js'
import { PerfdbError } from '../../errors.js'
import type { Options } from '../../options/values.js'
import { mostLoad, type DeclaredLoad } from '../../profile/load.js'
import type { Profile } from '../../profile/profile.js'
import { offerOf, type LoadStep } from '../../result/documents/load-result.js'
import type { Invocation } from '../../settings/invocation.js'
import type { Config } from '../../settings/config.js'
import type { Database } from '../connect/database.js'
import { loadPools } from './load-pools.js'

type Flags = Pick<
  Options,
  'rate' | 'users' | 'think' | 'find' | 'duration' | 'connections' | 'threads' | 'timeout' | 'mix'
>

/** The key `load` of these profiles. Throws BAD_VALUE where two of them have one. */
export function declaredLoad(profiles: readonly Profile[]): DeclaredLoad | undefined {
  const [one, other] = profiles.flatMap(({ load }) => (load === undefined ? [] : [load]))
  if (other === undefined) return one
  throw new PerfdbError('BAD_VALUE', 'two profiles say how to load', {
    hint: 'load one of them: perfdb load ONE.yaml',
    place: other.place,
  })
}

/** What a load does by its flags, else by the profile, else by default. Throws BAD_OPTION, and what loadPools throws. */
export async function loadSettings(
  flags: Flags,
  from: Pick<Invocation, 'cwd' | 'environment'>,
  config: Config,
  declared: DeclaredLoad | undefined,
) {
  const durationMs = flags.duration ?? declared?.durationMs ?? 10_000
  const timeoutMs = flags.timeout ?? declared?.timeoutMs ?? 2000
  const { service, sizes, acquireTimeoutMs } = await loadPools(flags.connections, from, config, declared)
  const connections = sizes.reduce((sum, size) => sum + size, 0)
  const what = flags.find === undefined ? { offers: offersOf(flags, declared) } : { findMs: findOf(flags, flags.find) }
  if (durationMs > mostLoad.durationMs || durationMs < 1000)
    throw new PerfdbError('BAD_OPTION', '--duration: a step takes 1s to 10min', { hint: '--duration 30s' })
  if (connections > mostLoad.connections)
    throw new PerfdbError('BAD_OPTION', `${connections} connections: ${mostLoad.connections} at most`, {
      hint: '--connections 20',
    })
  return {
    what,
    durationMs,
    service,
    pools: sizes,
    threads: Math.min(flags.threads ?? threadsFor(what, connections), connections),
    timeoutMs,
    patienceMs: Math.min(timeoutMs, acquireTimeoutMs ?? Infinity),
    mix: flags.mix === undefined ? declared?.mix : flags.mix.map(weightOf),
    params: declared?.params ?? [],
    expect: declared?.expect ?? { times: [] },
  }
}

/**
 * Two threads where one is often too late when others want the processors too: at 3,700/s beside 14 such it was, in one round of seven, and at 7,400/s in four. Each has a pool of its own then, so it takes
 * connections enough, and a rate that is known.
 */
export function threadsFor(
  what: { readonly offers: readonly Offer[] } | { readonly findMs: number },
  connections: number,
) {
  const offers = 'offers' in what ? what.offers : []
  const most = Math.max(
    0,
    ...offers.map((offer) => ('rate' in offer ? offer.rate : (offer.users * 1000) / offer.thinkMs)),
  )
  return most > 2500 && connections >= 8 && availableParallelism() > 1 ? 2 : 1
}

/** What a load has of its run: leave, signal, and a line for each step. */
export function loadRun({ embedded }: Database, { options, signals, listener }: Invocation) {
  return {
    allowLoad: embedded || (options.allow?.has('LOAD') ?? false),
    signal: signals.signal,
    onStep: (step: LoadStep, number: number, of: number | null) => {
      const { p95 } = step.latency_ms
      const message = `step ${number}${of === null ? '' : ` of ${of}`}: ${offerOf(step)}, p95 ${p95 === null ? 'unknown' : `${p95} ms`}`
      listener({ type: 'stage', stage: 'measure-before', message })
    },
  }
}

function findOf({ rate, users }: Flags, findMs: number): number {
  if (findMs > 0 && rate === undefined && users === undefined) return findMs
  throw new PerfdbError('BAD_OPTION', '--find looks for the rate itself, and for a time above 0', {
    hint: '--find 50ms, without --rate and --users',
  })
}

function offersOf(flags: Flags, declared: DeclaredLoad | undefined): readonly Offer[] {
  if (flags.rate !== undefined && flags.users !== undefined)
    throw new PerfdbError('BAD_OPTION', 'either --rate or --users', { hint: '--rate 20,100,500' })
  const given = (texts: readonly string[], option: string, most: number) =>
    texts.flatMap((text) => text.split(',')).map((text) => amountOf(text, option, most))
  if (flags.rate !== undefined) return given(flags.rate, 'rate', mostLoad.rate).map((rate) => ({ rate }))
  const thinkMs = flags.think ?? declared?.thinkMs ?? 1000
  const users = flags.users === undefined ? declared?.users : given(flags.users, 'users', mostLoad.users)
  if (users !== undefined) return users.map((count) => ({ users: count, thinkMs }))
  if (declared?.rates !== undefined) return declared.rates.map((rate) => ({ rate }))
  throw new PerfdbError('BAD_OPTION', '--rate is missing', {
    hint: 'arrivals a second, one step each: --rate 20,100,500; or users who wait and think: --users 10,50,100',
  })
}

function amountOf(text: string, option: string, most: number): number {
  const value = Number(text.trim().replace(/\/s$/, ''))
  if (text.trim() !== '' && value > 0 && value <= most && (option === 'rate' || Number.isInteger(value))) return value
  const what = option === 'rate' ? 'arrivals a second' : 'a whole number'
  throw new PerfdbError('BAD_OPTION', `--${option} ${text}: expected ${what}, up to ${most}`, {
    hint: option === 'rate' ? '--rate 20,100,500' : '--users 10,50,100',
  })
}

/** `jobs-by-status=6`. */
function weightOf(text: string): { readonly query: string; readonly weight: number } {
  const at = text.lastIndexOf('=')
  const [query, written] = at < 0 ? [text, '1'] : [text.slice(0, at), text.slice(at + 1)]
  const weight = Number(written)
  if (written.trim() !== '' && Number.isFinite(weight) && weight >= 0) return { query, weight }
  throw new PerfdbError('BAD_OPTION', `--mix ${text}: ${written} is no weight`, { hint: `--mix ${query}=6` })
}
