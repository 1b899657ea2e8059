import { execFileSync, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A real PgBouncer before a database, on a free loopback port; ended when disposed. */
export interface PgBouncer extends AsyncDisposable {
  readonly url: string
}

/** Where Debian and others put it; undefined where it is not installed. */
export const pgbouncerProgram = [
  '/usr/sbin/pgbouncer',
  '/usr/bin/pgbouncer',
  '/usr/local/bin/pgbouncer',
  '/opt/homebrew/bin/pgbouncer',
].find((path) => existsSync(path))

/** `settings` are lines of its [pgbouncer] section. */
export async function pgbouncerBefore(
  url: string,
  mode: 'transaction' | 'session' | 'statement',
  settings: readonly string[] = [],
): Promise<PgBouncer> {
  const folder = await mkdtemp(join(tmpdir(), 'perfdb-pgbouncer-'))
  const port = await freePort()
  const { hostname, port: serverPort, username, password } = new URL(url)
  const file = join(folder, 'pgbouncer.ini')
  await writeFile(
    file,
    `[databases]
* = host=${hostname} port=${serverPort} user=${username} password=${decodeURIComponent(password)}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = ${mode}
default_pool_size = 2
server_login_retry = 1
${settings.join('\n')}
`,
    { mode: 0o600 },
  )
  const owner = process.getuid?.() === 0 ? nobody() : undefined
  if (owner !== undefined) await Promise.all([folder, file].map((path) => chown(path, owner.uid, owner.gid)))
  const child = spawn(pgbouncerProgram ?? 'pgbouncer', [file], {
    ...owner,
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  await new Promise<void>((resolve, reject) => {
    let written = ''
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      written += chunk
      if (written.includes('process up')) resolve()
    })
    child.once('exit', () => reject(new Error(`pgbouncer did not start: ${written}`)))
  })
  const front = new URL(url)
  front.hostname = '127.0.0.1'
  front.port = String(port)
  return {
    url: front.href,
    async [Symbol.asyncDispose]() {
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGTERM')
      await ended
      await rm(folder, { recursive: true })
    },
  }
}

/** PgBouncer does not run as root. */
function nobody(): { readonly uid: number; readonly gid: number } {
  const id = (option: string) => Number(execFileSync('id', [option, 'nobody'], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}

async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}
