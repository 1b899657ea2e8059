import { connect, createServer } from 'node:net'
import { inRounds, median, timed } from './rounds.js'
import { jobShop, perfdb, psql, withServer } from './server.js'

/** One way; a round trip takes twice that. */
const delayMs = 10

/** A plan with nothing to do, 20 ms of round trip away. */
export async function distance({ quick }) {
  return withServer(0, async ({ url }) => {
    await timed(process.execPath, [perfdb, 'apply', jobShop, '--no-measure', '--quiet', '--url', url], {
      codes: [0, 1],
    })
    const proxy = await delayed(url)
    const trips = {}
    const counted = (name, work) => async () => {
      proxy.trips = 0
      const ms = await work()
      trips[name] = proxy.trips
      return ms
    }
    const program = psql()
    const contenders = {
      'perfdb plan': counted('perfdb plan', () =>
        timed(process.execPath, [perfdb, 'plan', jobShop, '--url', proxy.url]),
      ),
    }
    if (program !== undefined)
      contenders['psql, one query'] = counted('psql, one query', () =>
        timed(program, ['-XAtq', '-c', 'select count(*) from pg_index', proxy.url]),
      )
    try {
      const taken = await inRounds(quick ? 5 : 15, contenders)
      return {
        title: 'Nothing to do, at 20 ms of round trip: plan of 31 indexes that are there',
        note: 'at most 2 round trips after the server says that it is ready, 3 with expression indexes',
        columns: ['', 'ms', 'round trips after the handshake'],
        rows: Object.entries(taken).map(([name, times]) => [name, median(times).toFixed(0), String(trips[name])]),
      }
    } finally {
      proxy.close()
    }
  })
}

/** A way to the server that takes its time, and counts how often the client asks anew once the server is ready. */
async function delayed(url) {
  const { hostname, port } = new URL(url)
  const state = { trips: 0 }
  const proxy = createServer((client) => {
    const server = connect(Number(port), hostname)
    // Of this way's own making Nagle's algorithm would add 40 ms where a client sends two pieces.
    for (const one of [client, server]) one.setNoDelay(true)
    let ready = false
    let answered = false
    client.on('data', (bytes) => {
      // X ends the session.
      if (ready && answered && bytes[0] !== 0x58) state.trips += 1
      answered = false
      setTimeout(() => server.write(bytes), delayMs)
    })
    server.on('data', (bytes) => {
      // ReadyForQuery is the last message: Z, its length 5, and the state.
      ready ||= bytes.length >= 6 && bytes[bytes.length - 6] === 0x5a
      answered = true
      setTimeout(() => client.write(bytes), delayMs)
    })
    for (const [one, other] of [
      [client, server],
      [server, client],
    ]) {
      one.on('error', () => other.destroy())
      one.on('end', () => setTimeout(() => other.end(), delayMs))
    }
  })
  await new Promise((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  const front = new URL(url)
  front.hostname = '127.0.0.1'
  front.port = String(proxy.address().port)
  return Object.assign(state, { url: front.href, close: () => proxy.close() })
}
