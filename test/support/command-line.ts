import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inject } from 'vitest'

export interface Ended {
  /** null when a signal ended it. */
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface Running {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
}

/** A folder with one profile in it, gone when disposed. */
export interface ProfileFolder extends AsyncDisposable {
  readonly folder: string
  readonly profile: string
}

export async function profileFolder(yaml: string): Promise<ProfileFolder> {
  const folder = await mkdtemp(join(tmpdir(), 'perfdb-test-'))
  const profile = join(folder, 'p.yaml')
  await writeFile(profile, yaml)
  return { folder, profile, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) }
}

/** Starts bin/perfdb.js as a user would, with the URL in the environment and nothing else of this process's settings. */
export function perfdb(url: string, cwd: string, ...parameters: readonly string[]): Running {
  const child = spawn(process.execPath, [join(import.meta.dirname, '../../bin/perfdb.js'), ...parameters], {
    cwd,
    env: { PATH: process.env['PATH'], HOME: cwd, PERFDB_URL: url, NO_COLOR: '1', XDG_CACHE_HOME: inject('cache') },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk))
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk))
  const ended = new Promise<Ended>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }))
  })
  return { child, ended }
}
