import type { Socket } from 'node:net'

export interface Waiting {
  /** As the request settles; a moment after the end of the socket it rejects with the error of a lost connection at the latest. */
  readonly answered: <Value>(request: PromiseLike<Value>) => Promise<Value>
  /** Requests without an answer. */
  readonly count: () => number
}

/** postgres.js settles what it was asked as a rule, but not always (fault 51): once the socket has closed nothing waits for long. */
export function waitingOn(socket: Socket, lostError: () => unknown): Waiting {
  const waiting = new Set<() => void>()
  const afterClose = (end: () => void) => setTimeout(end, 50)
  socket.once('close', () => {
    if (waiting.size > 0) afterClose(() => waiting.forEach((reject) => reject()))
  })
  return {
    answered: async (request) =>
      new Promise((resolve, reject) => {
        const end = () => reject(lostError())
        waiting.add(end)
        if (socket.closed) afterClose(end)
        Promise.resolve(request)
          .then(resolve, reject)
          .finally(() => waiting.delete(end))
      }),
    count: () => waiting.size,
  }
}
