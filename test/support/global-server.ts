import { execFile } from 'node:child_process'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { TestProject } from 'vitest/node'
import { startEmbedded } from '../../src/server/embedded/embedded.js'
import { embeddedPackage } from './major.js'

/**
 * One server for the whole test run (each test makes its own database), the folder of it as initdb made it, for servers of a test's own, and one cache for what V8
 * made of perfdb's modules; all gone after the last test.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startEmbedded({
    ...embeddedPackage(),
    settings: { max_connections: '200', max_prepared_transactions: '10', wal_level: 'logical' },
  })
  const folder = await mkdtemp(join(tmpdir(), 'perfdb-initialized-'))
  await chmod(folder, 0o711)
  const data = join(folder, 'data')
  await server.restarted(async (made) => void (await promisify(execFile)('cp', ['-a', made, data])))
  const cache = await mkdtemp(join(tmpdir(), 'perfdb-cache-'))
  project.provide('serverUrl', server.url)
  project.provide('initialized', { data, password: new URL(server.url).password })
  project.provide('cache', cache)
  return async () => {
    await server[Symbol.asyncDispose]()
    await Promise.all([cache, folder].map((path) => rm(path, { recursive: true, force: true })))
  }
}

declare module 'vitest' {
  export interface ProvidedContext {
    serverUrl: string
    /** What servers of a test's own begin with. */
    initialized: { readonly data: string; readonly password: string }
    /** XDG_CACHE_HOME of the processes that tests start. */
    cache: string
  }
}
