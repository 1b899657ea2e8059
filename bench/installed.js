import { execFile, spawn } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { psql } from './server.js'

const run = promisify(execFile)

/** Where this runs as root, the user and group `nobody` as options of spawn: servers refuse root. */
export async function nobody() {
  const number = async (flag) => Number((await run('id', [flag, 'nobody'])).stdout)
  return process.getuid() === 0 ? { uid: await number('-u'), gid: await number('-g') } : {}
}

/** A server of the PostgreSQL that psql is of, in a folder of its own; `needs`: an extension that it has to have. */
export async function installedServer({ needs, settings: more = [] } = {}) {
  const binaries = dirname(psql() ?? '')
  const shared = join(dirname(binaries).replace('/lib/', '/share/'), 'extension', `${needs}.control`)
  if (!existsSync(join(binaries, 'initdb')) || (needs !== undefined && !existsSync(shared)))
    throw new Error(`no PostgreSQL here${needs === undefined ? '' : ` with ${needs} (${shared})`}`)
  const folder = mkdtempSync(join(tmpdir(), 'perfdb-bench-'))
  const owner = await nobody()
  if (owner.uid !== undefined) chownSync(folder, owner.uid, owner.gid)
  const data = join(folder, 'data')
  await run(join(binaries, 'initdb'), ['-D', data, '-U', 'postgres', '-A', 'trust', '-N', '--locale=C', '-E', 'UTF8'], {
    ...owner,
    cwd: folder,
  })
  const port = 20_000 + (process.pid % 20_000)
  const settings = [
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'fsync=off',
    'autovacuum=off',
    ...more,
  ].flatMap((one) => ['-c', one])
  const child = spawn(join(binaries, 'postgres'), ['-D', data, '-p', String(port), ...settings], {
    ...owner,
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  await new Promise((resolve, reject) => {
    child.once('exit', () => reject(new Error('the server did not start')))
    child.stderr.on('data', (text) => String(text).includes('ready to accept') && resolve())
  })
  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    binaries,
    stop: async () => {
      const gone = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGINT')
      await gone
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
