import { EventEmitter } from 'node:events'
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Readable, Writable } from 'node:stream'
import { promisify } from 'node:util'
import { inject } from 'vitest'

const root = join(import.meta.dirname, '..', '..')
const program = join(root, 'bin', 'perfdb.js')

/** dist/ of these sources: what is spawned below is what stands in src/. */
export async function build(): Promise<void> {
  const sources = await readdir(join(root, 'src'), { recursive: true })
  const paths = ['package.json', 'bin/build.mjs', ...sources.map((name) => join('src', name))]
  const changed = await Promise.all(paths.map(async (path) => (await stat(join(root, path))).mtimeMs))
  const built = await stat(join(root, 'dist', 'start.cjs')).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  )
  if (Math.max(...changed) >= built) await promisify(execFile)(process.execPath, [join(root, 'bin', 'build.mjs')])
}

/** An empty folder of its own, with files by name. */
export interface Folder extends AsyncDisposable {
  readonly path: string
  write(files: Readonly<Record<string, string>>): Promise<void>
}

export async function folder(files: Readonly<Record<string, string>> = {}): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), 'perfdb-cli-'))
  const write = async (files: Readonly<Record<string, string>>) => {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(path, name)), { recursive: true })
      await writeFile(join(path, name), text)
    }
  }
  await write(files)
  return { path, write, [Symbol.asyncDispose]: async () => rm(path, { recursive: true, force: true }) }
}

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly cwd: string
  readonly environment?: Readonly<Record<string, string>>
}

/** `perfdb ...args` to its end, in a pipe, with an environment in which nothing of the tester's is left. */
export async function perfdb(args: readonly string[], options: RunOptions): Promise<Ended> {
  return ended(start(args, options))
}

/**
 * The same in this process, from the sources: for what a command says and does; each saves 0.36 s of processor time (two cores, Node 20). Not for what a process alone has: signals, pipes, terminals, memory,
 * a working folder in which programs are started, nor for threads.
 */
export async function perfdbHere(
  args: readonly string[],
  { cwd, environment = {}, stdin = '' }: RunOptions & { readonly stdin?: string },
): Promise<Ended> {
  const { runCommandLine } = await import('../../src/cli/program.js')
  const [stdout, stderr] = [kept(), kept()]
  const code = await runCommandLine({
    argv: [process.execPath, program, ...args],
    environment: { ...bareEnvironment(cwd), ...environment },
    cwd,
    home: environment['HOME'] ?? cwd,
    streams: { stdin: Readable.from([Buffer.from(stdin)]), stdout: stdout.stream, stderr: stderr.stream },
    signalSource: Object.assign(new EventEmitter(), { pid: process.pid, ppid: process.ppid, kill: () => undefined }),
  })
  return { code, signal: null, stdout: stdout.text(), stderr: stderr.text() }
}

/** A stream like a pipe that is read to its end. */
function kept(): { readonly stream: Writable; readonly text: () => string } {
  const parts: string[] = []
  const stream = new Writable({
    decodeStrings: false,
    write(chunk: string, _, done) {
      parts.push(chunk)
      done()
    },
  })
  return { stream, text: () => parts.join('') }
}

/** `perfdb ...args`, not waited for. */
export function start(args: readonly string[], { cwd, environment = {} }: RunOptions): ChildProcess {
  return spawn(process.execPath, [program, ...args], {
    cwd,
    env: { ...bareEnvironment(cwd), ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

/** A shell's command line in which `perfdb` is perfdb. */
export async function shell(script: string, { cwd, environment = {} }: RunOptions): Promise<Ended> {
  const text = `set -o pipefail; perfdb() { "${process.execPath}" "${program}" "$@"; }; ${script}`
  const env = { ...bareEnvironment(cwd), ...environment }
  return ended(spawn('bash', ['-c', text], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] }))
}

/** Collects what it writes, and waits for its end. */
export async function ended(child: ChildProcess): Promise<Ended> {
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8')
    child[name]?.on('data', (text: string) => (output[name] += text))
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve({ code, signal, ...output }))
  })
}

/** The folder is the home too: no .pgpass and no perfdb.yaml of the tester. */
function bareEnvironment(home: string): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '',
    HOME: home,
    LANG: 'C.UTF-8',
    TMPDIR: tmpdir(),
    XDG_CACHE_HOME: inject('cache'),
  }
}
