import { existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { PerfdbError } from '../../errors.js'
import { pathFrom, reasonOf } from '../../profile/files/text-file.js'

/**
 * Every file, relative to `cwd`, that a command will write at its end is looked at before anything is done: a path that cannot be written
 * must not be found after an hour's build. A file that does not exist is made and removed again, with the folders that it needs: root may write
 * anywhere by its permissions, and still not below /proc or a file. Throws BAD_OPTION.
 */
export async function checkWritable(files: readonly string[], cwd: string): Promise<void> {
  if (files.length === 0) return
  const { access, constants, open, rmdir, stat, unlink } = await import('node:fs/promises')
  for (const named of files) {
    const file = pathFrom(cwd, named)
    try {
      const status = await stat(file).catch(() => undefined)
      if (status?.isDirectory() === true) throw new Error('it is a folder')
      if (status === undefined) {
        const made = await makeFolders(dirname(resolve(file)))
        try {
          await (await open(file, 'wx')).close()
          await unlink(file)
        } finally {
          for (const folder of made) await rmdir(folder).catch(() => undefined)
        }
      } else await access(file, constants.W_OK)
    } catch (cause) {
      throw notWritable(named, cwd, cause)
    }
  }
}

/** `named` is relative to `cwd`. Makes the folders that it needs. Half a file, as a full disk leaves it, is removed again: nobody must take it for a whole one. Throws BAD_OPTION. */
export async function writeText(named: string, text: string, cwd: string): Promise<void> {
  const { lstat, unlink, writeFile } = await import('node:fs/promises')
  const file = pathFrom(cwd, named)
  const folders = makeFolders(dirname(resolve(file)))
  await folders
    .then(async () => writeFile(file, text))
    .catch(async (cause: unknown) => {
      const status = await lstat(file).catch(() => undefined)
      if (status?.isFile() === true) await unlink(file).catch(() => undefined)
      throw notWritable(named, cwd, cause)
    })
}

/** Makes the folders that are missing, and gives them from the innermost out. Node's own recursive mkdir tries for ever below /proc. */
async function makeFolders(folder: string): Promise<readonly string[]> {
  if (existsSync(folder)) return []
  const { mkdir } = await import('node:fs/promises')
  const above = await makeFolders(dirname(folder))
  await mkdir(folder).catch((error: unknown) => {
    if (!existsSync(folder)) throw error
  })
  return [folder, ...above]
}

/** All of stdin, for a file named `-`. */
export async function standardInput(stdin: Readable): Promise<string> {
  const { text } = await import('node:stream/consumers')
  return text(stdin)
}

function notWritable(file: string, cwd: string, cause: unknown): PerfdbError {
  return new PerfdbError('BAD_OPTION', `${file} cannot be written: ${reason(file, cwd, cause)}`, {
    hint: 'check the folder and its permissions',
    cause,
  })
}

function reason(file: string, cwd: string, cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  switch (code) {
    case 'ENOENT':
      return existsSync(resolve(cwd, dirname(file)))
        ? 'no file can be created there'
        : `there is not a directory ${dirname(file)}`
    case 'ENOTDIR':
    case 'EEXIST':
      return `${dirname(file)} is not a directory`
    default:
      return reasonOf(cause)
  }
}
