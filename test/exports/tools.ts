import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { FileMigrationProvider, Kysely, Migrator, PostgresDialect, type MigrationResultSet } from 'kysely'
import { Pool } from 'pg'
import { rolldown } from 'rolldown'

const run = promisify(execFile)
const root = join(import.meta.dirname, '..', '..')

/** An empty folder outside the project, in which the project's packages are found. */
export async function projectFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'perfdb-export-'))
  await symlink(join(root, 'node_modules'), join(path, 'node_modules'))
  return { path, [Symbol.asyncDispose]: async () => rm(path, { recursive: true }) }
}

/** Kysely's own Migrator on the folder's files, compiled as a user's build would. */
export async function kysely(
  url: string,
  folder: string,
  direction: 'up' | 'down',
  disableTransactions = true,
): Promise<MigrationResultSet> {
  const compiled = await compile(folder)
  const db = new Kysely<unknown>({
    dialect: new PostgresDialect({ pool: new Pool({ connectionString: url, max: 3 }) }),
  })
  const provider = new FileMigrationProvider({
    fs: { readdir },
    path: { join },
    migrationFolder: compiled,
  })
  const migrator = new Migrator({ db, provider, disableTransactions })
  try {
    if (direction === 'up') return await migrator.migrateToLatest()
    for (;;) {
      const down = await migrator.migrateDown()
      if (down.error !== undefined || down.results?.length === 0) return down
    }
  } finally {
    await db.destroy()
  }
}

async function compile(folder: string): Promise<string> {
  const out = join(folder, 'compiled')
  for (const name of (await readdir(folder)).filter((file) => file.endsWith('.ts'))) {
    const built = await rolldown({ cwd: folder, input: join(folder, name), external: ['kysely'] })
    await built.write({ file: join(out, name.replace(/\.ts$/, '.mjs')), format: 'esm' })
  }
  return out
}

export async function nodePgMigrate(url: string, folder: string, ...args: readonly string[]): Promise<string> {
  return tool('node-pg-migrate', ['-m', folder, ...args], { DATABASE_URL: url })
}

export async function dbmate(url: string, folder: string, ...args: readonly string[]): Promise<string> {
  const target = new URL(url)
  target.searchParams.set('sslmode', 'disable')
  return tool('dbmate', ['--no-dump-schema', '-d', folder, '-u', target.href, ...args], {})
}

/** `migrate` of committed migrations; it wants a .gmrc beside the folder migrations. */
export async function graphileMigrate(url: string, cwd: string): Promise<string> {
  return tool('graphile-migrate', ['migrate'], { DATABASE_URL: url }, cwd)
}

async function tool(
  name: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  cwd = root,
): Promise<string> {
  const env = { PATH: process.env['PATH'] ?? '', HOME: cwd, ...environment }
  const { stdout, stderr } = await run(join(root, 'node_modules', '.bin', name), [...args], { env, cwd })
  return stdout + stderr
}

/** Every file below the folder by its path, in order of names. */
export async function filesIn(folder: string): Promise<readonly (readonly [path: string, text: string])[]> {
  const names = (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted()
  return Promise.all(names.map(async (name) => [name.slice(folder.length + 1), await readFile(name, 'utf8')] as const))
}
