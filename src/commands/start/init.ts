import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { PerfdbError } from '../../errors.js'
import { isThere, reasonOf } from '../../profile/files/text-file.js'
import { firstFiles, schemaCopies } from './init-files.js'
import type { InitResult } from '../../result/documents/init-result.js'
import { headOf } from '../../result/head.js'

/**
 * Writes a first configuration, profile and pools file with comments, and asks nothing. The editor's schema line leads to the installed
 * package, or, where perfdb is not installed in the project, to copies of the schemas that are written beside them. Throws FILE_EXISTS, before
 * anything is written, when one of them is there already, and BAD_OPTION for a folder that cannot be written.
 */
export async function runInit(cwd: string): Promise<InitResult> {
  const installed = await installedSchemas(cwd)
  const files = firstFiles(installed ?? copies)
  for (const name of files.keys()) {
    if (isThere(join(cwd, name))) throw new PerfdbError('FILE_EXISTS', `${name} is there already: nothing was written`)
  }
  for (const [name, text] of files) await write(cwd, name, text, 'wx')
  const copied = installed === undefined ? await schemaCopies(copies) : new Map<string, string>()
  for (const [name, text] of copied) await write(cwd, name, text, 'w')
  const written = [...files.keys(), ...copied.keys()]
  return { ...headOf(0), command: 'init', files: written }
}

/** Where copies of the schemas go, relative to the working folder. */
const copies = 'perfdb/schemas'

/**
 * What the first line of a profile names for editors, relative to the profile: the schema of the installed package, else the copy that
 * runInit left beside; undefined without either.
 */
export async function profileSchemaOf(profile: string): Promise<string | undefined> {
  const folder = dirname(profile)
  const installed = await installedSchemas(folder)
  const schemas = installed ?? (isThere(join(folder, 'schemas', 'profile.schema.json')) ? 'schemas' : undefined)
  if (schemas === undefined) return undefined
  return `${schemas.startsWith('.') ? '' : './'}${schemas}/profile.schema.json`
}

/** The folder of the schemas in the nearest node_modules, relative to `cwd`, as an editor resolves it. */
async function installedSchemas(cwd: string): Promise<string | undefined> {
  const inside = join('node_modules', 'perfdb', 'profiles')
  for (let up = ''; ; up = join('..', up)) {
    const folder = join(cwd, up)
    if (isThere(join(folder, inside, 'config.schema.json'))) return join(up, inside).replaceAll('\\', '/')
    if (dirname(folder) === folder || isThere(join(folder, '.git'))) return undefined
  }
}

async function write(cwd: string, name: string, text: string, flag: 'w' | 'wx'): Promise<void> {
  try {
    await mkdir(dirname(join(cwd, name)), { recursive: true })
    await writeFile(join(cwd, name), text, { flag })
  } catch (cause) {
    throw new PerfdbError('BAD_OPTION', `${name} cannot be written: ${reasonOf(cause)}`, {
      hint: 'check the folder and its permissions',
      cause,
    })
  }
}
