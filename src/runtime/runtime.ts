import type postgres from 'postgres'
import type { Application, OpenOptions } from './open.js'

/*
 * `import { open } from 'perfdb/runtime'`: the pools of a service as its pools file declares them. Everything is loaded when it is opened.
 * Built twice, as dist/runtime.cjs and dist/runtime.mjs: postgres.js is the one that the application has.
 */
export { PerfdbError } from '../errors.js'

/** Opens a service of a pools file. Throws PerfdbError: what is wrong with the file, a registry that is not there. */
export async function open(options: OpenOptions): Promise<Application> {
  const { default: driver } = await import('postgres')
  return openWith(driver, options)
}

/** The same on a postgres.js of the caller's own, whose error class his queries then throw. */
export async function openWith(driver: typeof postgres, options: OpenOptions): Promise<Application> {
  const { openService } = await import('./open.js')
  return openService(driver, options)
}
