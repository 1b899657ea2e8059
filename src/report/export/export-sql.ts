import { terminated } from '../block/terminated.js'
import { createHash } from 'node:crypto'
import type { Migration } from '../../commands/start/export-migrations.js'
import { visible } from '../text/width.js'

/** What stands above the statement in every file: why, hazards, and what to do after a failure. One line each, no line breaks in them. */
export function commentLines(migration: Migration, tool: ExportTool): readonly string[] {
  const { about, transaction, leftover, down } = migration
  return [
    `perfdb plan --export ${tool}`,
    ...about,
    ...(transaction ? [] : [alone[tool]]),
    ...(leftover === null
      ? []
      : [`a build that fails leaves an index that is not valid; before the next try: ${leftover}`]),
    ...(tool === 'graphile-migrate' || tool === 'flyway' ? down.map((sql) => `to undo: ${sql}`) : []),
  ].map(visible)
}

const timeouts = 'a lock_timeout or statement_timeout of the role would end the build: set both to 0'

const alone: Readonly<Record<ExportTool, string>> = {
  kysely: 'outside a transaction: run this folder with a Migrator of its own that has disableTransactions: true',
  'node-pg-migrate': 'outside a transaction: pgm.noTransaction()',
  dbmate: `outside a transaction, and so alone in its file; ${timeouts}, as by PGOPTIONS='-c lock_timeout=0 -c statement_timeout=0'`,
  'graphile-migrate': `outside a transaction, and so alone in its file; ${timeouts}`,
  flyway: `outside a transaction (see the .conf file); set flyway.postgresql.transactional.lock=false, else the build waits for Flyway's own lock; ${timeouts}`,
}

/** lib/pq sends a section as one simple query, which is a transaction by itself when it holds several statements. https://github.com/amacneil/dbmate#migration-options */
export function dbmateFile({ transaction, up, down }: Migration, lines: readonly string[]): string {
  const option = transaction ? '' : ' transaction:false'
  const back = down.length === 0 ? ['-- nothing to take back'] : down.map(terminated)
  return [
    `-- migrate:up${option}`,
    ...lines.map(comment),
    ...up.map(terminated),
    '',
    `-- migrate:down${option}`,
    ...back,
    '',
  ].join('\n')
}

/** A script configuration file of the same name says what the script cannot. https://documentation.red-gate.com/fd/script-configuration-files-224003065.html */
export function flywayFiles(
  { transaction, up }: Migration,
  path: string,
  lines: readonly string[],
): readonly ExportFile[] {
  const text = [...lines.map(comment), ...up.map(terminated), ''].join('\n')
  // ${...} in a predicate is no placeholder.
  const settings = [`executeInTransaction=${String(transaction)}`, 'placeholderReplacement=false', '']
  return [
    { path, text },
    { path: `${path}.conf`, text: settings.join('\n') },
  ]
}

/**
 * Committed migrations, each with the hash over its body and the one before it (graphile-migrate, src/hash.ts); `--! no-transaction` must be
 * the first line of the body and allows one statement.
 */
export function graphileFiles(
  migrations: readonly { readonly migration: Migration; readonly slug: string; readonly lines: readonly string[] }[],
  committed: readonly Committed[],
): readonly ExportFile[] {
  const known = committed
    .flatMap(({ name, text }) => {
      const number = /^(\d+)(?:-[-\w]*)?\.sql$/.exec(name)?.[1]
      return number === undefined
        ? []
        : [{ number: Number(number), hash: /^--! Hash: *(\S+)/m.exec(text)?.[1] ?? null }]
    })
    .toSorted((one, other) => one.number - other.number)
  let { number, hash } = known.at(-1) ?? { number: 0, hash: null }
  return migrations.map(({ migration, slug, lines }) => {
    const header = migration.transaction ? [] : ['--! no-transaction']
    const body = [...header, ...lines.map(comment), ...migration.up.map(terminated)].join('\n')
    const previous = hash
    number += 1
    hash = `sha1:${createHash('sha1')
      .update(`${`${previous ?? ''}\n${body.trim()}`.trim()}\n`)
      .digest('hex')}`
    return {
      path: `committed/${String(number).padStart(6, '0')}-${slug.replaceAll('_', '-')}.sql`,
      text: `--! Previous: ${previous ?? '-'}\n--! Hash: ${hash}\n\n${body}\n`,
    }
  })
}

function comment(line: string): string {
  return `-- ${line}`
}

/** A committed migration of graphile-migrate: each carries the hash of the one before it. */
export interface Committed {
  readonly name: string
  readonly text: string
}

export interface ExportFile {
  /** Below the folder that was named. */
  readonly path: string
  readonly text: string
}

export type ExportTool = (typeof exportTools)[number]

/** The migration tools that perfdb writes files for. */
export const exportTools = ['kysely', 'node-pg-migrate', 'dbmate', 'graphile-migrate', 'flyway'] as const
