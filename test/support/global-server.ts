import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { startEmbedded } from '../../src/server/embedded/embedded.js'
import { embeddedPackage } from './major.js'

/** One server for the whole test run (each test makes its own database), and one cache for what V8 made of perfdb's modules; both gone after the last test. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startEmbedded({
    ...embeddedPackage(),
    settings: { max_connections: '200', max_prepared_transactions: '10', wal_level: 'logical' },
  })
  const cache = await mkdtemp(join(tmpdir(), 'perfdb-cache-'))
  project.provide('serverUrl', server.url)
  project.provide('cache', cache)
  return async () => {
    await server[Symbol.asyncDispose]()
    await rm(cache, { recursive: true, force: true })
  }
}

declare module 'vitest' {
  export interface ProvidedContext {
    serverUrl: string
    /** XDG_CACHE_HOME of the processes that tests start. */
    cache: string
  }
}
