import { resolve } from 'node:path'
import type { ImportOptions } from '../../commands/import/import.js'
import type { ImportResult } from '../../result/documents/import-result.js'
import { PerfdbError } from '../../errors.js'
import { isThere } from '../../profile/files/text-file.js'
import type { Config } from '../../settings/config.js'
import { openDatabase } from '../connect/database.js'
import { checkWritable, standardInput, writeText } from '../files/files.js'
import type { Invocation } from '../../settings/invocation.js'

/** import from the database, or from a SQL file (`-` is stdin), which needs none; notes go to stderr as warnings. */
export async function runImportAction(
  invocation: Invocation,
  readConfig: () => Promise<Config>,
  file: string | undefined,
): Promise<ImportResult> {
  const { schema: schemas = [], table: tables = [], index: indexes = [], out } = invocation.options
  const options: ImportOptions = { schemas, tables, indexes, ...(await writtenTo(out, invocation)) }
  const result =
    file === undefined
      ? await ofDatabase(invocation, await readConfig(), options)
      : await ofFile(invocation, file, options)
  const { noteText } = await import('../../commands/import/import-notes.js')
  for (const note of result.notes) invocation.listener({ type: 'warning', message: noteText(note) })
  if (out === undefined || !result.ok) return result
  await writeText(out, result.profile, invocation.cwd)
  return { ...result, file: out }
}

/** Without --out the profile most likely goes to a file of this folder: `perfdb import > my.yaml`. */
async function writtenTo(
  out: string | undefined,
  { options, cwd }: Invocation,
): Promise<Pick<ImportOptions, 'name' | 'schemaFile'>> {
  if (out !== undefined && options.force !== true && isThere(resolve(cwd, out)))
    throw new PerfdbError('FILE_EXISTS', `${out} exists already`, { hint: 'write over it: --force' })
  await checkWritable(out === undefined ? [] : [out], cwd)
  const [{ profileName }, { profileSchemaOf }] = await Promise.all([
    import('../../profile/complete/complete.js'),
    import('../../commands/start/init.js'),
  ])
  const schemaFile = await profileSchemaOf(resolve(cwd, out ?? 'my.yaml'))
  return {
    ...(out === undefined ? {} : { name: profileName(out) }),
    ...(schemaFile === undefined ? {} : { schemaFile }),
  }
}

async function ofDatabase(invocation: Invocation, config: Config, options: ImportOptions): Promise<ImportResult> {
  const { runImport } = await import('../../commands/import/import.js')
  await using database = await openDatabase(invocation, config)
  await using session = await database.connect('look')
  return await runImport(session, options)
}

async function ofFile(invocation: Invocation, file: string, options: ImportOptions): Promise<ImportResult> {
  const [{ runScriptImport }, { readScripts }] = await Promise.all([
    import('../../commands/import/import-sql.js'),
    import('../../commands/import/import-migrations.js'),
  ])
  if (file === '-')
    return runScriptImport([{ file: 'stdin', text: await standardInput(invocation.streams.stdin) }], 'stdin', options)
  return runScriptImport(await readScripts(file, invocation.cwd), file, options)
}
