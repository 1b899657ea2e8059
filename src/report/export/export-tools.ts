import type { Migration } from '../../commands/start/export-migrations.js'
import { kyselyFile, nodePgMigrateFile } from './export-script.js'
import {
  commentLines,
  dbmateFile,
  flywayFiles,
  graphileFiles,
  type Committed,
  type ExportFile,
  type ExportTool,
} from './export-sql.js'

/** The folder that each tool looks in unless told otherwise. Kysely's Migrator runs all of a folder in one way, so these need one of their own. */
export const exportFolders: Readonly<Record<ExportTool, string>> = {
  kysely: 'migrations/indexes',
  'node-pg-migrate': 'migrations',
  dbmate: 'db/migrations',
  'graphile-migrate': 'migrations',
  flyway: 'sql',
}

/**
 * The migrations as files of one tool, in the order in which it runs them. `now` (milliseconds) numbers the first file, each later one a
 * second more; graphile-migrate counts on from `committed` instead. Pure.
 */
export function exportFiles(
  migrations: readonly Migration[],
  tool: ExportTool,
  now: number,
  committed: readonly Committed[] = [],
): readonly ExportFile[] {
  const dated = migrations.map((migration, at) => ({ migration, slug: slug(migration.name), at: now + at * 1000 }))
  switch (tool) {
    case 'kysely':
      return dated.map(({ migration, slug, at }) => ({
        path: `${at}_${slug}.ts`,
        text: kyselyFile(migration, commentLines(migration, tool)),
      }))
    case 'node-pg-migrate':
      return dated.map(({ migration, slug, at }) => ({
        path: `${at}_${slug}.js`,
        text: nodePgMigrateFile(migration, commentLines(migration, tool)),
      }))
    case 'dbmate':
      return dated.map(({ migration, slug, at }) => ({
        path: `${stamp(at)}_${slug}.sql`,
        text: dbmateFile(migration, commentLines(migration, tool)),
      }))
    case 'graphile-migrate':
      return graphileFiles(
        dated.map(({ migration, slug }) => ({ migration, slug, lines: commentLines(migration, tool) })),
        committed,
      )
    case 'flyway':
      return dated.flatMap(({ migration, slug, at }) =>
        flywayFiles(migration, `V${stamp(at)}__${slug}.sql`, commentLines(migration, tool)),
      )
  }
}

/** `create_idx_jobs_status`: what every tool and file system takes. */
function slug(name: string): string {
  const plain = name.toLowerCase().replace(/[^a-z0-9]+/g, '_')
  return plain.replace(/^_+|_+$/g, '').slice(0, 80)
}

/** `20261122053000`, in UTC as dbmate and Flyway number. */
function stamp(ms: number): string {
  return new Date(ms).toISOString().replace(/\D/g, '').slice(0, 14)
}
