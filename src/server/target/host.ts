import { existsSync } from 'node:fs'
import { PerfdbError } from '../../errors.js'
import type { Parameters } from './parameters.js'

/** One server of a target. */
export interface Host {
  /** Name or address, or the folder of a Unix socket; certificates and password files are looked up by it. */
  readonly host: string
  /** Where to connect instead of looking the name up (hostaddr). */
  readonly address: string | null
  readonly port: number
}

/** The hosts that the comma lists host, hostaddr and port name together, at least one. Throws BAD_URL. */
export function hostList(parameters: Parameters): readonly [Host, ...Host[]] {
  const hosts = list(parameters.get('host'))
  const addresses = list(parameters.get('hostaddr'))
  const ports = list(parameters.get('port'))
  const count = Math.max(addresses.length, hosts.length, 1)
  const paired = addresses.length === 0 || hosts.length === 0 || addresses.length === hosts.length
  if (!paired || (ports.length > 1 && ports.length !== count)) {
    throw new PerfdbError('BAD_URL', 'host, hostaddr and port name different numbers of servers')
  }
  const hostAt = (index: number): Host => {
    const port = portNumber(ports.length === 1 ? ports[0] : ports[index])
    const address = addresses[index] || null
    return { host: hosts[index] || (address ?? defaultHost(port)), address, port }
  }
  return [hostAt(0), ...Array.from({ length: count - 1 }, (_, index) => hostAt(index + 1))]
}

/** `host:port`; the socket's file for a Unix socket. */
export function hostLabel({ host, port }: Host): string {
  if (isSocketFolder(host)) return socketFile(host, port)
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** The names a password file may call it by: the default socket folder is also localhost. */
export function namesOf({ host }: Host): readonly string[] {
  return socketFolders.includes(host) ? [host, 'localhost'] : [host]
}

/** An @ is Linux's abstract name space (manual: "host"). */
export function isSocketFolder(host: string): boolean {
  return host.startsWith('/') || host.startsWith('@')
}

export function socketFile(folder: string, port: number): string {
  return `${folder}/.s.PGSQL.${port}`
}

/** libpq's default is the socket folder it was compiled with: Debian's and Red Hat's first, then PostgreSQL's own. */
const socketFolders = ['/var/run/postgresql', '/tmp']

function defaultHost(port: number): string {
  return socketFolders.find((folder) => existsSync(socketFile(folder, port))) ?? 'localhost'
}

function list(text: string | undefined): readonly string[] {
  return text === undefined || text === '' ? [] : text.split(',').map((part) => part.trim())
}

function portNumber(text: string | undefined): number {
  if (text === undefined || text === '') return 5432
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0
  if (port < 1 || port > 65_535) throw new PerfdbError('BAD_URL', 'a port must be a number from 1 to 65535')
  return port
}
