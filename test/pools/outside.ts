import { execFileSync, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/* Programs of the system that some tests need: PostgreSQL 15 and pgbouncer as Debian packages them. */
const binaries = '/usr/lib/postgresql/15/bin'
const bouncer = '/usr/sbin/pgbouncer'

/** Tests without them are left out, except where all are asked for: then they fail. */
const all = process.env['PERFDB_TEST_ALL'] === '1'
export const withoutPostgres15 = !all && !existsSync(`${binaries}/postgres`)
export const withoutPgbouncer = !all && !existsSync(bouncer)

export interface Outside extends AsyncDisposable {
  readonly port: number
}

/** PostgreSQL 15 on a free loopback port; everybody is trusted. */
export async function postgres15(settings: Readonly<Record<string, string>>): Promise<Outside> {
  const folder = await ownFolder()
  const flags = { listen_addresses: '127.0.0.1', unix_socket_directories: '', fsync: 'off', ...settings }
  execFileSync(`${binaries}/initdb`, ['-D', join(folder, 'data'), '-A', 'trust', '-U', 'postgres', '--no-sync'], {
    ...nobody(),
    cwd: folder,
    stdio: 'ignore',
  })
  return started(
    { folder, program: `${binaries}/postgres`, ready: 'ready to accept connections', stop: 'SIGINT' },
    (port) => [
      '-D',
      join(folder, 'data'),
      '-p',
      String(port),
      ...Object.entries(flags).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ],
  )
}

/** pgbouncer with these lines under [databases] and [pgbouncer]; `admin` may ask its console, users are trusted. */
export async function pgbouncer(
  databases: readonly string[],
  settings: readonly string[],
  users: readonly (readonly [name: string, password: string])[],
): Promise<Outside> {
  const folder = await ownFolder()
  const file = join(folder, 'pgbouncer.ini')
  await writeFile(
    join(folder, 'users.txt'),
    [...users, ['admin', ''] as const].map(([name, password]) => `"${name}" "${password}"\n`).join(''),
  )
  const port = await freePort()
  const text = ['[databases]', ...databases, '[pgbouncer]', `listen_port = ${port}`].concat(
    ['listen_addr = 127.0.0.1', 'unix_socket_dir =', 'auth_type = trust', 'admin_users = admin'],
    [`auth_file = ${folder}/users.txt`],
    settings,
  )
  await writeFile(file, `${text.join('\n')}\n`)
  return started({ folder, program: bouncer, ready: 'process up', stop: 'SIGTERM' }, () => [file], port)
}

interface Program {
  readonly folder: string
  readonly program: string
  /** What it writes once it accepts connections. */
  readonly ready: string
  /** The signal after which it waits for nobody. */
  readonly stop: 'SIGINT' | 'SIGTERM'
}

async function started(
  { folder, program, ready, stop }: Program,
  args: (port: number) => readonly string[],
  known?: number,
): Promise<Outside> {
  const port = known ?? (await freePort())
  const child = spawn(program, args(port), { ...nobody(), cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
  // Ends the program and removes the folder however this process ends.
  const guard = spawn(
    'sh',
    [
      '-c',
      'cat >/dev/null; kill -s "$1" "$2"; sleep 2; rm -rf "$3"',
      'guard',
      stop.slice(3),
      String(child.pid),
      folder,
    ],
    {
      cwd: '/',
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    },
  )
  guard.unref()
  const ended = new Promise((resolve) => child.once('exit', resolve))
  await new Promise<void>((resolve, reject) => {
    let written = ''
    child.stderr.setEncoding('utf8')
    child.stderr.on('data', (chunk: string) => {
      written += chunk
      if (written.includes(ready)) resolve()
    })
    child.once('error', reject)
    child.once('exit', () => reject(new Error(written)))
  })
  return {
    port,
    async [Symbol.asyncDispose]() {
      child.kill(stop)
      await ended
      guard.kill('SIGKILL')
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function ownFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'perfdb-outside-'))
  const owner = nobody()
  if (owner !== undefined) await chown(folder, owner.uid, owner.gid)
  return folder
}

/** Neither runs as root. */
function nobody(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  const id = (flag: string) => Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }))
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
