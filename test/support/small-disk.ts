import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmdirSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A file system of its own that is soon full; unmounted when disposed. */
export interface SmallDisk extends AsyncDisposable {
  readonly folder: string
  freeBytes(): Promise<number>
}

/** True where this user may mount a tmpfs: root, or sudo without a password. */
export function mayMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'perfdb-disk-'))
  const mounted = asRoot('mount', '-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder)
  if (mounted) asRoot('umount', folder)
  rmdirSync(folder)
  return mounted
}

/** `owner` is the server's user, whom a tablespace must belong to. */
export function smallDisk(megabytes: number, owner: { readonly uid: number; readonly gid: number }): SmallDisk {
  const folder = mkdtempSync(join(tmpdir(), 'perfdb-disk-'))
  const options = `size=${megabytes}m,mode=0700,uid=${owner.uid},gid=${owner.gid}`
  if (!asRoot('mount', '-t', 'tmpfs', '-o', options, 'tmpfs', folder)) throw new Error(`cannot mount ${folder}`)
  return {
    folder,
    async freeBytes() {
      const { bavail, bsize } = await statfs(folder)
      return bavail * bsize
    },
    async [Symbol.asyncDispose]() {
      asRoot('umount', folder)
      rmdirSync(folder)
    },
  }
}

function asRoot(command: string, ...parameters: readonly string[]): boolean {
  const line = process.getuid?.() === 0 ? [command, ...parameters] : ['sudo', '-n', command, ...parameters]
  const [program = '', ...rest] = line
  return spawnSync(program, rest, { stdio: 'ignore' }).status === 0
}
