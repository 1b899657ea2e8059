import type { TestProject } from 'vitest/node'
import { startEmbedded } from '../../src/server/embedded/embedded.js'
import { embeddedPackage } from './major.js'

/** One server for the whole test run (each test makes its own database), stopped after the last test. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startEmbedded({
    ...embeddedPackage(),
    settings: { max_connections: '200', max_prepared_transactions: '10', wal_level: 'logical' },
  })
  project.provide('serverUrl', server.url)
  return async () => {
    await server[Symbol.asyncDispose]()
  }
}

declare module 'vitest' {
  export interface ProvidedContext {
    serverUrl: string
  }
}
