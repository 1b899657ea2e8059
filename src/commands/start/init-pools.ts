import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PerfdbError, problemsError } from '../../errors.js'
import { readForeign } from '../../pools/file/foreign.js'
import { foreignYaml } from '../../pools/file/foreign-write.js'
import { findFiles, readText } from '../../profile/files/files.js'
import { isThere, reasonOf } from '../../profile/files/text-file.js'
import type { InitResult } from '../../result/documents/init-result.js'
import { headOf } from '../../result/head.js'

/** Where the pools file goes, relative to the working folder. */
const written = 'app.pools.yaml'

/**
 * Writes a first pools file from what applications and platforms have: each number with its source as a comment, and what was not understood
 * listed. Throws FILE_EXISTS before anything is read, and what reading the files throws (FILE_NOT_FOUND, FILE_UNREADABLE).
 */
export async function runInitPools(cwd: string, paths: readonly string[]): Promise<InitResult> {
  const name = written
  if (paths.length === 0)
    throw new PerfdbError('BAD_OPTION', 'init pools: no file is named', {
      hint: 'perfdb init pools pgbouncer.ini docker-compose.yml k8s/*.yaml application.properties',
    })
  if (isThere(join(cwd, name))) throw new PerfdbError('FILE_EXISTS', `${name} is there already: nothing was written`)
  const found = findFiles(paths, cwd, ['.yaml', '.yml', '.ini', '.properties', '.prisma'])
  const read = await Promise.all(
    found.files.map(async (file) => {
      const content = await readText(file)
      return 'problem' in content ? content : readForeign(file.file, content.text)
    }),
  )
  const [first, ...rest] = [...found.problems, ...read.flatMap((one) => ('problem' in one ? [one.problem] : []))]
  if (first !== undefined) throw problemsError([first, ...rest])
  const parts = read.flatMap((one) => ('problem' in one ? [] : [one]))
  const { text, left } = foreignYaml(parts.flatMap((part) => part.known))
  const notUnderstood = [...parts.flatMap((part) => part.left), ...left]
  const head = notUnderstood.map((one) => `# not understood: ${one}\n`).join('')
  try {
    await writeFile(join(cwd, name), `${head}${text}`, { flag: 'wx' })
  } catch (cause) {
    throw new PerfdbError('BAD_OPTION', `${name} cannot be written: ${reasonOf(cause)}`, { cause })
  }
  const result = { ...headOf(0), command: 'init' as const, files: [name] }
  return { ...result, not_understood: notUnderstood }
}
