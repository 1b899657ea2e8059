import { statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, isAbsolute, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { perfdbVersion } from '../../result/version.js'
import { userCache } from '../../text/cache-folder.js'
import { sumOf, type CodeFile } from './code-file.js'
import { runChunks } from './chunks.js'
import { ownUser } from './own-files.js'

/*
 * Start-up is part of the product: the version needs no package at all, help needs commander alone, and every command
 * loads what it needs when it runs.
 */
/** Which build this is: bin/build.mjs writes the sum of all modules here. */
const builtAs = 'BUILT_AS'

const [only, more] = process.argv.slice(2)
if (more === undefined && (only === '--version' || only === '-V' || only === 'version')) printVersion()
else runChunks(dirname(fileURLToPath(import.meta.url)), 'main.cjs', createRequire(import.meta.url), codeFile())

function printVersion(): void {
  process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => (process.exitCode = code === 'EPIPE' ? 0 : 2))
  process.stdout.write(`${perfdbVersion()}\n`)
}

/** Where compiled code is kept; undefined where PERFDB_CODE_CACHE=0 says so, where node --permission restricts files, or where no folder is known to be the user's own. */
function codeFile(): CodeFile | undefined {
  const { env, version, arch, execArgv, execPath } = process
  const { PERFDB_CODE_CACHE, HOME = '', XDG_CACHE_HOME = '', NODE_OPTIONS = '' } = env
  const base = XDG_CACHE_HOME === '' ? HOME : XDG_CACHE_HOME
  const user = ownUser()
  const restricted = Reflect.get(process, 'permission') !== undefined
  if (PERFDB_CODE_CACHE === '0' || restricted || user === undefined || !isAbsolute(base)) return undefined
  // Another binary of the same version is another Node; V8 refuses what it made under other flags. Each has a file of its own.
  const { size, mtimeMs } = statSync(execPath)
  const node = sumOf(Buffer.from([execPath, size, mtimeMs, ...execArgv, NODE_OPTIONS].join(' ')))
  const name = `${builtAs}-${version}-${arch}-${(node >>> 0).toString(36)}`
  return { base, folder: join(userCache(env, HOME), 'perfdb', 'code'), name, user }
}
