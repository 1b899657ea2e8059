import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { ImportOptions } from '../commands/import.js'
import type { ImportResult } from '../commands/import-result.js'
import { PerfdbError } from '../errors.js'
import type { Config } from './config.js'
import { openDatabase } from './database.js'
import { checkWritable, standardInput, writeText } from './files.js'
import type { Invocation } from './invocation.js'

/** import from the database, or from a SQL file (`-` is stdin), which needs none; notes go to stderr as warnings. */
export async function runImportAction(
  invocation: Invocation,
  readConfig: () => Promise<Config>,
  file: string | undefined,
): Promise<ImportResult> {
  const { schema: schemas = [], table: tables = [], index: indexes = [], out } = invocation.options
  const { profileName } = await import('../profile/complete.js')
  const name = out === undefined ? {} : { name: profileName(out) }
  if (out !== undefined) await checkWritable([out])
  const options: ImportOptions = { schemas, tables, indexes, ...name }
  const result =
    file === undefined
      ? await ofDatabase(invocation, await readConfig(), options)
      : await ofFile(invocation, file, options)
  const { noteText } = await import('../commands/import-notes.js')
  for (const note of result.notes) invocation.listener({ type: 'warning', message: noteText(note) })
  if (out === undefined) return result
  await writeText(out, result.profile)
  return { ...result, file: out }
}

async function ofDatabase(invocation: Invocation, config: Config, options: ImportOptions): Promise<ImportResult> {
  const { runImport } = await import('../commands/import.js')
  await using database = await openDatabase(invocation, config)
  await using session = await database.connect('look')
  return await runImport(session, options)
}

async function ofFile(invocation: Invocation, file: string, options: ImportOptions): Promise<ImportResult> {
  const { runSqlImport } = await import('../commands/import-sql.js')
  if (file === '-') return runSqlImport(await standardInput(), 'stdin', options)
  const source = await readFile(resolve(invocation.cwd, file), 'utf8').catch((cause: unknown) => {
    throw new PerfdbError('FILE_NOT_FOUND', `cannot read ${file}`, {
      detail: cause instanceof Error ? cause.message : undefined,
      hint: 'name a SQL file, or none to import from the database',
      cause,
    })
  })
  return runSqlImport(source, file, options)
}
