import type { Connection } from './pool.js'
import { quoteName } from '../../definition/quote.js'

export interface Listener {
  /** Resolves when it listens for the first time. Throws what connecting throws. */
  readonly ready: Promise<void>
  readonly isListening: () => boolean
  /** Resolves when its connection is closed, which is not waited for longer than so. */
  close(deadlineMs: number): Promise<void>
}

export interface Listening {
  readonly channel: string
  /** A connection whose notifications go to `heard`; `closed` is called when it is gone. */
  readonly connect: (heard: (payload: string) => void, closed: () => void) => Connection
  readonly heard: (payload: string) => void
  /** Called with every change: true when it listens again, false at once when its connection is lost. */
  readonly changed: (listening: boolean) => void
}

/** A line that is dead without a word is noticed within two of them. */
const heartbeatMs = 5000
const pauseMs = { least: 50, most: 5000 }

/** LISTEN on a connection of its own, made again for as long as it takes. */
export function listen({ channel, connect, heard, changed }: Listening): Listener {
  let listening = false
  let ended = false
  let pause = pauseMs.least
  let current: Connection | undefined
  /** The connection that `gone` is about, listening or not yet. */
  let last: Connection | undefined
  let gone: Promise<void> = Promise.resolve()
  let beating: NodeJS.Timeout | undefined
  let retrying: NodeJS.Timeout | undefined

  function lost(): void {
    clearTimeout(beating)
    if (!listening) return
    listening = false
    changed(false)
  }

  async function beat(connection: Connection): Promise<void> {
    const late = setTimeout(() => {
      lost()
      connection.abandon()
    }, heartbeatMs)
    try {
      await connection.sql`select 1`
      if (connection === current) beating = setTimeout(() => void beat(connection), heartbeatMs).unref()
    } catch {
      // Its end is told by the socket.
    } finally {
      clearTimeout(late)
    }
  }

  async function start(): Promise<void> {
    // The old connection counts until the server has closed it.
    await gone
    if (ended) return
    let closed: () => void = () => undefined
    gone = new Promise((resolve) => {
      closed = resolve
    })
    const connection = connect(heard, () => {
      closed()
      if (current !== connection) return
      current = undefined
      lost()
      again()
    })
    last = connection
    try {
      await connection.ready()
      await connection.sql.unsafe(`listen ${quoteName(channel)}`)
    } catch (error) {
      connection.close()
      throw error
    }
    if (ended) {
      connection.close()
      return
    }
    current = connection
    pause = pauseMs.least
    listening = true
    changed(true)
    void beat(connection)
  }

  function again(): void {
    if (ended) return
    pause = Math.min(pauseMs.most, pause * 2)
    retrying = setTimeout(() => void start().catch(again), pause * (0.5 + Math.random() / 2)).unref()
  }

  return {
    ready: start(),
    isListening: () => listening,
    async close(deadlineMs) {
      ended = true
      clearTimeout(beating)
      clearTimeout(retrying)
      listening = false
      current = undefined
      last?.close()
      const timer = setTimeout(() => last?.abandon(), deadlineMs)
      await gone
      clearTimeout(timer)
    },
  }
}
