import type { Migration } from '../../commands/start/export-migrations.js'

/**
 * A migration for Kysely's Migrator, which runs all of its migrations in one transaction unless disableTransactions is set for the whole of
 * it: one that must not be in a transaction says so instead of failing with 25001. https://kysely.dev/docs/migrations
 */
export function kyselyFile({ transaction, up, down }: Migration, lines: readonly string[]): string {
  const body = (statements: readonly string[]): readonly string[] => {
    if (statements.length === 0) return ['  // nothing to take back']
    if (!transaction) return ['  outsideTransaction(db)', ...statements.flatMap((text) => alone(text))]
    const each = statements.map((text) => `    await sql.raw(${quoted(text)}).execute(trx)`)
    return [
      '  const run = async (trx: Kysely<unknown>): Promise<void> => {',
      ...each,
      '  }',
      '  await (db.isTransaction ? run(db) : db.transaction().execute(run))',
    ]
  }
  return [
    `import { ${down.length + up.length > 0 ? 'sql, ' : ''}type Kysely } from 'kysely'`,
    '',
    ...lines.map((line) => `// ${line}`),
    'export async function up(db: Kysely<unknown>): Promise<void> {',
    ...body(up),
    '}',
    '',
    `export async function down(${down.length === 0 ? '' : 'db: Kysely<unknown>'}): Promise<void> {`,
    ...body(down),
    '}',
    ...(transaction ? [] : guard),
    '',
  ].join('\n')
}

/** The Migrator holds one connection through all of it: a setting reaches the statement after it. */
function alone(text: string): readonly string[] {
  return [...settings, text, ...resets].map((statement) => `  await sql.raw(${quoted(statement)}).execute(db)`)
}

// A timeout of the role would end the build and leave an index that is not valid.
const settings = ['set lock_timeout = 0', 'set statement_timeout = 0']
const resets = ['reset lock_timeout', 'reset statement_timeout']

const guard = [
  '',
  'function outsideTransaction(db: Kysely<unknown>): void {',
  '  if (db.isTransaction)',
  "    throw new Error('CONCURRENTLY cannot run in a transaction: new Migrator({ ..., disableTransactions: true }) for this folder')",
  '}',
]

/** A migration for node-pg-migrate: without pgm.noTransaction() it would run in a transaction. https://salsita.github.io/node-pg-migrate/migrations/ */
export function nodePgMigrateFile({ transaction, up, down }: Migration, lines: readonly string[]): string {
  const body = (statements: readonly string[]): readonly string[] =>
    (transaction ? statements : ['noTransaction', ...settings, ...statements, ...resets]).map((text) =>
      text === 'noTransaction' ? '  pgm.noTransaction()' : `  pgm.sql(${quoted(text)})`,
    )
  return [
    ...lines.map((line) => `// ${line}`),
    '',
    "/** @param pgm {import('node-pg-migrate').MigrationBuilder} */",
    'export const up = (pgm) => {',
    ...body(up),
    '}',
    '',
    ...(down.length === 0
      ? ['// nothing to take back', 'export const down = () => {}']
      : [
          "/** @param pgm {import('node-pg-migrate').MigrationBuilder} */",
          'export const down = (pgm) => {',
          ...body(down),
          '}',
        ]),
    '',
  ].join('\n')
}

/** As a template where it has lines, so that it can be read; a line separator of Unicode is none in a string of JavaScript. */
function quoted(text: string): string {
  if (!text.includes('\n')) return JSON.stringify(text)
  return `\`${text.replace(/[\\`]|\$\{/g, (found) => `\\${found}`)}\``
}
