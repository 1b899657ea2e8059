import { existsSync } from 'node:fs'
import { isIP } from 'node:net'
import type { ConnectionOptions, SecureVersion } from 'node:tls'
import { PerfdbError } from '../../errors.js'
import { isSocketFolder, type Host } from './host.js'
import { choice, type Parameters } from './parameters.js'

export const sslModes = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const
export type SslMode = (typeof sslModes)[number]

/** File names only; the files are read when a connection is made. */
export interface TlsSettings {
  readonly mode: SslMode
  /** TLS from the first byte, without asking (sslnegotiation=direct, PostgreSQL 17). */
  readonly direct: boolean
  /** A file, or `system` for the authorities that Node trusts; null trusts any certificate. */
  readonly rootCertificate: string | null
  readonly certificate: string | null
  readonly key: string | null
  readonly revocations: string | null
  readonly serverName: boolean
  readonly minVersion: SecureVersion
  readonly maxVersion: SecureVersion
  /** Of the key; in a closure, so that nothing prints it. */
  readonly passphrase: () => string | undefined
}

/**
 * libpq's rules (manual: "SSL Support"): prefer is the default; sslrootcert=system makes it verify-full and allows
 * nothing weaker; files in ~/.postgresql count when they exist. Throws BAD_URL.
 */
export function tlsSettings(parameters: Parameters, folder: (name: string) => string): TlsSettings {
  const file = (name: 'sslrootcert' | 'sslcert' | 'sslkey' | 'sslcrl', otherwise: string) => {
    const usual = folder(`.postgresql/${otherwise}`)
    return parameters.get(name) ?? (existsSync(usual) ? usual : null)
  }
  const rootCertificate = file('sslrootcert', 'root.crt')
  const system = rootCertificate === 'system'
  const mode = choice(parameters, 'sslmode', sslModes, system ? 'verify-full' : 'prefer')
  if (system && mode !== 'verify-full') {
    throw new PerfdbError('BAD_URL', `sslrootcert=system needs sslmode=verify-full, not ${mode}`)
  }
  const direct = choice(parameters, 'sslnegotiation', ['postgres', 'direct'], 'postgres') === 'direct'
  if (direct && !isDemanded(mode)) {
    throw new PerfdbError('BAD_URL', `sslnegotiation=direct needs sslmode=require or stronger, not ${mode}`)
  }
  return {
    mode,
    direct,
    rootCertificate,
    certificate: file('sslcert', 'postgresql.crt'),
    key: file('sslkey', 'postgresql.key'),
    revocations: file('sslcrl', 'root.crl'),
    serverName: parameters.get('sslsni') !== '0',
    minVersion: choice(parameters, 'ssl_min_protocol_version', versions, 'TLSv1.2'),
    maxVersion: choice(parameters, 'ssl_max_protocol_version', versions, 'TLSv1.3'),
    passphrase: () => parameters.get('sslpassword'),
  }
}

const versions: readonly SecureVersion[] = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3']

/** plain: no TLS; offered: TLS when the server has it; demanded: TLS or nothing. */
export type Encryption = 'plain' | 'offered' | 'demanded'

/** What to try on one host, in this order. A demand is never followed by anything weaker (fault 69). */
export function encryptions(mode: SslMode, host: Host): readonly [Encryption, ...Encryption[]] {
  return isSocketFolder(host.host) ? ['plain'] : order[mode]
}

const order: Readonly<Record<SslMode, readonly [Encryption, ...Encryption[]]>> = {
  disable: ['plain'],
  allow: ['plain', 'demanded'],
  prefer: ['offered', 'plain'],
  require: ['demanded'],
  'verify-ca': ['demanded'],
  'verify-full': ['demanded'],
}

/** Options for tls.connect, files read. Throws TLS_FAILED. */
export async function tlsOptions(settings: TlsSettings, host: Host): Promise<ConnectionOptions> {
  const { mode, rootCertificate, certificate, key, minVersion, maxVersion } = settings
  const verified = mode === 'verify-ca' || mode === 'verify-full' || (mode === 'require' && rootCertificate !== null)
  if (verified && rootCertificate === null) {
    throw new PerfdbError('TLS_FAILED', `sslmode=${mode} needs a root certificate, and there is none`, {
      hint: 'name its file with sslrootcert=FILE, or use sslrootcert=system for a certificate of a public authority',
    })
  }
  const passphrase = settings.passphrase()
  const named = mode === 'verify-full'
  return {
    host: host.host,
    ...(settings.serverName && isIP(host.host) === 0 ? { servername: host.host } : {}),
    rejectUnauthorized: verified,
    // verify-ca and weaker do not ask whose certificate it is.
    ...(named ? {} : { checkServerIdentity: () => undefined }),
    ...(verified && rootCertificate !== null && rootCertificate !== 'system'
      ? { ca: await content(rootCertificate) }
      : {}),
    ...(verified && settings.revocations !== null ? { crl: await content(settings.revocations) } : {}),
    ...(certificate !== null && key !== null ? { cert: await content(certificate), key: await content(key) } : {}),
    ...(passphrase === undefined ? {} : { passphrase }),
    minVersion,
    maxVersion,
    ...(settings.direct ? { ALPNProtocols: ['postgresql'] } : {}),
  }
}

function isDemanded(mode: SslMode): boolean {
  return mode === 'require' || mode === 'verify-ca' || mode === 'verify-full'
}

async function content(file: string): Promise<Buffer> {
  try {
    const { readFile } = await import('node:fs/promises')
    return await readFile(file)
  } catch (cause) {
    throw new PerfdbError('TLS_FAILED', `${file} cannot be read`, { cause })
  }
}
