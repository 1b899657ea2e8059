import { once } from 'node:events'
import { createServer } from 'node:http'
import type { Listener } from '../../build/events.js'
import { PerfdbError } from '../../errors.js'
import type { WorkerTally } from './worker-tally.js'

/** Serves /metrics at `9187`, on loopback, or at `0.0.0.0:9187`; port 0 is any that is free. Throws BAD_OPTION where it cannot listen. */
export async function serveMetrics(where: string, tally: WorkerTally, listener: Listener): Promise<AsyncDisposable> {
  const [, bracketed, plain, number] = /^(?:(?:\[([\da-f:]+)\]|([\w.-]+)):)?(\d{1,5})$/i.exec(where) ?? []
  const port = Number(number)
  if (number === undefined || port > 65_535)
    throw new PerfdbError('BAD_OPTION', `--metrics ${where}: not a port`, { hint: '--metrics 9187, or 0.0.0.0:9187' })
  const server = createServer((request, response) => {
    const found = request.method === 'GET' && request.url?.split('?')[0] === '/metrics'
    response.writeHead(found ? 200 : 404, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' })
    response.end(found ? tally.metrics() : 'only /metrics is here\n')
  })
  server.listen(port, bracketed ?? plain ?? '127.0.0.1')
  try {
    await once(server, 'listening')
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new PerfdbError('BAD_OPTION', `--metrics ${where}: ${reason}`, { hint: 'choose another port', cause })
  }
  // A scraper that hangs must not keep the worker.
  server.unref()
  const address = server.address()
  const at = typeof address === 'object' && address !== null ? `${address.address}:${address.port}` : where
  listener({ type: 'stage', stage: 'connect', message: `metrics at http://${at}/metrics` })
  return {
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
    },
  }
}
