import { connect, createServer, type Socket } from 'node:net'

export interface Translated extends AsyncDisposable {
  readonly url: string
}

/** A server that says what the one at `url` says, in other words of the same length. */
export async function translated(url: string, change: (bytes: Buffer) => Buffer): Promise<Translated> {
  const { port, hostname } = new URL(url)
  const sockets = new Set<Socket>()
  const proxy = createServer((client) => {
    const backend = connect(Number(port), hostname)
    for (const socket of [client, backend]) {
      sockets.add(socket)
      socket.on('error', () => undefined)
    }
    client.pipe(backend)
    backend.on('data', (bytes: Buffer) => client.write(change(bytes)))
    backend.on('close', () => client.destroy())
    client.on('close', () => backend.destroy())
  })
  const front = new URL(url)
  front.port = await new Promise((resolve) =>
    proxy.listen(0, '127.0.0.1', () => {
      const address = proxy.address()
      resolve(typeof address === 'object' && address !== null ? String(address.port) : '0')
    }),
  )
  return {
    url: front.href,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => proxy.close(resolve))
    },
  }
}
