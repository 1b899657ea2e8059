import type { ChildProcess } from 'node:child_process'
import { createServer, type AddressInfo } from 'node:net'

/** A port of the loopback that is free now, and may be taken in the next moment. */
export async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address() satisfies AddressInfo | string | null
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}

/** null once it accepts connections, else what it wrote before it ended. */
export async function untilReady(child: ChildProcess): Promise<string | null> {
  return new Promise((resolve) => {
    let written = ''
    child.stderr?.setEncoding('utf8')
    child.stderr?.on('data', (chunk: string) => {
      if (written.length < 100_000) written += chunk
      if (written.includes('ready to accept connections')) resolve(null)
    })
    child.once('error', (error) => resolve(error.message))
    child.once('exit', () => resolve(written))
  })
}
