import { execFile } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** What perfdb is compared with, outside of its package. Later majors of Kysely want a later Node. */
const versions = {
  dbmate: '2.36.0',
  'drizzle-kit': '0.31.11',
  'drizzle-orm': '0.45.4',
  'graphile-migrate': '1.4.1',
  kysely: '0.28.18',
  'kysely-ctl': '0.19.0',
  'node-pg-migrate': '9.0.0',
  pg: '8.23.1',
}

/** Installs them once, in a folder that stays below the system's temporary folder. Throws what npm says where no registry answers. */
export async function peersFolder() {
  const folder = join(tmpdir(), 'perfdb-bench-peers')
  await mkdir(folder, { recursive: true })
  const file = join(folder, 'installed.json')
  const wanted = JSON.stringify(versions)
  if ((await readFile(file, 'utf8').catch(() => '')) === wanted) return folder
  await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies: versions }))
  await promisify(execFile)('npm', ['install', '--no-audit', '--no-fund'], { cwd: folder })
  await writeFile(file, wanted)
  return folder
}
