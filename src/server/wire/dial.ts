import type { Host } from '../target/host.js'
import { openSocket, type OpenSocket, type Reader } from './socket.js'
import type { Target } from '../target/target.js'
import { encryptions } from '../target/tls.js'

export interface Dialled extends OpenSocket {
  readonly host: Host
}

/** What one connection is made with: the password is that of the host that answered. */
export interface Dial {
  /** A socket to the first host that answers, TLS settled as sslmode says. Throws TLS_FAILED, or Node's error. */
  readonly dial: () => Promise<Dialled>
  readonly password: () => Promise<string>
}

/** For connections that postgres.js makes on sockets of ours; a `reader` as openSocket has it. */
export function dialling(target: Target, reader?: Reader): Dial {
  let [answered] = target.hosts
  return {
    async dial() {
      let failure: unknown
      for (const host of target.hosts)
        for (const encryption of encryptions(target.tls.mode, host)) {
          try {
            const opened = await openSocket(host, encryption, target.tls, target.connectTimeoutMs, reader)
            answered = host
            return { ...opened, host }
          } catch (error) {
            failure ??= error
          }
        }
      throw failure
    },
    password: async () => (await target.passwordFor(answered)) ?? '',
  }
}
