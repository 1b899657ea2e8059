import { setTimeout as pause } from 'node:timers/promises'
import { PerfdbError } from '../../errors.js'
import { capacity } from '../../pools/sums/capacity.js'
import { isLastSlot, readFacts, readWork, takeSample } from '../../pools/server/live.js'
import { loadBetween, type DatabaseLoad, type Work } from '../../pools/server/measured-load.js'
import type { PoolsFile, Server } from '../../pools/sums/model.js'
import { mergeEstates } from '../../pools/file/resolve.js'
import { connectionsOf, type LiveFacts, type LiveSample } from '../../pools/server/sessions.js'
import type { Session } from '../../server/session/session.js'
import { poolDocument, type CheckPoolOptions } from './check-pool.js'
import type { Ending } from '../../result/exit-code.js'
import { askConsoles, connectionsTo, failedLook, type ServerLook } from './pool-look.js'
import type { PoolResult, PoolSample } from '../../result/documents/pool-result.js'

export interface WatchOptions extends CheckPoolOptions {
  readonly intervalMs: number
  /** Rounds; Infinity until the signal. */
  readonly rounds: number
  readonly signal: AbortSignal
  readonly signalName: () => Ending['signal']
  readonly onSample: (sample: PoolSample) => void
}

/**
 * Looks at every server again and again, as through the minutes of a rollout, one sample a server and round; the document at the end judges the
 * worst of all looks. One session a server stays open, except where it would keep the last slot from an application: it is closed then,
 * and opened again for the next round. Throws BAD_OPTION when there is no server to watch.
 */
export async function watchPools(files: readonly PoolsFile[], options: WatchOptions): Promise<PoolResult> {
  const { servers, poolers } = mergeEstates(files)
  const connections = connectionsTo(servers, options)
  const asked = servers.flatMap((server) => {
    const connect = connections.get(server.name) ?? null
    const isFirst = server.url === null || servers.find((one) => one.url === server.url) === server
    return connect === null || !isFirst ? [] : [watched(server, connect)]
  })
  if (asked.length === 0)
    throw new PerfdbError('BAD_OPTION', '--watch has no server to look at: none has a url', {
      hint: 'give --url, or url: ${NAME_OF_A_VARIABLE} in the file',
    })
  const samples: PoolSample[] = []
  try {
    for (let round = 0; round < options.rounds && !options.signal.aborted; round += 1) {
      if (round > 0) await pause(options.intervalMs, undefined, { signal: options.signal }).catch(() => undefined)
      if (options.signal.aborted) break
      for (const sample of await Promise.all(asked.map((one) => one.sample()))) {
        samples.push(sample)
        options.onSample(sample)
      }
    }
  } finally {
    await Promise.all(asked.map((one) => one.close()))
  }
  const looks = servers.map((server): ServerLook => {
    const seenAs = asked.find((one) => one.server === server || (server.url !== null && one.server.url === server.url))
    return seenAs === undefined
      ? { server, state: 'not_asked', live: null, findings: [] }
      : { ...seenAs.look(), server }
  })
  const consoles = options.signal.aborted ? [] : await askConsoles(poolers, options)
  const result = poolDocument(files, { looks, consoles }, options, options.signalName())
  return { ...result, samples }
}

/** A server under watch: `sample` looks once, `look` says what all looks together have seen. */
function watched(server: Server, connect: () => Promise<Session>) {
  let session: Session | null = null
  let facts: LiveFacts | null = null
  let failed: ServerLook | null = null
  const taken: LiveSample[] = []
  let [first, last]: (readonly Work[])[] = []
  const close = async () => {
    await session?.[Symbol.asyncDispose]()
    session = null
  }
  return {
    server,
    close,
    async sample(): Promise<PoolSample> {
      const at = new Date().toISOString()
      try {
        session ??= await connect()
        const sample = await takeSample(session)
        facts ??= await readFacts(session)
        taken.push(sample)
        if (isLastSlot(facts, sample)) {
          await close()
          return seen(at, server, facts, sample, null)
        }
        const work = await readWork(session)
        const load = last === undefined ? null : erlangs(loadBetween(last, work))
        first ??= work
        last = work
        return seen(at, server, facts, sample, load)
      } catch (error) {
        if (!(error instanceof PerfdbError)) throw error
        await close().catch(() => undefined)
        failed = await failedLook(server, error)
        return refused(at, server, facts, failed)
      }
    },
    /** A refusal among many looks counts when it says that the server was full, or when there is nothing else. */
    look(): ServerLook {
      if (facts === null || taken.length === 0)
        return failed ?? { server, state: 'unreached', live: null, findings: [] }
      const findings = failed?.state === 'full' ? failed.findings : []
      const load = first === undefined || last === undefined ? {} : loadBetween(first, last)
      return { server, state: 'seen', live: { ...facts, samples: taken, load }, findings }
    },
  }
}

/** Connections busy on average since the look before, over all databases. */
function erlangs(load: Readonly<Record<string, DatabaseLoad>>): number {
  return Object.values(load).reduce((sum, one) => sum + one.erlangs, 0)
}

function seen(at: string, server: Server, { limits }: LiveFacts, sample: LiveSample, load: number | null): PoolSample {
  const available = capacity(limits)
  const sessions = connectionsOf(sample)
  const verdict = sessions >= available ? 'FAIL' : sessions > server.warnAt * available ? 'WARN' : 'OK'
  return {
    at,
    server: server.name,
    sessions,
    available,
    headroom: available - sessions,
    verdict,
    ...(load !== null && { erlangs: load }),
  }
}

function refused(at: string, server: Server, facts: LiveFacts | null, { state, findings }: ServerLook): PoolSample {
  return {
    at,
    server: server.name,
    sessions: null,
    available: facts === null ? null : capacity(facts.limits),
    headroom: state === 'full' ? 0 : null,
    verdict: state === 'full' ? 'FAIL' : 'UNKNOWN',
    message: findings[0]?.message ?? '',
  }
}
