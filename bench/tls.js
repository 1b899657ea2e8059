import { chown, stat, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import postgres from 'postgres'
import { peersFolder } from './peers-folder.js'
import { inRounds, median } from './rounds.js'
import { source } from './server.js'

const together = 10

/** A session over TLS, from the first byte to the first answer, beside node-postgres and postgres.js by themselves. */
export async function tls({ quick }) {
  const folder = await peersFolder()
  const { Client } = createRequire(join(folder, 'package.json'))('pg')
  const { startEmbedded } = await source('src/server/embedded/embedded.ts')
  const { connect } = await source('src/server/connect.ts')
  const { resolveTarget } = await source('src/server/target/target.ts')
  const { certificate, key } = await source('test/server/certificates.ts')
  const server = await startEmbedded()
  try {
    const data = join(server.folder, 'data')
    const owner = await stat(data)
    for (const [name, text] of Object.entries({ 'server.crt': certificate, 'server.key': key })) {
      await writeFile(join(data, name), text, { mode: 0o600 })
      if (process.getuid?.() === 0) await chown(join(data, name), owner.uid, owner.gid)
    }
    const sql = postgres(server.url, { max: 1 })
    await sql.unsafe('alter system set ssl = on')
    await sql`select pg_reload_conf()`
    await sql.end()
    const target = await resolveTarget({ url: `${server.url}?sslmode=require`, environment: {}, home: '/' })
    const ssl = { rejectUnauthorized: false }
    const each = (work) => async () => {
      const start = performance.now()
      for (let at = 0; at < together; at += 1) await work()
      return (performance.now() - start) / together
    }
    const contenders = {
      'node-postgres, select 1': each(async () => {
        const client = new Client({ connectionString: server.url, ssl })
        await client.connect()
        await client.query('select 1')
        await client.end()
      }),
      'perfdb, settings pinned and read back': each(async () => {
        const session = await connect(target, 'look')
        await session[Symbol.asyncDispose]()
      }),
      'postgres.js by itself, select 1': each(async () => {
        const client = postgres(server.url, { ssl, max: 1, fetch_types: false })
        await client`select 1`
        await client.end()
      }),
    }
    await inRounds(1, contenders)
    const taken = await inRounds(quick ? 5 : 15, contenders)
    const base = median(taken['node-postgres, select 1'])
    return {
      title: 'A session over TLS and SCRAM on loopback, opened and closed',
      note: 'perfdb at most 1.3 x node-postgres',
      columns: ['', 'ms', 'x node-postgres'],
      rows: Object.entries(taken).map(([name, times]) => [
        name,
        median(times).toFixed(1),
        (median(times) / base).toFixed(2),
      ]),
    }
  } finally {
    await server[Symbol.asyncDispose]()
  }
}
