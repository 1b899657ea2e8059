import type { Host } from './host.js'
import type { Target } from './target.js'
import type { TlsSettings } from './tls.js'

/** A target as plain data, for another thread of this process. It holds passwords: it is never kept nor printed. */
export interface PortableTarget extends Omit<Target, 'passwordFor' | 'hasPassword' | 'tls'> {
  readonly tls: Omit<TlsSettings, 'passphrase'> & { readonly passphrase: string | undefined }
  readonly passwords: readonly { readonly host: Host; readonly password: string | undefined }[]
}

/** Asks for every password. Throws PASSWORD_COMMAND. */
export async function portableTarget(target: Target): Promise<PortableTarget> {
  const { passwordFor, hasPassword: _, tls, ...rest } = target
  const passwords = []
  for (const host of target.hosts) passwords.push({ host, password: await passwordFor(host) })
  return { ...rest, tls: { ...tls, passphrase: tls.passphrase() }, passwords }
}

export function targetOf({ passwords, tls, ...rest }: PortableTarget): Target {
  const known = (host: Host) =>
    passwords.find((one) => one.host.host === host.host && one.host.port === host.port)?.password
  return {
    ...rest,
    tls: { ...tls, passphrase: () => tls.passphrase },
    passwordFor: async (host) => known(host),
    hasPassword: (host) => known(host) !== undefined,
  }
}
