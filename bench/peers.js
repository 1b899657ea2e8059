import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { peersFolder } from './peers-folder.js'
import { inRounds, median, timed } from './rounds.js'
import { jobShop, perfdb, psql, withServer } from './server.js'

/** Nothing to do, as other tools of Node do it: one migration with the statements of 31 indexes, applied. */
export async function peers({ quick }) {
  const folder = await peersFolder()
  return withServer(0, async ({ url, sql }) => {
    await timed(process.execPath, [perfdb, 'apply', jobShop, '--no-measure', '--quiet', '--url', url], {
      codes: [0, 1],
    })
    const rows = await sql`select indexdef from pg_indexes where schemaname = 'public' and indexname like 'idx%'`
    const tools = await prepared(folder, rows.map((row) => row.indexdef).sort(), url)
    for (const run of Object.values(tools)) await run()
    const program = psql()
    const contenders = {
      'node -e 0': () => timed(process.execPath, ['-e', '0']),
      'perfdb plan': () => timed(process.execPath, [perfdb, 'plan', jobShop, '--url', url]),
      ...tools,
    }
    if (program !== undefined)
      contenders['psql, one query'] = () => timed(program, ['-XAtq', '-c', 'select count(*) from pg_index', url])
    await inRounds(1, contenders)
    const taken = await inRounds(quick ? 5 : 21, contenders)
    const bare = median(taken['node -e 0'])
    return {
      title: 'Nothing to do, beside other tools: 31 indexes that are there, one local server',
      note: 'perfdb looks at every index; the others at their list of migrations',
      columns: ['', 'ms', 'x node'],
      rows: Object.entries(taken).map(([name, times]) => [
        name,
        median(times).toFixed(0),
        (median(times) / bare).toFixed(2),
      ]),
    }
  })
}

/** Writes each tool's migration where it looks for one; the commands by name. */
async function prepared(folder, indexes, url) {
  const statements = indexes.map((text) => `${text.replace('INDEX', 'INDEX IF NOT EXISTS')};`).join('\n')
  const files = {
    'dbmate/db/migrations/20200101000000_indexes.sql': `-- migrate:up\n${statements}\n\n-- migrate:down\n`,
    'node-pg-migrate/migrations/1577836800000_indexes.sql': `-- Up Migration\n${statements}\n`,
    'graphile/.gmrc': JSON.stringify({
      connectionString: url,
      shadowConnectionString: `${url}_shadow`,
      rootConnectionString: url.replace(/postgres$/, 'template1'),
    }),
    'graphile/migrations/committed/000001.sql': committed(statements),
    'graphile/migrations/current.sql': '',
    'drizzle/drizzle.config.mjs': `export default { dialect: 'postgresql', out: './drizzle', dbCredentials: { url: process.env.URL } }`,
    'drizzle/drizzle/0000_indexes.sql': statements,
    'drizzle/drizzle/meta/_journal.json': JSON.stringify({
      version: '7',
      dialect: 'postgresql',
      entries: [{ idx: 0, version: '7', when: 1_577_836_800_000, tag: '0000_indexes', breakpoints: false }],
    }),
    'kysely/kysely.config.mjs': `import { PostgresDialect } from 'kysely'
import pg from 'pg'
export default { dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString: process.env.URL }) }), migrations: { migrationFolder: 'migrations' } }`,
    'kysely/migrations/1_indexes.mjs': `import { sql } from 'kysely'
export const up = async (db) => { await sql.raw(${JSON.stringify(statements)}).execute(db) }`,
  }
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, name)
    await mkdir(join(path, '..'), { recursive: true })
    await writeFile(path, text)
  }
  const bin = (name) => join(folder, 'node_modules', '.bin', name)
  const tool = (name, place, ...args) => {
    const environment = { DATABASE_URL: url, URL: url }
    return () => timed(bin(name), args, { cwd: join(folder, place), environment })
  }
  return {
    'dbmate migrate': tool('dbmate', 'dbmate', '--url', `${url}?sslmode=disable`, '--no-dump-schema', 'migrate'),
    'node-pg-migrate up': tool('node-pg-migrate', 'node-pg-migrate', 'up'),
    'graphile-migrate migrate': tool('graphile-migrate', 'graphile', 'migrate'),
    'drizzle-kit migrate': tool('drizzle-kit', 'drizzle', 'migrate', '--config', 'drizzle.config.mjs'),
    'kysely migrate latest': tool('kysely', 'kysely', 'migrate', 'latest'),
  }
}

/** As `graphile-migrate commit` would have written it. */
function committed(statements) {
  const hash = createHash('sha1').update(`${statements.trim()}\n`).digest('hex')
  return `--! Previous: -\n--! Hash: sha1:${hash}\n\n${statements.trim()}\n`
}
