import { readdir, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { PerfdbError } from '../../errors.js'
import { isMissing, readNamedFile } from '../../profile/files/text-file.js'

export interface ScriptFile {
  readonly file: string
  readonly text: string
}

/**
 * The SQL that a path names: one file, or a folder of migrations as one script, in order of their names (numbers as numbers, so that
 * V10 comes after V9), folders of one migration each as Prisma has them too. What takes a migration back is left out: files
 * `*.down.sql` and Flyway's `U1__*.sql`, and what follows a line such as `-- migrate:down`. Throws FILE_NOT_FOUND and as readNamedFile does.
 */
export async function readScripts(path: string, cwd: string): Promise<readonly ScriptFile[]> {
  const hint = 'name a SQL file or a folder of migrations, or none to import from the database'
  const status = await stat(resolve(cwd, path)).catch((error: unknown) => {
    if (isMissing(error)) return undefined
    throw error
  })
  if (status?.isDirectory() !== true) return [{ file: path, text: await readNamedFile(path, cwd, hint) }]
  const files = await filesBelow(path, cwd)
  if (files.length === 0) throw new PerfdbError('FILE_NOT_FOUND', `no .sql file in the folder ${path}`, { hint })
  return Promise.all(files.map(async (file) => ({ file, text: withoutDown(await readNamedFile(file, cwd, hint)) })))
}

async function filesBelow(folder: string, cwd: string): Promise<readonly string[]> {
  const entries = await readdir(resolve(cwd, folder), { withFileTypes: true })
  const sorted = entries.toSorted((a, b) => inOrder(a.name, b.name))
  const found = await Promise.all(
    sorted.map(async (entry) => {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) return /^(\.|node_modules$|meta$)/.test(entry.name) ? [] : filesBelow(path, cwd)
      return /\.sql$/i.test(entry.name) && !takesBack(entry.name) ? [path] : []
    }),
  )
  return found.flat()
}

function inOrder(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true }) || (a < b ? -1 : 1)
}

function takesBack(name: string): boolean {
  return /[._-](down|undo|rollback)\.sql$/i.test(name) || /^U\d[\d._]*__/.test(name)
}

/** dbmate, goose, sql-migrate and node-pg-migrate hold both ways in one file. The lines stay, so that places are right. */
function withoutDown(text: string): string {
  const down = /^--\s*(?:migrate:down|\+goose down|\+migrate down|down migration)\b/im.exec(text)
  if (down === null) return text
  return text.slice(0, down.index) + text.slice(down.index).replace(/[^\n]/g, ' ')
}
