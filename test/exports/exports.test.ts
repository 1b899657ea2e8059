import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { writeExport } from '../../src/actions/start/export-action.js'
import { migrationsOf } from '../../src/commands/start/export-migrations.js'
import { makePlan } from '../../src/commands/apply/make-plan.js'
import type { Plan } from '../../src/plan/plan.js'
import type { Profile } from '../../src/profile/profile.js'
import { plan, verify } from '../support/apply.js'
import { folder, perfdbHere } from '../cli/perfdb.js'
import { connectTo } from '../support/connect.js'
import { testDatabase, type TestDatabase } from '../support/database.js'
import { profileOf } from '../support/profile.js'
import { dbmate, filesIn, graphileMigrate, kysely, nodePgMigrate, projectFolder } from './tools.js'
import type { ExportTool } from '../../src/report/export/export-sql.js'

/*
 * The real tools run what perfdb wrote for them, on a real server, out of every kind of step; perfdb's own verify is the judge. Taken back
 * again, the indexes are as they were.
 */

const before = `
create table jobs (id bigint primary key, status text not null, "Odd \`Name$" text, created_at timestamptz, code int);
insert into jobs select n, 'open', 'x', now(), n / 2 from generate_series(1, 200) n;
create index idx_differs on jobs (status);
create index idx_old on jobs (code desc) where status = 'it''s';
create index somebody_else on jobs (created_at, status);
create table parted (id int, at date) partition by range (at);
create table parted_a partition of parted for values from ('2026-01-01') to ('2026-02-01');
create schema other;
create table other.parted_b partition of parted for values from ('2026-02-01') to ('2026-03-01');`

// What quotes, templates, placeholders and comments of the tools' languages are made of.
const odd =
  '{ name: "Odd \\"$$' +
  '{name}` \\\\ \'x\'", table: jobs, keys: ["Odd `Name$"], where: "status <> \'$$' +
  "{x}' and status <> 'a\\\\b--c'\" }"

const declared = async (): Promise<readonly Profile[]> =>
  profileOf(
    [
      '{ name: idx_plain, table: jobs, keys: [code], include: [status] }',
      odd,
      '{ name: idx_expression, table: jobs, keys: [{ expression: "lower(status)" }] }',
      '{ name: idx_differs, table: jobs, keys: [status, { column: created_at, order: desc }] }',
      '{ name: idx_renamed, table: jobs, keys: [created_at, status] }',
      '{ name: idx_invalid, table: jobs, keys: [code, id], unique: true }',
      '{ name: idx_parted, table: parted, keys: [at] }',
    ],
    'absent: [idx_old]\n',
  )

async function arranged(): Promise<TestDatabase> {
  const database = await testDatabase(before)
  await database.sql`insert into jobs select 1000 + n, 'open', 'x', now(), 7 from generate_series(1, 2) n`
  await database.sql`create unique index concurrently idx_invalid on jobs (code)`.catch(() => undefined)
  return database
}

async function planned(url: string, profiles: readonly Profile[]): Promise<Plan> {
  await using session = await connectTo(url, 'look')
  const options = {
    allow: new Set(['REPLACE', 'RENAME'] as const),
    prune: false,
    maxWaitMs: 600_000,
    maxSizeBytes: 1e12,
  }
  return (await makePlan(session, profiles, options)).plan
}

const indexes = async ({ sql }: TestDatabase): Promise<readonly string[]> =>
  (
    await sql<{ def: string }[]>`
      select pg_get_indexdef(i.indexrelid) as def from pg_index i join pg_class c on c.oid = i.indrelid
      join pg_namespace n on n.oid = c.relnamespace
      where n.nspname in ('public', 'other') and c.relname in ('jobs', 'parted', 'parted_a', 'parted_b') and i.indisvalid order by 1`
  ).map(({ def }) => def)

async function exported(database: TestDatabase, tool: ExportTool, folder: string) {
  const profiles = await declared()
  const made = await planned(database.url, profiles)
  expect(made.steps.map(({ step }) => step).toSorted()).toEqual(
    ['adopt', 'create', 'create', 'create', 'create', 'drop', 'rebuild', 'replace'].toSorted(),
  )
  const files = await writeExport(made, tool, folder, '/')
  return { profiles, files, made }
}

const proved = async (url: string, profiles: readonly Profile[]) => {
  const { exit_code, findings } = await verify(url, profiles)
  expect({ exit_code, errors: findings.filter(({ severity }) => severity === 'error') }).toEqual({
    exit_code: 0,
    errors: [],
  })
  expect(new Set((await plan(url, profiles)).steps.map(({ step }) => step))).toEqual(new Set(['keep']))
}

