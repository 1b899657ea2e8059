import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { migrationsOf } from '../../commands/start/export-migrations.js'
import { PerfdbError } from '../../errors.js'
import type { Plan } from '../../plan/plan.js'
import { exportFiles, exportFolders } from '../../report/export/export-tools.js'
import type { Committed, ExportTool } from '../../report/export/export-sql.js'

/**
 * Writes the pending steps of a plan as migrations of another tool into `folder` (else the tool's own below `cwd`), and returns the paths
 * as they are to be shown. Nothing that is there is overwritten. Throws FILE_EXISTS, and BAD_OPTION for a folder that cannot be written.
 */
export async function writeExport(
  plan: Plan,
  tool: ExportTool,
  folder: string | undefined,
  cwd: string,
): Promise<readonly string[]> {
  const shown = folder ?? exportFolders[tool]
  const target = resolve(cwd, shown)
  const committed = tool === 'graphile-migrate' ? await committedIn(join(target, 'committed')) : []
  const files = exportFiles(migrationsOf(plan), tool, Date.now(), committed)
  for (const { path, text } of files) await write(join(target, path), join(shown, path), text)
  return files.map(({ path }) => join(shown, path))
}

async function committedIn(folder: string): Promise<readonly Committed[]> {
  const names = await readdir(folder).catch(() => [])
  return Promise.all(
    names
      .filter((name) => name.endsWith('.sql'))
      .map(async (name) => ({ name, text: await readFile(join(folder, name), 'utf8') })),
  )
}

async function write(file: string, shown: string, text: string): Promise<void> {
  const refuse = (cause: unknown): never => {
    throw new PerfdbError('BAD_OPTION', `${shown} cannot be written`, {
      detail: cause instanceof Error ? cause.message : String(cause),
      hint: 'name another folder: --out-dir DIR',
      cause,
    })
  }
  await mkdir(dirname(file), { recursive: true }).catch(refuse)
  await writeFile(file, text, { flag: 'wx' }).catch((cause: unknown) => {
    if (cause instanceof Error && 'code' in cause && cause.code === 'EEXIST')
      throw new PerfdbError('FILE_EXISTS', `${shown} is there already`, { cause })
    refuse(cause)
  })
}
