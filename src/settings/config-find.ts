import { dirname, join, relative, resolve } from 'node:path'
import { PerfdbError, problemsError } from '../errors.js'
import { isThere, readTextFile } from '../profile/files/text-file.js'

export interface ConfigText {
  /** As messages show it: the way it was named, or relative to the working folder. */
  readonly file: string
  readonly text: string
}

/**
 * The file that --config names, else the nearest perfdb.yaml from the working folder up to the root of the repository (the folder with
 * .git), or of the file system outside of one; undefined without one. Throws FILE_NOT_FOUND for a named file that is not there, FILE_UNREADABLE.
 */
export async function findConfig(cwd: string, named: string | undefined): Promise<ConfigText | undefined> {
  if (named !== undefined) {
    const text = await readIfThere(resolve(cwd, named), named)
    if (text !== undefined) return { file: named, text }
    throw new PerfdbError('FILE_NOT_FOUND', `no such file: ${named}`, {
      hint: 'perfdb init writes a first perfdb.yaml; without --config the nearest one from this folder up is read',
    })
  }
  for (let folder = resolve(cwd); ; folder = dirname(folder)) {
    const path = join(folder, 'perfdb.yaml')
    const file = relative(cwd, path)
    // Above the working folder Node may be kept from looking (node --permission): what it cannot see is not there.
    const text = folder === resolve(cwd) || isThere(path) ? await readIfThere(path, file) : undefined
    if (text !== undefined) return { file, text }
    // A work tree and a submodule have a file of that name.
    if (dirname(folder) === folder || isThere(join(folder, '.git'))) return undefined
  }
}

async function readIfThere(path: string, shown: string): Promise<string | undefined> {
  const read = await readTextFile(path, shown)
  if ('text' in read) return read.text
  if (read.problem.code === 'FILE_NOT_FOUND') return undefined
  throw problemsError([read.problem])
}