describe('run by the tool itself', () => {
  test('kysely, with a Migrator that has disableTransactions', async () => {
    await using database = await arranged()
    await using project = await projectFolder()
    const was = await indexes(database)
    const { profiles } = await exported(database, 'kysely', project.path)
    const refused = await kysely(database.url, project.path, 'up', false)
    expect(String(refused.error)).toContain('disableTransactions: true')
    const { error, results } = await kysely(database.url, project.path, 'up')
    expect(error).toBeUndefined()
    expect(new Set(results?.map(({ status }) => status))).toEqual(new Set(['Success']))
    await proved(database.url, profiles)
    expect((await kysely(database.url, project.path, 'down')).error).toBeUndefined()
    expect(await indexes(database)).toEqual(was)
  })

  test('node-pg-migrate, in one transaction as it does by itself', async () => {
    await using database = await arranged()
    await using project = await projectFolder()
    const was = await indexes(database)
    const folder = join(project.path, 'migrations')
    const { profiles, files } = await exported(database, 'node-pg-migrate', folder)
    expect(await nodePgMigrate(database.url, folder, 'up')).toContain('Migrations complete!')
    await proved(database.url, profiles)
    await nodePgMigrate(database.url, folder, 'down', String(files.length))
    expect(await indexes(database)).toEqual(was)
  })

  test('dbmate', async () => {
    await using database = await arranged()
    await using project = await projectFolder()
    const was = await indexes(database)
    const { profiles, files } = await exported(database, 'dbmate', project.path)
    expect(await dbmate(database.url, project.path, 'up')).toContain('Applied')
    await proved(database.url, profiles)
    for (const _ of files) await dbmate(database.url, project.path, 'rollback')
    expect(await indexes(database)).toEqual(was)
  })

  test('graphile-migrate, after the migrations that are committed already', async () => {
    await using database = await arranged()
    await using project = await projectFolder()
    await writeFile(join(project.path, '.gmrc'), JSON.stringify({ connectionString: database.url }))
    const first: Plan = { steps: [], extensions: ['pg_trgm'], findings: [], notes: [], fingerprint: '' }
    await writeExport(first, 'graphile-migrate', join(project.path, 'migrations'), '/')
    await graphileMigrate(database.url, project.path)
    const { profiles, files } = await exported(database, 'graphile-migrate', join(project.path, 'migrations'))
    expect(files[0]).toMatch(/committed\/000002-/)
    const said = await graphileMigrate(database.url, project.path)
    expect(said).toContain(`${files.length} committed migrations executed`)
    await proved(database.url, profiles)
  })
})

test('a build that failed is not hidden: the next try stumbles, the check names the index', async () => {
  await using database = await testDatabase(
    'create table t (a int); insert into t values (1), (1); create table u (a int)',
  )
  await using project = await projectFolder()
  const profiles = await profileOf(['{ name: t_a, table: t, keys: [a], unique: true }'])
  await writeExport(await planned(database.url, profiles), 'dbmate', project.path, '/')
  await expect(dbmate(database.url, project.path, 'up')).rejects.toThrow(/could not create unique index/)
  await expect(dbmate(database.url, project.path, 'up')).rejects.toThrow(/already exists/)
  const check = (await filesIn(project.path)).find(([path]) => path.includes('check_indexes'))?.[1] ?? ''
  await expect(database.sql.unsafe(check.split('-- migrate:down')[0] ?? '')).rejects.toThrow(
    'missing or not valid: public.t_a',
  )
})

test('Flyway: a file and its settings for each statement', async () => {
  await using database = await arranged()
  await using project = await projectFolder()
  const { files } = await exported(database, 'flyway', project.path)
  const written = new Map((await filesIn(project.path)).filter(([path]) => path.startsWith('V')))
  expect(written.size).toBe(files.length)
  for (const [path, text] of written) {
    expect(path).toMatch(/^V\d{14}__[a-z0-9_]+\.sql(\.conf)?$/)
    if (path.endsWith('.conf')) continue
    const settings = written.get(`${path}.conf`)
    expect(settings).toBe(
      `executeInTransaction=${String(!/^(create|drop|reindex) .*concurrently/im.test(statementOf(text)))}\nplaceholderReplacement=false\n`,
    )
  }
})

test('whatever the tool, a statement that cannot be in a transaction is alone, and nothing says if not exists', async () => {
  await using database = await arranged()
  const migrations = migrationsOf(await planned(database.url, await declared()))
  expect(migrations.at(-1)?.name).toBe('check_indexes')
  for (const { transaction, up, down } of migrations) {
    const concurrent = [...up, ...down].some((sql) => /concurrently/i.test(sql))
    expect(concurrent).toBe(!transaction)
    if (!transaction) expect([up.length, down.length <= 1]).toEqual([1, true])
    expect([...up, ...down].join('\n')).not.toMatch(/if (not )?exists/i)
  }
})

test('perfdb plan --export writes them, says so, and never over a file', async () => {
  await using database = await testDatabase('create table t (a int)')
  await using at = await folder({
    'p.yaml': 'version: 1\nprofile: p\nschema: public\nindexes:\n  - { name: t_a, table: t, keys: [a] }\n',
  })
  const options = { cwd: at.path, environment: { DATABASE_URL: database.url } }
  const ended = await perfdbHere(['plan', 'p.yaml', '--export', 'dbmate'], options)
  expect(ended.code).toBe(0)
  expect(ended.stdout).toMatch(
    /Written: db\/migrations\/\d{14}_create_t_a\.sql,\s+db\/migrations\/\d{14}_check_indexes\.sql/,
  )
  await dbmate(database.url, join(at.path, 'db', 'migrations'), 'up')
  expect((await perfdbHere(['verify', 'p.yaml'], options)).code).toBe(0)
  const again = await perfdbHere(
    ['plan', 'p.yaml', '--export', 'flyway', '--out-dir', 'sub/dir', '--format', 'json'],
    options,
  )
  expect(JSON.parse(again.stdout)).toMatchObject({ ok: true, exported: [] })
  const wrong = await perfdbHere(['plan', 'p.yaml', '--out-dir', 'x'], options)
  expect(wrong).toMatchObject({ code: 2, stdout: '' })
  const unknown = await perfdbHere(['plan', 'p.yaml', '--export', 'dbmat'], options)
  expect(unknown.stderr).toMatch(/known are kysely, node-pg-migrate, dbmate,\s+graphile-migrate, flyway/)
  await at.write({ full: 'a file' })
  await database.sql`drop index t_a`
  const full = await perfdbHere(['plan', 'p.yaml', '--export', 'dbmate', '--out-dir', 'full'], options)
  expect(full).toMatchObject({ code: 2, stdout: '' })
  expect(full.stderr).toContain('--out-dir DIR')
})

function statementOf(text: string): string {
  return text.replace(/^--.*\n/gm, '')
}
