import { readFile } from 'node:fs/promises'
import { dirname, isAbsolute, join } from 'node:path'
import { PerfdbError, problemsError } from '../errors.js'
import type { HazardCode } from '../plan/plan.js'

/** What perfdb.yaml says; every key may be left out. Paths are as written, relative to the file's folder. */
export interface Config {
  readonly file: string | null
  readonly url?: string | undefined
  readonly profiles: readonly string[]
  readonly pools: readonly string[]
  readonly allow: readonly HazardCode[]
}

/**
 * perfdb.yaml of the working folder, or the file that --config names. Throws FILE_NOT_FOUND for a named file that is not
 * there, and every problem of its content at once. The YAML reader is loaded only when there is a file.
 */
export async function readConfig(
  cwd: string,
  named: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Config> {
  const file = named ?? 'perfdb.yaml'
  const path = isAbsolute(file) ? file : join(cwd, file)
  const text = await readFile(path, 'utf8').catch(() => undefined)
  if (text === undefined) {
    if (named !== undefined)
      throw new PerfdbError('FILE_NOT_FOUND', `there is no file ${named}`, {
        hint: 'perfdb init writes a first perfdb.yaml; without --config that of this folder is read',
      })
    return { file: null, profiles: [], pools: [], allow: [] }
  }
  const { configSchema } = await import('./config-schema.js')
  const { readYaml } = await import('../yaml/read.js')
  const { value, problems } = readYaml(text, file, configSchema, environment)
  const [first, ...rest] = problems
  if (first !== undefined) throw problemsError([first, ...rest])
  const beside = (name: string) => (dirname(file) === '.' || isAbsolute(name) ? name : join(dirname(file), name))
  return {
    file,
    url: value?.url,
    profiles: (value?.profiles ?? []).map(beside),
    pools: (value?.pools ?? []).map(beside),
    allow: value?.allow ?? [],
  }
}
