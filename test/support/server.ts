import { spawn, type ChildProcess } from 'node:child_process'
import { chmod, cp, lchown, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import postgres from 'postgres'
import { inject } from 'vitest'
import { startEmbedded, type EmbeddedServer } from '../../src/server/embedded/embedded.js'
import { embeddedPackage } from './major.js'

/** A server of a test's own that can be stopped and started again on the same folder and port. */
export interface OwnServer extends AsyncDisposable {
  readonly url: string
  readonly port: number
  /** The server's data folder. */
  readonly data: string
  /** Whom the server's files belong to. */
  readonly owner: { readonly uid: number; readonly gid: number }
  /**
   * immediate: as a crash, recovery follows (SIGQUIT). fast: sessions are ended (SIGINT). smart: when the last session has ended
   * by itself (SIGTERM). killed: its first process alone is gone at once, as with kill -9; the others find out.
   */
  stop(how: 'immediate' | 'fast' | 'smart' | 'killed'): Promise<void>
  start(): Promise<void>
}

const signals = { immediate: 'SIGQUIT', fast: 'SIGINT', smart: 'SIGTERM', killed: 'SIGKILL' } as const

type Settings = Readonly<Record<string, string>>

/** A server of a test's own, with these settings. initdb made it once for all of them: test/server/embedded.test.ts has one made anew. */
export async function startServer(settings: Settings = {}): Promise<EmbeddedServer> {
  return startEmbedded({ settings, ...embeddedPackage(), copyOf: inject('initialized') })
}

/** One that can be stopped and started again. */
export async function ownServer(settings: Settings = {}): Promise<OwnServer> {
  return restartable(await startServer(settings))
}

/** The server, which can be stopped and started again. */
export async function restartable(server: EmbeddedServer): Promise<OwnServer> {
  const data = join(server.folder, 'data')
  const { uid, gid } = await stat(data)
  let restarted: ChildProcess | undefined
  let pid: number | undefined = server.pid
  const stop = async (signal: NodeJS.Signals) => {
    if (pid === undefined) return
    process.kill(pid, signal)
    while (await alive(pid)) await pause(20)
    pid = undefined
  }
  return {
    url: server.url,
    port: server.port,
    data,
    owner: { uid, gid },
    stop: async (how) => stop(signals[how]),
    async start() {
      restarted = await startAgain(data, uid, gid)
      pid = restarted.pid
    },
    async [Symbol.asyncDispose]() {
      await stop('SIGINT')
      await server[Symbol.asyncDispose]()
    },
  }
}

/** What a test arranges and looks at on it, by a connection that is closed afterwards. */
export async function onServer<T>(url: string, work: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined })
  try {
    return await work(sql)
  } finally {
    await sql.end({ timeout: 2 })
  }
}

/** As `pg_ctl restart`: the server itself writes down the command line that it was started with. */
async function startAgain(data: string, uid: number, gid: number, tries = 50): Promise<ChildProcess> {
  const { program, parameters } = await commandLine(data)
  await rm(join(data, 'postmaster.pid'), { force: true })
  const owner = process.getuid?.() === 0 ? { uid, gid } : {}
  const child = spawn(program, parameters, {
    ...owner,
    cwd: data,
    env: { ...process.env, LC_ALL: 'C' },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let written = ''
  const ready = await new Promise<boolean>((resolve) => {
    child.stderr.setEncoding('utf8')
    child.stderr.on('data', (chunk: string) => {
      written += chunk
      if (/ready to accept (read-only )?connections/.test(written)) resolve(true)
    })
    child.once('exit', () => resolve(false))
  })
  if (ready) return child
  // The processes of a killed server take a moment to find out.
  if (tries <= 1 || !/still in use/.test(written)) throw new Error(`the server did not start again: ${written}`)
  await pause(100)
  return startAgain(data, uid, gid, tries - 1)
}

async function commandLine(
  data: string,
): Promise<{ readonly program: string; readonly parameters: readonly string[] }> {
  const line = await readFile(join(data, 'postmaster.opts'), 'utf8')
  const [program = '', ...rest] = line.trim().split(/ (?=")/)
  return { program, parameters: rest.map((part) => part.slice(1, -1)) }
}

/** A standby of the server that follows it, from a copy of its folder: the server is stopped and started for that. */
export async function standbyOf(server: OwnServer): Promise<OwnServer> {
  const folder = `${server.data}-standby`
  const { uid, gid } = server.owner
  const { program, parameters } = await commandLine(server.data)
  await server.stop('fast')
  await cp(server.data, folder, { recursive: true })
  await server.start()
  const port = await freePort()
  const own = parameters.map((part) =>
    part === server.data ? folder : part === String(server.port) ? String(port) : part,
  )
  const { password } = new URL(server.url)
  await writeFile(join(folder, 'standby.signal'), '')
  await writeFile(
    join(folder, 'postgresql.auto.conf'),
    `primary_conninfo = 'host=127.0.0.1 port=${server.port} user=postgres password=${password}'\n`,
  )
  const written = [program, ...own.map((part) => `"${part}"`)].join(' ')
  await writeFile(join(folder, 'postmaster.opts'), `${written}\n`)
  await ownedBy(folder, uid, gid)
  const url = new URL(server.url)
  url.port = String(port)
  let pid: number | undefined
  const stop = async (signal: NodeJS.Signals) => {
    if (pid === undefined) return
    process.kill(pid, signal)
    while (await alive(pid)) await pause(20)
    pid = undefined
  }
  const start = async () => {
    pid = (await startAgain(folder, uid, gid)).pid
  }
  await start()
  return {
    url: url.href,
    port,
    data: folder,
    owner: server.owner,
    stop: async (how) => stop(signals[how]),
    start,
    [Symbol.asyncDispose]: async () => stop('SIGINT'),
  }
}

async function ownedBy(folder: string, uid: number, gid: number): Promise<void> {
  await chmod(folder, 0o700)
  if (process.getuid?.() !== 0) return
  const entries = await readdir(folder, { recursive: true })
  await Promise.all([folder, ...entries.map((entry) => join(folder, entry))].map((path) => lchown(path, uid, gid)))
}

async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const listener = createServer()
    listener.once('error', reject)
    listener.listen(0, '127.0.0.1', () => {
      const address = listener.address()
      listener.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}

/** Until it is reaped a process that ended is still there for kill(2): its state tells. */
async function alive(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  const line = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  return !/\) Z /.test(line)
}

async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms))
}
