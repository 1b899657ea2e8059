import { connect as dial, createServer, type Socket } from 'node:net'

/** Stands between client and server, and fails as networks do. */
export interface Proxy extends AsyncDisposable {
  /** The given URL through this proxy. */
  readonly url: string
  /** How often a client asked anew once its server was ready: round trips, where no delay lies between. */
  trips(): number
  /** Connections that are open now fall silent and stay open, as behind a NAT that forgot them; new ones pass. */
  silence(): void
  /** Connections that are open now are reset on both sides; new ones pass. */
  cut(): void
  /** New connections wait before the proxy until what this gives is called. */
  hold(): () => void
}

/** `delayMs` is the way in each direction: a round trip takes twice that. */
export async function proxyBefore(url: string, delayMs = 0): Promise<Proxy> {
  const { port, hostname } = new URL(url)
  const later = (work: () => void) => (delayMs === 0 ? work() : void setTimeout(work, delayMs))
  let trips = 0
  const pairs = new Set<{ client: Socket; backend: Socket; silent: boolean }>()
  let gate = Promise.resolve()
  const proxy = createServer({ allowHalfOpen: true }, (client) => void gate.then(() => join(client)))
  const join = (client: Socket) => {
    const backend = dial({ port: Number(port), host: hostname, allowHalfOpen: true })
    const pair = { client, backend, silent: false }
    pairs.add(pair)
    let ready = false
    let answered = false
    client.on('data', () => {
      if (ready && answered) trips += 1
      answered = false
    })
    backend.on('data', (bytes: Buffer) => {
      // ReadyForQuery is the last message: Z, its length 5, and the state.
      ready ||= bytes.length >= 6 && bytes[bytes.length - 6] === 0x5a
      answered = true
    })
    for (const [from, to] of [
      [client, backend],
      [backend, client],
    ] as const) {
      from.on('data', (bytes: Buffer) => {
        if (!pair.silent) later(() => void to.write(bytes))
      })
      from.on('end', () => {
        if (!pair.silent) later(() => void to.end())
      })
      from.on('error', () => {
        if (!pair.silent) to.destroy()
      })
    }
  }
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  const address = proxy.address()
  const front = new URL(url)
  front.hostname = '127.0.0.1'
  front.port = String(typeof address === 'object' && address !== null ? address.port : 0)
  return {
    url: front.href,
    trips: () => trips,
    silence() {
      for (const pair of pairs) pair.silent = true
    },
    cut() {
      for (const { client, backend } of pairs) {
        client.resetAndDestroy()
        backend.resetAndDestroy()
      }
    },
    hold() {
      let open = () => {}
      gate = new Promise((resolve) => (open = resolve))
      return open
    },
    async [Symbol.asyncDispose]() {
      for (const { client, backend } of pairs) {
        client.destroy()
        backend.destroy()
      }
      await new Promise((resolve) => proxy.close(resolve))
    },
  }
}
