import { closeSync, constants, fstatSync, lstatSync, mkdirSync, openSync, type Stats } from 'node:fs'
import { join, relative, sep } from 'node:path'

/** Who runs this, by number; undefined where there are no such numbers, or where a program runs with rights that are not its caller's. */
export function ownUser(): number | undefined {
  const user = process.geteuid?.()
  return user === process.getuid?.() ? user : undefined
}

/**
 * Whether nobody but `user` can put anything under the path: each folder from `base` down is a folder, no link, belongs to `user` and is writable by
 * nobody else, and the last one is closed to all others. With `make` those below `base` are made where they are missing. Never throws.
 */
export function isOwnFolder(base: string, folder: string, user: number, make = false): boolean {
  const below = relative(base, folder).split(sep)
  const folders = below.reduce<readonly string[]>((all, name) => [...all, join(all.at(-1) ?? base, name)], [base])
  try {
    return folders.every((each, at) => {
      const status = folderStatus(each, make && at > 0)
      return isOwn(status, user) && (at < folders.length - 1 || (status.mode & 0o077) === 0)
    })
  } catch {
    return false
  }
}

function folderStatus(folder: string, make: boolean): Stats {
  if (make && lstatSync(folder, { throwIfNoEntry: false }) === undefined) mkdirSync(folder, { mode: 0o700 })
  return lstatSync(folder)
}

function isOwn(status: Stats, user: number): boolean {
  return status.isDirectory() && status.uid === user && (status.mode & 0o022) === 0
}

/** A descriptor to read a file with that belongs to `user` and is closed to all others, no link; undefined where there is none such. */
export function openOwn(file: string, user: number): number | undefined {
  try {
    const descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW)
    const status = fstatSync(descriptor)
    if (status.isFile() && status.uid === user && (status.mode & 0o077) === 0) return descriptor
    closeSync(descriptor)
  } catch {
    // None that can be read.
  }
  return undefined
}
