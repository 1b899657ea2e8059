import { spawn, type ChildProcess } from 'node:child_process'
import { readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { startEmbedded } from '../../src/server/embedded.js'
import { embeddedPackage } from './major.js'

/** A server of a test's own that can be stopped and started again on the same folder and port. */
export interface OwnServer extends AsyncDisposable {
  readonly url: string
  readonly port: number
  /** The server's data folder. */
  readonly data: string
  /** Whom the server's files belong to. */
  readonly owner: { readonly uid: number; readonly gid: number }
  /** immediate: as a crash, recovery follows (SIGQUIT). fast: sessions are ended (SIGINT). */
  stop(how: 'immediate' | 'fast'): Promise<void>
  start(): Promise<void>
}

/** Starts one from the embedded binaries, with these settings. */
export async function ownServer(settings: Readonly<Record<string, string>> = {}): Promise<OwnServer> {
  const server = await startEmbedded({ settings, ...embeddedPackage() })
  const data = join(server.folder, 'data')
  const { uid, gid } = await stat(data)
  let restarted: ChildProcess | undefined
  let pid: number | undefined = server.pid
  const stop = async (signal: 'SIGQUIT' | 'SIGINT') => {
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
    stop: async (how) => stop(how === 'immediate' ? 'SIGQUIT' : 'SIGINT'),
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

/** As `pg_ctl restart`: the server itself writes down the command line that it was started with. */
async function startAgain(data: string, uid: number, gid: number): Promise<ChildProcess> {
  const line = await readFile(join(data, 'postmaster.opts'), 'utf8')
  const [program = '', ...rest] = line.trim().split(/ (?=")/)
  const parameters = rest.map((part) => part.slice(1, -1))
  await rm(join(data, 'postmaster.pid'), { force: true })
  const owner = process.getuid?.() === 0 ? { uid, gid } : {}
  const child = spawn(program, parameters, {
    ...owner,
    cwd: data,
    env: { ...process.env, LC_ALL: 'C' },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let written = ''
  await new Promise<void>((resolve, reject) => {
    child.stderr.setEncoding('utf8')
    child.stderr.on('data', (chunk: string) => {
      written += chunk
      if (/ready to accept (read-only )?connections/.test(written)) resolve()
    })
    child.once('exit', () => reject(new Error(`the server did not start again: ${written}`)))
  })
  return child
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
